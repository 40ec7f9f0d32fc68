/**
 * The definition of the state machine that proves a rotation and retires the old credential (docs/explanation/architecture.md, decision 5), as
 * plain data in the Amazon States Language: https://states-language.net. `lib/contracts/procedure-events.ts` has the input
 * and what the functions are asked. The input names a run; what may be done is loaded from the table of runs.
 *
 * Confirmed by every Vault → fingerprints → restarts → proof → overlap → proof → approval → decommission → record. Until
 * the old credential is asked to go, whatever fails leads to a rollback, but for the fingerprints, without which a run goes
 * on; from then on the new one is kept, because the old one may be dead, and a person is called.
 *
 * Whatever waits takes its time from a variable, and what is tried again for minutes or hours is a loop of states: the
 * intervals of `Retry` are fixed in a definition, so no rehearsal could shorten them.
 */
export interface StateMachineDefinition {
  readonly Comment: string;
  readonly QueryLanguage: "JSONata";
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

/** A state, as far as this library reads it again. */
export interface State {
  readonly Type: "Choice" | "Fail" | "Pass" | "Succeed" | "Task" | "Wait";
  readonly Resource?: string;
  readonly [field: string]: unknown;
}

/** What the definition refers to. */
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
  /** How long approvers may take. */
  readonly approvalSeconds: number;
}

/** Between two tries. */
const RETRY_SECONDS = 300;
/** A day, at that pace: Vaults may be sealed over a night. */
const CONFIRMATION_TRIES = 288;
/** A quarter of an hour: a leak is not waited out. */
const EMERGENCY_CONFIRMATION_TRIES = 4;
/** 20 minutes: a broken credential is to be rolled back soon. */
const PROOF_TRIES = 5;
/** 12 hours: consumers that still present the old credential are looked for, and fixed. */
const DECOMMISSION_TRIES = 144;
/** An hour. */
const ROLLBACK_TRIES = 12;

/** SNS's limit. */
const SUBJECT_LENGTH = 100;

/** What Lambda itself may answer once in a while: https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html */
const SERVICE_RETRY = {
  ErrorEquals: [
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
  ],
  IntervalSeconds: 2,
  MaxAttempts: 6,
  BackoffRate: 2,
};
/** Other services' calls repeat nothing that matters. */
const CALL_RETRY = { ErrorEquals: ["States.TaskFailed"], IntervalSeconds: 2, MaxAttempts: 3, BackoffRate: 2 };
/** Before an approver is asked: minutes, since nobody waits for the run to go back. */
const ASKED_AGAIN = { IntervalSeconds: 5, MaxAttempts: 5, BackoffRate: 2 };
/**
 * What is worth another try: faults that say so, and functions that were cut off, by Lambda or by a crash. Every phase can
 * be repeated.
 */
const PASSING = ["RetryableRotationError", "Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError"];

const jsonata = (expression: string): string => `{% ${expression} %}`;

/**
 * A fault's code: the one that our errors' messages begin with (`code: detail`), else the error's name. A failed check's
 * message begins with the check.
 */
const CODE = [
  "$isNamed := $states.errorOutput.Error = 'CheckFailed'",
  '$said := $isNamed ? [] : $match($states.errorOutput.Cause, /"errorMessage": ?"([a-z][a-z-]*): /, 1)',
  "$named := $match($states.errorOutput.Error, /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/, 1)",
  "$count($said) > 0 ? $said[0].groups[0] : $exists($named) ? $states.errorOutput.Error : 'unknown'",
].join("; ");

/** Notes what went wrong in a state, and goes on. */
const caught = (state: string, errors: readonly string[], next: string) => ({
  ErrorEquals: errors,
  Assign: { fault: { state, code: jsonata(`(${CODE})`) } },
  Next: next,
});

/** Nobody was asked. */
const notAnnounced = (state: string) => {
  const { Assign, ...rest } = caught(state, ["States.ALL"], "NotApproved");
  return { ...rest, Assign: { ...Assign, since: jsonata("$now()") } };
};

/** Adds a phase that began at `$since` to those that are recorded. */
const phaseDone = (phase: string): string =>
  `$append($phases, {'phase': '${phase}', 'startedAt': $since, 'endedAt': $now(), 'outcome': 'done'})`;
/** With how it was seen that nobody presents the old credential, where the function says so. */
const retirementDone = `$append($phases, $merge([{'phase': 'decommission', 'startedAt': $since, 'endedAt': $now(), 'outcome': 'done'}, $exists($states.result.Payload.evidence) ? {'evidence': $states.result.Payload.evidence} : {}]))`;
const phaseFailed = (phase: string): string =>
  `$append($phases, {'phase': '${phase}', 'startedAt': $since, 'endedAt': $now(), 'outcome': 'failed', 'fault': $fault.code})`;

/** What a loop of tries begins with. */
const BEGIN = { tries: 0, since: jsonata("$now()") };
const ANOTHER_TRY = jsonata("$tries + 1");

/** Goes round again until a loop has had its tries. */
const again = (tries: number, wait: string, otherwise: string): State => ({
  Type: "Choice",
  Choices: [{ Condition: jsonata(`$tries < ${tries}`), Next: wait }],
  Default: otherwise,
});
const pause = (next: string): State => ({ Type: "Wait", Seconds: jsonata("$retrySeconds"), Next: next });

/** The definition for one environment. The same parts give the same data. */
export function stateMachineDefinition(parts: StateMachineParts): StateMachineDefinition {
  const { partition, environment } = parts;
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

  /** Whether every Vault serves a version: the mirror writes an item then. */
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

  const proof: Record<string, State> = {
    BeginProof: { Type: "Pass", Assign: BEGIN, Next: "Verify" },
    Verify: phase("verify", jsonata("$run.newVersion"), {
      Assign: { tries: ANOTHER_TRY },
      Catch: [caught("Verify", PASSING, "CountProof"), caught("Verify", ["States.ALL"], "ProofFailed")],
      Next: "Checks?",
    }),
    "Checks?": {
      Type: "Choice",
      Choices: [{ Condition: jsonata("$count($run.checks) > 0"), Next: "Check" }],
      Default: "Proved",
    },
    Check: invoke(
      parts.checker,
      {
        Checks: jsonata("$run.checks"),
        Environment: environment,
        Secret: jsonata("$run.secret"),
        Version: jsonata("$run.newVersion"),
        // Before, and where a single slot leaves no time, applications may still have the old one.
        InUse: jsonata("$overlapped and $run.overlapSeconds > 0"),
      },
      {
        Assign: {
          proofs: jsonata(
            "$append($proofs, {'at': $now(), 'tries': $tries, 'results': $states.result.Payload.results})",
          ),
        },
        Catch: [caught("Check", ["States.ALL"], "Prove again?")],
        Next: "Proved",
      },
    ),
    CountProof: { Type: "Pass", Assign: { tries: ANOTHER_TRY }, Next: "Prove again?" },
    "Prove again?": again(PROOF_TRIES, "AwaitProof", "ProofFailed"),
    AwaitProof: pause("Verify"),
    Proved: {
      Type: "Pass",
      Assign: { phases: jsonata(phaseDone("verify")), fault: null },
      Next: "What next?",
    },
    ProofFailed: {
      Type: "Pass",
      Assign: { phases: jsonata(phaseFailed("verify")) },
      Next: "Roll back?",
    },
    "What next?": {
      Type: "Choice",
      Choices: [
        { Condition: jsonata("$run.kind = 'publication'"), Assign: { outcome: "published" }, Next: "Record" },
        { Condition: jsonata("$oldVersion = null"), Assign: { outcome: "replaced" }, Next: "Record" },
        { Condition: jsonata("$not($overlapped) and $not($run.emergency)"), Next: "Overlap" },
        { Condition: jsonata("$run.approval"), Next: "AnnounceApproval" },
      ],
      Default: "BeginDecommission",
    },
    Overlap: {
      Type: "Wait",
      Seconds: jsonata("$run.overlapSeconds"),
      Assign: { overlapped: true },
      Next: "BeginProof",
    },
  };

  const approval: Record<string, State> = {
    // From here on the gate takes decisions.
    AnnounceApproval: invoke(
      parts.recorder,
      { Secret: jsonata("$run.secret"), Run: jsonata("$run.run"), Status: "awaiting-approval" },
      {
        Assign: { since: jsonata("$now()") },
        Retry: [SERVICE_RETRY, { ...ASKED_AGAIN, ErrorEquals: PASSING }],
        Catch: [notAnnounced("AnnounceApproval")],
        Next: "RequestApproval",
      },
    ),
    RequestApproval: {
      Type: "Task",
      Resource: integration("sns:publish"),
      Arguments: {
        TopicArn: parts.approvalTopicArn,
        Subject: jsonata(`$substring('[${environment}] Approve: ' & $run.key, 0, ${SUBJECT_LENGTH})`),
        Message: jsonata(
          `$string({'environment': '${environment}', 'secret': $run.key, 'run': $run.run, 'kind': $run.kind, 'newVersion': $run.newVersion, 'oldVersion': $oldVersion, 'asks': 'May the old credential be retired? The new one is in use and was proved twice.', 'answer': 'secrets-registry approve ' & $run.run & ' --env ${environment}, with this message as its input'}, true)`,
        ),
      },
      Retry: [CALL_RETRY],
      Catch: [notAnnounced("RequestApproval")],
      Next: "AwaitApproval",
    },
    // The token goes to the gate, which alone may answer.
    AwaitApproval: {
      Type: "Task",
      Resource: integration("lambda:invoke.waitForTaskToken"),
      Arguments: {
        FunctionName: parts.approvalGate,
        Payload: {
          Action: "ask",
          Secret: jsonata("$run.secret"),
          Run: jsonata("$run.run"),
          Token: jsonata("$states.context.Task.Token"),
        },
      },
      TimeoutSeconds: parts.approvalSeconds,
      Assign: { phases: jsonata(phaseDone("approve")) },
      Retry: [SERVICE_RETRY, { ...ASKED_AGAIN, ErrorEquals: PASSING }],
      Catch: [caught("AwaitApproval", ["States.ALL"], "NotApproved")],
      Next: "BeginDecommission",
    },
    // What nobody vouched for does not stay: the old credential is alive. A leaked one does not come back for that.
    NotApproved: {
      Type: "Pass",
      Assign: { phases: jsonata(phaseFailed("approve")) },
      Next: "Leaked?",
    },
    "Leaked?": {
      Type: "Choice",
      Choices: [{ Condition: jsonata("$run.emergency"), Assign: { outcome: "failed" }, Next: "Page" }],
      Default: "Roll back?",
    },
  };

  const decommission: Record<string, State> = {
    BeginDecommission: { Type: "Pass", Assign: BEGIN, Next: "Decommission" },
    Decommission: phase("decommission", jsonata("$oldVersion"), {
      Assign: {
        outcome: jsonata("$states.result.Payload.result = 'nothing-to-do' ? 'replaced' : 'decommissioned'"),
        phases: jsonata(`$states.result.Payload.result = 'nothing-to-do' ? $phases : ${retirementDone}`),
        fault: null,
      },
      Catch: [
        caught("Decommission", PASSING, "CountDecommission"),
        caught("Decommission", ["States.ALL"], "DecommissionFailed"),
      ],
      Next: "Record",
    }),
    CountDecommission: { Type: "Pass", Assign: { tries: ANOTHER_TRY }, Next: "Decommission again?" },
    "Decommission again?": again(DECOMMISSION_TRIES, "AwaitDecommission", "DecommissionFailed"),
    AwaitDecommission: pause("Decommission"),
    DecommissionFailed: {
      Type: "Pass",
      Assign: { phases: jsonata(phaseFailed("decommission")), outcome: "failed" },
      Next: "Page",
    },
  };

  const rollback: Record<string, State> = {
    // What a retirement proves is in use, and stays: it began when there was nothing better.
    "Roll back?": {
      Type: "Choice",
      Choices: [
        { Condition: jsonata("$run.kind = 'retirement'"), Assign: { outcome: "failed" }, Next: "Page" },
      ],
      Default: "BeginRollback",
    },
    BeginRollback: { Type: "Pass", Assign: BEGIN, Next: "Rollback" },
    Rollback: phase("rollback", jsonata("$run.newVersion"), {
      Assign: { returned: jsonata("$states.result.Payload.result") },
      Catch: [
        caught("Rollback", PASSING, "CountRollback"),
        caught("Rollback", ["States.ALL"], "RollbackFailed"),
      ],
      Next: "Rolled back?",
    }),
    CountRollback: { Type: "Pass", Assign: { tries: ANOTHER_TRY }, Next: "Rollback again?" },
    "Rollback again?": again(ROLLBACK_TRIES, "AwaitRollback", "RollbackFailed"),
    AwaitRollback: pause("Rollback"),
    "Rolled back?": {
      Type: "Choice",
      Choices: [
        {
          // Somebody else has changed the secret meanwhile.
          Condition: jsonata("$returned = 'nothing-to-do'"),
          Assign: { fault: { state: "Rollback", code: "stale-version" } },
          Next: "RollbackFailed",
        },
      ],
      Default: "RolledBack",
    },
    RolledBack: {
      Type: "Pass",
      Assign: { phases: jsonata(phaseDone("rollback")), outcome: "rolled-back" },
      Next: "Page",
    },
    RollbackFailed: {
      Type: "Pass",
      Assign: { phases: jsonata(phaseFailed("rollback")), outcome: "failed" },
      Next: "Page",
    },
    Page: {
      Type: "Task",
      Resource: integration("sns:publish"),
      Arguments: {
        TopicArn: parts.alarmTopicArn,
        Subject: jsonata(
          `$substring('[${environment}] Rotation ' & $outcome & ': ' & $run.key, 0, ${SUBJECT_LENGTH})`,
        ),
        Message: jsonata(
          `$string({'environment': '${environment}', 'secret': $run.key, 'run': $run.run, 'kind': $run.kind, 'outcome': $outcome, 'failedIn': $fault.state, 'fault': $fault.code, 'newVersion': $run.newVersion, 'oldVersion': $oldVersion}, true)`,
        ),
      },
      Retry: [CALL_RETRY],
      // The record and the failed execution's alarm tell it as well.
      Catch: [{ ErrorEquals: ["States.ALL"], Next: "Restart back?" }],
      Next: "Restart back?",
    },
    // Whoever reads the secret at its start only has the version that was withdrawn.
    "Restart back?": {
      Type: "Choice",
      Choices: [
        {
          Condition: jsonata("$outcome = 'rolled-back' and $count($run.restart) > 0"),
          Assign: { tries: 0 },
          Next: "ConfirmBack",
        },
      ],
      Default: "Record",
    },
    ConfirmBack: confirm(jsonata("$oldVersion"), {
      Catch: [caught("ConfirmBack", ["States.ALL"], "ReturnFailed")],
      Next: "Confirmed back?",
    }),
    "Confirmed back?": {
      Type: "Choice",
      Choices: [
        { Condition: jsonata("$confirmed"), Next: "RestartBack" },
        { Condition: jsonata(`$tries < ${CONFIRMATION_TRIES}`), Next: "AwaitConfirmationBack" },
      ],
      Assign: { fault: { state: "ConfirmBack", code: "not-published-yet" } },
      Default: "ReturnFailed",
    },
    AwaitConfirmationBack: pause("ConfirmBack"),
    RestartBack: restart(jsonata("$oldVersion"), {
      Catch: [caught("RestartBack", ["States.ALL"], "ReturnFailed")],
      Next: "Record",
    }),
    ReturnFailed: { Type: "Pass", Assign: { outcome: "failed" }, Next: "Page" },
  };

  return {
    // A text of every deployed machine: it names the file as it was called at first, so that moves of files change no definition.
    Comment: `Proves rotations of ${environment} and retires old credentials; see lib/blueprint/state-machine.ts`,
    QueryLanguage: "JSONata",
    StartAt: "Begin",
    States: {
      Begin: {
        Type: "Pass",
        Assign: {
          retrySeconds: RETRY_SECONDS,
          tries: 0,
          overlapped: false,
          phases: [],
          proofs: [],
          fingerprints: null,
          fault: null,
        },
        Next: "Load",
      },
      Load: invoke(
        parts.dispatcher,
        {
          Action: "load",
          Secret: jsonata("$states.input.secret"),
          Run: jsonata("$states.input.run"),
          Execution: jsonata("$states.context.Execution.Name"),
        },
        {
          Assign: {
            run: jsonata("$states.result.Payload"),
            oldVersion: jsonata(
              "$exists($states.result.Payload.oldVersion) ? $states.result.Payload.oldVersion : null",
            ),
          },
          Retry: [
            SERVICE_RETRY,
            { ErrorEquals: PASSING, IntervalSeconds: 5, MaxAttempts: 8, BackoffRate: 2 },
          ],
          Catch: [caught("Load", ["States.ALL"], "NoRun")],
          Next: "Called back?",
        },
      ),
      // It is not the run's execution, or there is no such run: it may do nothing, and has nothing to record.
      NoRun: {
        Type: "Fail",
        Error: "NoRun",
        Cause: jsonata("'The table has no run for this execution: ' & $fault.code"),
      },
      "Called back?": {
        Type: "Choice",
        Choices: [
          {
            Condition: jsonata("$run.back"),
            Assign: { fault: { state: "Begin", code: "called-back" } },
            Next: "Roll back?",
          },
        ],
        Default: "Confirm",
      },
      Confirm: confirm(jsonata("$run.newVersion"), {
        Catch: [caught("Confirm", ["States.ALL"], "Roll back?")],
        Next: "Confirmed?",
      }),
      "Confirmed?": {
        Type: "Choice",
        Choices: [
          { Condition: jsonata("$confirmed"), Next: "Fingerprint" },
          {
            Condition: jsonata(
              `$tries < ($run.emergency ? ${EMERGENCY_CONFIRMATION_TRIES} : ${CONFIRMATION_TRIES})`,
            ),
            Next: "AwaitConfirmation",
          },
          // A Vault that is away keeps no leaked credential alive, and going back would put it to use again.
          { Condition: jsonata("$run.emergency"), Next: "Fingerprint" },
        ],
        Assign: { fault: { state: "Confirm", code: "not-published-yet" } },
        Default: "Roll back?",
      },
      AwaitConfirmation: pause("Confirm"),
      // For the record. It is no reason to roll back, nor to wait: without them the run goes on.
      Fingerprint: phase("fingerprint", jsonata("$run.newVersion"), {
        Assign: {
          fingerprints: jsonata(
            "$exists($states.result.Payload.fingerprints) ? $states.result.Payload.fingerprints : null",
          ),
        },
        Catch: [{ ErrorEquals: ["States.ALL"], Next: "Restart?" }],
        Next: "Restart?",
      }),
      "Restart?": {
        Type: "Choice",
        Choices: [{ Condition: jsonata("$count($run.restart) > 0"), Next: "Restart" }],
        Default: "BeginProof",
      },
      Restart: restart(jsonata("$run.newVersion"), {
        Catch: [caught("Restart", ["States.ALL"], "Not restarted")],
        Next: "BeginProof",
      }),
      // Whoever was not restarted fails until somebody does it. That is no reason to use a leaked credential again.
      "Not restarted": {
        Type: "Choice",
        Choices: [{ Condition: jsonata("$run.emergency"), Next: "BeginProof" }],
        Default: "Roll back?",
      },
      ...proof,
      ...approval,
      ...decommission,
      ...rollback,
      Record: invoke(
        parts.recorder,
        {
          Secret: jsonata("$run.secret"),
          Run: jsonata("$run.run"),
          Outcome: jsonata("$outcome"),
          Phases: jsonata("$phases"),
          Checks: jsonata("$proofs"),
          Fingerprints: jsonata("$fingerprints"),
          Fault: jsonata("$fault"),
        },
        {
          Retry: [{ ErrorEquals: ["States.ALL"], IntervalSeconds: 5, MaxAttempts: 8, BackoffRate: 2 }],
          Next: "Ended?",
        },
      ),
      "Ended?": {
        Type: "Choice",
        Choices: [{ Condition: jsonata("$outcome = 'failed'"), Next: "Failed" }],
        Default: "Ended",
      },
      Ended: { Type: "Succeed", Output: { outcome: jsonata("$outcome") } },
      Failed: {
        Type: "Fail",
        Error: "RotationFailed",
        Cause: jsonata("'A person has to look: ' & $fault.code & ' in ' & $fault.state"),
      },
    },
  };
}
