import {
  ANOTHER_TRY,
  again,
  BEGIN,
  caught,
  jsonata,
  PASSING,
  pause,
  phaseDone,
  phaseFailed,
  type State,
} from "./language";
import type { Tasks } from "./tasks";

/** 20 minutes: a broken credential is to be rolled back soon. */
const PROOF_TRIES = 5;

/** The new credential works, by its function and by checks; twice where an overlap lies between. */
export const proofStates = ({ parts, phase, invoke }: Tasks): Readonly<Record<string, State>> => ({
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
      Environment: parts.environment,
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
});
