import type { CallerProof } from "../../contracts/caller-proof";
import type { Run, SecretDescription } from "../../rotation";

/** A function's answer, or its failure. The error's text is made of codes, names and times. */
export type FunctionAnswer =
  | { readonly answered: true; readonly payload: unknown }
  | { readonly answered: false; readonly errorType: string; readonly errorMessage: string };

/**
 * AWS, as far as the verbs of rotation use it, in one environment's account and primary region. Every method throws
 * `UserFault` for credentials that are missing or may not do it, and `FailedCheck` when AWS does not answer.
 */
export interface RotationCloud {
  /** Account of the credentials in use. */
  callerAccount(): Promise<string>;
  /** ARN of the credentials in use. */
  callerArn(): Promise<string>;
  /** `undefined`: there is no such secret. */
  describe(secretName: string): Promise<SecretDescription | undefined>;
  /** Time of creation of each version that has a label. */
  createdAt(secretName: string): Promise<ReadonlyMap<string, Date>>;
  /** Puts a value into an inbox, as the version of that id. */
  putIntoInbox(inboxName: string, versionId: string, value: string): Promise<void>;
  /** Has Secrets Manager rotate by itself. One that is not complete is left to go on. */
  startRotation(secretName: string, versionId: string): Promise<void>;
  /** A proof of who holds the credentials in use, for one request of a function. */
  proofOf(binding: string): Promise<CallerProof>;
  /** Calls a function and waits for its answer. */
  invoke(functionName: string, event: object): Promise<FunctionAnswer>;
  /** `true` where a function exists and can be called. */
  hasFunction(functionName: string): Promise<boolean>;
  hasTable(tableName: string): Promise<boolean>;
  /** Time at which the last Vault confirmed a version; `undefined`: not all of them have. */
  confirmedAt(tableName: string, secretName: string, versionId: string): Promise<Date | undefined>;
  /** A run of the procedure; `undefined`: there is none of that name. */
  run(tableName: string, secretName: string, run: string): Promise<Run | undefined>;
  /** Execution of the state machine that follows a run; `undefined`: there is none yet. */
  execution(executionArn: string): Promise<ExecutionView | undefined>;
}

/** An execution as a person is shown it. */
export interface ExecutionView {
  /** `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`. */
  readonly status: string;
  /** The state that it entered last. */
  readonly state?: string | undefined;
}
