import fc from "fast-check";
import { dayOf } from "../../../lib/model/next-rotations";
import { rotationSchedule } from "../../../lib/model/rotation-schedule";
import { Dispatcher } from "../../../lib/rotation/procedure/dispatcher";
import { isRotationDue } from "../../../lib/rotation/procedure/due-rotations";
import { dispatcherSettings } from "../models/dispatcher-settings";
import { ExecutionsModel } from "../models/executions-model";
import { ProofsModel } from "../models/proofs-model";
import { PublicationsModel, silentLog, TestClock, versionId } from "../models/rehearsed-secret";
import { RunTableModel } from "../models/run-table-model";
import { NOBODY } from "../models/sts-model";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START = Date.UTC(2026, 0, 1);

const scheduleWith = (name: string, cadenceDays: number, from: number, until: number) => {
  const hours = { from, until };
  const schedule = rotationSchedule(name, { seconds: cadenceDays * 86_400 }, { seconds: 0 }, hours);
  if (schedule?.how !== "cadence") throw new Error("no schedule");
  return schedule;
};

/** Starts of a year in which the dispatcher looks hourly, but for the hours in which it is away. */
function startsOf(
  schedule: ReturnType<typeof scheduleWith>,
  first: Date,
  isAway: (moment: Date) => boolean = () => false,
): Date[] {
  const starts = [first];
  for (let hour = Math.ceil(first.getTime() / HOUR_MS); starts.length < 12; hour += 1) {
    const now = new Date(hour * HOUR_MS + 120_000);
    if (isAway(now) || !isRotationDue(schedule, starts.at(-1), now)) continue;
    starts.push(now);
  }
  return starts;
}

const parameters = [
  fc.string({ minLength: 1 }),
  fc.integer({ min: 1, max: 60 }),
  fc.integer({ min: 0, max: 22 }),
  fc.integer({ min: 0, max: 24 * 70 }),
] as const;

describe("the hourly look", () => {
  test("starts each rotation in its window, within the cadence, whenever the first value was made", () => {
    fc.assert(
      fc.property(...parameters, (name, cadenceDays, from, after) => {
        const schedule = scheduleWith(name, cadenceDays, from, 24);
        const starts = startsOf(schedule, new Date(START + after * HOUR_MS));
        const days = starts.map(dayOf);
        days.slice(1).forEach((day, index) => {
          expect(day - (days[index] ?? 0)).toBeLessThanOrEqual(cadenceDays);
        });
        for (const start of starts.slice(1)) expect(start.getUTCHours()).toBe(schedule.hour);
        // From the second on they are exactly as far apart as the schedule says.
        days.slice(2).forEach((day, index) => {
          expect(day - (days[index + 1] ?? 0)).toBe(schedule.everyDays);
        });
      }),
      { numRuns: 100 },
    );
  });

  test("makes up for an absence on the first day on which it is back", () => {
    fc.assert(
      fc.property(...parameters, fc.integer({ min: 1, max: 90 }), (name, cadenceDays, from, after, days) => {
        const schedule = scheduleWith(name, cadenceDays, from, 24);
        const away = START + 100 * DAY_MS;
        const back = away + days * DAY_MS;
        const starts = startsOf(
          schedule,
          new Date(START + after * HOUR_MS),
          (moment) => moment.getTime() >= away && moment.getTime() < back,
        );
        starts.slice(1).forEach((start, index) => {
          const gap = dayOf(start) - dayOf(starts[index] ?? start);
          if (gap > cadenceDays) expect(start.getTime()).toBeLessThan(back + DAY_MS + 3 * HOUR_MS);
        });
      }),
      { numRuns: 100 },
    );
  });

  test("looks at the age after a change of the cadence, so that no gap is longer than the new one", () => {
    fc.assert(
      fc.property(...parameters, fc.integer({ min: 1, max: 60 }), (name, cadenceDays, from, after, last) => {
        const schedule = scheduleWith(name, cadenceDays, from, 24);
        const now = new Date(START + after * HOUR_MS);
        const before = new Date(now.getTime() - last * DAY_MS);
        const [, next = now] = startsOf(schedule, before, (moment) => moment < now);
        expect(dayOf(next) - dayOf(now)).toBeLessThanOrEqual(
          Math.max(1, cadenceDays - (dayOf(now) - dayOf(before))),
        );
      }),
      { numRuns: 200 },
    );
  });
});

const NAME = "test/db/app";
const FIRST = versionId("first");

/** A dispatcher with one secret, served since the clock's first day, in an environment that takes no change by itself. */
function dispatcherWith({ verified = true }: { readonly verified?: boolean } = {}) {
  const schedule = scheduleWith("db/app", 30, 3, 5);
  const clock = new TestClock();
  const runs = new RunTableModel();
  const publications = new PublicationsModel();
  /** Versions that Secrets Manager was asked to rotate to: again for the same one while it does not come to its end. */
  const started = new Set<string>();
  let count = 0;
  const dispatcher = new Dispatcher({
    settings: dispatcherSettings(
      NAME,
      {
        key: "db/app",
        schedule,
        kind: "postgresql-user",
        rotation: "automatic",
        function: "acme-test--rotate-postgresql-user",
        overlapSeconds: 8 * 3_600,
      },
      { changeRequest: "required", callerProof: "required" },
    ),
    runs,
    store: {
      describe: async () => ({
        name: NAME,
        arn: `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${NAME}-AbCdEf`,
        rotationEnabled: true,
        lastRotatedAt: new Date("2026-01-01T00:00:00Z"),
        deleted: false,
        primaryRegion: undefined,
        labels: new Map([
          [FIRST, ["AWSCURRENT", ...(verified ? [`VERIFIED.${"0".repeat(64)}`] : [])]],
          ...[...started].map((version): [string, string[]] => [version, ["AWSPENDING"]]),
        ]),
      }),
    },
    publications,
    proofs: new ProofsModel(),
    rotations: { start: async (_, version) => void started.add(version) },
    functions: { invoke: async () => ({}) },
    identities: NOBODY,
    executions: new ExecutionsModel(),
    clock,
    log: silentLog,
    newVersion: () => {
      count += 1;
      return versionId(`version ${count}`);
    },
  });
  /** Lets days go by, with a look each hour. */
  const live = async (days: number): Promise<void> => {
    for (let hour = 0; hour < days * 24; hour += 1) {
      clock.advance(3_600);
      await dispatcher.run({ action: "sweep" });
    }
  };
  return { schedule, clock, runs, publications, started, live };
}

describe("the dispatcher", () => {
  test("starts a rotation on its day, without a change request, once, as the schedule's", async () => {
    const { runs, publications, started, live, clock } = dispatcherWith();
    publications.confirm(FIRST, clock.now());
    await live(31);
    expect(started.size).toBe(1);
    expect(runs.runs).toMatchObject([
      { secret: NAME, startedBy: "schedule", kind: "rotation", oldVersion: FIRST },
    ]);
    const [hour] = runs.runs.map(({ startedAt }) => startedAt.getUTCHours());
    expect([3, 4]).toContain(hour);
  });

  test("waits for a Vault that has not confirmed the value before, and starts when it has", async () => {
    const { publications, started, live, clock } = dispatcherWith();
    await live(31);
    expect(started.size).toBe(0);
    publications.confirm(FIRST, clock.now());
    await live(2);
    expect(started.size).toBe(1);
  });

  test("starts nothing where no value was ever served: first values have an order of their own", async () => {
    const { publications, started, live, clock } = dispatcherWith({ verified: false });
    publications.confirm(FIRST, clock.now());
    await live(31);
    expect(started.size).toBe(0);
  });
});
