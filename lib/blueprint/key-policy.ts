import { fault, RegistryError } from "../model/faults";
import { compactLength, type PolicyDocument, type PolicyStatement } from "../model/policy-document";
import {
  type AccountScope,
  principalArnValues,
  rootArn,
  secretArnPrefix,
  secretsManagerService,
} from "./aws-arns";

/** A key policy (KMS quota, bytes). */
const KEY_POLICY_LIMIT = 32_768;

/**
 * What the account may do with the key: all administration, nothing with data, and no grants that would give
 * data away.
 */
export const ADMINISTRATION = [
  "kms:CancelKeyDeletion",
  "kms:CreateAlias",
  "kms:DeleteAlias",
  "kms:DescribeKey",
  "kms:DisableKey",
  "kms:DisableKeyRotation",
  "kms:EnableKey",
  "kms:EnableKeyRotation",
  "kms:GetKeyPolicy",
  "kms:GetKeyRotationStatus",
  "kms:ListAliases",
  "kms:ListGrants",
  "kms:ListKeyPolicies",
  "kms:ListKeyRotations",
  "kms:ListResourceTags",
  "kms:PutKeyPolicy",
  "kms:ReplicateKey",
  "kms:RetireGrant",
  "kms:RevokeGrant",
  "kms:RotateKeyOnDemand",
  "kms:ScheduleKeyDeletion",
  "kms:TagResource",
  "kms:UntagResource",
  "kms:UpdateAlias",
  "kms:UpdateKeyDescription",
  "kms:UpdatePrimaryRegion",
] as const;

/** Who may use an environment's key for data, in one region. */
export interface KeyPolicyInput {
  readonly scope: AccountScope;
  readonly environment: string;
  readonly region: string;
  /** Decrypt only: consumers and the mirror. */
  readonly readers: readonly string[];
  /** Decrypt, encrypt and make data keys: deployer, operators, break-glass, rotation functions. */
  readonly writers: readonly string[];
}

function throughSecretsManager(
  input: KeyPolicyInput,
  sid: string,
  actions: readonly string[],
  principals: readonly string[],
  contexts: readonly string[] = [],
): PolicyStatement {
  return {
    Sid: sid,
    Effect: "Allow",
    // The account, narrowed to the principals below; a role itself here would break the key when the role is
    // recreated.
    Principal: { AWS: rootArn(input.scope) },
    Action: actions,
    Resource: ["*"],
    Condition: {
      ArnLike: { "aws:PrincipalArn": principals.flatMap(principalArnValues) },
      StringEquals: {
        "kms:CallerAccount": [input.scope.account],
        "kms:ViaService": [secretsManagerService(input.region)],
      },
      StringLike: {
        "kms:EncryptionContext:SecretARN": [secretArnPrefix(input.scope, input.environment), ...contexts],
      },
    },
  };
}

/**
 * The policy of an environment's key in one region (docs/explanation/architecture.md, decision 9): the account administers it without
 * data actions; data actions only through Secrets Manager in that region, for secrets of that environment.
 *
 * @throws RegistryError when the principals outgrow KMS's limit
 */
export function keyPolicy(input: KeyPolicyInput): PolicyDocument {
  const readers =
    input.readers.length > 0
      ? [throughSecretsManager(input, "DecryptForReaders", ["kms:Decrypt"], input.readers)]
      : [];
  const document: PolicyDocument = {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "AccountAdministersWithoutData",
        Effect: "Allow",
        Principal: { AWS: rootArn(input.scope) },
        Action: ADMINISTRATION,
        Resource: ["*"],
      },
      ...readers,
      throughSecretsManager(
        input,
        "UseForWriters",
        ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
        input.writers,
        // CreateSecret with a customer key tries GenerateDataKey and Decrypt with the caller's rights; the secret
        // has no ARN yet, so Secrets Manager puts this word in its place.
        ["RequestToValidateKeyAccess"],
      ),
    ],
  };
  const length = compactLength(document);
  if (length > KEY_POLICY_LIMIT) {
    throw new RegistryError([
      fault(
        ["environments", input.environment],
        `${input.readers.length} consuming workloads, whose key policy has ${length} characters`,
        `${KEY_POLICY_LIMIT} bytes in a key policy (KMS quota)`,
        "spread the workloads over several registries, each with its own key",
      ),
    ]);
  }
  return document;
}
