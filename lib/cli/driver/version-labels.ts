import type { SecretDescription } from "../../rotation";

/** A secret's versions, by the labels that say where its rotation stands. */
export interface VersionLabels {
  /** Version with AWSCURRENT. */
  readonly current: string | undefined;
  /** Version with AWSPENDING that is not AWSCURRENT, too. */
  readonly pending: string | undefined;
  /** Version with AWSPREVIOUS. */
  readonly previous: string | undefined;
  /** Whether AWSCURRENT has passed its test: pods get nothing else. */
  readonly verified: boolean;
  /** Whether any version has ever passed one. */
  readonly everVerified: boolean;
  readonly has: (versionId: string) => boolean;
}

/** Reads a secret's labels. */
export function versionLabels({ labels }: Pick<SecretDescription, "labels">): VersionLabels {
  const holderOf = (label: string): string | undefined =>
    [...labels].find(([, held]) => held.includes(label))?.[0];
  const current = holderOf("AWSCURRENT");
  const pending = holderOf("AWSPENDING");
  const verified = holderOf("VERIFIED");
  return {
    current,
    pending: pending === current ? undefined : pending,
    previous: holderOf("AWSPREVIOUS"),
    verified: current !== undefined && verified === current,
    everVerified: verified !== undefined,
    has: (versionId) => labels.has(versionId),
  };
}
