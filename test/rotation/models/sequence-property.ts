import fc from "fast-check";
import type { SequenceKind } from "./sequence-kind";
import { emptyTally, type SequenceOp, type SequenceTally, SequenceWorld } from "./sequence-world";

const when = fc.constantFrom("before" as const, "after" as const);

const op: fc.Arbitrary<SequenceOp> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<SequenceOp>({ do: "rotate" }) },
  { weight: 3, arbitrary: fc.constant<SequenceOp>({ do: "schedule" }) },
  { weight: 2, arbitrary: fc.constant<SequenceOp>({ do: "promote" }) },
  { weight: 4, arbitrary: fc.constant<SequenceOp>({ do: "give up" }) },
  { weight: 2, arbitrary: fc.constant<SequenceOp>({ do: "emergency" }) },
  { weight: 2, arbitrary: fc.constant<SequenceOp>({ do: "rename" }) },
  { weight: 3, arbitrary: fc.constant<SequenceOp>({ do: "refuse" }) },
  { weight: 2, arbitrary: fc.constant<SequenceOp>({ do: "kill" }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("die" as const), at: fc.integer({ min: 1, max: 12 }), when }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("dispatcher dies" as const),
      at: fc.integer({ min: 1, max: 9 }),
      when,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("vendor away" as const, "Vault away" as const),
      hours: fc.integer({ min: 1, max: 30 }),
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({ do: fc.constant("wait" as const), hours: fc.integer({ min: 1, max: 24 }) }),
  },
);

const sequence = fc.array(op, { minLength: 3, maxLength: 14, size: "max" });

/**
 * Tries sequences with a kind: after each the next rotation succeeds, no consumer of AWSCURRENT was refused, and nothing
 * lives that nobody may present.
 *
 * @throws Error with the journal of the shortest sequence that is found after which one of them does not hold
 */
export async function trySequences<V>(
  kind: SequenceKind<V>,
  runs: { readonly numRuns: number; readonly seed: number; readonly path?: string },
): Promise<SequenceTally> {
  const tally = emptyTally();
  await fc.assert(
    fc.asyncProperty(sequence, fc.infiniteStream(fc.nat({ max: 23 })), async (ops, draws) => {
      const draw = (count: number): number => {
        const next = draws.next();
        return next.done ? 0 : next.value % count;
      };
      const before = { ...tally };
      let fault: string | undefined;
      const world = await SequenceWorld.open(kind, draw, tally);
      try {
        await world.begin();
        for (const item of ops) await world.perform(item);
        fault = await world.end();
      } finally {
        await world.close();
      }
      const wrong = [
        ...(fault === undefined ? [] : [fault]),
        ...(tally.refused > before.refused ? ["a consumer was refused"] : []),
        ...(tally.orphans > before.orphans ? ["a credential outlives its holders"] : []),
      ];
      if (wrong.length > 0) throw new Error(`${wrong.join("; ")}\n${world.journal.join("\n")}`);
    }),
    runs,
  );
  return tally;
}

/** A tally in words. */
export const describeTally = (tally: SequenceTally): string =>
  `${tally.sequences} sequences of ${tally.runs} runs (${tally.rolledBack} rolled back, ${tally.givenUp} given up, ` +
  `${tally.failed} failed), ${tally.emergencies} emergencies; ${tally.logIns} log-ins, ${tally.refused} refused, ` +
  `${tally.cutOff} cut off by an emergency; ${tally.orphans} live orphans`;
