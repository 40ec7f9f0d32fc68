import type { State, StateMachineDefinition } from "../../../../lib/blueprint";
import { ROTATION_FAULTS } from "../../../../lib/rotation/protocol/rotation-error";

/** The embedded AWS's name for every error of a function; see the gap `error-names`. */
const NAMELESS = "Runtime.HandlerError";

const RETRYABLE = Object.entries(ROTATION_FAULTS)
  .filter(([, { retryable }]) => retryable)
  .map(([code]) => `'${code}'`)
  .join(", ");

interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
}

const isCatchAll = ({ ErrorEquals }: Catcher): boolean => ErrorEquals.includes("States.ALL");

/**
 * A definition for the embedded Step Functions. Where a state catches retryable errors by their name, which the embedded
 * AWS loses, a choice by the fault's code comes after it; nothing else differs.
 */
export function embeddedDefinition(definition: StateMachineDefinition): StateMachineDefinition {
  const states = Object.entries(definition.States).flatMap(([name, state]): [string, State][] => {
    const catchers = (state.Catch ?? []) as readonly Catcher[];
    const retryable = catchers.find((catcher) => catcher.ErrorEquals.includes("RetryableRotationError"));
    const rest = catchers.find(isCatchAll);
    if (!retryable || !rest) return [[name, state]];
    const judge = `${name}: again?`;
    return [
      [name, { ...state, Catch: [{ ...retryable, ErrorEquals: [NAMELESS], Next: judge }, ...catchers] }],
      [
        judge,
        {
          Type: "Choice",
          Choices: [{ Condition: `{% $fault.code in [${RETRYABLE}] %}`, Next: retryable.Next }],
          Default: rest.Next,
        },
      ],
    ];
  });
  return { ...definition, States: Object.fromEntries(states) };
}

/** A definition whose loops of tries wait a second, or as long as is said. */
export function hurriedDefinition(
  definition: StateMachineDefinition,
  retrySeconds = 1,
): StateMachineDefinition {
  const { Begin } = definition.States;
  const Assign = { ...(Begin?.Assign as object), retrySeconds };
  return { ...definition, States: { ...definition.States, Begin: { ...Begin, Type: "Pass", Assign } } };
}
