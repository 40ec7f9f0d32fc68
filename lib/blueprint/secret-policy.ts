import { fault, RegistryError } from "../model/faults";
import { compactLength, type PolicyDocument, type PolicyStatement } from "../model/policy-document";
import { principalArnValues } from "./aws-arns";

/** Resource policy of one secret (AWS quota, characters). */
const RESOURCE_POLICY_LIMIT = 20_480;

/** Who may read and write one secret's value. Everybody else is denied, whatever their own policies say. */
export interface SecretPolicyInput {
  readonly key: string;
  /** Roles that may read: consumers, break-glass, the functions that rotate by it, the mirror. */
  readonly readers: readonly string[];
  /** People who take a value that was made to its target, so that they may read it while it waits under AWSPENDING. */
  readonly takers: readonly string[];
  /** Roles that may write: break-glass, its rotation function. */
  readonly writers: readonly string[];
  /** Roles that may change what Terraform owns: the deployer. The same call could bring a value. */
  readonly administrators: readonly string[];
}

/** Who may do what with an inbox. */
export interface InboxPolicyInput {
  readonly key: string;
  /** The rotation function. */
  readonly reader: string;
  /** People who supply values. */
  readonly suppliers: readonly string[];
  readonly administrators: readonly string[];
}

const READS = ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"] as const;

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
 * The resource policy of a secret (design, decision 9). It only denies, and only what touches a value: rights
 * come from the readers' own policies, and administration of the secret, this policy included, stays with the
 * account, so nobody is locked out.
 *
 * @throws RegistryError when the list of readers outgrows AWS's limit
 */
export function secretPolicy(input: SecretPolicyInput): PolicyDocument {
  const document: PolicyDocument = {
    Version: "2012-10-17",
    Statement: [
      denyUnless("DenyReadExceptReaders", READS, [...input.readers, ...input.takers]),
      ...(input.takers.length > 0 ? [onlyWhatWaits(input.takers)] : []),
      denyUnless(
        "DenyWriteExceptWriters",
        ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"],
        input.writers,
      ),
      // With a value it moves AWSCURRENT at once, past every test:
      // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html
      denyUnless("DenyUpdateExceptAdministrators", ["secretsmanager:UpdateSecret"], input.administrators),
    ],
  };
  return withinLimit(input.key, input.readers.length, document);
}

/**
 * The resource policy of an inbox: people write it and cannot read it, one function reads it, and nobody moves its labels.
 *
 * @throws RegistryError when the list of suppliers outgrows AWS's limit
 */
export function inboxPolicy({ key, reader, suppliers, administrators }: InboxPolicyInput): PolicyDocument {
  return withinLimit(key, suppliers.length, {
    Version: "2012-10-17",
    Statement: [
      denyUnless("DenyReadExceptItsFunction", READS, [reader]),
      denyUnless("DenyWriteExceptSuppliers", ["secretsmanager:PutSecretValue"], [...suppliers, reader]),
      denyUnless("DenyLabels", ["secretsmanager:UpdateSecretVersionStage"], []),
      denyUnless("DenyUpdateExceptAdministrators", ["secretsmanager:UpdateSecret"], administrators),
    ],
  });
}

/**
 * People who take a made value to its target read that value and no other: neither the current one, nor one by its version
 * alone. `secretsmanager:VersionStage` has the stage of the request.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
 */
const onlyWhatWaits = (takers: readonly string[]): PolicyStatement => ({
  Sid: "TakersReadWhatWaits",
  Effect: "Deny",
  Principal: "*",
  Action: READS,
  Resource: ["*"],
  Condition: {
    ArnLike: { "aws:PrincipalArn": takers.flatMap(principalArnValues) },
    StringNotEquals: { "secretsmanager:VersionStage": ["AWSPENDING"] },
  },
});

function withinLimit(key: string, readers: number, document: PolicyDocument): PolicyDocument {
  const length = compactLength(document);
  if (length > RESOURCE_POLICY_LIMIT) {
    throw new RegistryError([
      fault(
        ["secrets", key, "consumers"],
        `${readers} readers, whose resource policy has ${length} characters`,
        `${RESOURCE_POLICY_LIMIT} characters in the policy of a secret (AWS quota)`,
        "let fewer workloads read one secret, or split it into several secrets",
      ),
    ]);
  }
  return document;
}
