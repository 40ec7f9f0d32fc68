import { defineRegistry, type Fault, RegistryError } from "../../../lib/model";
import { type Draft, draft } from "../sample";

/** A fault that a registry can have: the change of the sample that brings it about, and all that is said about it. */
export interface FaultCase {
  readonly name: string;
  readonly change: (definition: Draft) => void;
  readonly faults: readonly Fault[];
}

/** Changes the sample by each case in turn and expects exactly that case's faults. */
export function testFaults(cases: readonly FaultCase[]): void {
  test.each(cases)("$name", ({ change, faults }) => {
    const definition = draft();
    change(definition);
    expect(faultsOf(definition)).toEqual(faults);
  });
}

/** Faults of a definition; none for a valid one. */
export function faultsOf(definition: Draft): readonly Fault[] {
  try {
    defineRegistry(definition);
  } catch (error) {
    if (error instanceof RegistryError) return error.faults;
    throw error;
  }
  return [];
}
