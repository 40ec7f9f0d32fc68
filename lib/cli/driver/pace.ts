import type { Duration } from "../../model";

/** Time, and how patient the driver is. */
export interface Pace {
  now(): Date;
  sleep(milliseconds: number): Promise<void>;
  /** Milliseconds between two looks. */
  readonly lookEveryMs: number;
  /** Milliseconds between two calls of the mirror, which then looks at every secret. */
  readonly sweepEveryMs: number;
  /** Milliseconds before a call that may succeed by itself is made again; doubles each time. */
  readonly retryAfterMs: number;
  /**
   * Time for which a rotation by Secrets Manager may show nothing before the driver asks the function itself.
   *
   * @param timeoutSeconds the function's longest run
   */
  readonly patienceMs: (timeoutSeconds: number) => number;
  /** Length here of a wait of the registry's. The functions enforce it; a rehearsal's have shorter ones. */
  readonly waitOf: (wait: Duration) => Duration;
  /** Time that Vaults may take to confirm: the mirror's sweep comes every 15 minutes. */
  readonly confirmationMs: number;
}

/** Pace for real clouds. */
export const REAL_PACE: Pace = {
  now: () => new Date(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  lookEveryMs: 2_000,
  sweepEveryMs: 15_000,
  retryAfterMs: 2_000,
  // By then a call that was under way has ended.
  patienceMs: (timeoutSeconds) => timeoutSeconds * 1_000,
  waitOf: (wait) => wait,
  confirmationMs: 20 * 60_000,
};
