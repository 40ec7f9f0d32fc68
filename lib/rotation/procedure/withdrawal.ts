import type { PhaseResult, RecorderEvent, RunOutcome } from "../../contracts/procedure-events";
import type { Run } from "../../contracts/run";
import { Versions } from "../machine/versions";
import type { Clock, Logbook, SecretStore } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import type { Functions } from "./procedure-ports";
import type { RunTable } from "./run-table";

/** Reason for which a run was given up. */
export type WithdrawalCode = "value-replaced" | "called-back" | "never-current" | "superseded";

/** Ports of a withdrawal. */
export interface WithdrawalContext {
  readonly runs: Pick<RunTable, "withdraw">;
  readonly store: Pick<SecretStore, "describe">;
  readonly functions: Functions;
  readonly clock: Pick<Clock, "now">;
  readonly log: Logbook;
  /** Name of the function that rotates the secret. */
  readonly rotator: string;
  /** Name of the function that records the ends of runs. */
  readonly recorder: string;
}

/** A run to be given up. */
export interface Withdrawal {
  readonly run: Run;
  readonly code: WithdrawalCode;
  /** Another version that waits for nobody. */
  readonly also?: string | undefined;
}

/**
 * Gives up a run whose version nobody was served: it ends at its target, and its change request is free again. Whatever
 * dies in between is made again: the run is being withdrawn until that is recorded. Should the version have become
 * current meanwhile, it is rolled back. Where the target says that the way back is closed, because it refuses the former
 * credential, the version stays and the run has failed: else nothing could end it, nor could another run begin.
 *
 * @returns how the run ended; `failed`: the way back is closed, and a person has to look
 */
export async function withdraw(
  { run, code, also }: Withdrawal,
  context: WithdrawalContext,
): Promise<RunOutcome> {
  const { runs, store, clock, log } = context;
  await runs.withdraw(run);
  const startedAt = clock.now();
  let closed: ClosedWay | undefined;
  // A retirement's own version is the one in use.
  for (const version of run.kind === "retirement" ? [] : new Set([run.newVersion, also])) {
    if (version !== undefined) closed = (await giveUp(run, version, context)) ?? closed;
  }
  const rollback = {
    phase: "rollback",
    startedAt: startedAt.toISOString(),
    endedAt: clock.now().toISOString(),
  } as const;
  const about = { secret: run.secret, run: run.run };
  if (closed !== undefined) {
    log.error("the way back is closed: what is current stays", {
      ...about,
      version: run.newVersion,
      code: closed,
    });
    const phases = [{ ...rollback, outcome: "failed", fault: "target-refused" } as const];
    return recordEnd(run, { outcome: "failed", code: closed, phases }, context);
  }
  // A call from before has made it current after all: somebody may hold it.
  const wasServed = new Versions(await store.describe(run.secret)).has(run.newVersion, "AWSPREVIOUS");
  log.info("run withdrawn", { ...about, code, wasServed });
  const phases = wasServed ? [{ ...rollback, outcome: "done" } as const] : [];
  return recordEnd(run, { outcome: wasServed ? "rolled-back" : "withdrawn", code, phases }, context);
}

/**
 * Reason for which nothing can be taken back. `way-back-closed`: the former credential is dead, and the one in use works.
 * `nothing-accepted`: neither works.
 */
type ClosedWay = "way-back-closed" | "nothing-accepted";

/** @returns `undefined`: the version is given up */
async function giveUp(
  { secret: SecretId, run: RunId, newVersion, oldVersion }: Run,
  VersionId: string,
  { store, functions, rotator }: WithdrawalContext,
): Promise<ClosedWay | undefined> {
  const isCurrent = async (): Promise<boolean> =>
    new Versions(await store.describe(SecretId)).has(VersionId, "AWSCURRENT");
  if (oldVersion === undefined && (await isCurrent())) return undefined;
  try {
    await functions.invoke(rotator, { Phase: "rollback", SecretId, VersionId, RunId });
    return undefined;
  } catch (failure) {
    // Nothing was ever made for it.
    if (isFault(failure, "version-unknown")) return undefined;
    const isClosed = isFault(failure, "target-refused") || isFault(failure, "nothing-to-return-to");
    if (!isClosed || VersionId !== newVersion || !(await isCurrent())) throw failure;
  }
  try {
    await functions.invoke(rotator, { Phase: "verify", SecretId, VersionId, RunId });
    return "way-back-closed";
  } catch (failure) {
    if (!isFault(failure, "target-refused")) throw failure;
    return "nothing-accepted";
  }
}

const isFault = (failure: unknown, code: RotationError["code"]): boolean =>
  failure instanceof RotationError && failure.code === code;

/** End of a run that no execution brings to its end. */
export interface RecordedEnd {
  readonly outcome: RunOutcome;
  readonly code: string;
  readonly phases?: readonly PhaseResult[];
}

/** Has a run recorded, which lets go of the secret. */
export async function recordEnd(
  run: Run,
  { outcome, code, phases = [] }: RecordedEnd,
  { functions, recorder }: Pick<WithdrawalContext, "functions" | "recorder">,
): Promise<RunOutcome> {
  const event: RecorderEvent = {
    Secret: run.secret,
    Run: run.run,
    Outcome: outcome,
    Phases: phases,
    Checks: [],
    Fault: { state: "Dispatcher", code },
  };
  await functions.invoke(recorder, event);
  return outcome;
}
