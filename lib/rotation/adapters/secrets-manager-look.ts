import {
  DescribeSecretCommand,
  ListSecretVersionIdsCommand,
  type SecretsManagerClient,
  type SecretVersionsListEntry,
} from "@aws-sdk/client-secrets-manager";
import type { Look, WatchedSecrets } from "../procedure/watcher";
import type { ProofChecks } from "../protocol/ports";
import { looksLikeProof } from "../protocol/version-proof";
import { awsFailure, awsNameOf } from "./aws-failure";
import { replicasBehind } from "./replicas-behind";

type Version = Pick<SecretVersionsListEntry, "VersionId" | "VersionStages">;

const BY_FORM: ProofChecks = { proves: async (_arn, _version, labels) => labels.some(looksLikeProof) };

/** {@link WatchedSecrets} of AWS Secrets Manager. Reads no value. */
export class SecretsManagerLook implements WatchedSecrets {
  readonly #client: SecretsManagerClient;
  readonly #proofs: ProofChecks;

  /**
   * @param proofs whether a label proves its version. Default: by its form, for people, who may not ask KMS: a label that
   * was made up has it, too
   */
  constructor(client: SecretsManagerClient, proofs: ProofChecks = BY_FORM) {
    this.#client = client;
    this.#proofs = proofs;
  }

  async look(secretName: string): Promise<Look | undefined> {
    try {
      const secret = await this.#client.send(new DescribeSecretCommand({ SecretId: secretName }));
      if (secret.DeletedDate !== undefined) return undefined;
      const { Versions = [] } = await this.#client.send(
        // More versions than a hundred have no label, and are not listed.
        new ListSecretVersionIdsCommand({ SecretId: secretName, MaxResults: 100 }),
      );
      const holder = (label: string) =>
        Versions.find(({ VersionStages = [] }) => VersionStages.includes(label));
      const [current, pending] = [holder("AWSCURRENT"), holder("AWSPENDING")];
      return {
        changedAt: secret.LastChangedDate,
        currentSince: current?.CreatedDate,
        pendingSince: pending === current ? undefined : pending?.CreatedDate,
        replicasBehind: replicasBehind(secret),
        isServed: Versions.some(({ VersionStages = [] }) => VersionStages.some(looksLikeProof)),
        verified: (await this.#isProved(secret.ARN, current)) ? current?.VersionId : undefined,
      };
    } catch (failure) {
      if (awsNameOf(failure) === "ResourceNotFoundException") return undefined;
      throw awsFailure(
        failure,
        `secretsmanager:DescribeSecret, ListSecretVersionIds, kms:VerifyMac of ${secretName}`,
      );
    }
  }

  async #isProved(arn = "", { VersionId = "", VersionStages = [] }: Version = {}): Promise<boolean> {
    return this.#proofs.proves(arn, VersionId, VersionStages);
  }
}
