import { propertyRuns } from "../../property-runs";
import type { SequenceKind } from "../models/sequence-kind";
import { SEQUENCE_KINDS } from "../models/sequence-kinds";
import { describeTally, trySequences } from "../models/sequence-property";

const SIZES = { ci: 12, nightly: 1_000 };

const tried = SEQUENCE_KINDS.filter(({ todo }) => todo === undefined);
const left = SEQUENCE_KINDS.filter(({ todo }) => todo !== undefined);

describe("after any sequence of rotations and what goes wrong in them", () => {
  test.each(tried.map((kind) => [kind.name, kind] as const))(
    "%s: the next rotation succeeds, no consumer is refused, and nothing lives that nobody may present",
    async (name, kind: SequenceKind<never>) => {
      const tally = await trySequences(kind, propertyRuns(`sequences, ${name}`, SIZES));
      process.stdout.write(`${name}: ${describeTally(tally)}\n`);
      expect(tally.logIns).toBeGreaterThan(100);
      expect([tally.refused, tally.orphans]).toEqual([0, 0]);
    },
    3_600_000,
  );

  if (left.length > 0) test.todo(left.map(({ name, todo }) => `${name}: ${todo}`).join("\n"));
});
