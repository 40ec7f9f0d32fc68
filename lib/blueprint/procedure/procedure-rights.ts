import { PROCEDURE_SOURCE } from "../../contracts/audit-events";
import { inboxesOf, METRIC_NAMESPACE, operationsKeyAlias } from "../../model/names";
import type { PolicyDocument, PolicyStatement } from "../../model/policy-document";
import type { Environment, Registry } from "../../model/registry";
import type { EnvironmentSecret } from "../../model/resolve";
import { hasInbox, isSupplied } from "../../model/supplied-values";
import {
  arnsIn,
  byAuditKey,
  confirmVersions,
  inboxArnsIn,
  throughSecretsManager,
  withinOneRole,
} from "../functions/function-rights";
import { statement } from "../functions/target-rights";
import {
  type AccountScope,
  anyKeyArn,
  bucketArn,
  eventBusArn,
  executionArns,
  functionArn,
  secretArnPrefixIn,
  serviceIn,
  stateMachineArn,
  tableArn,
  topicArn,
} from "../platform/aws-arns";

/** Names to which rights refer. */
export interface ProcedureNames {
  readonly publicationsTable: string;
  readonly runsTable: string;
  readonly changesTable: string;
  readonly recordsBucket: string;
  readonly stateMachine: string;
  readonly alarmTopic: string;
  readonly approvalTopic: string;
  readonly reminderTopic: string;
  readonly approvalGate: string;
  readonly changeGate: string;
  readonly dispatcher: string;
  readonly recorder: string;
  /** Functions that the state machine may call: those that rotate, the approval gate, the checker, the dispatcher, the restarter, the recorder. */
  readonly called: readonly string[];
  /** Functions that rotate. */
  readonly rotators: readonly string[];
}

/** Scope of rights: an environment, its names and its secrets. */
export interface ProcedureScope {
  readonly registry: Registry;
  readonly environment: Environment;
  readonly names: ProcedureNames;
  /** Secrets of Secrets Manager, sorted by key. */
  readonly secrets: readonly EnvironmentSecret[];
  /** `true` where the dispatcher confirms versions, because there is no mirror. */
  readonly confirms: boolean;
}

const functionArns = (environment: Environment, names: readonly string[]): readonly string[] =>
  names.map((name) => functionArn(environment, environment.regions.primary, name));

/** SNS encrypts a message with the rights of whoever publishes it. */
function encryptMessages({ registry, environment }: ProcedureScope): PolicyStatement {
  const { primary } = environment.regions;
  return {
    Sid: "EncryptMessages",
    Effect: "Allow",
    Action: ["kms:Decrypt", "kms:GenerateDataKey"],
    Resource: [anyKeyArn(environment, primary)],
    Condition: {
      StringEquals: { "kms:ViaService": [serviceIn("sns", primary)] },
      "ForAnyValue:StringEquals": {
        "kms:ResourceAliases": [operationsKeyAlias(registry.id, environment.name)],
      },
    },
  };
}

/** Rights of the state machine's role: the calls of its tasks, one by one. */
export function stateMachineRights(scope: ProcedureScope): readonly PolicyStatement[] {
  const { environment, names } = scope;
  const { primary } = environment.regions;
  return [
    statement("CallFunctions", ["lambda:InvokeFunction"], functionArns(environment, names.called)),
    statement(
      "ReadConfirmations",
      ["dynamodb:GetItem"],
      [tableArn(environment, primary, names.publicationsTable)],
    ),
    statement(
      "PageAndAsk",
      ["sns:Publish"],
      [names.alarmTopic, names.approvalTopic].map((name) => topicArn(environment, primary, name)),
    ),
    encryptMessages(scope),
  ];
}

/** Rights of the dispatcher: to keep runs, to start rotations and executions, and to stop one that is called back. */
export function dispatcherRights({
  registry,
  environment,
  names,
  secrets,
  confirms,
}: ProcedureScope): readonly PolicyStatement[] {
  const { primary } = environment.regions;
  const arns = (chosen: readonly EnvironmentSecret[]): readonly string[] =>
    withinOneRole(environment, arnsIn(environment, primary, chosen));
  return [
    statement(
      "KeepRuns",
      // A lock that belongs to no run is deleted.
      [
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
      ],
      [tableArn(environment, primary, names.runsTable)],
    ),
    statement(
      "UseChanges",
      ["dynamodb:GetItem", "dynamodb:UpdateItem"],
      [tableArn(environment, primary, names.changesTable)],
    ),
    confirms
      ? confirmVersions(registry, environment)
      : statement(
          "ReadConfirmations",
          ["dynamodb:GetItem"],
          [tableArn(environment, primary, names.publicationsTable)],
        ),
    statement("DescribeSecrets", ["secretsmanager:DescribeSecret"], arns(secrets)),
    byAuditKey(registry, environment, "CheckProofs", "kms:VerifyMac"),
    statement(
      "StartRotations",
      ["secretsmanager:RotateSecret"],
      arns(secrets.filter(({ rotation }) => rotation === "automatic")),
    ),
    // Steps and phases, and RotateSecret asks for it as well; the recorder ends a run that is dead.
    statement(
      "CallFunctions",
      ["lambda:InvokeFunction"],
      functionArns(environment, [names.recorder, ...names.rotators]),
    ),
    statement(
      "StartExecutions",
      ["states:StartExecution"],
      [stateMachineArn(environment, primary, names.stateMachine)],
    ),
    statement(
      "FollowExecutions",
      ["states:DescribeExecution", "states:StopExecution"],
      [executionArns(environment, primary, names.stateMachine)],
    ),
  ].filter(({ Resource }) => Resource?.length !== 0);
}

/**
 * Rights of the approval gate: to note a decision, to keep the tokens of executions that wait, and to answer them. Nobody
 * else answers.
 */
export function approvalGateRights({ environment, names }: ProcedureScope): readonly PolicyStatement[] {
  const { primary } = environment.regions;
  return [
    statement(
      "NoteDecisions",
      ["dynamodb:GetItem", "dynamodb:UpdateItem"],
      [tableArn(environment, primary, names.runsTable)],
    ),
    statement(
      "AnswerExecutions",
      ["states:SendTaskFailure", "states:SendTaskSuccess"],
      [stateMachineArn(environment, primary, names.stateMachine)],
    ),
  ];
}

/** Right of the change gate: to note a change request that a job of CI has vouched for. */
export function changeGateRights({ environment, names }: ProcedureScope): readonly PolicyStatement[] {
  const { primary } = environment.regions;
  return [
    statement("NoteChanges", ["dynamodb:PutItem"], [tableArn(environment, primary, names.changesTable)]),
  ];
}

/**
 * Rights of the recorder: to write a record, or to read the one that an earlier call has written, to end a run and
 * let its secret go.
 */
export function recorderRights({ environment, names }: ProcedureScope): readonly PolicyStatement[] {
  const { primary } = environment.regions;
  return [
    statement(
      "EndRuns",
      ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"],
      [tableArn(environment, primary, names.runsTable)],
    ),
    statement("FreeChanges", ["dynamodb:UpdateItem"], [tableArn(environment, primary, names.changesTable)]),
    statement(
      "WriteRecords",
      ["s3:GetObject", "s3:PutObject"],
      [`${bucketArn(environment, names.recordsBucket)}/*`],
    ),
    ...(environment.audit
      ? [
          {
            ...statement("TellAuditTrail", ["events:PutEvents"], [eventBusArn(environment, primary)]),
            Condition: { StringEquals: { "events:source": [PROCEDURE_SOURCE] } },
          },
        ]
      : []),
  ];
}

/** Rights of the watcher: to look at every secret and its confirmation, and to report. */
export function watcherRights(scope: ProcedureScope): readonly PolicyStatement[] {
  const { environment, names, secrets } = scope;
  const { primary } = environment.regions;
  return [
    statement(
      "DescribeSecrets",
      ["secretsmanager:DescribeSecret", "secretsmanager:ListSecretVersionIds"],
      withinOneRole(environment, arnsIn(environment, primary, secrets)),
    ),
    statement(
      "ReadConfirmations",
      ["dynamodb:GetItem"],
      [tableArn(environment, primary, names.publicationsTable)],
    ),
    byAuditKey(scope.registry, environment, "CheckProofs", "kms:VerifyMac"),
    {
      Sid: "CountStates",
      Effect: "Allow",
      Action: ["cloudwatch:PutMetricData"],
      // The action knows no resource.
      Resource: ["*"],
      Condition: { StringEquals: { "cloudwatch:namespace": [METRIC_NAMESPACE] } },
    },
    statement("Remind", ["sns:Publish"], [topicArn(environment, primary, names.reminderTopic)]),
    encryptMessages(scope),
  ];
}

/** A managed policy's room for the ARNs of secrets, beside the other statements. */
const PEOPLE_LENGTH = 1_500;

/**
 * Policy of an operator's role. People's roles belong to others, so this is handed out as a file. It starts no rotation
 * and calls no rotation function: only the dispatcher does, which asks for the change request.
 */
export function operatorPolicy(scope: ProcedureScope): PolicyDocument {
  const { environment, names, secrets } = scope;
  const { primary } = environment.regions;
  const arns = (chosen: readonly EnvironmentSecret[]): readonly string[] =>
    withinOneRole(environment, arnsIn(environment, primary, chosen), PEOPLE_LENGTH);
  const supplied = secrets.filter(hasInbox);
  const taken = secrets.filter((secret) => secret.rotation === "operator-assisted" && !isSupplied(secret));
  return document(
    statement("AskDispatcher", ["lambda:InvokeFunction"], functionArns(environment, [names.dispatcher])),
    ...follow(scope),
    statement(
      "SeeConfirmations",
      ["dynamodb:GetItem"],
      [tableArn(environment, primary, names.publicationsTable)],
    ),
    statement("SeeVersions", ["secretsmanager:DescribeSecret"], arns(secrets)),
    ...(supplied.length > 0
      ? [
          // Into inboxes, which they cannot read.
          statement(
            "SupplyValues",
            ["secretsmanager:PutSecretValue"],
            withinInboxes(environment, inboxArnsIn(environment, supplied)),
          ),
          throughSecretsManager(
            environment,
            "EncryptWhatIsSupplied",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            [primary],
            inboxesOf(environment.name),
          ),
        ]
      : []),
    ...(taken.length > 0
      ? [
          // A value that rules made is taken to its target by a person, who reads it while it waits, and no other.
          // Each secret's own policy says so.
          statement("TakeMadeValues", ["secretsmanager:GetSecretValue"], arns(taken)),
          throughSecretsManager(environment, "DecryptMadeValues", ["kms:Decrypt"], [primary]),
        ]
      : []),
  );
}

/** Inboxes by name, or all of the environment where the names outgrow the policy: people can write them and nothing else. */
const withinInboxes = (environment: Environment, arns: readonly string[]): readonly string[] =>
  arns.reduce((sum, arn) => sum + arn.length + 3, 0) <= PEOPLE_LENGTH
    ? arns
    : [`${secretArnPrefixIn(environment, environment.regions.primary, inboxesOf(environment.name))}*`];

/** Policy of an approver's role: to see the run, and to decide at the gate, which checks who is asking. */
export function approverPolicy(scope: ProcedureScope): PolicyDocument {
  const { environment, names } = scope;
  return document(
    statement("Decide", ["lambda:InvokeFunction"], functionArns(environment, [names.approvalGate])),
    ...follow(scope),
  );
}

/**
 * Policy of a role for `secrets-registry failover`, there and back: to look at replicas, to cut them loose, to end
 * rotations, and to replicate over what was left behind. It reads and writes no value. It is for the day of the loss, so it
 * is kept apart from what operators have every day; keys take it from `principals.operators` and `breakGlass` alone.
 *
 * All of it holds in every region of the environment: each can be the one that is lost, takes over or comes back, and when
 * that day has come IAM itself may be away, which takes no new policy then.
 */
export function failoverPolicy({ environment, secrets }: ProcedureScope): PolicyDocument {
  const { allRegions } = environment;
  const arns = withinOneRole(environment, arnsIn(environment, "*", secrets), PEOPLE_LENGTH, "*");
  const here = { "aws:RequestedRegion": allRegions };
  return document(
    {
      ...statement(
        "PromoteReplicas",
        [
          "secretsmanager:CancelRotateSecret",
          "secretsmanager:DescribeSecret",
          "secretsmanager:ListSecretVersionIds",
          "secretsmanager:StopReplicationToReplica",
        ],
        arns,
      ),
      Condition: { StringEquals: here },
    },
    {
      ...statement("ReplicateAgain", ["secretsmanager:ReplicateSecretToRegions"], arns),
      Condition: {
        StringEquals: here,
        // A call of this action names at least one region, so "for all values" is never true of none.
        // https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets-permissions.html
        "ForAllValues:StringEquals": { "secretsmanager:AddReplicaRegions": allRegions },
      },
    },
    // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ReplicateSecretToRegions.html
    throughSecretsManager(
      environment,
      "EncryptReplicas",
      ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
      allRegions,
    ),
  );
}

/** Policy of the role of CI's jobs: to bring change requests to the gate. */
export function ciPolicy({ environment, names }: ProcedureScope): PolicyDocument {
  return document(
    statement("VouchForChanges", ["lambda:InvokeFunction"], functionArns(environment, [names.changeGate])),
  );
}

/**
 * Policy of a role for `secrets-registry preflight`: to read about trails, principals and quotas. It reaches no secret, and
 * may be given to whoever plans a deployment.
 */
export function preflightPolicy({ environment }: Pick<ProcedureScope, "environment">): PolicyDocument {
  const { deployer, operators, approvers, breakGlass, ci } = environment.principals;
  const principals = [deployer, ...operators, ...approvers, ...breakGlass, ...(ci === undefined ? [] : [ci])];
  return document(
    statement(
      "SeeTrails",
      ["cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus"],
      ["*"],
    ),
    statement("SeePrincipals", ["iam:GetRole", "iam:GetUser"], [...new Set(principals)].sort()),
    statement("SimulateDeployer", ["iam:SimulatePrincipalPolicy"], [deployer]),
    statement(
      "SeeAccount",
      ["iam:GetAccountSummary", "iam:GetOutboundWebIdentityFederationInfo", "iam:ListRoles"],
      ["*"],
    ),
    statement(
      "SeeOidcProviders",
      ["iam:GetOpenIDConnectProvider"],
      [`arn:${environment.partition}:iam::${environment.account}:oidc-provider/*`],
    ),
  );
}

/** Runs, executions and records, to be read. */
function follow({ environment, names }: ProcedureScope): readonly PolicyStatement[] {
  const { primary } = environment.regions;
  const bucket = bucketArn(environment, names.recordsBucket);
  return [
    {
      ...statement(
        "SeeRuns",
        ["dynamodb:GetItem", "dynamodb:Query"],
        [tableArn(environment, primary, names.runsTable)],
      ),
      // Not the tokens of executions that wait, which lie in partitions of another name.
      Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [`${environment.name}/*`] } },
    },
    statement(
      "SeeExecutions",
      ["states:DescribeExecution", "states:GetExecutionHistory"],
      [executionArns(environment, primary, names.stateMachine)],
    ),
    statement("ListRecords", ["s3:ListBucket"], [bucket]),
    statement("ReadRecords", ["s3:GetObject"], [`${bucket}/*`]),
  ];
}

/** Rights by which S3 replicates into a bucket. https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-walkthrough-2.html */
export const REPLICATION = [
  "s3:ObjectOwnerOverrideToBucketOwner",
  "s3:ReplicateDelete",
  "s3:ReplicateObject",
  "s3:ReplicateTags",
] as const;

/**
 * Policy of the bucket of records: written once by the recorder over TLS, deleted by nobody, not even with a right to
 * bypass the lock. The account can still change this policy, which its trail shows; in compliance mode the lock stays.
 */
export function recordsPolicy(
  environment: AccountScope,
  bucket: string,
  recorderRole: string,
): PolicyDocument {
  const arn = bucketArn(environment, bucket);
  const objects = `${arn}/*`;
  const overClearText = { Bool: { "aws:SecureTransport": ["false"] } };
  const deny = (
    Sid: string,
    Action: readonly string[],
    Resource: readonly string[],
    Condition?: PolicyStatement["Condition"],
  ): PolicyStatement => ({
    Sid,
    Effect: "Deny",
    Principal: "*",
    Action,
    Resource,
    ...(Condition ? { Condition } : {}),
  });
  return document(
    // Records and their names. Calls about the bucket itself are signed and hold nothing; whoever could not make one could
    // not fix this policy either.
    deny("OverTlsOnly", ["s3:*"], [objects], overClearText),
    deny("ListedOverTlsOnly", ["s3:ListBucket", "s3:ListBucketVersions"], [arn], overClearText),
    deny(
      "NobodyDeletes",
      ["s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion"],
      [objects],
    ),
    deny("RecorderWrites", ["s3:PutObject"], [objects], {
      ArnNotLike: { "aws:PrincipalArn": [recorderRole] },
    }),
    // Replication from a bucket of somebody's own would write without PutObject, over what is there, and mark it as deleted.
    deny("NothingIsReplicatedHere", REPLICATION, [objects]),
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    deny("WrittenOnce", ["s3:PutObject"], [objects], { Null: { "s3:if-none-match": ["true"] } }),
  );
}

/**
 * Policy of a topic on which one role publishes; messages of anybody else would be taken for its own.
 *
 * @param services what AWS's services may publish beside it
 */
export function publisherPolicy(
  environment: Environment,
  topic: string,
  publisherRole: string,
  ...services: readonly PolicyStatement[]
): PolicyDocument {
  const Resource = [topicArn(environment, environment.regions.primary, topic)];
  return document(
    {
      Sid: "OneRolePublishes",
      Effect: "Deny",
      Principal: "*",
      Action: ["sns:Publish"],
      Resource,
      Condition: {
        ArnNotLike: { "aws:PrincipalArn": [publisherRole] },
        // Services have no role.
        ...(services.length > 0 ? { Bool: { "aws:PrincipalIsAWSService": ["false"] } } : {}),
      },
    },
    ...services,
  );
}

/** CloudWatch's alarms of this account publish on a topic. */
export const alarmsPublish = (environment: Environment, topic: string): PolicyStatement => ({
  Sid: "AlarmsPublish",
  Effect: "Allow",
  Principal: { Service: "cloudwatch.amazonaws.com" },
  Action: ["sns:Publish"],
  Resource: [topicArn(environment, environment.regions.primary, topic)],
  Condition: { StringEquals: { "aws:SourceAccount": [environment.account] } },
});

const document = (...Statement: readonly PolicyStatement[]): PolicyDocument => ({
  Version: "2012-10-17",
  Statement,
});
