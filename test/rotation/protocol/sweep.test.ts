import fc from "fast-check";
import type { LogFields } from "../../../lib/rotation/protocol/ports";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { SWEEP_MS, Sweep } from "../../../lib/rotation/protocol/sweep";
import { VirtualClock } from "../models/virtual-clock";

/** A sweep, and how many items each call of it has left, as it logs them. */
function sweepWith(clock: VirtualClock, chance: number) {
  const left: unknown[] = [];
  const log = { warn: (_: string, fields?: LogFields) => void left.push(fields?.left) };
  return { sweep: new Sweep({ clock, log }, () => chance), left };
}

/** Lambda's longest time. */
const FUNCTION_MS = 900_000;
const START = new Date("2026-01-01T00:00:00Z");

test("comes to every item in turn, however long each takes, and ends before the function's time does", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 60 }),
      fc.array(fc.integer({ min: 1, max: FUNCTION_MS - SWEEP_MS }), { minLength: 1, maxLength: 20 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      async (count, times, chance) => {
        const clock = new VirtualClock(START);
        const { sweep, left } = sweepWith(clock, chance);
        const items = Array.from({ length: count }, (_, index) => index);
        const done: number[] = [];
        const work = async (item: number) => {
          await clock.sleep(times[item % times.length] ?? 1);
          done.push(item);
        };
        // Every call comes to eight items at least.
        for (let calls = Math.ceil(count / 8); calls > 0; calls -= 1) {
          const before = done.length;
          left.length = 0;
          const took = await clock.take(sweep.over(items, work));
          expect(took).toBeLessThan(FUNCTION_MS);
          expect(left).toEqual(done.length - before === count ? [] : [count - (done.length - before)]);
          expect(new Set(done.slice(before)).size).toBe(done.length - before);
        }
        expect(new Set(done).size).toBe(count);
      },
    ),
    { numRuns: 100 },
  );
});

test("does the others when one fails, says so at the end, and goes on behind it", async () => {
  const clock = new VirtualClock(START);
  const { sweep } = sweepWith(clock, 0);
  const done: number[] = [];
  const work = async (item: number) => {
    await clock.sleep(1_000);
    if (item === 3) throw new RotationError("target-unreachable", "away");
    done.push(item);
  };
  const items = Array.from({ length: 20 }, (_, index) => index);
  await expect(clock.take(sweep.over(items, work))).rejects.toMatchObject({ code: "target-unreachable" });
  expect(done).toHaveLength(19);
});

test("begins by chance, so that instances that die early do not all come to the same ones", async () => {
  const firsts = await Promise.all(
    [0, 0.3, 0.99].map(async (chance) => {
      const clock = new VirtualClock(START);
      const seen: number[] = [];
      const work = async (item: number) => {
        seen.push(item);
      };
      await clock.take(sweepWith(clock, chance).sweep.over([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], work));
      return seen[0];
    }),
  );
  expect(firsts).toEqual([0, 3, 9]);
});
