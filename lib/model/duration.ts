/** A length of time in whole seconds. Plain data, so a registry stays JSON-serialisable. */
export interface Duration {
  /** Whole seconds, at least 1. */
  readonly seconds: number;
}

const SECONDS_PER = { day: 86_400, hour: 3_600, minute: 60, second: 1 } as const;

/** `days(30)`: thirty times 24 hours. */
export const days = (count: number): Duration => ({ seconds: count * SECONDS_PER.day });
/** `hours(6)`. */
export const hours = (count: number): Duration => ({ seconds: count * SECONDS_PER.hour });
/** `minutes(30)`. */
export const minutes = (count: number): Duration => ({ seconds: count * SECONDS_PER.minute });
/** `seconds(90)`. */
export const seconds = (count: number): Duration => ({ seconds: count });

/** The sum of several durations. */
export const sumOf = (...parts: readonly Duration[]): Duration => ({
  seconds: parts.reduce((total, part) => total + part.seconds, 0),
});

/** Whole hours, rounded up: what people read in reports. */
export const inHours = (duration: Duration): number => Math.ceil(duration.seconds / SECONDS_PER.hour);

/** `30 days`, `6 hours`, `1 hour`, `90 minutes`: the largest unit that divides it. */
export function formatDuration(duration: Duration): string {
  for (const [unit, length] of Object.entries(SECONDS_PER)) {
    if (duration.seconds >= length && duration.seconds % length === 0) {
      const count = duration.seconds / length;
      return `${count} ${unit}${count === 1 ? "" : "s"}`;
    }
  }
  return `${duration.seconds} seconds`;
}

/** `6h`, `90m`, `45s`: the form that Go's `time.ParseDuration` (Vault, the agent) reads. */
export function goDuration(duration: Duration): string {
  if (duration.seconds % SECONDS_PER.hour === 0) return `${duration.seconds / SECONDS_PER.hour}h`;
  if (duration.seconds % SECONDS_PER.minute === 0) return `${duration.seconds / SECONDS_PER.minute}m`;
  return `${duration.seconds}s`;
}
