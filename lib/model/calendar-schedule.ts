/** A form of `cron()` schedule, from which the hash of a name picks one. */
export interface CalendarPattern {
  readonly longestGapDays: number;
  readonly shortestGapDays: number;
  /** Fields day-of-month, month and day-of-week. `pick(n)` gives 0 to n - 1. */
  readonly fields: (pick: (count: number) => number) => string;
}

/** Once in so many months. Days 29 to 31 are not in every month, so they are never chosen. */
const everyMonths = (step: number, longestGapDays: number, shortestGapDays: number): CalendarPattern => ({
  longestGapDays,
  shortestGapDays,
  fields: (pick) => {
    const first = 1 + pick(step);
    const months = Array.from({ length: 12 / step }, (_, index) => first + index * step);
    return `${1 + pick(28)} ${step === 1 ? "*" : months.join()} ?`;
  },
});

/** Pattern of several times a month, with the same number of days between them. */
const timesAMonth = (times: number, apart: number): CalendarPattern => ({
  longestGapDays: Math.max(apart, 31 - (times - 1) * apart),
  shortestGapDays: Math.min(apart, 28 - (times - 1) * apart),
  fields: (pick) => {
    const first = 1 + pick(28 - (times - 1) * apart);
    return `${Array.from({ length: times }, (_, index) => first + index * apart).join()} * ?`;
  },
});

/** On some days of the week, counted from a first one. */
const weekly = (
  offsets: readonly number[],
  longestGapDays: number,
  shortestGapDays: number,
): CalendarPattern => ({
  longestGapDays,
  shortestGapDays,
  fields: (pick) => {
    const first = pick(7);
    const days = offsets.map((offset) => 1 + ((first + offset) % 7)).sort((a, b) => a - b);
    return `? * ${days.join()}`;
  },
});

/** Calendar patterns, from the longest gap to the shortest. */
const PATTERNS: readonly CalendarPattern[] = [
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

/** The least frequent pattern whose longest gap is not longer than the cadence. */
export const calendarPattern = (
  cadenceDays: number,
  fits: (shortestGapDays: number) => boolean,
): CalendarPattern | undefined =>
  PATTERNS.find(
    ({ longestGapDays, shortestGapDays }) => longestGapDays <= cadenceDays && fits(shortestGapDays),
  );
