import type { CallRecord } from "./call-log";
import type { Upstream } from "./upstream";

/**
 * What Secrets Manager asks KMS for in the caller's name, when a secret has a key of the customer's.
 *
 * Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
 */
const ASKED_BY: Readonly<Record<string, readonly string[]>> = {
  "secretsmanager:GetSecretValue": ["kms:Decrypt"],
  "secretsmanager:PutSecretValue": ["kms:GenerateDataKey", "kms:Decrypt"],
  "secretsmanager:UpdateSecret": ["kms:GenerateDataKey", "kms:Decrypt"],
  "secretsmanager:CreateSecret": ["kms:GenerateDataKey", "kms:Decrypt"],
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
  const resource = await keyArn(secret.KmsKeyId, account, region, upstream);
  const context = {
    ...record.context,
    "kms:ViaService": `secretsmanager.${region}.amazonaws.com`,
    "kms:EncryptionContext:SecretARN": record.resource,
    "kms:CallerAccount": account,
  };
  return actions.map((action) => ({
    ...record,
    action,
    resource,
    outcome: "implied",
    context,
  }));
}

async function keyArn(keyId: string, account: string, region: string, upstream: Upstream): Promise<string> {
  if (/^arn:[^:]+:kms:.*:key\//.test(keyId)) return keyId;
  const { body } = await upstream.asRoot(
    { account, region, service: "kms", operation: "DescribeKey" },
    { KeyId: keyId },
  );
  const metadata = body.KeyMetadata as { readonly Arn?: string } | undefined;
  return metadata?.Arn ?? keyId;
}
