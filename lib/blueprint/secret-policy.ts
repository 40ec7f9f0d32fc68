import { fault, RegistryError } from "../model/faults";
import { compactLength, type PolicyDocument, type PolicyStatement } from "../model/policy-document";
import { principalArnValues } from "./aws-arns";

/** Resource policy of one secret (AWS quota, characters). */
const RESOURCE_POLICY_LIMIT = 20_480;

/** Who may read and write one secret's value. Everybody else is denied, whatever their own policies say. */
export interface SecretPolicyInput {
  readonly key: string;
  /** Roles that may read: consumers, operators, break-glass, the functions that rotate by it, the mirror. */
  readonly readers: readonly string[];
  /** Roles that may write: operators, break-glass, its rotation function. */
  readonly writers: readonly string[];
  /** Roles that may change what Terraform owns: the deployer. The same call could bring a value. */
  readonly administrators: readonly string[];
}

function denyUnless(sid: string, actions: readonly string[], principals: readonly string[]): PolicyStatement {
  const values = principals.flatMap(principalArnValues);
  return {
    Sid: sid,
    Effect: "Deny",
    // Never a role here: IAM refuses a policy whose principal does not exist, and a recreated role would lose
    // its place.
    Principal: "*",
    Action: actions,
    Resource: ["*"],
    // Without exempt principals the deny has no exception at all.
    ...(values.length > 0 ? { Condition: { ArnNotLike: { "aws:PrincipalArn": values } } } : {}),
  };
}

/**
 * The resource policy of a secret (docs/explanation/architecture.md, decision 9). It only denies, and only what touches a value: rights
 * come from the readers' own policies, and administration of the secret, this policy included, stays with the
 * account, so nobody is locked out.
 *
 * @throws RegistryError when the list of readers outgrows AWS's limit
 */
export function secretPolicy(input: SecretPolicyInput): PolicyDocument {
  const document: PolicyDocument = {
    Version: "2012-10-17",
    Statement: [
      denyUnless(
        "DenyReadExceptReaders",
        ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"],
        input.readers,
      ),
      denyUnless(
        "DenyWriteExceptWriters",
        ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"],
        input.writers,
      ),
      // With a value it moves AWSCURRENT at once, past every test:
      // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html
      denyUnless(
        "DenyUpdateExceptAdministrators",
        ["secretsmanager:UpdateSecret"],
        [...input.writers, ...input.administrators],
      ),
    ],
  };
  const length = compactLength(document);
  if (length > RESOURCE_POLICY_LIMIT) {
    throw new RegistryError([
      fault(
        ["secrets", input.key, "consumers"],
        `${input.readers.length} readers, whose resource policy has ${length} characters`,
        `${RESOURCE_POLICY_LIMIT} characters in the policy of a secret (AWS quota)`,
        "let fewer workloads read one secret, or split it into several secrets",
      ),
    ]);
  }
  return document;
}
