import type { DispatchedSchedule } from "../../contracts/function-settings";
import { dayOf, daysSinceGrid } from "../../model/next-rotations";

/** `true` in the hours of any day in which the schedule's rotations may begin. */
export function isWithinWindow({ hour, windowHours }: DispatchedSchedule, now: Date): boolean {
  const hourOfDay = now.getUTCHours();
  return hourOfDay >= hour && hourOfDay < hour + windowHours;
}

/**
 * `true` when a rotation has to begin now. One whose day was missed (the dispatcher was away, another rotation was under
 * way) is made up for on the next day; after a change of the cadence the age of the last one counts.
 *
 * @param last start of the last rotation; `undefined`: none is known, so that only a day of the schedule counts
 */
export function isRotationDue(schedule: DispatchedSchedule, last: Date | undefined, now: Date): boolean {
  if (!isWithinWindow(schedule, now)) return false;
  const today = dayOf(now);
  const sinceGrid = daysSinceGrid(schedule, today);
  if (last === undefined) return sinceGrid === 0;
  const lastDay = dayOf(last);
  const isOfGridDay =
    lastDay > today - sinceGrid || (lastDay === today - sinceGrid && !isBefore(schedule, last));
  return !isOfGridDay || today - lastDay >= schedule.everyDays;
}

/** A rotation in the night before the window is not the one that the day's window is for. */
const isBefore = ({ hour }: DispatchedSchedule, last: Date): boolean => last.getUTCHours() < hour;
