/** Milliseconds of a day in UTC. */
export const DAY_MS = 86_400_000;

/** Days from one date to another, such as `2026-12-01`, both in UTC; negative for one before it. */
export const daysBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / DAY_MS;
