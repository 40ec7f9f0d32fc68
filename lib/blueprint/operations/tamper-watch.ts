import {
  alarmTopic,
  approvalTopic,
  auditBucket,
  changesTable,
  procedureFunctionName,
  publicationsTable,
  recordsBucket,
  reminderTopic,
  runsTable,
  stateMachineName,
} from "../../model/names";
import { PARTITIONS, type Partition } from "../../model/partitions";
import type { Environment, Registry } from "../../model/registry";
import { oidcProviderArn, roleArn, stateMachineArn, tableArn, topicArn } from "../platform/aws-arns";
import { functionRoleArn } from "../store/function-assignment";

/** Calls to AWS by which somebody takes the registry's protection away, or gets around it. */
export interface TamperWatch {
  /** The rule as one word of Terraform addresses. */
  readonly word: string;
  /** Meaning of the rule, for the person who is paged. */
  readonly description: string;
  /** Event pattern of EventBridge for CloudTrail's record of the call. */
  readonly pattern: object;
  /**
   * Regions in which CloudTrail's records of these calls reach EventBridge. `primary`: in the environment's primary region.
   * `everywhere`: in each of its regions. `global`: in the one region that gets IAM's.
   */
  readonly at: "primary" | "everywhere" | "global";
}

/** Region whose event bus gets the events of global services. */
export const globalEventsRegion = (partition: Partition): string => PARTITIONS[partition].global;

type Matcher = string | Readonly<Record<string, unknown>>;

/** Pattern of every caller but one role, or one user. Users and root have no session, and services no ARN. */
function otherThan(arn: string): object {
  const but: readonly Matcher[] = [{ "anything-but": [arn] }, { exists: false }];
  return /:user\//.test(arn)
    ? { userIdentity: { arn: but } }
    : { userIdentity: { sessionContext: { sessionIssuer: { arn: but } } } };
}

/**
 * Everything that is watched for an environment, sorted by word. Calls by the deployer are left out where its work is just
 * that: they stand in the trail, and what it may do is bounded by its own policy.
 *
 * The names of events are those of CloudTrail; Lambda's end in the version of its API.
 * https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
 */
export function tamperWatches(registry: Registry, environment: Environment): readonly TamperWatch[] {
  const { account, partition, principals } = environment;
  const { primary } = environment.regions;
  const notDeployer = otherThan(principals.deployer);
  const prefix = `${registry.id}-${environment.name}-`;
  const named = (text: string): Matcher => ({ prefix: text });
  const secretIds: readonly Matcher[] = [
    named(`${environment.name}/`),
    { wildcard: `arn:${partition}:secretsmanager:*:${account}:secret:${environment.name}/*` },
  ];
  const functions: readonly Matcher[] = [
    named(`${prefix}-`),
    { wildcard: `arn:${partition}:lambda:*:${account}:function:${prefix}-*` },
  ];
  const call = (
    word: string,
    description: string,
    at: TamperWatch["at"],
    service: string,
    eventName: readonly Matcher[],
    requestParameters: object | undefined,
    who: object = notDeployer,
  ): TamperWatch => ({
    word,
    description,
    at,
    pattern: {
      source: [`aws.${service}`],
      "detail-type": ["AWS API Call via CloudTrail"],
      detail: { eventName, ...(requestParameters ? { requestParameters } : {}), ...who },
    },
  });
  const dispatcher = functionRoleArn(
    environment,
    procedureFunctionName(registry.id, environment.name, "dispatcher"),
  );
  const tables = [runsTable, changesTable, publicationsTable].map((name) =>
    name(registry.id, environment.name),
  );
  const topics = [alarmTopic, approvalTopic, reminderTopic].map((name) =>
    topicArn(environment, primary, name(registry.id, environment.name)),
  );
  const machine = stateMachineArn(environment, primary, stateMachineName(registry.id, environment.name));
  return [
    call(
      "secret-unprotected",
      "A secret's policy, replicas, key or rotation were changed, or it was deleted",
      "everywhere",
      "secretsmanager",
      [
        "CancelRotateSecret",
        "DeleteResourcePolicy",
        "DeleteSecret",
        "PutResourcePolicy",
        "RemoveRegionsFromReplication",
        "ReplicateSecretToRegions",
        "StopReplicationToReplica",
        "UpdateSecret",
      ],
      { secretId: secretIds },
    ),
    // Whoever starts a rotation names no function; whoever names one gives the secret another.
    call(
      "rotation-redirected",
      "A secret was given a rotation function",
      "everywhere",
      "secretsmanager",
      ["RotateSecret"],
      { secretId: secretIds, rotationLambdaARN: [{ exists: true }] },
    ),
    // Keys have no names in CloudTrail's records, so these are watched for all keys of the account.
    call(
      "key-unprotected",
      "A key's policy was changed, a replica of it was made, or a key was disabled or scheduled for deletion",
      "everywhere",
      "kms",
      ["DisableKey", "PutKeyPolicy", "ReplicateKey", "ScheduleKeyDeletion", "UpdatePrimaryRegion"],
      undefined,
    ),
    // Functions find the key of proofs by its alias: whoever moves it to a key of their own makes proofs.
    call(
      "key-alias-moved",
      "An alias of one of the registry's keys was made, moved or deleted",
      "everywhere",
      "kms",
      ["CreateAlias", "DeleteAlias", "UpdateAlias"],
      { aliasName: [named(`alias/${prefix}`)] },
    ),
    call(
      "role-changed",
      "A role's trust or rights were changed, or its boundary was taken away",
      "global",
      "iam",
      [
        "AttachRolePolicy",
        "DeleteRole",
        "DeleteRolePermissionsBoundary",
        "DeleteRolePolicy",
        "DetachRolePolicy",
        "PutRolePermissionsBoundary",
        "PutRolePolicy",
        "UpdateAssumeRolePolicy",
      ],
      { roleName: [named(prefix)] },
    ),
    call(
      "role-policy-changed",
      "A managed policy of a role of the registry was changed or deleted",
      "global",
      "iam",
      ["CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion", "SetDefaultPolicyVersion"],
      { policyArn: [named(`arn:${partition}:iam::${account}:policy${environment.rolePath}${prefix}`)] },
    ),
    // Only roles by IRSA rest on a provider; where no cluster is, nothing is named, and EventBridge takes no empty list.
    ...(environment.identity === "irsa" && environment.clusters.length > 0
      ? [
          call(
            "identity-provider-changed",
            "The IAM identity provider of a cluster's issuer was changed or deleted",
            "global",
            "iam",
            [
              "AddClientIDToOpenIDConnectProvider",
              "DeleteOpenIDConnectProvider",
              "UpdateOpenIDConnectProviderThumbprint",
            ],
            {
              openIDConnectProviderArn: [
                ...new Set(environment.clusters.map(({ issuer }) => oidcProviderArn(environment, issuer))),
              ].sort(),
            },
          ),
        ]
      : []),
    call(
      "function-changed",
      "The code, settings or permissions of a function were changed",
      "primary",
      "lambda",
      [
        "AddPermission",
        "CreateFunctionUrlConfig",
        "DeleteFunction",
        "PutFunctionCodeSigningConfig",
        "PutFunctionConcurrency",
        "PutFunctionEventInvokeConfig",
        "RemovePermission",
        "UpdateFunctionCode",
        "UpdateFunctionConfiguration",
      ].map(named),
      { functionName: functions },
    ),
    // Signed code is what holds the deployer as well: it is not left out.
    ...(environment.codeSigning
      ? [
          call(
            "code-signing-weakened",
            "Who may sign the code of functions was changed, by whomever",
            "primary",
            "lambda",
            ["DeleteCodeSigningConfig", "DeleteFunctionCodeSigningConfig", "UpdateCodeSigningConfig"].map(
              named,
            ),
            undefined,
            {},
          ),
        ]
      : []),
    call(
      "function-role-borrowed",
      "A function was made with the role of one of the registry's functions",
      "primary",
      "lambda",
      [named("CreateFunction"), named("UpdateFunctionConfiguration")],
      { role: [{ wildcard: `arn:${partition}:iam::${account}:role${environment.rolePath}${prefix}-*` }] },
    ),
    call(
      "state-machine-changed",
      "The procedure's state machine was changed or deleted",
      "primary",
      "states",
      ["DeleteStateMachine", "UpdateStateMachine"],
      { stateMachineArn: [machine] },
    ),
    call(
      "execution-forged",
      "The procedure was started by somebody else than the dispatcher",
      "primary",
      "states",
      ["StartExecution", "StartSyncExecution"],
      { stateMachineArn: [machine] },
      otherThan(dispatcher),
    ),
    call(
      "rule-dismantled",
      "A rule of the registry was switched off, changed or deleted",
      "everywhere",
      "events",
      ["DeleteRule", "DisableRule", "PutRule"],
      { name: [named(`${prefix}secrets-`)] },
    ),
    call(
      "rule-target-changed",
      "The target of a rule of the registry was changed or taken away",
      "everywhere",
      "events",
      ["PutTargets", "RemoveTargets"],
      { rule: [named(`${prefix}secrets-`)] },
    ),
    call(
      "trail-stopped",
      "A trail was stopped, changed or deleted",
      "everywhere",
      "cloudtrail",
      ["DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail"],
      undefined,
      // By the deployer as well, which makes one where the environment asks for it: what hides calls is not its daily work.
      {},
    ),
    call(
      "alarm-silenced",
      "An alarm of the registry was switched off or deleted",
      "primary",
      "monitoring",
      ["DeleteAlarms", "DisableAlarmActions"],
      { alarmNames: [named(prefix)] },
    ),
    call(
      "alarm-changed",
      "An alarm of the registry was changed, or set by hand",
      "primary",
      "monitoring",
      ["PutMetricAlarm", "SetAlarmState"],
      { alarmName: [named(prefix)] },
    ),
    call(
      "queue-dismantled",
      "A queue of the registry was emptied, changed or deleted",
      "primary",
      "sqs",
      ["AddPermission", "DeleteQueue", "PurgeQueue", "SetQueueAttributes"],
      { queueUrl: [{ wildcard: `*/${account}/${prefix}*` }] },
    ),
    call(
      "topic-silenced",
      "A topic of the registry was changed or deleted, or somebody's subscription to it ended",
      "primary",
      "sns",
      ["AddPermission", "DeleteTopic", "SetTopicAttributes"],
      { topicArn: topics },
    ),
    call(
      "subscription-ended",
      "A subscription to one of the registry's topics ended",
      "primary",
      "sns",
      ["Unsubscribe"],
      { subscriptionArn: topics.map((arn) => named(`${arn}:`)) },
      {},
    ),
    call(
      "table-dismantled",
      "A table of the registry was changed or deleted",
      "primary",
      "dynamodb",
      ["DeleteTable", "UpdateContinuousBackups", "UpdateTable", "UpdateTimeToLive"],
      { tableName: tables },
    ),
    call(
      "table-shared",
      "A table of the registry was given a policy of its own",
      "primary",
      "dynamodb",
      ["DeleteResourcePolicy", "PutResourcePolicy"],
      { resourceArn: tables.map((name) => tableArn(environment, primary, name)) },
    ),
    call(
      "records-unprotected",
      "The policy, the lock or the life of records of a bucket of the registry was changed",
      "primary",
      "s3",
      [
        "DeleteBucket",
        "DeleteBucketPolicy",
        "DeleteBucketPublicAccessBlock",
        "PutBucketLifecycle",
        "PutBucketObjectLockConfiguration",
        "PutBucketPolicy",
        "PutBucketPublicAccessBlock",
        "PutBucketReplication",
        "PutBucketVersioning",
        "PutObjectLockConfiguration",
      ],
      {
        bucketName: [
          recordsBucket(registry.id, environment.name, account, primary),
          ...(environment.audit
            ? (["archive", "trail"] as const).map((what) =>
                auditBucket(registry.id, environment.name, account, primary, what),
              )
            : []),
        ],
      },
    ),
    call(
      "logs-deleted",
      "The log of one of the registry's functions was deleted or shortened",
      "primary",
      "logs",
      ["DeleteLogGroup", "DeleteLogStream", "PutRetentionPolicy"],
      { logGroupName: [named(`/aws/lambda/${prefix}-`)] },
    ),
    ...(environment.identity === "pod-identity"
      ? [
          call(
            "pod-identity-changed",
            "A role of the registry was given to a ServiceAccount",
            "everywhere",
            "eks",
            ["CreatePodIdentityAssociation", "UpdatePodIdentityAssociation"],
            { roleArn: [named(roleArn(environment, environment.rolePath, prefix))] },
          ),
        ]
      : []),
    ...(principals.breakGlass.length > 0
      ? [
          call(
            "break-glass-taken",
            "A break-glass role was taken",
            "everywhere",
            "sts",
            ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"],
            { roleArn: principals.breakGlass },
            {},
          ),
        ]
      : []),
  ].sort((a, b) => (a.word < b.word ? -1 : 1));
}
