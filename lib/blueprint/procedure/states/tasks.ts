import { ANOTHER_TRY, CALL_RETRY, jsonata, PASSING, SERVICE_RETRY, type State } from "./language";

/** Names and places that the definition refers to. */
export interface StateMachineParts {
  readonly partition: string;
  readonly environment: string;
  /** Names of functions. */
  readonly dispatcher: string;
  readonly approvalGate: string;
  readonly checker: string;
  readonly restarter: string;
  readonly recorder: string;
  /** Table in which the mirror confirms versions. */
  readonly publicationsTable: string;
  readonly alarmTopicArn: string;
  readonly approvalTopicArn: string;
  /** Time that approvers may take, in seconds. */
  readonly approvalSeconds: number;
}

/** Makers of the states that call something, for one environment. */
export interface Tasks {
  readonly parts: StateMachineParts;
  /** ARN of an optimized integration. */
  integration(name: string): string;
  invoke(functionName: string, payload: object, rest: object): State;
  /** A phase of the secret's own rotation function. */
  phase(name: string, version: string, rest: object): State;
  /** Asks whether every Vault serves a version: the mirror writes an item then. */
  confirm(version: string, rest: object): State;
  restart(version: string, rest: object): State;
  /** A message to people. */
  publish(topicArn: string, subject: string, message: string, rest: object): State;
}

/** SNS's limit. */
const SUBJECT_LENGTH = 100;

/** The makers for these parts. */
export function tasksOf(parts: StateMachineParts): Tasks {
  const { partition } = parts;
  const integration = (name: string): string => `arn:${partition}:states:::${name}`;

  const invoke = (functionName: string, payload: object, rest: object): State => ({
    Type: "Task",
    Resource: integration("lambda:invoke"),
    Arguments: { FunctionName: functionName, Payload: payload },
    Retry: [SERVICE_RETRY],
    ...rest,
  });

  /** A phase of the secret's own rotation function. */
  const phase = (name: string, version: string, rest: object): State =>
    invoke(
      jsonata("$run.function"),
      {
        Phase: name,
        SecretId: jsonata("$run.secret"),
        VersionId: version,
        RunId: jsonata("$run.run"),
      },
      rest,
    );

  /** Asks whether every Vault serves a version: the mirror writes an item then. */
  const confirm = (version: string, rest: object): State => ({
    Type: "Task",
    Resource: integration("dynamodb:getItem"),
    Arguments: {
      TableName: parts.publicationsTable,
      Key: { secret: { S: jsonata("$run.secret") }, version: { S: version } },
      ConsistentRead: true,
    },
    Assign: { confirmed: jsonata("$exists($states.result.Item.confirmedAt)"), tries: ANOTHER_TRY },
    Retry: [CALL_RETRY],
    ...rest,
  });

  const restart = (version: string, rest: object): State =>
    invoke(
      parts.restarter,
      { Workloads: jsonata("$run.restart"), Version: version },
      {
        ...rest,
        // Restarts one after the other may take longer than a function lives; it goes on where it was.
        Retry: [SERVICE_RETRY, { ErrorEquals: PASSING, IntervalSeconds: 5, MaxAttempts: 8, BackoffRate: 1 }],
      },
    );

  const publish = (topicArn: string, subject: string, message: string, rest: object): State => ({
    Type: "Task",
    Resource: integration("sns:publish"),
    Arguments: {
      TopicArn: topicArn,
      Subject: jsonata(`$substring(${subject}, 0, ${SUBJECT_LENGTH})`),
      Message: jsonata(`$string(${message}, true)`),
    },
    Retry: [CALL_RETRY],
    ...rest,
  });

  return { parts, integration, invoke, phase, confirm, restart, publish };
}
