import { createHash } from "node:crypto";
import type { Duration } from "./duration";

/** When Secrets Manager rotates a secret by itself. */
export interface RotationSchedule {
  /** `cron(0 3 7,22 * ? *)`, in UTC. */
  readonly expression: string;
  /** Hours during which the rotation may begin, and be tried again; never into the next UTC day. */
  readonly windowHours: number;
  /** Days between two rotations at the most: never more than the cadence. */
  readonly longestGapDays: number;
  /** Days between two rotations at the least. */
  readonly shortestGapDays: number;
}

/** Hours of the UTC day in which rotations may begin. */
export interface RotationHours {
  /** 0 to 23. */
  readonly from: number;
  /** 1 to 24, after `from`. */
  readonly until: number;
}

/** A form of schedule, from which the hash of a key picks one. */
interface Pattern {
  readonly longestGapDays: number;
  readonly shortestGapDays: number;
  /** Fields day-of-month, month and day-of-week. `pick(n)` gives 0 to n - 1. */
  readonly fields: (pick: (count: number) => number) => string;
}

/** Once in so many months. Days 29 to 31 are not in every month, so they are never chosen. */
const everyMonths = (step: number, longestGapDays: number, shortestGapDays: number): Pattern => ({
  longestGapDays,
  shortestGapDays,
  fields: (pick) => {
    const first = 1 + pick(step);
    const months = Array.from({ length: 12 / step }, (_, index) => first + index * step);
    return `${1 + pick(28)} ${step === 1 ? "*" : months.join()} ?`;
  },
});

/** So many times a month, so many days apart. */
const timesAMonth = (times: number, apart: number): Pattern => ({
  longestGapDays: Math.max(apart, 31 - (times - 1) * apart),
  shortestGapDays: Math.min(apart, 28 - (times - 1) * apart),
  fields: (pick) => {
    const first = 1 + pick(28 - (times - 1) * apart);
    return `${Array.from({ length: times }, (_, index) => first + index * apart).join()} * ?`;
  },
});

/** On some days of the week, counted from a first one. */
const weekly = (offsets: readonly number[], longestGapDays: number, shortestGapDays: number): Pattern => ({
  longestGapDays,
  shortestGapDays,
  fields: (pick) => {
    const first = pick(7);
    const days = offsets.map((offset) => 1 + ((first + offset) % 7)).sort((a, b) => a - b);
    return `? * ${days.join()}`;
  },
});

/** From the longest gap to the shortest. */
const PATTERNS: readonly Pattern[] = [
  everyMonths(12, 366, 365),
  everyMonths(6, 184, 181),
  everyMonths(4, 123, 120),
  everyMonths(3, 92, 89),
  everyMonths(2, 62, 59),
  everyMonths(1, 31, 28),
  timesAMonth(2, 15),
  timesAMonth(3, 10),
  weekly([0], 7, 7),
  weekly([0, 3], 4, 3),
  weekly([0, 2, 4], 3, 2),
  weekly([0, 2, 4, 6], 2, 1),
  { longestGapDays: 1, shortestGapDays: 1, fields: () => "* * ?" },
];

/** Long enough for some tries, short enough that people know when. */
const WINDOW_HOURS = 4;
const DAY = 86_400;

/**
 * A `cron()` schedule that keeps a cadence: the least frequent one whose longest gap is not longer than the
 * cadence, because a cadence is a promise to auditors, not an average. A month has up to 31 days, so 30 days
 * are kept by two rotations a month. Times are spread by the hash of the secret's name, the same on every machine.
 *
 * `rate(30 days)` would keep it exactly, but counts from the last rotation, so that nobody can say in advance when one
 * comes, and a run that is planned already may still come after a change of schedule.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
 *
 * @param busy how long one rotation takes until the old credential is gone: a shorter gap would be refused
 * @returns `undefined` when no schedule has gaps within the cadence and beyond `busy`
 */
export function rotationSchedule(
  name: string,
  cadence: Duration,
  busy: Duration,
  hours: RotationHours,
): RotationSchedule | undefined {
  const pattern = PATTERNS.find(
    ({ longestGapDays, shortestGapDays }) =>
      longestGapDays * DAY <= cadence.seconds && shortestGapDays * DAY > busy.seconds + WINDOW_HOURS * 3_600,
  );
  if (pattern === undefined) return undefined;
  const digest = createHash("sha256").update(name).digest();
  let at = 0;
  const pick = (count: number): number => {
    const number = digest.readUInt32BE(at) % count;
    at += 4;
    return number;
  };
  const hour = hours.from + pick(hours.until - hours.from);
  return {
    expression: `cron(0 ${hour} ${pattern.fields(pick)} *)`,
    windowHours: Math.min(WINDOW_HOURS, 24 - hour),
    longestGapDays: pattern.longestGapDays,
    shortestGapDays: pattern.shortestGapDays,
  };
}
