import type { ProcedurePlan } from "../../blueprint";
import { formatDuration, type Registry, type RotationMode } from "../../model";
import { earliest, isSupplied, RotationError, type SuppliedSecret, waitBefore } from "../../rotation";
import { requireAccount } from "../cloud/require-account";
import type { RotationCloud } from "../cloud/rotation-cloud";
import { FailedRotation, failedBy, isTooEarly } from "../driver/failed-rotation";
import {
  GOOD_ENDS,
  isOver,
  ProcedureDriver,
  type RunOrder,
  type RunView,
  wordsOf,
} from "../driver/procedure-driver";
import { RotationDriver } from "../driver/rotation-driver";
import { type FoundSecret, findSecret } from "../find-secret";
import { faultOfSupplied } from "../supplied-values";
import { UserFault } from "../user-fault";
import { changeOf, type UsedChange } from "./approved-change";
import type { RotatePhase, RotationHost } from "./rotate";
import { suppliedValue } from "./supplied-value";

/** How a rotation through the procedure is called. */
export interface ProcedureOptions {
  readonly environment: string;
  /** File of the change request. */
  readonly change?: string | undefined;
  /** One run only. @default all runs that the rotation takes */
  readonly phase?: RotatePhase | undefined;
  readonly valueFrom?: "stdin" | undefined;
  readonly emergency: boolean;
}

/** How far a rotation through the procedure came. */
export interface ProcedureReport {
  readonly secret: string;
  readonly environment: string;
  readonly rotation: RotationMode;
  /** `done`: every run came to its good end. */
  readonly outcome: "done" | "already-done" | "rolled-back" | "too-early" | "failed";
  /** The runs that this command has begun or followed, in order. */
  readonly runs: readonly RunView[];
  readonly fault?: { readonly code: string; readonly message: string; readonly retryable: boolean };
  /** What comes next, as a sentence. */
  readonly next?: string;
}

/** One run of a rotation. */
type Stage = "rotate" | "publish" | "promote";

/** What a rotation through the procedure works with. */
interface Work {
  readonly found: FoundSecret;
  readonly options: ProcedureOptions;
  readonly host: RotationHost;
  readonly cloud: RotationCloud;
  readonly driver: ProcedureDriver;
  readonly labels: RotationDriver;
  readonly change: UsedChange | undefined;
}

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
  const { found, change } = work;
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
    for (const stage of stagesOf(found, options)) {
      const { open, latest } = await work.driver.runs(found.secret);
      // A promotion under way has its publication behind it.
      if (open?.kind === "promotion" && stage === "publish") continue;
      if (open !== undefined) refuseForeign(open, change, stage);
      const before = open ?? latest.find((run) => isOf(run, stage, work, latest));
      const run =
        before !== undefined && isOver(before) ? before : await throughRun(work, stage, before, options);
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
      outcome: isTooEarly(failure) ? "too-early" : "failed",
      fault: { code, message, retryable },
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
  const procedure = procedureOf(found);
  const { phase, valueFrom } = options;
  if (phase === "verify" || phase === "decommission") {
    throw new UserFault(
      `In ${plan.environment} the procedure does --phase ${phase} by itself, when its time has come. Look with: secrets-registry rotate status ${key} --env ${plan.environment}.`,
    );
  }
  if ((phase === "publish" || phase === "promote") && secret.rotation !== "manual-dual-publish") {
    throw new UserFault(
      `${key} is not rotated in phases in ${plan.environment}: its rotation is ${secret.rotation}. Leave --phase out.`,
    );
  }
  if (valueFrom !== undefined && !isSupplied(resolved)) {
    throw new UserFault(
      `The value of ${key} is made by its rotation: nobody supplies it. Leave --value-from out.`,
    );
  }
  if (secret.rotation === "operator-assisted" && !isSupplied(resolved)) {
    throw new UserFault(
      `The value of ${key} is made here and taken to its target by a person, which the procedure cannot follow. Rotate it with --direct.`,
    );
  }
  const today = host.pace.now().toISOString().slice(0, 10);
  const change =
    options.change === undefined
      ? undefined
      : changeOf(registry, options.change, { key, environment: plan.environment, today });
  if (change === undefined && registry.environment(plan.environment).changeRequest === "required") {
    throw new UserFault(
      `${plan.environment} takes no rotation without an approved change request. Ask for one: secrets-registry change new ${key} --reason … --schedule ${plan.environment}=${today}; when it is merged: secrets-registry rotate ${key} --env ${plan.environment} --change <file>.`,
    );
  }
  const cloud = host.cloudIn(plan.regions.primary, plan.environment);
  await requireAccount(cloud, plan);
  const context = { plan, cloud, pace: host.pace, progress: host.progress };
  return {
    found,
    options,
    host,
    cloud,
    change,
    driver: new ProcedureDriver(context, procedure),
    labels: new RotationDriver(context),
  };
}

/** @throws UserFault where nothing follows rotations */
export function procedureOf({ plan }: Pick<FoundSecret, "plan">): ProcedurePlan {
  if (plan.procedure !== undefined) return plan.procedure;
  throw new UserFault(`${plan.environment} has no rotation procedure.`);
}

function stagesOf({ secret }: FoundSecret, { phase }: ProcedureOptions): readonly Stage[] {
  if (secret.rotation !== "manual-dual-publish") return ["rotate"];
  if (phase === "publish" || phase === "promote") return [phase];
  return ["publish", "promote"];
}

const KIND = { rotate: "rotation", publish: "publication", promote: "promotion" } as const;

/** @throws UserFault when a run is open that is not the one that is asked for */
function refuseForeign(open: RunView, change: UsedChange | undefined, stage: Stage): void {
  const isSame = open.kind === KIND[stage];
  const isOurs = open.change?.digest === change?.digest || open.change === undefined;
  if (isSame && isOurs) return;
  throw new UserFault(
    `Run ${open.run} of ${open.secret} (${open.kind}, ${wordsOf(open)}) is under way since ${open.startedAt}, begun by ${open.startedBy}${open.change ? ` for ${open.change.id}` : ""}. Wait for its end, or roll it back; nothing was changed.`,
  );
}

/**
 * Whether a run that has ended is the one of this stage. A run knows its change request where one is needed; elsewhere,
 * what ran since the scheduled day counts.
 */
function isOf(
  run: RunView,
  stage: Stage,
  { change, found, options }: Work,
  latest: readonly RunView[],
): boolean {
  if (run.kind !== KIND[stage]) return false;
  if (change !== undefined) {
    if (run.change !== undefined) return run.change.digest === change.digest;
    return run.startedAt.slice(0, 10) >= (change.schedule[found.plan.environment] ?? "");
  }
  // A publication waits for its promotion, unless another one came after it.
  return (
    stage === "publish" && options.phase === undefined && run === latest[0] && run.status === "published"
  );
}

/** Begins a run, or goes on with the open one, and follows it to its end. */
async function throughRun(
  work: Work,
  stage: Stage,
  open: RunView | undefined,
  options: ProcedureOptions,
): Promise<RunView> {
  const { found, driver, change, host } = work;
  if (options.emergency) {
    host.terminal.err(
      `Emergency: waiting times are skipped. Pods that have not refreshed yet (they do every ${formatDuration(found.plan.refreshEvery)}) fail until they have.\n`,
    );
  }
  const order: RunOrder = {
    action: stage === "promote" ? "promote" : "rotate",
    change,
    emergency: options.emergency,
    ...(open === undefined ? { versionId: await versionFor(work, stage) } : {}),
  };
  const begin = () => driver.begin(found.secret, order);
  // One that is being taken back is not the dispatcher's to begin.
  const begun = open?.direction === "back" ? open : await begin();
  return driver.follow(found.secret, begun, begin);
}

/** The version that a new run is about; `undefined`: the dispatcher makes one. */
async function versionFor(work: Work, stage: Stage): Promise<string | undefined> {
  const { found, options, host, labels } = work;
  if (stage === "promote") return publishedVersion(work);
  if (!isSupplied(found.resolved)) return undefined;
  return putSupplied(
    work,
    found.resolved,
    await suppliedValue(found, found.resolved, options, host.terminal),
    labels,
  );
}

/**
 * The published version that is AWSCURRENT. Waits until everybody accepts it, unless promotion alone was asked for: then
 * the dispatcher says how long.
 *
 * @throws FailedRotation `nothing-published`
 */
async function publishedVersion({ found, driver, labels, host, options }: Work): Promise<string> {
  const { secret, plan } = found;
  const { current } = await labels.labels(secret);
  const { latest } = await driver.runs(secret);
  const published = latest.find(({ kind, status }) => kind === "publication" && status === "published");
  if (current === undefined || published?.newVersion !== current) {
    throw failedBy(new RotationError("nothing-published", `${secret.name} has no published key that waits`));
  }
  if (options.phase === "promote" || options.emergency) return current;
  const wait = host.pace.waitOf(waitBefore("promote", secret));
  await host.progress.step(`${secret.key}: wait until every pod accepts the published key`, async (tell) => {
    const confirmedAt = await labels.confirmed(secret, current);
    const from = confirmedAt && earliest(confirmedAt, wait);
    if (from === undefined) return;
    tell(
      `until ${from.toISOString()}, ${formatDuration(wait)} after every Vault of ${plan.environment} had it`,
    );
    while (host.pace.now() < from) await host.pace.sleep(host.pace.lookEveryMs);
  });
  return current;
}

/** Puts what an operator supplied under AWSPENDING, unless it is there. Gives the version that is to rotate in. */
async function putSupplied(
  { found: { secret }, options }: Work,
  kind: SuppliedSecret,
  supplied: unknown,
  labels: RotationDriver,
): Promise<string> {
  try {
    return await labels.putSupplied(secret, kind, supplied, options);
  } catch (failure) {
    throw failure instanceof RotationError
      ? new UserFault(faultOfSupplied(secret.key, kind, failure))
      : failure;
  }
}

function afterBadEnd({ secret, plan }: FoundSecret, { change, status }: RunView): string {
  const again =
    change === undefined
      ? `Mend what failed, then: secrets-registry rotate ${secret.key} --env ${plan.environment}.`
      : `Change request ${change.id} is used up in ${plan.environment}: mend what failed, then ask for another change.`;
  return status === "rolled-back"
    ? `The old credential is in use. ${again}`
    : `A person has to look. ${again}`;
}

/** Where a secret's rotation is. */
export interface StatusReport {
  readonly secret: string;
  readonly environment: string;
  readonly open?: RunView | undefined;
  readonly latest: readonly RunView[];
  /** State of the execution of the open run. */
  readonly state?: string | undefined;
  /** When the next change may come: ISO 8601, UTC. */
  readonly possibleFrom?: string | undefined;
  /** What comes next, as a sentence. */
  readonly next: string;
}

/** The run of a secret, its phase, what comes next, and from when. */
export async function rotationStatus(
  registry: Registry,
  key: string,
  environment: string,
  host: RotationHost,
): Promise<StatusReport> {
  const work = await inspect(registry, key, environment, host);
  const { found, driver, labels, cloud } = work;
  const { open, latest } = await driver.runs(found.secret);
  const execution = open && (await cloud.execution(driver.executionArn(open)));
  const { current } = await labels.labels(found.secret);
  const waits = open === undefined && latest[0]?.kind === "publication" && latest[0].status === "published";
  const from =
    current === undefined
      ? undefined
      : await labels.possibleFrom(
          open !== undefined ? "decommission" : waits ? "promote" : "rotate",
          found.secret,
          current,
        );
  const command = `secrets-registry rotate ${key} --env ${environment}`;
  const when = from === undefined ? "" : `, from ${from.toISOString()} on`;
  return {
    secret: key,
    environment,
    open,
    latest,
    state: execution?.state,
    possibleFrom: from?.toISOString(),
    next:
      open !== undefined
        ? `${wordsOf(open, execution?.state)}. Follow it: ${command}.`
        : waits
          ? `The published key can be put to use${when}: ${command}.`
          : `The next rotation is possible${when}: ${command}.`,
  };
}

/**
 * Has the open run of a secret taken back, and follows that.
 *
 * @throws UserFault when there is none, or when it is over
 */
export async function rollBackRun(
  registry: Registry,
  key: string,
  environment: string,
  host: RotationHost,
): Promise<ProcedureReport> {
  const { found, driver } = await inspect(registry, key, environment, host);
  const subject = { secret: key, environment, rotation: found.secret.rotation };
  try {
    const again = () => driver.rollBack(found.secret);
    const run = await driver.follow(found.secret, await again(), again);
    return { ...subject, outcome: run.status === "rolled-back" ? "rolled-back" : "failed", runs: [run] };
  } catch (failure) {
    if (!(failure instanceof FailedRotation)) throw failure;
    const { code, message, retryable } = failure;
    return { ...subject, outcome: "failed", runs: [], fault: { code, message, retryable } };
  }
}

async function inspect(registry: Registry, key: string, environment: string, host: RotationHost) {
  const found = findSecret(registry, environment, key);
  const procedure = procedureOf(found);
  const { plan } = found;
  const cloud = host.cloudIn(plan.regions.primary, plan.environment);
  await requireAccount(cloud, plan);
  const context = { plan, cloud, pace: host.pace, progress: host.progress };
  return {
    found,
    cloud,
    driver: new ProcedureDriver(context, procedure),
    labels: new RotationDriver(context),
  };
}
