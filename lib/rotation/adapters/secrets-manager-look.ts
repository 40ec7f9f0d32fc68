import {
  DescribeSecretCommand,
  ListSecretVersionIdsCommand,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { Look, WatchedSecrets } from "../procedure/watcher";
import { looksLikeProof } from "../version-proof";
import { awsFailure, awsNameOf } from "./aws-failure";

/** {@link WatchedSecrets} of AWS Secrets Manager. Reads no value. */
export class SecretsManagerLook implements WatchedSecrets {
  readonly #client: SecretsManagerClient;

  constructor(client: SecretsManagerClient) {
    this.#client = client;
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
        replicasBehind: (secret.ReplicationStatus ?? []).flatMap(({ Region = "", Status }) =>
          Status === "InSync" ? [] : [Region],
        ),
        verified: current?.VersionStages?.some(looksLikeProof) ? current.VersionId : undefined,
      };
    } catch (failure) {
      if (awsNameOf(failure) === "ResourceNotFoundException") return undefined;
      throw awsFailure(failure, `secretsmanager:DescribeSecret, ListSecretVersionIds of ${secretName}`);
    }
  }
}
