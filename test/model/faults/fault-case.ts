import { defineRegistry, type Fault, RegistryError } from "../../../lib/model";
import { type Draft, draft } from "../sample";
import { followAdvice } from "./advice";

/** A fault that a registry can have: the change of the sample that brings it about, and all that is said about it. */
export interface FaultCase {
  readonly name: string;
  readonly change: (definition: Draft) => void;
  readonly faults: readonly Fault[];
  /** Ways out, as the advice says in words for people; each must lead to a valid registry. Needed where no machine can follow it. */
  readonly ways?: readonly ((definition: Draft) => void)[];
}

/** Rounds after which an advice has not led out: what follows one may be advised to another thing, but not for ever. */
const ROUNDS = 4;

/** Changes the sample by each case in turn and expects exactly that case's faults. */
export function testFaults(cases: readonly FaultCase[]): void {
  test.each(cases)("$name", ({ change, faults }) => {
    const definition = draft();
    change(definition);
    expect(faultsOf(definition)).toEqual(faults);
  });
  for (const { name, change, ways } of cases) {
    const broken = (): Draft => {
      const definition = draft();
      change(definition);
      return definition;
    };
    for (const [index, way] of (ways ?? []).entries()) {
      test(`${name}: way out ${index + 1}`, () => {
        const definition = broken();
        way(definition);
        expect(faultsOf(definition)).toEqual([]);
      });
    }
    if (ways === undefined) {
      test(`${name}: its advice leads out`, () => {
        const definition = broken();
        if (!advisedPlainly(definition)) throw new Error("nothing follows this advice: give its `ways` out");
        for (let round = 0; round < ROUNDS && followed(definition); round += 1);
        expect(faultsOf(definition)).toEqual([]);
      });
    }
  }
}

/** `true` where a machine can follow every advice. */
function advisedPlainly(definition: Draft): boolean {
  return faultsOf(definition).every((fault) => followAdvice(structuredClone(definition), fault));
}

/** Follows the first advice; `false`: there is none. */
function followed(definition: Draft): boolean {
  const [fault] = faultsOf(definition);
  return fault !== undefined && followAdvice(definition, fault);
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
