import type { ProcedureInput } from "../../contracts/procedure-events";

/** Needs of the procedure's functions from the outside beside a rotation's ports. */

/** The state machine's executions. */
export interface Executions {
  /** Starts one; a name that was taken before stands for the same execution, whatever became of it. */
  start(name: string, input: ProcedureInput): Promise<void>;
  /** `undefined`: there never was one of this name (in the last 90 days). */
  state(name: string): Promise<"running" | "ended" | undefined>;
  /** Ends one; nothing happens when it has ended, or never began. */
  stop(name: string): Promise<void>;
}

/** Lambda functions of the environment. */
export interface Functions {
  /**
   * Calls a function and waits for its answer.
   *
   * @throws RotationError with the function's own code when it refuses
   */
  invoke(name: string, event: object): Promise<unknown>;
}

/** Secrets Manager's own rotation. */
export interface ScheduledRotations {
  /** Has a secret rotated to a version. A rotation that is not complete goes on. */
  start(secretId: string, versionId: string): Promise<void>;
}
