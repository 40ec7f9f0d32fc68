import fc from "fast-check";
import { dayOf, nextRotations } from "../../lib/model/next-rotations";
import { type RotationSchedule, rotationSchedule } from "../../lib/model/rotation-schedule";

const DAY = 86_400;
const DAY_MS = DAY * 1_000;
const WHOLE_DAY = { from: 0, until: 24 };
const START = new Date(Date.UTC(2026, 0, 1));
const TEN_YEARS = 3_653;

const name = fc.string({ minLength: 1 });
const rotationHours = fc
  .integer({ min: 0, max: 23 })
  .chain((from) => fc.integer({ min: from + 1, max: 24 }).map((until) => ({ from, until })));

/** Days of a cron schedule's form, by its three fields of days. */
function cronDays(expression: string): (date: Date) => boolean {
  const found = /^cron\(0 (\d+) (\S+) (\S+) (\S+) \*\)$/.exec(expression);
  if (!found) throw new Error(`not of the form: ${expression}`);
  const [, , dayOfMonth = "", month = "", dayOfWeek = ""] = found;
  // AWS wants a question mark in one of the two day fields.
  expect([dayOfMonth, dayOfWeek].filter((field) => field === "?")).toHaveLength(1);
  const taking = (field: string): ((value: number) => boolean) => {
    const values = new Set(field.split(",").map(Number));
    return (value) => field === "*" || field === "?" || values.has(value);
  };
  const [takesDay, takesMonth, takesWeekday] = [taking(dayOfMonth), taking(month), taking(dayOfWeek)];
  return (date) =>
    takesDay(date.getUTCDate()) && takesMonth(date.getUTCMonth() + 1) && takesWeekday(date.getUTCDay() + 1);
}

const ALL_DAYS = Array.from({ length: TEN_YEARS }, (_, index) => new Date(START.getTime() + index * DAY_MS));

/** Dates of ten years, from the two forms that are deployed, computed apart from the product's own code. */
function datesOf(schedule: RotationSchedule): Date[] {
  const isDay =
    schedule.how === "calendar"
      ? cronDays(schedule.expression)
      : (date: Date) => (date.getTime() / DAY_MS) % schedule.everyDays === schedule.phaseDay;
  return ALL_DAYS.filter(isDay);
}

const gapsOf = (dates: readonly Date[]): number[] =>
  dates.slice(1).map((date, index) => (date.getTime() - (dates[index]?.getTime() ?? 0)) / DAY_MS);

describe.each(["cadence", "calendar"] as const)("schedule %s", (how) => {
  test("no two rotations of ten years are further apart than the cadence, nor closer than one takes", () => {
    fc.assert(
      fc.property(
        name,
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 0, max: 20 * 24 }),
        rotationHours,
        (secret, cadenceDays, busyHours, hours) => {
          const cadence = { seconds: cadenceDays * DAY };
          const schedule = rotationSchedule(secret, cadence, { seconds: busyHours * 3_600 }, hours, how);
          if (schedule === undefined) return;
          const gaps = gapsOf(datesOf(schedule));
          expect(Math.max(...gaps)).toBeLessThanOrEqual(cadenceDays);
          expect(Math.max(...gaps)).toBeLessThanOrEqual(schedule.longestGapDays);
          expect(Math.min(...gaps)).toBeGreaterThanOrEqual(schedule.shortestGapDays);
          // The window may shift either rotation.
          expect(schedule.shortestGapDays * 24 - schedule.windowHours).toBeGreaterThanOrEqual(busyHours);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("a window lies within the hours that the environment gives, and ends with the UTC day", () => {
    fc.assert(
      fc.property(name, fc.integer({ min: 2, max: 1_000 }), rotationHours, (secret, cadenceDays, hours) => {
        const schedule = rotationSchedule(secret, { seconds: cadenceDays * DAY }, { seconds: 0 }, hours, how);
        const hour = schedule?.hour ?? -1;
        expect(hour).toBeGreaterThanOrEqual(hours.from);
        expect(hour).toBeLessThan(hours.until);
        expect(schedule?.windowHours).toBeGreaterThanOrEqual(1);
        expect(hour + (schedule?.windowHours ?? 0)).toBeLessThanOrEqual(24);
      }),
    );
  });

  test("the planned dates are those of the deployed form, whenever one looks", () => {
    fc.assert(
      fc.property(name, fc.integer({ min: 2, max: 400 }), fc.nat(3_000), (secret, cadenceDays, after) => {
        const schedule = rotationSchedule(
          secret,
          { seconds: cadenceDays * DAY },
          { seconds: 0 },
          WHOLE_DAY,
          how,
        );
        if (schedule === undefined) throw new Error("no schedule");
        const from = new Date(START.getTime() + after * 3_600_000);
        const wanted = datesOf(schedule)
          .map((date) => new Date(date.getTime() + schedule.hour * 3_600_000))
          .filter((date) => date >= from)
          .slice(0, 3);
        expect(nextRotations(schedule, from, 3)).toEqual(wanted);
      }),
      { numRuns: 100 },
    );
  });
});

test("every cadence of 1 to 1,000 days is kept, and from 10 days on used to nine tenths at least", () => {
  for (let cadenceDays = 1; cadenceDays <= 1_000; cadenceDays += 1) {
    const schedule = rotationSchedule("key", { seconds: cadenceDays * DAY }, { seconds: 0 }, WHOLE_DAY);
    if (schedule?.how !== "cadence") throw new Error(`no schedule for ${cadenceDays}`);
    const gaps = gapsOf(datesOf(schedule));
    const average = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    expect(average).toBeGreaterThanOrEqual(0.9 * cadenceDays);
    expect(average).toBeLessThanOrEqual(cadenceDays);
    // Secrets Manager must not come before the dispatcher, whose own day is over by then.
    expect(schedule.automaticallyAfterDays).toBeGreaterThan(schedule.everyDays);
    expect(schedule.automaticallyAfterDays).toBeLessThanOrEqual(Math.max(cadenceDays, 10));
  }
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
])("a cadence of %i days is kept on the calendar with at most %i between", (cadence, longest) => {
  const schedule = rotationSchedule(
    "key",
    { seconds: cadence * DAY },
    { seconds: 8 * 3_600 },
    WHOLE_DAY,
    "calendar",
  );
  expect(schedule?.longestGapDays).toBe(longest);
});

test("keys are spread over days and hours, each always to the same", () => {
  const schedules = Array.from({ length: 500 }, (_, index) =>
    rotationSchedule(`team/secret-${index}`, { seconds: 90 * DAY }, { seconds: 0 }, WHOLE_DAY),
  );
  const first = schedules.map((schedule) => schedule && nextRotations(schedule, START, 1)[0]);
  expect(new Set(first.map((date) => date?.getTime())).size).toBeGreaterThan(400);
  expect(new Set(first.map((date) => date && dayOf(date))).size).toBeGreaterThan(80);
  expect(new Set(first.map((date) => date?.getUTCHours())).size).toBe(24);
  // Part of the API: another hash would move every schedule.
  const [cadence, calendar] = (["cadence", "calendar"] as const).map((how) =>
    rotationSchedule("db/app-primary", { seconds: 30 * DAY }, { seconds: 0 }, WHOLE_DAY, how),
  );
  expect(calendar).toMatchObject({ expression: "cron(0 5 7,22 * ? *)" });
  expect(cadence).toMatchObject({ everyDays: 29, hour: 5 });
});

test("there is no schedule for a cadence that a rotation outlasts", () => {
  for (const how of ["cadence", "calendar"] as const) {
    expect(
      rotationSchedule("key", { seconds: 1 * DAY }, { seconds: 30 * 3_600 }, WHOLE_DAY, how),
    ).toBeUndefined();
  }
});
