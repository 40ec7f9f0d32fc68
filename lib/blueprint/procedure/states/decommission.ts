import { BEGIN, caught, jsonata, PASSING, phaseFailed, type State, triedAgain } from "./language";
import type { Tasks } from "./tasks";

/** 12 hours: consumers that still present the old credential are looked for, and fixed. */
const DECOMMISSION_TRIES = 144;
/** With how it was seen that nobody presents the old credential, where the function says so. */
const retirementDone = `$append($phases, $merge([{'phase': 'decommission', 'startedAt': $since, 'endedAt': $now(), 'outcome': 'done'}, $exists($states.result.Payload.evidence) ? {'evidence': $states.result.Payload.evidence} : {}]))`;

/** The old credential is retired at its target. From here on the new one is kept. */
export const decommissionStates = ({ phase }: Tasks): Readonly<Record<string, State>> => ({
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
  ...triedAgain("Decommission", DECOMMISSION_TRIES, "DecommissionFailed"),
  DecommissionFailed: {
    Type: "Pass",
    Assign: { phases: jsonata(phaseFailed("decommission")), outcome: "failed" },
    Next: "Page",
  },
});
