import { type NewRun, type Run, retirementRun } from "../../contracts/run";
import type { Versions } from "../machine/versions";
import type { Publications } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import { earliest } from "../protocol/waiting-law";

/**
 * Leftovers of runs and schedules, and the run that takes each up, so that no end of a run is a dead end for the next one.
 * Decision: docs/adr/0025-what-runs-leave-behind.md
 */

/** AWSPENDING's version, unless it is AWSCURRENT itself: Secrets Manager takes it for a rotation under way. */
export function leftPending(labels: Versions): string | undefined {
  const pending = labels.holderOf("AWSPENDING");
  return pending === undefined || pending === labels.holderOf("AWSCURRENT") ? undefined : pending;
}

/** Sort key of the run that clears a pending version away. */
export const clearingRun = (versionId: string): string => `clear-${versionId}`;

/** A retirement that failed is tried again at the next sweep, later ones after a pause; each failure calls a person. */
const RETIREMENTS = 9;
const HASTY_RETIREMENTS = 3;
const RETIREMENT_PAUSE_MS = 6 * 3_600_000;

/**
 * The run that retires the credential which the latest run has left: the version returned from, after a rollback; the old
 * one, after a failure. It is followed like any other, so it waits out the overlap, proves what is in use, and is recorded.
 *
 * @param latest runs of the secret, the latest first
 * @returns `undefined`: nothing is left, or a retirement of it has failed lately, or too often
 */
export function retirementOf(labels: Versions, latest: readonly Run[], now: Date): NewRun | undefined {
  const current = labels.holderOf("AWSCURRENT");
  const left = labels.holderOf("AWSPREVIOUS");
  // What somebody has put past every test stands for nothing: AWSPREVIOUS is what pods hold.
  if (labels.standing !== current) return undefined;
  const by = latest.find((run) => leaves(run, left));
  if (by === undefined || current === undefined || left === undefined || left === current) return undefined;
  const tried = latest.filter(({ kind, oldVersion }) => kind === "retirement" && oldVersion === left);
  const isTooSoon =
    tried.length >= HASTY_RETIREMENTS &&
    tried.some(({ startedAt }) => now.getTime() < startedAt.getTime() + RETIREMENT_PAUSE_MS);
  const isGone = latest.some(({ status, oldVersion }) => status === "decommissioned" && oldVersion === left);
  if (isGone || isTooSoon || tried.length >= RETIREMENTS) return undefined;
  return {
    secret: by.secret,
    run: retirementRun(left, tried.length + 1),
    kind: "retirement",
    newVersion: current,
    oldVersion: left,
    startedBy: by.startedBy,
    startedByIs: by.startedByIs,
    ...(by.change === undefined ? {} : { change: by.change }),
  };
}

/** `true` where a run has ended with a version's credential alive beside the one in use. */
function leaves({ kind, status, oldVersion, newVersion }: Run, version: string | undefined): boolean {
  if (kind === "retirement") return false;
  return status === "rolled-back"
    ? version === newVersion
    : status === "failed" && (version === oldVersion || version === newVersion);
}

/** Rest of the overlap, in seconds: it is counted from when the last Vault had the version in use. */
export async function overlapLeft(
  { secret, newVersion }: Pick<Run, "secret" | "newVersion">,
  overlapSeconds: number,
  publications: Pick<Publications, "confirmedAt">,
  now: Date,
): Promise<number> {
  const confirmedAt = await publications.confirmedAt(secret, newVersion);
  if (confirmedAt === undefined) return overlapSeconds;
  const until = earliest(confirmedAt, { seconds: overlapSeconds });
  return Math.max(0, Math.ceil((until.getTime() - now.getTime()) / 1_000));
}

/** Fault of a run that may not begin, because another one is under way. */
export function underWay(open: Run): RotationError {
  const since = `since ${open.startedAt.toISOString()}`;
  return new RotationError(
    "run-under-way",
    open.kind === "retirement"
      ? `${open.secret}: run ${open.run} retires version ${open.oldVersion}, which the run before has left, once nobody ` +
          `can hold it any more; it is ${open.status} ${since}`
      : `run ${open.run} of ${open.secret} (${open.kind}) is ${open.status} ${since}`,
  );
}

/** Fault of a call that came too late: the run has ended with its new version in use. */
export const wayBackClosed = ({ run, secret, newVersion }: Run): RotationError =>
  new RotationError("way-back-closed", `run ${run} of ${secret} has ended with version ${newVersion} in use`);
