import type { CallRecord } from "./call-log";
import { keyArn } from "./resource-arn";
import type { Upstream } from "./upstream";

/**
 * Actions that Secrets Manager asks KMS for in the caller's name, when a secret has a key of the customer's.
 *
 * Sources: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html,
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ReplicateSecretToRegions.html
 */
const ASKED_BY: Readonly<Record<string, readonly string[]>> = {
  "secretsmanager:GetSecretValue": ["kms:Decrypt"],
  "secretsmanager:PutSecretValue": ["kms:GenerateDataKey", "kms:Decrypt"],
  "secretsmanager:UpdateSecret": ["kms:GenerateDataKey", "kms:Decrypt"],
  "secretsmanager:CreateSecret": ["kms:GenerateDataKey", "kms:Decrypt"],
  "secretsmanager:ReplicateSecretToRegions": ["kms:Decrypt"],
};

/**
 * Actions that bring values to replicas: they are encrypted under each replica's key, with the caller's own rights.
 *
 * Sources: https://docs.aws.amazon.com/secretsmanager/latest/userguide/cross-account-replicate-permissions.html,
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ReplicateSecretToRegions.html
 */
const ASKED_OF_REPLICAS_BY: Readonly<Record<string, readonly string[]>> = {
  "secretsmanager:PutSecretValue": ["kms:Encrypt"],
  "secretsmanager:UpdateSecret": ["kms:Encrypt"],
  "secretsmanager:ReplicateSecretToRegions": ["kms:GenerateDataKey", "kms:Encrypt"],
};

/** The calls of KMS under a call of Secrets Manager that went through. */
export async function impliedKmsCalls(
  record: CallRecord,
  upstream: Upstream,
): Promise<readonly CallRecord[]> {
  const actions = ASKED_BY[record.action];
  if (actions === undefined || record.injected || record.outcome !== "allowed") return [];
  const [, , , region = "", account = ""] = record.resource.split(":");
  const { body: secret } = await upstream.asRoot(
    { account, region, service: "secretsmanager", operation: "DescribeSecret" },
    { SecretId: record.resource },
  );
  if (typeof secret.KmsKeyId !== "string") return [];
  const own = actions.map((action) => impliedCall(record, action, region, String(secret.KmsKeyId), upstream));
  const asked = ASKED_OF_REPLICAS_BY[record.action] ?? [];
  const ofReplicas = replicasOf(secret.ReplicationStatus)
    .filter(({ Region }) => isWritten(record, Region))
    .flatMap(({ Region, KmsKeyId }) =>
      asked.map((action) => impliedCall(record, action, Region, KmsKeyId, upstream)),
    );
  return Promise.all([...own, ...ofReplicas]);
}

/** `true` when a call writes in a replica's region: all of them are, unless it names those that it adds. */
function isWritten({ context }: CallRecord, region: string): boolean {
  const added = context["secretsmanager:AddReplicaRegions"];
  return added === undefined || added.split(",").includes(region);
}

/** One call of KMS that Secrets Manager makes in a region for a secret there. */
async function impliedCall(
  record: CallRecord,
  action: string,
  region: string,
  keyId: string,
  upstream: Upstream,
): Promise<CallRecord> {
  const parts = record.resource.split(":");
  const [, , , , account = ""] = parts;
  return {
    ...record,
    action,
    resource: await keyArn(keyId, account, region, upstream),
    outcome: "implied",
    context: {
      ...record.context,
      "kms:ViaService": `secretsmanager.${region}.amazonaws.com`,
      "kms:EncryptionContext:SecretARN": parts.with(3, region).join(":"),
      "kms:CallerAccount": account,
    },
  };
}

/** Replicas with a key of the customer's. */
const replicasOf = (status: unknown): readonly { readonly Region: string; readonly KmsKeyId: string }[] =>
  (Array.isArray(status) ? status : []).filter(
    ({ Region, KmsKeyId }) => typeof Region === "string" && typeof KmsKeyId === "string",
  );
