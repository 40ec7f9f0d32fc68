import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import type { SecretDescription, SecretStore, StagingLabel } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import { awsFailure, awsNameOf } from "./aws-failure";
import { replicasBehind } from "./replicas-behind";

/** {@link SecretStore} on AWS Secrets Manager. */
export class SecretsManagerStore implements SecretStore {
  readonly #client: SecretsManagerClient;

  constructor(client: SecretsManagerClient) {
    this.#client = client;
  }

  async describe(secretId: string): Promise<SecretDescription> {
    try {
      const secret = await this.#client.send(new DescribeSecretCommand({ SecretId: secretId }));
      return {
        name: secret.Name ?? secretId,
        arn: secret.ARN ?? secretId,
        rotationEnabled: secret.RotationEnabled ?? false,
        lastRotatedAt: secret.LastRotatedDate,
        deleted: secret.DeletedDate !== undefined,
        primaryRegion: secret.PrimaryRegion,
        replicasBehind: replicasBehind(secret),
        labels: new Map(Object.entries(secret.VersionIdsToStages ?? {})),
      };
    } catch (failure) {
      if (awsNameOf(failure) === "ResourceNotFoundException") {
        throw new RotationError("secret-missing", `there is no secret ${secretId}`);
      }
      throw awsFailure(failure, `secretsmanager:DescribeSecret of ${secretId}`);
    }
  }

  read(secretId: string, versionId: string): Promise<string | undefined> {
    return this.#get(secretId, { VersionId: versionId });
  }

  readCurrent(secretId: string): Promise<string | undefined> {
    return this.#get(secretId, { VersionStage: "AWSCURRENT" });
  }

  putPending(secretId: string, versionId: string, value: string): Promise<void> {
    // Without this AWS moves AWSCURRENT at once.
    return this.#put(secretId, versionId, value, { VersionStages: ["AWSPENDING"] });
  }

  putCurrent(secretId: string, versionId: string, value: string): Promise<void> {
    return this.#put(secretId, versionId, value, {});
  }

  async #put(
    secretId: string,
    versionId: string,
    value: string,
    stages: { readonly VersionStages?: string[] },
  ): Promise<void> {
    try {
      await this.#client.send(
        new PutSecretValueCommand({
          SecretId: secretId,
          ClientRequestToken: versionId,
          SecretString: value,
          ...stages,
        }),
      );
    } catch (failure) {
      if (awsNameOf(failure) === "ResourceExistsException") {
        throw new RotationError("value-exists", `version ${versionId} of ${secretId} has another value`);
      }
      throw awsFailure(failure, `secretsmanager:PutSecretValue of ${secretId}`);
    }
  }

  async moveLabel(
    secretId: string,
    label: StagingLabel,
    move: { readonly from?: string; readonly to?: string },
  ): Promise<void> {
    try {
      await this.#client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: secretId,
          VersionStage: label,
          ...(move.from === undefined ? {} : { RemoveFromVersionId: move.from }),
          ...(move.to === undefined ? {} : { MoveToVersionId: move.to }),
        }),
      );
    } catch (failure) {
      // AWS answers InvalidParameterException when RemoveFromVersionId is not where the label is.
      const name = awsNameOf(failure);
      if (name === "InvalidParameterException" || name === "ResourceNotFoundException") {
        // An answer that got lost is asked for again by the SDK; by then the label is where it was to go.
        if (move.to !== undefined && (await this.#holds(secretId, label, move.to))) return;
        throw new RotationError("label-moved", `${label} of ${secretId} is not where it was`, name);
      }
      throw awsFailure(failure, `secretsmanager:UpdateSecretVersionStage of ${secretId}`);
    }
  }

  async #holds(secretId: string, label: StagingLabel, versionId: string): Promise<boolean> {
    const { labels } = await this.describe(secretId);
    return labels.get(versionId)?.includes(label) ?? false;
  }

  async #get(
    secretId: string,
    version: { readonly VersionId: string } | { readonly VersionStage: string },
  ): Promise<string | undefined> {
    try {
      const answer = await this.#client.send(new GetSecretValueCommand({ SecretId: secretId, ...version }));
      if (answer.SecretBinary !== undefined) {
        throw new RotationError("value-malformed", `${secretId} is binary`);
      }
      // An empty text is what a value put through a broken pipe looks like; it is none.
      return answer.SecretString || undefined;
    } catch (failure) {
      // Also what AWS answers for a version that exists and has no value.
      if (awsNameOf(failure) === "ResourceNotFoundException") return undefined;
      throw awsFailure(failure, `secretsmanager:GetSecretValue of ${secretId}`);
    }
  }
}
