import type { TextFingerprints } from "./version-fingerprints";

/**
 * Input of the rotation procedure's state machine, and events of its functions: the blueprint writes the
 * definition by these types, rotation reads them. Names, times and codes, never a value.
 */

/**
 * Purpose of a run. `rotation`: a new credential is current, the old one goes. `publication`: a key was published
 * beside the current one, nothing goes. `promotion`: a published key is current, the one before goes. `retirement`: the
 * current credential stays, and what a run before has left beside it goes; it is never rolled back.
 */
export type RunKind = "rotation" | "publication" | "promotion" | "retirement";

/**
 * Input of one execution: which run it follows, and nothing else. Whoever may start executions can write any input, so what
 * an execution may do comes from the table of runs and from the dispatcher's settings: {@link LoadedRun}.
 */
export interface ProcedureInput {
  /** Name of the secret: `prod/db/app-primary`. */
  readonly secret: string;
  readonly run: string;
}

/** Facts of a run that its execution loads at its start. */
export interface LoadedRun {
  /** Name of the secret: `prod/db/app-primary`. */
  readonly secret: string;
  readonly key: string;
  readonly run: string;
  readonly kind: RunKind;
  /** The version that is to be proved: AWSCURRENT. */
  readonly newVersion: string;
  /** The version whose credential goes; none where there was no value before. */
  readonly oldVersion?: string;
  /** Name of the function that rotates the secret. */
  readonly function: string;
  /** Wait between the first and the second proof, in seconds. The function enforces it by itself. */
  readonly overlapSeconds: number;
  /** Workloads to restart, in this order. */
  readonly restart: readonly string[];
  /** Names of checks. */
  readonly checks: readonly string[];
  readonly approval: boolean;
  /** A leaked credential. */
  readonly emergency: boolean;
  /**
   * An operator has called the run back: nothing is proved, the version is rolled back at once. The dispatcher stops the
   * run's execution and starts this one as `<run>.back`.
   */
  readonly back: boolean;
}

/** Event of the checker. */
export interface CheckerEvent {
  readonly Checks: readonly string[];
  readonly Environment: string;
  readonly Secret: string;
  readonly Version: string;
  /** `true` when every application should have the version in use: the overlap is over. Default: `false`. */
  readonly InUse?: boolean;
}

/** One check's result. */
export interface CheckResult {
  readonly name: string;
  readonly type: "health" | "synthetic";
  readonly url: string;
  /** Missing where there was no answer. */
  readonly status?: number;
  readonly outcome: "passed" | "failed";
  readonly ms?: number;
}

/** Answer of the checker when every check has passed; otherwise it throws `CheckFailed`. */
export interface CheckerAnswer {
  readonly passed: true;
  readonly results: readonly CheckResult[];
}

/** Event of the restarter; it throws `RolloutFailed` for a restart that does not end well. */
export interface RestarterEvent {
  readonly Workloads: readonly string[];
  /** The version that they are restarted for. */
  readonly Version: string;
}

/** Evidence, from before a credential was ended, that nobody presents it any more. */
export interface RetirementEvidence {
  /**
   * `lock`: it was refused for a while, and nobody opened it again. `sessions`: one look at who is logged in.
   * `last-use`: the target says when it was last used. `not-observable`: the target shows nothing of it.
   * `not-looked`: it was never served, or there was no time to look.
   */
  readonly lookedBy: "lock" | "sessions" | "last-use" | "not-observable" | "not-looked";
  /** Time from which nobody presented it: ISO 8601. */
  readonly since?: string;
}

/** One phase that the state machine went through; a retried one counts once. */
export interface PhaseResult {
  readonly phase: "verify" | "approve" | "decommission" | "rollback";
  readonly startedAt: string;
  readonly endedAt: string;
  readonly outcome: "done" | "failed";
  /** Code of the fault. */
  readonly fault?: string;
  /** Evidence of `decommission`. */
  readonly evidence?: RetirementEvidence;
}

/** Keyed fingerprints of a run's values: `hmac-sha256:<key id>:<hex>`. Equal values of one secret have equal ones. */
export interface ValueFingerprints {
  readonly new: string;
  /** Fingerprint of the value before; none where there was none. */
  readonly old?: string;
}

/**
 * Outcome of a run. `replaced`: there was no old credential to retire. `withdrawn`: its version was given up before it was
 * current, so nothing has changed and its change request is free again. `failed`: a person has to look.
 */
export type RunOutcome = "decommissioned" | "replaced" | "published" | "rolled-back" | "withdrawn" | "failed";

/** Event of the recorder: the end of a run. */
export interface RecorderEvent {
  readonly Secret: string;
  readonly Run: string;
  readonly Outcome: RunOutcome;
  /** Phases in the order in which they ended. */
  readonly Phases: readonly PhaseResult[];
  /** Results of the checks, once for each proof that passed them. */
  readonly Checks: readonly {
    readonly at: string;
    /** Number of tries until they passed. */
    readonly tries: number;
    readonly results: readonly CheckResult[];
  }[];
  /** Fingerprints of the values before and after. `null` or missing: none could be made, or the run ended before. */
  readonly Fingerprints?: ValueFingerprints | null;
  /** Cause of an unwanted end: a state of the machine and a code. `null`: none. */
  readonly Fault: { readonly state: string; readonly code: string } | null;
}

/** Event of the recorder before an approver is asked: the run's status, from which on the gate takes a decision. */
export interface ProgressEvent {
  readonly Secret: string;
  readonly Run: string;
  readonly Status: "awaiting-approval";
}

/** Event of the recorder after the fingerprints: those of the texts in a version's value. */
export interface FingerprintsEvent {
  readonly Secret: string;
  readonly Version: string;
  /** The run that brought the version. Missing: a first value, which no run follows. */
  readonly Run?: string;
  /** `null`: none could be made. */
  readonly Texts: TextFingerprints | null;
}

/** Output that the gate sends to an execution (`SendTaskSuccess`). It is for the history only; the table decides. */
export interface ApprovalAnswer {
  /** ARN of who approves, as STS gives it. */
  readonly approver: string;
}
