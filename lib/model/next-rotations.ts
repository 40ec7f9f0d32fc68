import { DAY_MS } from "./days-between";
import type { CadenceSchedule, CalendarSchedule, RotationSchedule } from "./rotation-schedule";

const HOUR_MS = 3_600_000;

/** Day of a moment, in days since 1970-01-01 (UTC). */
export const dayOf = (moment: Date): number => Math.floor(moment.getTime() / DAY_MS);

/** `true` when a schedule has a rotation on a day. */
function isRotationDay(schedule: RotationSchedule, day: number): boolean {
  return schedule.how === "cadence" ? isGridDay(schedule, day) : isCronDay(schedule, day);
}

/** The days of a {@link CadenceSchedule}. */
export type RotationGrid = Pick<CadenceSchedule, "everyDays" | "phaseDay">;

/** Days since the latest day of a grid: 0 on such a day. */
export const daysSinceGrid = ({ everyDays, phaseDay }: RotationGrid, day: number): number =>
  (((day - phaseDay) % everyDays) + everyDays) % everyDays;

const isGridDay = (grid: RotationGrid, day: number): boolean => daysSinceGrid(grid, day) === 0;

/** The fields that {@link CalendarSchedule} uses: lists of numbers, `*` and `?`. */
function isCronDay({ expression }: CalendarSchedule, day: number): boolean {
  const [, dayOfMonth = "", month = "", dayOfWeek = ""] =
    /^cron\(0 \d+ (\S+) (\S+) (\S+) \*\)$/.exec(expression) ?? [];
  const date = new Date(day * DAY_MS);
  const takes = (field: string, value: number): boolean =>
    field === "*" || field === "?" || field.split(",").includes(String(value));
  return (
    takes(dayOfMonth, date.getUTCDate()) &&
    takes(month, date.getUTCMonth() + 1) &&
    takes(dayOfWeek, date.getUTCDay() + 1)
  );
}

/** First day from a day on that may be one of a schedule's, and the days between two. */
const daysOf = (schedule: RotationSchedule, from: number): readonly [first: number, step: number] =>
  schedule.how === "cadence"
    ? [from + ((schedule.everyDays - daysSinceGrid(schedule, from)) % schedule.everyDays), schedule.everyDays]
    : [from, 1];

/**
 * Moments at which a schedule's windows open, from a moment on. What people start by hand in between changes none of them.
 */
export function nextRotations(schedule: RotationSchedule, from: Date, count: number): readonly Date[] {
  const moments: Date[] = [];
  const last = dayOf(from) + (count + 1) * (schedule.longestGapDays + 1);
  const [first, step] = daysOf(schedule, dayOf(from));
  for (let day = first; moments.length < count && day <= last; day += step) {
    const moment = new Date(day * DAY_MS + schedule.hour * HOUR_MS);
    if (moment >= from && isRotationDay(schedule, day)) moments.push(moment);
  }
  return moments;
}
