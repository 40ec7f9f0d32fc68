import type { PolicyDocument, PolicyStatement } from "../../model/policy-document";
import type { Environment, Registry } from "../../model/registry";
import { DATA, KEY_TRIAL } from "../keys/key-policy";
import { bucketArn, secretsManagerService } from "../platform/aws-arns";
import { packedDocuments } from "../platform/role-plan";
import { commonTags } from "../platform/tags";
import {
  allow,
  type DeployerPlaces,
  type DeployerScope,
  of,
  passedRoles,
  passing,
  placesOf,
} from "./deployer-places";
import { ofRoles } from "./deployer-roles";
import { ofAudit, ofClusters, ofFunctions, ofProcedure } from "./deployer-services";

/** Policies of the deployer's role, which this stack does not write. */
export interface DeployerPlan {
  /** Each fits into one managed policy. */
  readonly policies: readonly PolicyDocument[];
  /** Permissions boundary: what it can never do, whatever other policies it gets. */
  readonly boundary: PolicyDocument;
}

/**
 * Rights that a deployer needs to apply, change and destroy an environment with Terraform's AWS provider, and nothing
 * else: no value, no role that is not the environment's, no key but to make secrets under. The state's own bucket is not
 * among it.
 */
export function deployerPlan(
  registry: Registry,
  environment: Environment,
  plan: DeployerScope,
): DeployerPlan {
  const places = placesOf(registry, environment);
  const tags = commonTags(registry, environment);
  const statements = [
    ...ofSecrets(environment, places),
    ...ofKeys(environment, places, tags),
    ...ofRoles(environment, places),
    ...passing(places, plan),
    ...(plan.operations ? ofFunctions(environment, places, plan) : []),
    ...(plan.procedure ? ofProcedure(environment, places, plan.procedure) : []),
    ...(plan.audit ? ofAudit(environment, places, plan.audit) : []),
    ...ofClusters(environment, plan),
  ];
  return { policies: packedDocuments(statements), boundary: boundaryOf(environment, places, plan) };
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html */
function ofSecrets(environment: Environment, { secrets, keys }: DeployerPlaces): PolicyStatement[] {
  const regions = environment.allRegions;
  const service = { "kms:ViaService": regions.map(secretsManagerService) };
  return [
    allow(
      "Secrets",
      of(
        "secretsmanager",
        "CancelRotateSecret",
        "CreateSecret",
        "DeleteResourcePolicy",
        "DeleteSecret",
        "DescribeSecret",
        "GetResourcePolicy",
        "PutResourcePolicy",
        "RemoveRegionsFromReplication",
        "ReplicateSecretToRegions",
        "RotateSecret",
        "TagResource",
        "UntagResource",
        "UpdateSecret",
      ),
      [secrets],
      { StringEquals: { "aws:RequestedRegion": regions } },
    ),
    ...(environment.deployerMovesValues
      ? [
          allow("UseKeysForValues", DATA, keys, {
            StringEquals: service,
            StringLike: { "kms:EncryptionContext:SecretARN": [secrets, KEY_TRIAL] },
          }),
        ]
      : ["SecretARN", "SecretVersionId"].map((key) =>
          allow(`TryFor${key}`, DATA, keys, {
            StringEquals: service,
            StringLike: { [`kms:EncryptionContext:${key}`]: [KEY_TRIAL] },
          }),
        )),
  ];
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html */
function ofKeys(
  environment: Environment,
  { keys, aliases }: DeployerPlaces,
  tags: Readonly<Record<string, string>>,
): PolicyStatement[] {
  const named = (prefix: string): PolicyStatement["Condition"] => ({
    StringEquals: Object.fromEntries(
      Object.entries(tags).map(([tag, value]) => [`${prefix}/${tag}`, [value]]),
    ),
  });
  return [
    // A key without the environment's tags would be out of reach at once.
    allow("MakeKeys", of("kms", "CreateKey"), ["*"], named("aws:RequestTag")),
    // ReplicateKey asks for it in the replica's region; that it knows the tags of the request there is documented nowhere.
    // https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html
    ...(environment.regions.replicas.length > 0
      ? [
          allow("MakeReplicas", of("kms", "CreateKey"), ["*"], {
            StringEquals: { "aws:RequestedRegion": environment.regions.replicas },
          }),
        ]
      : []),
    allow(
      "Keys",
      of(
        "kms",
        "DescribeKey",
        // A key that somebody has disabled, which a plan shows.
        "EnableKey",
        "EnableKeyRotation",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "ListResourceTags",
        "PutKeyPolicy",
        ...(environment.regions.replicas.length > 0 ? ["ReplicateKey"] : []),
        "ScheduleKeyDeletion",
        "TagResource",
        "UntagResource",
        "UpdateKeyDescription",
      ),
      keys,
      named("aws:ResourceTag"),
    ),
    // A key that is being made has no tag yet, and no alias; with the environment's tags, somebody else's key would be the
    // deployer's.
    allow("TagNewKeys", of("kms", "TagResource"), keys, {
      ...named("aws:RequestTag"),
      Null: { "kms:ResourceAliases": ["true"] },
    }),
    allow("NameKeys", of("kms", "CreateAlias", "DeleteAlias", "UpdateAlias"), [aliases]),
    allow(
      "NameOwnKeys",
      of("kms", "CreateAlias", "DeleteAlias", "UpdateAlias"),
      keys,
      named("aws:ResourceTag"),
    ),
    allow("SeeAliases", of("kms", "ListAliases"), ["*"]),
    ...(environment.regions.replicas.length > 0
      ? [
          // https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-auth.html
          allow("MultiRegionKeys", of("iam", "CreateServiceLinkedRole"), ["*"], {
            StringEquals: { "iam:AWSServiceName": ["mrk.kms.amazonaws.com"] },
          }),
        ]
      : []),
  ];
}

/**
 * Permissions boundary of a deployer whose own policies are wider. It denies what must never be: values, other roles,
 * itself. Everything else is left to the policies.
 */
function boundaryOf(environment: Environment, places: DeployerPlaces, plan: DeployerScope): PolicyDocument {
  const deny = (
    Sid: string,
    Action: readonly string[],
    Resource: readonly string[],
    Condition?: PolicyStatement["Condition"],
  ): PolicyStatement => ({ ...allow(Sid, Action, Resource, Condition), Effect: "Deny" });
  const self = plan.principals.deployer;
  return {
    Version: "2012-10-17",
    Statement: [
      allow("WhatItsPoliciesSay", ["*"], ["*"]),
      deny(
        "NoValues",
        of(
          "secretsmanager",
          "BatchGetSecretValue",
          "GetSecretValue",
          "PutSecretValue",
          "UpdateSecretVersionStage",
        ),
        ["*"],
      ),
      deny("NoDecryption", ["kms:Decrypt", "kms:ReEncryptFrom", "kms:CreateGrant"], ["*"], {
        StringNotLike: {
          "kms:EncryptionContext:SecretARN": environment.deployerMovesValues
            ? [places.secrets, KEY_TRIAL]
            : [KEY_TRIAL],
          "kms:EncryptionContext:SecretVersionId": [KEY_TRIAL],
        },
      }),
      deny("NoSessionsOfItsRoles", ["sts:AssumeRole"], [places.roles]),
      deny(
        "NotItself",
        of(
          "iam",
          "AttachRolePolicy",
          "DeleteRolePermissionsBoundary",
          "DeleteRolePolicy",
          "DetachRolePolicy",
          "PutRolePermissionsBoundary",
          "PutRolePolicy",
          "UpdateAssumeRolePolicy",
        ),
        [self],
      ),
      deny("NoOtherServices", ["iam:PassRole"], ["*"], {
        StringNotEquals: { "iam:PassedToService": passedRoles(plan).map(([service]) => service) },
      }),
      deny(
        "NoRunsByHand",
        ["states:SendTaskSuccess", "states:SendTaskFailure", "states:StartExecution"],
        ["*"],
      ),
      ...(plan.procedure && !plan.procedure.records.forceDestroy
        ? [
            deny(
              "NoRecords",
              of("s3", "BypassGovernanceRetention", "DeleteObject", "DeleteObjectVersion", "PutObject"),
              [`${bucketArn(environment, plan.procedure.records.name)}/*`],
            ),
          ]
        : []),
      ...(plan.audit && !plan.audit.archive.forceDestroy
        ? [
            deny(
              "NoAuditEvents",
              of("s3", "BypassGovernanceRetention", "DeleteObject", "DeleteObjectVersion", "PutObject"),
              [plan.audit.archive, ...(plan.audit.trail ? [plan.audit.trail.bucket] : [])].map(
                ({ arn }) => `${arn}/*`,
              ),
            ),
          ]
        : []),
    ],
  };
}
