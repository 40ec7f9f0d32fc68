import { calendarDate } from "../../model/grammar";
import { UserFault } from "../terminal/user-fault";

/** Today, in UTC: `2026-11-25`. */
export const today = (): string => new Date().toISOString().slice(0, 10);

/**
 * A day as an option gives it.
 *
 * @throws UserFault for what is no day
 */
export function calendarDay(option: string, value: string): string {
  if (calendarDate.safeParse(value).success) return value;
  throw new UserFault(`${option} is ${JSON.stringify(value)}. Give a day such as 2026-11-25.`);
}
