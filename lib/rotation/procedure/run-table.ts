import type { Decision, FinalStatus, Run } from "../../contracts/run";
import type { Runs } from "../protocol/ports";

/** A change request that CI has vouched for, in this environment. */
export interface ApprovedChange {
  /** `2026-12-01-jwt--signing`. */
  readonly id: string;
  /** `sha256:<hex>` of its front matter. */
  readonly digest: string;
  /** Key of the secret. */
  readonly key: string;
  /** Requester, as the file names them. */
  readonly requester: string;
  /** Day from which the environment may be changed, `2026-12-01`. */
  readonly from: string;
  /** Last day on which it may be. */
  readonly until: string;
}

/** Changes that were vouched for. */
export interface ApprovedChanges {
  /** Remembers a change; the same one again changes nothing. */
  approve(change: ApprovedChange, at: Date): Promise<void>;
  approved(digest: string): Promise<ApprovedChange | undefined>;
}

/**
 * All runs of an environment. A secret's lock is held by its one open run, from the write that begins it to the write
 * that ends it.
 */
export interface RunTable extends Runs, ApprovedChanges {
  /** The open run of a secret. */
  open(secret: string): Promise<Run | undefined>;
  /** Runs of a secret, the latest first. */
  latest(secret: string, count: number): Promise<readonly Run[]>;
  /** Notes how far a run is; nothing happens when it has ended, is further, or is being withdrawn. */
  advance(run: Run, status: "starting" | "proving" | "awaiting-approval"): Promise<void>;
  /** Takes a run back from `starting` to `rotating`: its version could not be made current. */
  retreat(run: Run): Promise<void>;
  /**
   * Gives a run up before anything follows it; from then on nothing will. To be recorded next. Nothing happens to one that
   * is withdrawn already.
   *
   * @throws RotationError `run-ended` when something follows it, or it is over otherwise
   */
  withdraw(run: Run): Promise<void>;
  /**
   * Turns a run back, once and for all.
   *
   * @throws RotationError `run-ended` when it is over or about to be recorded; `run-too-early`
   */
  turnBack(run: Run): Promise<Run>;
  /**
   * Notes what an approver has decided, while the run waits for it. The first decision stands. Gives that.
   *
   * @throws RotationError `run-ended`, `run-turned-back`, `run-too-early`
   */
  decide(run: Run, decision: Decision): Promise<Decision>;
  /**
   * Fixes when a run ended. The first time stands. Gives that.
   *
   * @param succeeded whether the run has reached what it wanted: not while it is being turned back
   * @throws RotationError `run-turned-back`
   */
  close(run: Run, at: Date, succeeded: boolean): Promise<Date>;
  /**
   * Ends a run and lets go of the secret; of its change request as well, when the run is withdrawn. The first status
   * stands.
   */
  end(run: Run, status: FinalStatus): Promise<void>;
  /**
   * Deletes a secret's lock whose run is missing or has ended. No call of ours leaves one behind, but somebody who may
   * write to the table can, and nothing could have the secret any more.
   *
   * @returns the run that the lock named (empty: none); `undefined`: there was no such lock
   */
  freeOrphan(secret: string): Promise<string | undefined>;
}
