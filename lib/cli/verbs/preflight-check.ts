/**
 * State of one check. `ok`; `missing`: what depends on it does not work, or nobody is notified; `advice`: it works, and less is
 * seen than could be; `unknown`: it could not be asked.
 */
export type PreflightState = "ok" | "missing" | "advice" | "unknown";

/** One check. */
export interface PreflightCheck {
  readonly check: string;
  readonly state: PreflightState;
  readonly found: string;
  /** Instruction for the reader; empty where nothing is to be done. */
  readonly change: string;
}
