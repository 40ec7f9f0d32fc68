import fc from "fast-check";
import { rotationSchedule } from "../../lib/model/rotation-schedule";

const DAY = 86_400;
const WHOLE_DAY = { from: 0, until: 24 };

/** Days since 1970 on which a cron expression of Secrets Manager's form fires, from 2026 to 2033. */
function firingDays(expression: string): number[] {
  const found = /^cron\(0 (\d+) (\S+) (\S+) (\S+) \*\)$/.exec(expression);
  if (!found) throw new Error(`not of the form: ${expression}`);
  const [, , dayOfMonth = "", month = "", dayOfWeek = ""] = found;
  // AWS wants a question mark in one of the two day fields.
  expect([dayOfMonth, dayOfWeek].filter((field) => field === "?")).toHaveLength(1);
  const takes = (field: string, value: number): boolean =>
    field === "*" || field === "?" || field.split(",").includes(String(value));
  const days: number[] = [];
  for (let day = Date.UTC(2026, 0, 1) / 86_400_000; day < Date.UTC(2034, 0, 1) / 86_400_000; day += 1) {
    const date = new Date(day * 86_400_000);
    if (
      takes(dayOfMonth, date.getUTCDate()) &&
      takes(month, date.getUTCMonth() + 1) &&
      takes(dayOfWeek, date.getUTCDay() + 1)
    ) {
      days.push(day);
    }
  }
  return days;
}

const gapsOf = (days: readonly number[]): number[] =>
  days.slice(1).map((day, index) => day - (days[index] ?? 0));

test("no two rotations are further apart than the cadence, nor closer than one takes", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1 }),
      fc.integer({ min: 1, max: 1_000 }),
      fc.integer({ min: 0, max: 20 * 24 }),
      (name, cadenceDays, busyHours) => {
        const schedule = rotationSchedule(
          name,
          { seconds: cadenceDays * DAY },
          { seconds: busyHours * 3_600 },
          WHOLE_DAY,
        );
        if (schedule === undefined) return;
        const gaps = gapsOf(firingDays(schedule.expression));
        expect(Math.max(...gaps)).toBeLessThanOrEqual(cadenceDays);
        expect(Math.max(...gaps)).toBeLessThanOrEqual(schedule.longestGapDays);
        expect(Math.min(...gaps)).toBeGreaterThanOrEqual(schedule.shortestGapDays);
        // The window may shift either rotation.
        expect(schedule.shortestGapDays * 24 - schedule.windowHours).toBeGreaterThanOrEqual(busyHours);
      },
    ),
    { numRuns: 200 },
  );
});

test.each([
  [1, 1],
  [2, 2],
  [3, 3],
  [6, 4],
  [7, 7],
  [14, 11],
  [30, 16],
  [31, 31],
  [60, 31],
  [90, 62],
  [120, 92],
  [180, 123],
  [365, 184],
  [366, 366],
  [1_000, 366],
])("a cadence of %i days is kept with at most %i between", (cadence, longest) => {
  const schedule = rotationSchedule("key", { seconds: cadence * DAY }, { seconds: 8 * 3_600 }, WHOLE_DAY);
  expect(schedule?.longestGapDays).toBe(longest);
});

test("a window lies within the hours that the environment gives, and ends with the UTC day", () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc
        .integer({ min: 0, max: 23 })
        .chain((from) => fc.tuple(fc.constant(from), fc.integer({ min: from + 1, max: 24 }))),
      (name, [from, until]) => {
        const schedule = rotationSchedule(name, { seconds: 90 * DAY }, { seconds: 0 }, { from, until });
        const hour = Number(/^cron\(0 (\d+)/.exec(schedule?.expression ?? "")?.[1]);
        expect(hour).toBeGreaterThanOrEqual(from);
        expect(hour).toBeLessThan(until);
        expect(schedule?.windowHours).toBeGreaterThanOrEqual(1);
        expect(hour + (schedule?.windowHours ?? 0)).toBeLessThanOrEqual(24);
      },
    ),
  );
});

test("keys are spread over days and hours, each always to the same", () => {
  const names = Array.from({ length: 500 }, (_, index) => `team/secret-${index}`);
  const schedules = names.map(
    (name) => rotationSchedule(name, { seconds: 90 * DAY }, { seconds: 0 }, WHOLE_DAY)?.expression ?? "",
  );
  expect(new Set(schedules).size).toBeGreaterThan(400);
  // Part of the API: another hash would move every schedule.
  expect(
    rotationSchedule("db/app-primary", { seconds: 30 * DAY }, { seconds: 0 }, WHOLE_DAY)?.expression,
  ).toBe("cron(0 5 7,22 * ? *)");
  const hours = new Set(schedules.map((expression) => /^cron\(0 (\d+)/.exec(expression)?.[1]));
  expect(hours.size).toBe(24);
});

test("there is no schedule for a cadence that a rotation outlasts", () => {
  expect(rotationSchedule("key", { seconds: 2 * DAY }, { seconds: 30 * 3_600 }, WHOLE_DAY)).toBeUndefined();
});
