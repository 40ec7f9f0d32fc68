import { jsonata, type State } from "./language";
import type { Tasks } from "./tasks";

/** The run is recorded, whatever its end. */
export const recordStates = ({ parts, invoke }: Tasks): Readonly<Record<string, State>> => ({
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
});
