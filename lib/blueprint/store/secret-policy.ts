import { fault, RegistryError } from "../../model/faults";
import { compactLength, type PolicyDocument, type PolicyStatement } from "../../model/policy-document";

/** Resource policy of one secret (AWS quota, characters). */
const RESOURCE_POLICY_LIMIT = 20_480;

/** Principals that may read and write one secret's value. Everybody else is denied, whatever their own policies say. */
export interface SecretPolicyInput {
  readonly key: string;
  /** Workloads' roles: they may read what is served, and no version that nobody has tested. */
  readonly consumers: readonly string[];
  /** Roles that may read every version: break-glass, the functions that rotate by it, the mirror. */
  readonly readers: readonly string[];
  /** People who take a value that was made to its target, so that they may read it while it waits under AWSPENDING. */
  readonly takers: readonly string[];
  /** Roles that may write: break-glass, its rotation function. */
  readonly writers: readonly string[];
  /**
   * Principals that may change what Terraform owns, this policy included: the deployer, break-glass, and the account's
   * root, which is nobody's role and cannot be lost.
   */
  readonly administrators: readonly string[];
  /** Roles that start rotations: the dispatcher, and operators, who have a right to it for the first deployment only. */
  readonly starters: readonly string[];
}

/** Principals that may use an inbox, by what they do with it. */
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
  return {
    Sid: sid,
    Effect: "Deny",
    // Never a role here: IAM refuses a policy whose principal does not exist, and a recreated role would lose
    // its place.
    Principal: "*",
    Action: actions,
    Resource: ["*"],
    // Without exempt principals the deny has no exception at all.
    ...(principals.length > 0 ? { Condition: { ArnNotLike: { "aws:PrincipalArn": principals } } } : {}),
  };
}

/** Actions that take a secret, its copies or its protection away. */
const ADMINISTRATION = [
  "secretsmanager:CancelRotateSecret",
  "secretsmanager:DeleteResourcePolicy",
  "secretsmanager:DeleteSecret",
  "secretsmanager:PutResourcePolicy",
  "secretsmanager:RemoveRegionsFromReplication",
  "secretsmanager:ReplicateSecretToRegions",
  "secretsmanager:StopReplicationToReplica",
] as const;

const STAGE = "secretsmanager:VersionStage";

/**
 * Consumers read AWSCURRENT and AWSPREVIOUS. AWS documents two meanings of {@link STAGE}: the labels in the request
 * (service authorization reference), and those that the version has (a former user guide). The denials hold under both, and
 * neither refuses a read of what is served:
 *
 * - the first, where the key is there and none of its values is a label of a served version;
 * - the second, where a request names a version and no label, which the first does not see under the first meaning. Under the
 *   other one the key is always there, so that the first decides.
 *
 * A request that names neither gets AWSCURRENT.
 *
 * - https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
 * - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
function onlyWhatIsServed(readers: readonly string[]): readonly PolicyStatement[] {
  const others = denyUnless("", ["secretsmanager:GetSecretValue"], readers);
  return [
    {
      ...others,
      Sid: "ConsumersReadServedLabels",
      Condition: {
        ...others.Condition,
        "ForAllValues:StringNotEquals": { [STAGE]: ["AWSCURRENT", "AWSPREVIOUS"] },
        Null: { [STAGE]: ["false"] },
      },
    },
    {
      ...others,
      Sid: "ConsumersNameLabels",
      Condition: {
        ...others.Condition,
        Null: { "secretsmanager:VersionId": ["false"], [STAGE]: ["true"] },
      },
    },
  ];
}

/**
 * The resource policy of a secret (docs/explanation/architecture.md, decision 9). It only denies: rights come from the readers' own policies. What would
 * take the secret out of it is denied to all but the administrators, the account's root among them, so that nobody is locked
 * out when a role of the registry is no more.
 *
 * @throws RegistryError when the list of readers outgrows AWS's limit
 */
export function secretPolicy(input: SecretPolicyInput): PolicyDocument {
  const document: PolicyDocument = {
    Version: "2012-10-17",
    Statement: [
      denyUnless("DenyReadExceptReaders", READS, [...input.consumers, ...input.readers, ...input.takers]),
      ...(input.consumers.length > 0 ? onlyWhatIsServed([...input.readers, ...input.takers]) : []),
      ...(input.takers.length > 0 ? [onlyWhatWaits(input.takers)] : []),
      denyUnless(
        "DenyWriteExceptWriters",
        ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"],
        input.writers,
      ),
      // With a value it moves AWSCURRENT at once, past every test:
      // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html
      denyUnless("DenyUpdateExceptAdministrators", ["secretsmanager:UpdateSecret"], input.administrators),
      denyUnless("DenyAdministrationExceptAdministrators", ADMINISTRATION, input.administrators),
      denyUnless(
        "DenyRotationExceptStarters",
        ["secretsmanager:RotateSecret"],
        [...input.administrators, ...input.starters],
      ),
    ],
  };
  return withinLimit(input.key, input.consumers.length + input.readers.length, document);
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
      denyUnless("DenyAdministrationExceptAdministrators", ADMINISTRATION, administrators),
      // Nothing rotates an inbox; a function of somebody's own would be called with its name, again and again.
      denyUnless("DenyRotation", ["secretsmanager:RotateSecret"], []),
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
    ArnLike: { "aws:PrincipalArn": takers },
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
