import type { ProcedurePlan } from "../../blueprint";
import type { RunView, SecretRuns } from "../../contracts/dispatcher-answer";
import { formatDuration, type Registry, type RotationMode } from "../../model";
import {
  BY_SCHEDULE,
  completeValue,
  earliest,
  isSupplied,
  RotationError,
  type SuppliedSecret,
  waitBefore,
} from "../../rotation";
import { requireAccount } from "../cloud/require-account";
import type { RotationCloud } from "../cloud/rotation-cloud";
import { FailedRotation, failedBy, failedTooEarly } from "../driver/failed-rotation";
import { describeRun, GOOD_ENDS, isOver, ProcedureDriver, type RunOrder } from "../driver/procedure-driver";
import { RotationDriver } from "../driver/rotation-driver";
import { UserFault } from "../terminal/user-fault";
import { type ChangeInUse, changeOf } from "./approved-change";
import type { RotatePhase, RotationHost } from "./direct-rotation";
import { confirmEmergency } from "./emergency";
import { type FoundSecret, findSecret } from "./find-secret";
import { readCommand, suppliedValue } from "./supplied-value";
import { faultOfSupplied } from "./supplied-values";

/** How a rotation through the procedure is called. */
export interface ProcedureOptions {
  readonly environment: string;
  /** File of the change request. */
  readonly change?: string | undefined;
  /** One run only. @default all runs that the rotation takes */
  readonly phase?: RotatePhase | undefined;
  readonly valueFrom?: "stdin" | undefined;
  /** What was supplied, where the caller has read it already. */
  readonly supplied?: unknown;
  /** A leak: nothing waits. Who fails meanwhile is said, and whether that is meant is asked. */
  readonly emergency: boolean;
  /** An emergency is meant: nobody is asked. @default false */
  readonly yes?: boolean | undefined;
}

/** How far a rotation through the procedure came. */
export interface ProcedureReport {
  readonly secret: string;
  readonly environment: string;
  readonly rotation: RotationMode;
  /**
   * `done`: every run came to its good end. `awaiting-operator`: a person has to take the made value to its target.
   */
  readonly outcome: "done" | "already-done" | "awaiting-operator" | "rolled-back" | "too-early" | "failed";
  /** The runs that this command has begun or followed, in order. */
  readonly runs: readonly RunView[];
  readonly fault?: { readonly code: string; readonly message: string; readonly retryable: boolean };
  /** What comes next, as a sentence. */
  readonly next?: string;
}

/** One run of a rotation; `stage` is the part of it that ends where a person takes a made value to its target. */
type Stage = "rotate" | "stage" | "publish" | "promote";

/** What a rotation through the procedure works with. */
interface Work {
  readonly found: FoundSecret;
  readonly options: ProcedureOptions;
  readonly host: RotationHost;
  readonly cloud: RotationCloud;
  readonly driver: ProcedureDriver;
  readonly labels: RotationDriver;
  readonly change: ChangeInUse | undefined;
  /** Whether the environment needs no change request. */
  readonly isFree: boolean;
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
  const procedure = procedureOf(found);
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

/** @throws UserFault where nothing follows rotations */
function procedureOf({ plan }: Pick<FoundSecret, "plan">): ProcedurePlan {
  if (plan.procedure !== undefined) return plan.procedure;
  throw new UserFault(`${plan.environment} has no rotation procedure.`);
}

function stagesOf(found: FoundSecret, { phase, emergency }: ProcedureOptions): readonly Stage[] {
  if (isMadeHere(found)) return [phase === "promote" ? "rotate" : "stage"];
  // In an emergency every key is another one, and is used at once: nothing is published first.
  if (!isPublished(found) || emergency) return ["rotate"];
  const first: Stage = found.secret.rotation === "manual-dual-publish" ? "publish" : "rotate";
  if (phase !== undefined) return [phase === "promote" ? phase : first];
  return [first, "promote"];
}

/** Whether the value holds keys that are published first, and put to use by another run. */
const isPublished = ({ secret }: FoundSecret): boolean =>
  secret.rotation !== "automatic" && waitBefore("promote", secret).seconds > 0;

/** Whether the function makes the value, and a person takes it to its target. */
const isMadeHere = ({ secret, resolved }: FoundSecret): boolean =>
  secret.rotation === "operator-assisted" && !isSupplied(resolved);

/** Where keys are published beside a credential, a rotation may have published none: the first ones are used at once. */
async function hasNothingToPromote({ found, options, driver }: Work): Promise<boolean> {
  if (options.phase !== undefined || found.secret.rotation === "manual-dual-publish") return false;
  return !(await driver.runs(found.secret)).published;
}

/** A run that is under way gives way to an emergency, unless it is one itself. */
const isSuperseded = (open: RunView | undefined, { emergency }: ProcedureOptions): boolean =>
  emergency && open !== undefined && open.emergency !== true;

const KIND = { rotate: "rotation", stage: "rotation", publish: "publication", promote: "promotion" } as const;

/** @throws UserFault when a run is open that is not the one that is asked for */
function refuseForeign(open: RunView, { change, isFree }: Work, stage: Stage): void {
  const isSame = open.kind === KIND[stage];
  const isPlain = isFree && open.change === undefined && open.startedBy !== BY_SCHEDULE;
  const isOurs = open.change?.digest === change?.digest || isPlain;
  if (isSame && isOurs) return;
  throw new UserFault(
    `Run ${open.run} of ${open.secret} (${open.kind}, ${describeRun(open)}) is under way since ${open.startedAt}, begun by ${open.startedBy}${open.change ? ` for ${open.change.id}` : ""}. Wait for its end, or roll it back; nothing was changed.`,
  );
}

/**
 * Whether a run that has ended is the one of this stage. A run knows its change request where one is needed; elsewhere,
 * what ran since the scheduled day counts.
 */
function isOf(
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

/** Begins a run, or goes on with the open one, and follows it to its end. */
async function throughRun(work: Work, stage: Stage, open: RunView | undefined): Promise<RunView> {
  const { found, driver } = work;
  // One that is being taken back is not the dispatcher's to begin.
  const begun = open?.direction === "back" ? open : await beginRun(work, stage, open);
  return driver.follow(found.secret, begun, () => goOn(work, stage, begun));
}

/**
 * Has the dispatcher begin a run, or go on with the open one. Where that fails because of the value that a person has
 * supplied for it, this command may bring another.
 */
async function beginRun(work: Work, stage: Stage, open: RunView | undefined): Promise<RunView> {
  const { found, driver } = work;
  const begin = (versionId?: string) => driver.begin(found.secret, { ...orderOf(work, stage), versionId });
  if (isMadeHere(found) && stage !== "stage" && !(await hasMadeValue(work, open))) {
    throw failedBy(
      new RotationError("nothing-published", `${found.secret.name} has no made value that waits`),
    );
  }
  if (open === undefined && stage !== "promote" && isSupplied(found.resolved)) {
    return beginWith(work, found.resolved, begin);
  }
  if (open === undefined) return begin(stage === "promote" ? await publishedVersion(work) : undefined);
  try {
    return await goOn(work, stage, open);
  } catch (failure) {
    // It has ended since it was seen: its end is to be followed, and no other run begins in its place.
    if (failure instanceof FailedRotation && failure.code === "run-ended") return open;
    const isBefore = open.status === "rotating" && open.kind === "rotation";
    if (!(failure instanceof FailedRotation) || !isBefore || !isSupplied(found.resolved)) throw failure;
    // Another value helps where this one is at fault; where nobody can be asked, the fault says more than a question.
    if (isNoValuesFault(failure) || !hasSupply(work)) throw failure;
    return beginWith(work, found.resolved, begin);
  }
}

/** Faults that no other value would help: a target, AWS or a function that does not answer, a time that has not come. */
const isNoValuesFault = (failure: FailedRotation): boolean =>
  failedTooEarly(failure) || ["function-failed", "target-unreachable", "throttled"].includes(failure.code);

/** Begins a run with what a person supplies. Where none begins, no function will use it up. */
async function beginWith(
  work: Work,
  kind: SuppliedSecret,
  begin: (versionId: string) => Promise<RunView>,
): Promise<RunView> {
  const { found, driver, labels } = work;
  const version = await putSupplied(work, kind);
  try {
    return await begin(version);
  } catch (failure) {
    const { open } = await driver.runs(found.secret);
    if (open?.newVersion !== version) await labels.takeBack(found.secret);
    throw failure;
  }
}

/** Whether the function has made the value that a run is about: it gives a version its value and its label in one call. */
const hasMadeValue = async ({ labels, found }: Work, run: RunView | undefined): Promise<boolean> =>
  run !== undefined && (await labels.labels(found.secret)).has(run.newVersion);

/** Has the dispatcher go on with a run, and with no other. */
function goOn({ driver, found, ...work }: Work, stage: Stage, run: RunView): Promise<RunView> {
  const versionId = run.kind === "promotion" ? run.oldVersion : run.newVersion;
  return driver.begin(found.secret, { ...orderOf(work, stage), versionId });
}

const hasSupply = ({ options, host }: Work): boolean =>
  options.valueFrom !== undefined || "supplied" in options || host.terminal.interactive;

const orderOf = ({ change, options }: Pick<Work, "change" | "options">, stage: Stage): RunOrder => ({
  action: stage === "publish" ? "rotate" : stage,
  change,
  emergency: options.emergency,
});

/**
 * The published version that is AWSCURRENT. Waits until everybody accepts it, unless promotion alone was asked for: then
 * the dispatcher says how long.
 *
 * @throws FailedRotation `nothing-published`
 */
async function publishedVersion({ found, driver, labels, host, options }: Work): Promise<string> {
  const { secret, plan } = found;
  const { current } = await labels.labels(secret);
  const isWaiting =
    secret.rotation === "manual-dual-publish"
      ? publicationOf(await driver.runs(secret)) === current
      : (await driver.runs(secret)).published;
  if (current === undefined || !isWaiting) {
    throw failedBy(new RotationError("nothing-published", `${secret.name} has no published key that waits`));
  }
  if (options.phase === "promote") return current;
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

/** The version that was published last. */
const publicationOf = ({ latest }: Pick<SecretRuns, "latest">): string | undefined =>
  latest.find(({ kind, status }) => kind === "publication" && status === "published")?.newVersion;

/**
 * Puts what an operator supplies into the inbox.
 *
 * @returns the version that is to be made of it
 */
async function putSupplied(work: Work, kind: SuppliedSecret): Promise<string> {
  const { found, labels, host, options } = work;
  const { secret } = found;
  const supplied =
    "supplied" in options ? options.supplied : await suppliedValue(found, kind, options, host.terminal);
  try {
    completeValue(kind, supplied);
    return await labels.putSupplied(secret, supplied, options);
  } catch (failure) {
    throw failure instanceof RotationError
      ? new UserFault(faultOfSupplied(secret.key, kind, failure))
      : failure;
  }
}

/** What a person does after a fault before anybody was served another value; nothing, where one was. */
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
      ? `Mend what failed, then: secrets-registry rotate ${secret.key} --env ${plan.environment}.`
      : `Change request ${change.id} is used up in ${plan.environment}: fix what failed, then ask for another change.`;
  if (status === "withdrawn") {
    return `Nothing was changed${change === undefined ? "" : `, and change request ${change.id} is free again`}: run the same command once more.`;
  }
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
  /** The version under AWSCURRENT, when nothing proves that it has passed its test: somebody has put it past every test. */
  readonly unproven?: string | undefined;
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
  const runs = await driver.runs(found.secret);
  const { open, latest } = runs;
  const execution = open && (await cloud.execution(driver.executionArn(open)));
  const { current } = await labels.labels(found.secret);
  const waits = open === undefined && current !== undefined && isPromotionNext(work, current, runs);
  const from =
    current === undefined
      ? undefined
      : await labels.possibleFrom(
          open !== undefined ? "decommission" : waits ? "promote" : "rotate",
          found.secret,
          current,
        );
  return {
    secret: key,
    environment,
    open,
    latest,
    state: execution?.state,
    possibleFrom: from?.toISOString(),
    ...(runs.unproven === undefined ? {} : { unproven: runs.unproven }),
    next: whatNext(work, { ...runs, state: execution?.state, waits, from }),
  };
}

/** What comes next, as a sentence. */
function whatNext(
  { found, labels }: Pick<Work, "found" | "labels">,
  {
    open,
    unproven,
    state,
    waits,
    from,
  }: Pick<SecretRuns, "open" | "unproven"> & {
    readonly state: string | undefined;
    readonly waits: boolean;
    readonly from: Date | undefined;
  },
): string {
  const command = `secrets-registry rotate ${found.secret.key} --env ${labels.environment}`;
  const when = from === undefined ? "" : `, from ${from.toISOString()} on`;
  if (open !== undefined) return `${describeRun(open, state)}. Follow it: ${command}.`;
  if (unproven !== undefined) {
    return (
      `Nothing proves that version ${unproven}, which is current, has passed its test: somebody has put it past every ` +
      `test, and no Vault gets it. Find out who. Back to what was served before, and on to a new value: ${command}.`
    );
  }
  return waits
    ? `The published key can be put to use${when}: ${command} --phase promote.`
    : `The next rotation is possible${when}: ${command}.`;
}

function isPromotionNext({ found }: Pick<Work, "found">, current: string, runs: SecretRuns): boolean {
  if (!isPublished(found)) return false;
  if (found.secret.rotation === "manual-dual-publish") return publicationOf(runs) === current;
  return runs.published ?? false;
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
  const { found, driver, labels } = await inspect(registry, key, environment, host);
  const subject = { secret: key, environment, rotation: found.secret.rotation };
  try {
    const again = () => driver.rollBack(found.secret);
    const run = await driver.follow(found.secret, await again(), again);
    // A run that was withdrawn may never have come so far that its function has used up what was supplied.
    if (run.status === "withdrawn" && found.secret.inbox !== undefined) await labels.takeBack(found.secret);
    const isBack = run.status === "rolled-back" || run.status === "withdrawn";
    return { ...subject, outcome: isBack ? "rolled-back" : "failed", runs: [run] };
  } catch (failure) {
    if (!(failure instanceof FailedRotation)) throw failure;
    const { code, message, retryable } = failure;
    return { ...subject, outcome: "failed", runs: [], fault: { code, message, retryable } };
  }
}

async function inspect(registry: Registry, key: string, environment: string, host: RotationHost) {
  const found = findSecret(registry, environment, key);
  return reach(found, procedureOf(found), host);
}

/** A secret with what its rotations are looked at and driven by, in the environment's own account. */
async function reach(found: FoundSecret, procedure: ProcedurePlan, host: RotationHost) {
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
