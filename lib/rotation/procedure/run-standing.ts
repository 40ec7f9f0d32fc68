import type { Run } from "../../contracts/run";
import type { Versions } from "../machine/versions";
import type { Dispatched } from "./dispatched";
import type { RunRequest } from "./dispatcher-event";
import { clearingRun } from "./leftovers";

/** Decisions on open runs: of facts alone, so that each is a table. */

/**
 * A run whose version has no label yet may be in the middle of getting one. No function lives longer than 15 minutes,
 * so after this time nobody will give it one.
 */
const UNLABELLED_FOR_MS = 3_600_000;

/**
 * `waiting`: its version is not current yet, or not tested, and somebody has to bring it there. `unlabelled`: the same, and
 * its version has no label yet, so that Secrets Manager may not know of it: a call that it refused as one too many has begun
 * nothing. `unproven`: it is current,
 * and nobody has tested it for so long that nobody will. `over`: nothing will bring the run to its end: its execution has
 * ended without doing so, or its version never got a label. Only then may another run have the secret.
 */
export type Standing = "waiting" | "unlabelled" | "unproven" | "under-way" | "to-start" | "over";

/** Facts by which an open run stands where it stands. */
export interface StandingFacts {
  /** State of the execution that follows the run; `undefined`: none does, or its secret is nobody's any more. */
  readonly execution: "running" | "ended" | undefined;
  readonly labels: Pick<Versions, "has" | "proofsOf">;
  readonly now: Date;
}

/** Standing of an open run, with or without an execution that follows it. */
export function standingOf(run: Run, { execution, labels, now }: StandingFacts): Standing {
  if (isGivenUp(run)) return "over";
  if (execution !== undefined) return execution === "running" ? "under-way" : "over";
  if (run.direction === "back") return "to-start";
  const isOld = now.getTime() - run.startedAt.getTime() > UNLABELLED_FOR_MS;
  if (labels.has(run.newVersion, "AWSCURRENT")) {
    if (labels.proofsOf(run.newVersion).length > 0) return "to-start";
    return isOld ? "unproven" : "waiting";
  }
  if (labels.has(run.newVersion, "AWSPENDING")) return "waiting";
  return isOld ? "over" : "unlabelled";
}

/** `true` for a run whose version somebody has to bring to its end. */
export const isWaiting = (standing: Standing | undefined): boolean =>
  standing === "waiting" || standing === "unlabelled";

/** `true` for a run that is being withdrawn, or was begun only for that: whoever does it may have died before the record. */
export const isGivenUp = (run: Run): boolean =>
  run.status === "withdrawing" || run.run === clearingRun(run.newVersion);

/** `true` while no execution follows a run. */
export const isBeforeProof = ({ status }: Run): boolean => status === "rotating" || status === "starting";

/** Secrets Manager tries the steps of a rotation several times by itself. */
const LEFT_ALONE_FOR_MS = 3_600_000;

/**
 * `true` when a sweep goes on with a run in the place of whoever asked for it. What has leaked waits for nobody, and a promotion
 * is one call, whose caller may have died. Secrets Manager gives a rotation up until its next schedule, and what was made
 * for it would live that long; of one that has no label it may not know, and asked twice for the same version it begins once.
 */
export function goesOnAlone({ rotation }: Dispatched, run: Run, standing: Standing, now: Date): boolean {
  if (!isWaiting(standing)) return false;
  if (run.emergency === true || run.kind === "promotion") return true;
  if (rotation !== "automatic") return false;
  return standing === "unlabelled" || now.getTime() - run.startedAt.getTime() > LEFT_ALONE_FOR_MS;
}

/**
 * `true` when a run can be given up. Secrets Manager goes on by itself with what it has begun, so there it is too early; and a
 * promotion is one call, which may be under way.
 */
export function isWithdrawable({ rotation }: Dispatched, run: Run, standing: Standing): boolean {
  if (run.status === "withdrawing") return true;
  if (!isBeforeProof(run) || run.kind === "promotion") return false;
  return standing === "over" || (isWaiting(standing) && rotation !== "automatic");
}

/** `true` when an operator supplies another value, by the same change request, in the place of one that was refused. */
export function isBetterValue(
  secret: Dispatched,
  open: Run,
  { action, versionId, change }: RunRequest,
): boolean {
  const isAnother = action === "rotate" && versionId !== undefined && versionId !== open.newVersion;
  const isSame = open.change === undefined || open.change.digest === change;
  const isRotating = open.kind === "rotation" && open.status === "rotating";
  return isAnother && isSame && isRotating && secret.rotation === "operator-assisted";
}

/**
 * `true` when an open run is the one that a command asks for, so that the command goes on with it. A command that names no
 * version asks for its change request's run; one that Secrets Manager's schedule began is nobody's.
 */
export function isAskedFor(
  open: Run,
  { action, versionId, change }: RunRequest,
  changeRequest: "required" | "none",
): boolean {
  if (open.kind === "retirement") return false;
  if ((open.kind === "promotion") !== (action === "promote")) return false;
  if (versionId !== undefined)
    return versionId === (action === "promote" ? open.oldVersion : open.newVersion);
  return changeRequest === "none" || open.change?.digest === change;
}

/** Labels of a secret that is not looked at: an execution says how its run stands. */
export const NO_LABELS = { has: () => false, proofsOf: () => [] };
