import fc from "fast-check";
import { propertyRuns } from "../property-runs";
import type { SequenceKind } from "./models/sequence-kind";
import { SEQUENCE_KINDS } from "./models/sequence-kinds";
import { emptyTally, type SequenceOp, SequenceWorld } from "./models/sequence-world";

const SIZES = { ci: 20, nightly: 1_000 };

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

const tried = SEQUENCE_KINDS.filter(({ todo }) => todo === undefined);
const left = SEQUENCE_KINDS.filter(({ todo }) => todo !== undefined);

describe("after any sequence of rotations and what goes wrong in them", () => {
  test.each(tried.map((kind) => [kind.name, kind] as const))(
    "%s: the next rotation succeeds, no consumer is refused, and nothing lives that nobody may present",
    async (name, kind: SequenceKind<never>) => {
      const tally = emptyTally();
      await fc.assert(
        fc.asyncProperty(sequence, fc.infiniteStream(fc.nat({ max: 23 })), async (ops, draws) => {
          const draw = (count: number): number => {
            const next = draws.next();
            return next.done ? 0 : next.value % count;
          };
          const before = { ...tally };
          const world = new SequenceWorld(kind, draw, tally);
          await world.begin();
          for (const item of ops) await world.perform(item);
          const fault = await world.end();
          const wrong = [
            ...(fault === undefined ? [] : [fault]),
            ...(tally.refused > before.refused ? ["a consumer was refused"] : []),
            ...(tally.orphans > before.orphans ? ["a credential outlives its holders"] : []),
          ];
          if (wrong.length > 0) throw new Error(`${wrong.join("; ")}\n${world.journal.join("\n")}`);
        }),
        propertyRuns(`sequences, ${name}`, SIZES),
      );
      process.stdout.write(
        `${name}: ${tally.sequences} sequences of ${tally.runs} runs (${tally.rolledBack} rolled back, ` +
          `${tally.givenUp} given up, ${tally.failed} failed), ${tally.emergencies} emergencies; ${tally.logIns} log-ins, ` +
          `${tally.refused} refused, ${tally.cutOff} cut off by an emergency; ${tally.orphans} live orphans\n`,
      );
      expect(tally.logIns).toBeGreaterThan(100);
    },
    3_600_000,
  );

  if (left.length > 0) test.todo(left.map(({ name, todo }) => `${name}: ${todo}`).join("\n"));
});
