import {
  CONFIRMATION_TRIES,
  caught,
  jsonata,
  PASSING,
  pause,
  RETRY_SECONDS,
  SERVICE_RETRY,
  type State,
} from "./language";
import type { Tasks } from "./tasks";

/** A quarter of an hour: a leak is not waited out. */
const EMERGENCY_CONFIRMATION_TRIES = 4;

/** The run is loaded; every Vault has the new version; its fingerprints are taken; who reads at its start only is restarted. */
export const beginningStates = ({
  parts,
  invoke,
  phase,
  confirm,
  restart,
}: Tasks): Readonly<Record<string, State>> => ({
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
      Retry: [SERVICE_RETRY, { ErrorEquals: PASSING, IntervalSeconds: 5, MaxAttempts: 8, BackoffRate: 2 }],
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
      texts: jsonata("$exists($states.result.Payload.texts) ? $states.result.Payload.texts : null"),
    },
    Catch: [{ ErrorEquals: ["States.ALL"], Next: "Restart?" }],
    Next: "KeepFingerprints",
  }),
  // Kept before anything is waited for: a value that leaks meanwhile can be told by them.
  KeepFingerprints: invoke(
    parts.recorder,
    {
      Secret: jsonata("$run.secret"),
      Version: jsonata("$run.newVersion"),
      Run: jsonata("$run.run"),
      Texts: jsonata("$texts"),
    },
    { Catch: [{ ErrorEquals: ["States.ALL"], Next: "Restart?" }], Next: "Restart?" },
  ),
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
});
