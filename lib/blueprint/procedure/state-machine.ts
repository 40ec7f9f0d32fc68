import { approvalStates } from "./states/approval";
import { beginningStates } from "./states/beginning";
import { decommissionStates } from "./states/decommission";
import type { State } from "./states/language";
import { proofStates } from "./states/proof";
import { recordStates } from "./states/record";
import { rollbackStates } from "./states/rollback";
import { type StateMachineParts, tasksOf } from "./states/tasks";

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

/** The definition for one environment. The same parts give the same data. */
export function stateMachineDefinition(parts: StateMachineParts): StateMachineDefinition {
  const tasks = tasksOf(parts);
  return {
    // A text of every deployed machine: it names the file as it was called at first, so that moves of files change no definition.
    Comment: `Proves rotations of ${parts.environment} and retires old credentials; see lib/blueprint/state-machine.ts`,
    QueryLanguage: "JSONata",
    StartAt: "Begin",
    States: {
      ...beginningStates(tasks),
      ...proofStates(tasks),
      ...approvalStates(tasks),
      ...decommissionStates(tasks),
      ...rollbackStates(tasks),
      ...recordStates(tasks),
    },
  };
}
