import {
  CancelRotateSecretCommand,
  DescribeSecretCommand,
  paginateListSecretVersionIds,
  ReplicateSecretToRegionsCommand,
  type ReplicationStatusType,
  SecretsManagerClient,
  StopReplicationToReplicaCommand,
} from "@aws-sdk/client-secrets-manager";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { type AwsRotationCloudProps, ask, unlessMissing } from "./aws-rotation-cloud";
import type { FailoverCloud, ReplicaStatus, SecretInRegion } from "./failover-cloud";

/** A region that takes longer to say anything counts as lost. */
const ANSWER_MS = 5_000;

/** {@link FailoverCloud} by AWS's SDK: credentials, endpoints and proxies come from its own chain. */
export class AwsFailoverCloud implements FailoverCloud {
  readonly #secrets: SecretsManagerClient;
  readonly #impatient: SecretsManagerClient;
  readonly #sts: STSClient;

  constructor(props: AwsRotationCloudProps) {
    this.#secrets = new SecretsManagerClient({ ...props });
    this.#impatient = new SecretsManagerClient({
      ...props,
      maxAttempts: 1,
      requestHandler: {
        connectionTimeout: ANSWER_MS,
        requestTimeout: ANSWER_MS,
        throwOnRequestTimeout: true,
      },
    });
    this.#sts = new STSClient({ ...props });
  }

  async callerAccount(): Promise<string> {
    const { Account } = await ask("sts:GetCallerIdentity", "the credentials", () =>
      this.#sts.send(new GetCallerIdentityCommand({})),
    );
    return Account ?? "";
  }

  async answers(secretName: string): Promise<boolean> {
    try {
      await this.#impatient.send(new DescribeSecretCommand({ SecretId: secretName }));
      return true;
    } catch (failure) {
      // A refusal is an answer; an error of the service, or none, is not.
      const status = (failure as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
      return status !== undefined && status < 500;
    }
  }

  async look(secretName: string): Promise<SecretInRegion | undefined> {
    const secret = await unlessMissing("secretsmanager:DescribeSecret", secretName, () =>
      this.#secrets.send(new DescribeSecretCommand({ SecretId: secretName })),
    );
    if (secret === undefined) return undefined;
    const deleted = secret.DeletedDate !== undefined;
    return {
      name: secretName,
      arn: secret.ARN ?? secretName,
      rotationEnabled: secret.RotationEnabled ?? false,
      deleted,
      primaryRegion: secret.PrimaryRegion,
      labels: new Map(Object.entries(secret.VersionIdsToStages ?? {})),
      kmsKeyId: secret.KmsKeyId,
      replicas: new Map((secret.ReplicationStatus ?? []).map(replicaStatus)),
      createdAt: deleted ? new Map() : await this.#createdAt(secretName),
    };
  }

  async promote(secretName: string): Promise<void> {
    await ask("secretsmanager:StopReplicationToReplica", secretName, () =>
      this.#secrets.send(new StopReplicationToReplicaCommand({ SecretId: secretName })),
    );
  }

  async cancelRotation(secretName: string): Promise<void> {
    await ask("secretsmanager:CancelRotateSecret", secretName, () =>
      this.#secrets.send(new CancelRotateSecretCommand({ SecretId: secretName })),
    );
  }

  async replicateOver(secretName: string, region: string, kmsKeyId: string | undefined): Promise<void> {
    await ask("secretsmanager:ReplicateSecretToRegions", secretName, () =>
      this.#secrets.send(
        new ReplicateSecretToRegionsCommand({
          SecretId: secretName,
          AddReplicaRegions: [{ Region: region, ...(kmsKeyId === undefined ? {} : { KmsKeyId: kmsKeyId }) }],
          ForceOverwriteReplicaSecret: true,
        }),
      ),
    );
  }

  async #createdAt(secretName: string): Promise<ReadonlyMap<string, Date>> {
    return ask("secretsmanager:ListSecretVersionIds", secretName, async () => {
      const created = new Map<string, Date>();
      const pages = paginateListSecretVersionIds(
        { client: this.#secrets },
        { SecretId: secretName, IncludeDeprecated: true },
      );
      for await (const { Versions = [] } of pages) {
        for (const { VersionId = "", CreatedDate = new Date(0) } of Versions)
          created.set(VersionId, CreatedDate);
      }
      return created;
    });
  }
}

const replicaStatus = ({
  Region = "",
  Status = "InProgress",
  StatusMessage,
  KmsKeyId,
}: ReplicationStatusType): readonly [string, ReplicaStatus] => [
  Region,
  {
    status: Status,
    ...(StatusMessage === undefined ? {} : { message: StatusMessage }),
    ...(KmsKeyId === undefined ? {} : { kmsKeyId: KmsKeyId }),
  },
];
