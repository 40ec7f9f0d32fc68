import {
  BEGIN,
  CONFIRMATION_TRIES,
  caught,
  jsonata,
  PASSING,
  pause,
  phaseDone,
  phaseFailed,
  type State,
  triedAgain,
} from "./language";
import type { Tasks } from "./tasks";

/** An hour. */
const ROLLBACK_TRIES = 12;

/** The old credential is put to use again, and people are called. */
export const rollbackStates = ({
  parts,
  phase,
  confirm,
  restart,
  publish,
}: Tasks): Readonly<Record<string, State>> => ({
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
  ...triedAgain("Rollback", ROLLBACK_TRIES, "RollbackFailed"),
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
  Page: publish(
    parts.alarmTopicArn,
    `'[${parts.environment}] Rotation ' & $outcome & ': ' & $run.key`,
    `{'environment': '${parts.environment}', 'secret': $run.key, 'run': $run.run, 'kind': $run.kind, 'outcome': $outcome, 'failedIn': $fault.state, 'fault': $fault.code, 'newVersion': $run.newVersion, 'oldVersion': $oldVersion}`,
    {
      // The record and the failed execution's alarm report it as well.
      Catch: [{ ErrorEquals: ["States.ALL"], Next: "Restart back?" }],
      Next: "Restart back?",
    },
  ),
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
});
