import type { RunView } from "../../contracts/dispatcher-answer";
import { BY_SCHEDULE } from "../../rotation";
import { describeRun, GOOD_ENDS } from "../driver/procedure-driver";
import { UserFault } from "../terminal/user-fault";
import type { ChangeInUse } from "./approved-change";
import type { RotatePhase, RotationHost } from "./direct-rotation";
import type { FoundSecret } from "./find-secret";
import { isMadeHere, isPublished, type ProcedureAccess } from "./procedure-work";

/** Options of a rotation through the procedure. */
export interface ProcedureOptions {
  readonly environment: string;
  /** File of the change request. */
  readonly change?: string | undefined;
  /** One run only. @default all runs that the rotation takes */
  readonly phase?: RotatePhase | undefined;
  readonly valueFrom?: "stdin" | undefined;
  /** The supplied value, where the caller has read it already. */
  readonly supplied?: unknown;
  /** A leak: nothing waits. Who fails meanwhile is said, and whether that is meant is asked. */
  readonly emergency: boolean;
  /** An emergency is meant: nobody is asked. @default false */
  readonly yes?: boolean | undefined;
}

/** One run of a rotation; `stage` is the part of it that ends where a person takes a made value to its target. */
export type Stage = "rotate" | "stage" | "publish" | "promote";

/** Everything that a rotation through the procedure works with. */
export interface Work extends ProcedureAccess {
  readonly options: ProcedureOptions;
  readonly host: RotationHost;
  readonly change: ChangeInUse | undefined;
  /** `true` when the environment needs no change request. */
  readonly isFree: boolean;
}

export function stagesOf(found: FoundSecret, { phase, emergency }: ProcedureOptions): readonly Stage[] {
  if (isMadeHere(found)) return [phase === "promote" ? "rotate" : "stage"];
  // In an emergency every key is another one, and is used at once: nothing is published first.
  if (!isPublished(found) || emergency) return ["rotate"];
  const first: Stage = found.secret.rotation === "manual-dual-publish" ? "publish" : "rotate";
  if (phase !== undefined) return [phase === "promote" ? phase : first];
  return [first, "promote"];
}

/** `true` where a rotation has published no key. It may publish keys beside a credential, but uses the first ones at once. */
export async function hasNothingToPromote({ found, options, driver }: Work): Promise<boolean> {
  if (options.phase !== undefined || found.secret.rotation === "manual-dual-publish") return false;
  return !(await driver.runs(found.secret)).published;
}

/** A run that is under way gives way to an emergency, unless it is one itself. */
export const isSuperseded = (open: RunView | undefined, { emergency }: ProcedureOptions): boolean =>
  emergency && open !== undefined && open.emergency !== true;

const KIND = { rotate: "rotation", stage: "rotation", publish: "publication", promote: "promotion" } as const;

/** @throws UserFault when a run is open that is not the one that is asked for */
export function refuseForeign(open: RunView, { change, isFree }: Work, stage: Stage): void {
  const isSame = open.kind === KIND[stage];
  const isPlain = isFree && open.change === undefined && open.startedBy !== BY_SCHEDULE;
  const isOurs = open.change?.digest === change?.digest || isPlain;
  if (isSame && isOurs) return;
  throw new UserFault(
    `Run ${open.run} of ${open.secret} (${open.kind}, ${describeRun(open)}) is under way since ${open.startedAt}, begun by ${open.startedBy}${open.change ? ` for ${open.change.id}` : ""}. Wait for its end, or roll it back; nothing was changed.`,
  );
}

/**
 * `true` where a run that has ended is the one of this stage. A run knows its change request where one is needed; elsewhere,
 * what ran since the scheduled day counts.
 */
export function isOf(
  run: RunView,
  stage: Stage,
  { change, found, options, isFree }: Work,
  latest: readonly RunView[],
): boolean {
  if (run.kind !== KIND[stage] || run.status === "withdrawn") return false;
  if (change !== undefined) {
    if (run.change !== undefined) return run.change.digest === change.digest;
    const isSince = run.startedAt.slice(0, 10) >= (change.schedule[found.plan.environment] ?? "");
    return isFree && isSince && run.startedBy !== BY_SCHEDULE && GOOD_ENDS.includes(run.status);
  }
  // A publication waits for its promotion, unless another one came after it.
  return (
    stage === "publish" && options.phase === undefined && run === latest[0] && run.status === "published"
  );
}
