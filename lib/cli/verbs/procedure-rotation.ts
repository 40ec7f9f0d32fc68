import type { RunView } from "../../contracts/dispatcher-answer";
import type { Registry } from "../../model";
import { isSupplied, RotationError } from "../../rotation";
import { FailedRotation, failedBy, failedTooEarly } from "../driver/failed-rotation";
import { GOOD_ENDS, isOver } from "../driver/procedure-driver";
import { UserFault } from "../terminal/user-fault";
import { changeOf } from "./approved-change";
import type { RotationHost } from "./direct-rotation";
import { confirmEmergency } from "./emergency";
import { type FoundSecret, findSecret } from "./find-secret";
import { beginRun, goOn, throughRun } from "./procedure-run";
import {
  hasNothingToPromote,
  isOf,
  isSuperseded,
  type ProcedureOptions,
  refuseForeign,
  stagesOf,
  type Work,
} from "./procedure-stage";
import { isMadeHere, isPublished, type ProcedureReport, reach, requireProcedure } from "./procedure-work";
import { readCommand } from "./supplied-value";

/**
 * Rotates a secret by the environment's procedure: the dispatcher begins each run, the state machine proves it, asks for
 * approval and retires the old credential. Follows all of it; run again, it goes on where it was.
 *
 * @throws UserFault and UnknownNameError before anything was changed
 */
export async function rotateByProcedure(
  registry: Registry,
  key: string,
  options: ProcedureOptions,
  host: RotationHost,
): Promise<ProcedureReport> {
  const work = await prepare(registry, key, options, host);
  const { found } = work;
  const runs: RunView[] = [];
  const report = (more: Pick<ProcedureReport, "outcome" | "fault" | "next">): ProcedureReport => ({
    secret: key,
    environment: found.plan.environment,
    rotation: found.secret.rotation,
    runs,
    ...more,
  });
  try {
    let began = false;
    const stages = stagesOf(found, options);
    for (const stage of stages) {
      const { open: seen, latest } = await work.driver.runs(found.secret);
      const open = isSuperseded(seen, options) ? undefined : seen;
      // A promotion under way has its publication behind it.
      if (open?.kind === "promotion" && stage !== "promote" && stages.includes("promote")) continue;
      if (open !== undefined) refuseForeign(open, work, stage);
      const before = open ?? latest.find((run) => isOf(run, stage, work, latest));
      if (options.emergency && before === undefined) await confirmEmergency(found, options, host.terminal);
      if (before === undefined && stage === "promote" && (await hasNothingToPromote(work))) continue;
      if (stage === "stage" && (before === undefined || before.status === "rotating")) {
        const { newVersion } =
          before === undefined ? await beginRun(work, stage, undefined) : await goOn(work, stage, before);
        return report({ outcome: "awaiting-operator", next: takeToTarget(found, newVersion, options) });
      }
      const run = before !== undefined && isOver(before) ? before : await throughRun(work, stage, before);
      began ||= run !== before;
      runs.push(run);
      if (GOOD_ENDS.includes(run.status)) continue;
      return report({
        outcome: run.status === "rolled-back" ? "rolled-back" : "failed",
        next: afterBadEnd(found, run),
      });
    }
    return report({ outcome: began ? "done" : "already-done" });
  } catch (error) {
    const failure = error instanceof RotationError ? failedBy(error) : error;
    if (!(failure instanceof FailedRotation)) throw error;
    const { code, message, retryable } = failure;
    return report({
      outcome: failedTooEarly(failure) ? "too-early" : "failed",
      fault: { code, message, retryable },
      ...(failedTooEarly(failure) ? {} : await afterFault(work)),
    });
  }
}

/** Everything that can be refused without the dispatcher. */
async function prepare(
  registry: Registry,
  key: string,
  options: ProcedureOptions,
  host: RotationHost,
): Promise<Work> {
  const found = findSecret(registry, options.environment, key);
  const { plan, secret, resolved } = found;
  const procedure = requireProcedure(found);
  const { phase, valueFrom } = options;
  if (options.emergency && (phase === "publish" || (phase === "promote" && !isMadeHere(found)))) {
    throw new UserFault(
      `In an emergency every key of ${key} is another one, and is used at once: nothing is published first. Leave --phase out.`,
    );
  }
  if (options.yes && !options.emergency) {
    throw new UserFault("--yes answers the question of --emergency. Leave it out, or add --emergency.");
  }
  if (phase === "verify" || phase === "decommission") {
    throw new UserFault(
      `In ${plan.environment} the procedure does --phase ${phase} by itself, when its time has come. Look with: secrets-registry rotate status ${key} --env ${plan.environment}.`,
    );
  }
  const hasPhase = isPublished(found) || (phase === "promote" && isMadeHere(found));
  if ((phase === "publish" || phase === "promote") && !hasPhase) {
    throw new UserFault(
      `${key} is not rotated in phases in ${plan.environment}: its rotation is ${secret.rotation}. Leave --phase out.`,
    );
  }
  if (valueFrom !== undefined && !isSupplied(resolved)) {
    throw new UserFault(
      `The value of ${key} is made by its rotation: nobody supplies it. Leave --value-from out.`,
    );
  }
  const today = host.pace.now().toISOString().slice(0, 10);
  const change =
    options.change === undefined
      ? undefined
      : changeOf(registry, options.change, { key, environment: plan.environment, today });
  const isFree = registry.environment(plan.environment).changeRequest === "none";
  if (change === undefined && !isFree) {
    throw new UserFault(
      `${plan.environment} takes no rotation without an approved change request. Ask for one: secrets-registry change new ${key} --reason … --schedule ${plan.environment}=${today}; when it is merged: secrets-registry rotate ${key} --env ${plan.environment} --change <file>.`,
    );
  }
  return { ...(await reach(found, procedure, host)), options, host, change, isFree };
}

/** Next step of a person after a fault, as long as nobody was served another value; nothing, where somebody was. */
async function afterFault({ found, driver }: Work): Promise<Pick<ProcedureReport, "next">> {
  const { open } = await driver.runs(found.secret);
  if (open?.status !== "rotating" || found.secret.rotation === "automatic") return {};
  const command = `secrets-registry rotate`;
  const place = `${found.secret.key} --env ${found.plan.environment}`;
  const other = isSupplied(found.resolved) ? ", with another value if this one is wrong" : "";
  return {
    next: `The old credential is in use, and nothing has changed. Run the same command again${other}; or give up: ${command} rollback ${place}.`,
  };
}

function takeToTarget({ secret, plan }: FoundSecret, version: string, { change }: ProcedureOptions): string {
  const by = change === undefined ? "" : ` --change ${change}`;
  return `Read the new value (${readCommand({ secret, plan }, version)}), set it at the target, then: secrets-registry rotate ${secret.key} --env ${plan.environment}${by} --phase promote.`;
}

function afterBadEnd({ secret, plan }: FoundSecret, { change, status }: RunView): string {
  const again =
    change === undefined
      ? `Fix what failed, then: secrets-registry rotate ${secret.key} --env ${plan.environment}.`
      : `Change request ${change.id} is used up in ${plan.environment}: fix what failed, then ask for another change.`;
  if (status === "withdrawn") {
    return `Nothing was changed${change === undefined ? "" : `, and change request ${change.id} is free again`}: run the same command once more.`;
  }
  return status === "rolled-back"
    ? `The old credential is in use. ${again}`
    : `A person has to look. ${again}`;
}
