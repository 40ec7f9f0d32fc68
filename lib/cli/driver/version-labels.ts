import { labelHolder, looksLikeProof, type SecretDescription } from "../../rotation";

/** A secret's versions, by the labels that say where its rotation stands. */
export interface VersionLabels {
  /** Version with AWSCURRENT. */
  readonly current: string | undefined;
  /** Version with AWSPENDING that is not AWSCURRENT, too. */
  readonly pending: string | undefined;
  /** Version with AWSPREVIOUS. */
  readonly previous: string | undefined;
  /**
   * `true` when AWSCURRENT has a proof that it has passed its test, by the form of its labels: pods get nothing else. Whether the
   * proof is real, the mirror asks KMS before it copies.
   */
  readonly verified: boolean;
  /** `true` when any version has ever passed one. */
  readonly everVerified: boolean;
  readonly has: (versionId: string) => boolean;
}

/** Reads a secret's labels. */
export function versionLabels({ labels }: Pick<SecretDescription, "labels">): VersionLabels {
  const current = labelHolder(labels, "AWSCURRENT");
  const pending = labelHolder(labels, "AWSPENDING");
  return {
    current,
    pending: pending === current ? undefined : pending,
    previous: labelHolder(labels, "AWSPREVIOUS"),
    verified: current !== undefined && (labels.get(current) ?? []).some(looksLikeProof),
    everVerified: [...labels.values()].some((held) => held.some(looksLikeProof)),
    has: (versionId) => labels.has(versionId),
  };
}
