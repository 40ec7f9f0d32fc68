import { createHash } from "node:crypto";
import { calendarPattern } from "./calendar-schedule";
import type { Duration } from "./duration";

/** Hours of the UTC day in which rotations may begin. */
export interface RotationHours {
  /** 0 to 23. */
  readonly from: number;
  /** 1 to 24, after `from`. */
  readonly until: number;
}

/** Fields of every schedule. */
export interface ScheduleCommon {
  /** Hour of the UTC day at which the window opens: 0 to 23. */
  readonly hour: number;
  /** Hours during which the rotation may begin, and be tried again; never into the next UTC day. */
  readonly windowHours: number;
  /** Days between two rotations at the most: never more than the cadence. */
  readonly longestGapDays: number;
  /** Days between two rotations at the least. */
  readonly shortestGapDays: number;
}

/**
 * Rotations a fixed number of days apart. The dispatcher starts them; Secrets Manager would start one by itself after
 * `automaticallyAfterDays`, which the dispatcher never lets happen while it lives.
 */
export interface CadenceSchedule extends ScheduleCommon {
  readonly how: "cadence";
  /** Days from one rotation to the next. */
  readonly everyDays: number;
  /** First day of the grid, in days since 1970-01-01: 0 to `everyDays` - 1. */
  readonly phaseDay: number;
  /** `AutomaticallyAfterDays` of Secrets Manager: days since the last rotation, 2 to 1,000. */
  readonly automaticallyAfterDays: number;
}

/** Rotations on fixed days of the calendar, started by Secrets Manager. */
export interface CalendarSchedule extends ScheduleCommon {
  readonly how: "calendar";
  /** `cron(0 3 7,22 * ? *)`, in UTC. */
  readonly expression: string;
}

/** Schedule on which a secret rotates by itself. */
export type RotationSchedule = CadenceSchedule | CalendarSchedule;

/** Long enough for some tries, short enough that people know when. */
const WINDOW_HOURS = 4;
const DAY_SECONDS = 86_400;
/** Cadences from here on leave Secrets Manager a day in which to step in. */
const SPARE_DAY_FROM = 10;

/**
 * The schedule that keeps a cadence: a rotation at least so often, because a cadence is a promise to auditors, and on
 * average not more often than ten times in nine cadences, because each one costs an approval and an overlap.
 *
 * `cadence`: one day less than the cadence, from 10 days on, so that Secrets Manager's own `AutomaticallyAfterDays` (the
 * cadence) can step in where the dispatcher is away, and no gap is longer. Secrets Manager alone could not do it: `cron()`
 * has no "every 30 days"; `rate()` and `AutomaticallyAfterDays` open their window at midnight, whatever hours are wanted,
 * count from the last change of the value, and so rotate all that was deployed on one day on the same days.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
 *
 * Days and hours are spread by the hash of the secret's name, the same on every machine.
 *
 * @param busy how long one rotation takes until the old credential is gone: a shorter gap would be refused
 * @returns `undefined` when no schedule has gaps within the cadence and beyond `busy`
 */
export function rotationSchedule(
  name: string,
  cadence: Duration,
  busy: Duration,
  hours: RotationHours,
  how: RotationSchedule["how"] = "cadence",
): RotationSchedule | undefined {
  const cadenceDays = Math.floor(cadence.seconds / DAY_SECONDS);
  const fits = (shortestGapDays: number): boolean =>
    shortestGapDays * DAY_SECONDS > busy.seconds + WINDOW_HOURS * 3_600;
  const pick = picker(name);
  const hour = hours.from + pick(hours.until - hours.from);
  const window = { hour, windowHours: Math.min(WINDOW_HOURS, hours.until - hour) };
  if (how === "calendar") {
    const pattern = calendarPattern(cadenceDays, fits);
    if (pattern === undefined) return undefined;
    const { longestGapDays, shortestGapDays, fields } = pattern;
    return {
      how,
      expression: `cron(0 ${hour} ${fields(pick)} *)`,
      ...window,
      windowHours: Math.min(WINDOW_HOURS, 24 - hour),
      longestGapDays,
      shortestGapDays,
    };
  }
  const isSpared = cadenceDays >= SPARE_DAY_FROM;
  const everyDays = isSpared ? cadenceDays - 1 : cadenceDays;
  if (everyDays < 1 || !fits(everyDays)) return undefined;
  return {
    how,
    everyDays,
    phaseDay: pick(everyDays),
    automaticallyAfterDays: Math.min(1_000, isSpared ? cadenceDays : cadenceDays + 1),
    ...window,
    longestGapDays: everyDays,
    shortestGapDays: everyDays,
  };
}

/** Choices that follow from a name alone: `pick(n)` gives 0 to n - 1. */
function picker(name: string): (count: number) => number {
  const digest = createHash("sha256").update(name).digest();
  let at = 0;
  return (count) => {
    const number = digest.readUInt32BE(at) % count;
    at += 4;
    return number;
  };
}
