import { createHmac, randomBytes } from "node:crypto";
import type { ProofChecks, VersionProofs } from "../../../lib/rotation/protocol/ports";
import {
  looksLikeProof,
  macsIn,
  type ProofLabel,
  proofLabel,
  proofMessage,
} from "../../../lib/rotation/protocol/version-proof";
import type { SecretsManagerModel } from "./secrets-manager-model";

/** KMS's HMAC key, in memory. */
export class ProofsModel implements VersionProofs, ProofChecks {
  readonly #key = randomBytes(32);
  /** Calls of KMS that checks have made. */
  checks = 0;

  async labelFor(secretArn: string, versionId: string): Promise<ProofLabel> {
    return this.of(secretArn, versionId);
  }

  async proves(secretArn: string, versionId: string, labels: readonly string[]): Promise<boolean> {
    const macs = macsIn(labels);
    this.checks += macs.length;
    return macs.some((mac) => proofLabel(mac) === this.of(secretArn, versionId));
  }

  of(secretArn: string, versionId: string): ProofLabel {
    return proofLabel(createHmac("sha256", this.#key).update(proofMessage(secretArn, versionId)).digest());
  }

  /** Proves a version as a rotation does that has passed its test. */
  prove(secrets: SecretsManagerModel, name: string, versionId: string): void {
    secrets.label(name, this.of(secrets.arnOf(name), versionId), versionId);
  }

  /** The versions that are proved. */
  proved(secrets: SecretsManagerModel, name: string): readonly string[] {
    return Object.entries(secrets.labels(name)).flatMap(([version, labels]) =>
      labels.includes(this.of(secrets.arnOf(name), version)) ? [version] : [],
    );
  }

  /** Labels as people write them: real proofs as `proof`, whatever looks like one as `forged`. */
  plain(secrets: SecretsManagerModel, name: string): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(
      Object.entries(secrets.labels(name)).map(([version, labels]) => [
        version,
        labels
          .map((label) =>
            label === this.of(secrets.arnOf(name), version)
              ? "proof"
              : looksLikeProof(label)
                ? "forged"
                : label,
          )
          .sort(),
      ]),
    );
  }
}
