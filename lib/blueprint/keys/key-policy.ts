import { fault, RegistryError } from "../../model/faults";
import { compactLength, type PolicyDocument, type PolicyStatement } from "../../model/policy-document";
import { type AccountScope, rootArn, secretArnPrefix, secretsManagerService } from "../platform/aws-arns";

/** A key policy (KMS quota, bytes). */
const KEY_POLICY_LIMIT = 32_768;

/**
 * Actions on the key that the account has: all administration, nothing with data, and no grants that would give
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

/** Principals that may use an environment's key for data, in one region. */
export interface KeyPolicyInput {
  readonly scope: AccountScope;
  readonly environment: string;
  readonly region: string;
  /** Decrypt only: consumers and the mirror. */
  readonly readers: readonly string[];
  /** Decrypt, encrypt and make data keys: operators, break-glass, rotation functions. */
  readonly writers: readonly string[];
  /**
   * Make secrets under the key, and their replicas, without a value: the deployer. The key does for it what Secrets Manager tries,
   * and nothing with a value: UpdateSecret, which could bring one, has no other lock.
   */
  readonly makers: readonly string[];
  /**
   * `true` where the makers use the key for values as well: AWS requires it of a caller who replicates a secret that has
   * a value, or gives it another key.
   */
  readonly makersMoveValues: boolean;
}

/** Actions on the key that writing a value needs. */
export const DATA = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"] as const;

/** Text in the place of a secret's ARN, or of a version's id, where Secrets Manager only tries whether a key works. */
export const KEY_TRIAL = "RequestToValidateKeyAccess";

function throughSecretsManager(
  input: KeyPolicyInput,
  sid: string,
  actions: readonly string[],
  principals: readonly string[],
  contexts: PolicyStatement["Condition"] = ofSecrets(input),
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
      ArnLike: { "aws:PrincipalArn": principals },
      StringEquals: {
        "kms:CallerAccount": [input.scope.account],
        "kms:ViaService": [secretsManagerService(input.region)],
      },
      ...contexts,
    },
  };
}

const ofSecrets = (
  { scope, environment }: KeyPolicyInput,
  ...more: readonly string[]
): PolicyStatement["Condition"] => ({
  StringLike: { "kms:EncryptionContext:SecretARN": [secretArnPrefix(scope, environment), ...more] },
});

/**
 * CreateSecret and UpdateSecret with a customer key try GenerateDataKey and Decrypt with the caller's rights, and throw the result
 * away; Encrypt is asked for replicas. AWS documents the word in the place of the version's id; calls for a secret that has no ARN yet were seen with it in the
 * ARN's place as well. Neither context is that of a value.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
 */
const trials = (input: KeyPolicyInput): readonly PolicyStatement[] =>
  (["SecretARN", "SecretVersionId"] as const).map((key) =>
    throughSecretsManager(input, `TryFor${key}`, DATA, input.makers, {
      StringLike: { [`kms:EncryptionContext:${key}`]: [KEY_TRIAL] },
    }),
  );

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
        DATA,
        [...input.writers, ...(input.makersMoveValues ? input.makers : [])],
        ofSecrets(input, KEY_TRIAL),
      ),
      ...(input.makersMoveValues ? [] : trials(input)),
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
