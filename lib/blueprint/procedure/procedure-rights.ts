import { PROCEDURE_SOURCE } from "../../contracts/audit-events";
import { METRIC_NAMESPACE, operationsKeyAlias } from "../../model/names";
import type { PolicyStatement } from "../../model/policy-document";
import type { Environment, Registry } from "../../model/registry";
import type { EnvironmentSecret } from "../../model/resolve";
import { arnsIn, byAuditKey, confirmVersions, withinOneRole } from "../functions/function-rights";
import { statement } from "../functions/target-rights";
import {
  anyKeyArn,
  bucketArn,
  eventBusArn,
  executionArns,
  functionArn,
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

/** ARNs of functions in the primary region. */
export const functionArns = (environment: Environment, names: readonly string[]): readonly string[] =>
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
