import type { DispatchedSecret, DispatcherSettings } from "../../contracts/function-settings";
import type { LoadedRun } from "../../contracts/procedure-events";
import { hasEnded, type Run } from "../../contracts/run";
import { fitName, keyAsWord } from "../../model/names";
import type { Clock, Publications } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import { overlapLeft } from "./leftovers";
import type { RunTable } from "./run-table";

/** Request of an execution for its run. */
export interface LoadRequest {
  readonly action: "load";
  readonly secretName: string;
  readonly run: string;
  /** Name of the execution. */
  readonly execution: string;
}

/** Sources from which a run is loaded. */
export interface LoadContext {
  readonly runs: Pick<RunTable, "read">;
  readonly settings: DispatcherSettings;
  readonly publications: Pick<Publications, "confirmedAt">;
  readonly clock: Pick<Clock, "now">;
}

/** Versions are unique for their secret only, so an execution bears both names. At most 80 characters. */
export const executionName = (
  { key }: Pick<DispatchedSecret, "key">,
  { run, direction }: Pick<Run, "run" | "direction">,
): string => `${fitName(`${run}.${keyAsWord(key)}`, 75)}${direction === "back" ? ".back" : ""}`;

/**
 * Authority of an execution: as the table has its run, and as the settings have its secret. Names are given once by Step
 * Functions, so that nobody follows a run beside the execution that the dispatcher started for it.
 *
 * @throws RotationError `secret-not-ours`, `run-missing`, `run-ended`, `run-too-early`, `run-mismatch`
 */
export async function loadedRun(
  { secretName, run: id, execution }: LoadRequest,
  { runs, settings, publications, clock }: LoadContext,
): Promise<LoadedRun> {
  const secret = settings.secrets[secretName];
  if (secret === undefined) throw new RotationError("secret-not-ours", secretName);
  const run = await runs.read(secretName, id);
  if (run === undefined) throw new RotationError("run-missing", `${secretName} has no run ${id}`);
  if (hasEnded(run) || run.endedAt !== undefined) {
    throw new RotationError("run-ended", `run ${id} of ${secretName} is ${run.status}`);
  }
  if (run.status === "rotating" || run.status === "withdrawing") {
    throw new RotationError("run-too-early", `run ${id} of ${secretName} is ${run.status}`);
  }
  if (execution !== executionName(secret, run)) {
    throw new RotationError("run-mismatch", `execution ${execution} is not the one of run ${id}`);
  }
  return {
    secret: secretName,
    key: secret.key,
    run: id,
    kind: run.kind,
    newVersion: run.newVersion,
    ...(run.oldVersion === undefined ? {} : { oldVersion: run.oldVersion }),
    function: secret.function,
    // What a run has left may have waited already. Who retires it changes nothing for workloads.
    overlapSeconds:
      run.kind === "retirement"
        ? await overlapLeft(run, secret.overlapSeconds, publications, clock.now())
        : run.kind === "rotation"
          ? (secret.handOverSeconds ?? secret.overlapSeconds)
          : secret.overlapSeconds,
    restart: run.kind === "retirement" ? [] : secret.restart,
    checks: secret.checks,
    approval: secret.approval && run.kind !== "publication" && run.oldVersion !== undefined,
    emergency: run.emergency ?? false,
    back: run.direction === "back",
  };
}
