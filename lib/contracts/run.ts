import type { RunKind } from "./procedure-events";

/** Starter of a run of Secrets Manager's own cadence: {@link NewRun.startedBy}. */
export const BY_SCHEDULE = "schedule";

/** Kinds of runs. */
export const RUN_KINDS = [
  "rotation",
  "publication",
  "promotion",
  "retirement",
] as const satisfies readonly RunKind[];

/**
 * Statuses of a run that has not ended. One that is `rotating` can be withdrawn: nothing follows it yet. From `proving` on
 * it can be turned back: what follows it was started. In between, it is neither.
 */
export const OPEN_STATUSES = ["rotating", "starting", "proving", "awaiting-approval", "withdrawing"] as const;
/** Statuses of a run that has ended; they never change. */
export const FINAL_STATUSES = [
  "decommissioned",
  "promoted",
  "published",
  "rolled-back",
  "withdrawn",
  "failed",
] as const;
/** Status of a run that has ended. */
export type FinalStatus = (typeof FINAL_STATUSES)[number];
/** Status of a run. */
export type RunStatus = (typeof OPEN_STATUSES)[number] | FinalStatus;

/** The change request by which a run begins. */
export interface UsedChange {
  readonly id: string;
  readonly digest: string;
  /** Requester, as the file names them. Runs that began under an earlier version have none. */
  readonly requester?: string | undefined;
}

/** A run that is about to begin. */
export interface NewRun {
  /** Name of the secret, `prod/db/app-primary`. */
  readonly secret: string;
  /**
   * Unique for the secret: the version that rotates in; `promote-<version>` for a promotion, `retire-<version>` for a
   * retirement.
   */
  readonly run: string;
  readonly kind: RunKind;
  readonly newVersion: string;
  /** The version whose credential dies in the end; `undefined`: there is none. */
  readonly oldVersion?: string | undefined;
  /** `schedule`, or the ARN of who asked. */
  readonly startedBy: string;
  /** `proven`: STS has said so of the caller's own signature. Default: as the asking command says. */
  readonly startedByIs?: "proven" | undefined;
  /** The change request by which people have approved it. */
  readonly change?: UsedChange | undefined;
  /** A leaked credential: waits are skipped. Default: false. */
  readonly emergency?: boolean;
}

/** An approver's decision about the end of a run's old credential. */
export interface Decision {
  readonly answer: "approved" | "rejected";
  /** ARN of who decided, as STS has said. */
  readonly by: string;
  readonly at: Date;
}

/** A run as the table has it. */
export interface Run extends NewRun {
  readonly startedAt: Date;
  readonly status: RunStatus;
  /** `back`: it is being rolled back because an operator said so. */
  readonly direction: "forward" | "back";
  /** Time at which its recording began; from then on it only comes to its end. */
  readonly endedAt?: Date | undefined;
  /** Written by the approval gate alone, once. */
  readonly decision?: Decision | undefined;
}

/**
 * The change request that a run uses up. A retirement finishes what another run has begun by it, so it names the change and
 * uses it up no second time.
 */
export const changeUsedBy = ({ kind, change }: Pick<NewRun, "kind" | "change">): UsedChange | undefined =>
  kind === "retirement" ? undefined : change;

/** `true` when a run has ended, so that it holds the secret no longer. */
export const hasEnded = ({ status }: Pick<Run, "status">): boolean =>
  (FINAL_STATUSES as readonly string[]).includes(status);

/** Sort key of the run that promotes a version. A version that came back is published still, and may be promoted once more. */
export const promotionRun = (versionId: string, attempt = 1): string =>
  attemptName("promote", versionId, attempt);

/** Sort key of the run that retires the credential of a version. One that failed is tried again. */
export const retirementRun = (versionId: string, attempt: number): string =>
  attemptName("retire", versionId, attempt);

const attemptName = (word: string, versionId: string, attempt: number): string =>
  `${word}-${versionId}${attempt === 1 ? "" : `.${attempt}`}`;
