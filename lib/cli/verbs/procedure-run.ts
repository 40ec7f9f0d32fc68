import type { RunView } from "../../contracts/dispatcher-answer";
import { formatDuration } from "../../model";
import {
  completeValue,
  earliest,
  isSupplied,
  RotationError,
  type SuppliedSecret,
  waitBefore,
} from "../../rotation";
import { FailedRotation, failedBy, failedTooEarly } from "../driver/failed-rotation";
import type { RunOrder } from "../driver/procedure-driver";
import { UserFault } from "../terminal/user-fault";
import type { Stage, Work } from "./procedure-stage";
import { isMadeHere, publicationOf } from "./procedure-work";
import { suppliedValue } from "./supplied-value";
import { faultOfSupplied } from "./supplied-values";

/** Begins a run, or goes on with the open one, and follows it to its end. */
export async function throughRun(work: Work, stage: Stage, open: RunView | undefined): Promise<RunView> {
  const { found, driver } = work;
  // One that is being taken back is not the dispatcher's to begin.
  const begun = open?.direction === "back" ? open : await beginRun(work, stage, open);
  return driver.follow(found.secret, begun, () => goOn(work, stage, begun));
}

/**
 * Has the dispatcher begin a run, or go on with the open one. Where that fails because of the value that a person has
 * supplied for it, this command may bring another.
 */
export async function beginRun(work: Work, stage: Stage, open: RunView | undefined): Promise<RunView> {
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
  const { found, driver, versions } = work;
  const version = await putSupplied(work, kind);
  try {
    return await begin(version);
  } catch (failure) {
    const { open } = await driver.runs(found.secret);
    if (open?.newVersion !== version) await versions.takeBack(found.secret);
    throw failure;
  }
}

/**
 * `true` when the function has made the value that a run is about: it gives a version its value and its label in one
 * call.
 */
const hasMadeValue = async ({ versions, found }: Work, run: RunView | undefined): Promise<boolean> =>
  run !== undefined && (await versions.labels(found.secret)).has(run.newVersion);

/** Has the dispatcher go on with a run, and with no other. */
export function goOn({ driver, found, ...work }: Work, stage: Stage, run: RunView): Promise<RunView> {
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
async function publishedVersion({ found, driver, versions, host, options }: Work): Promise<string> {
  const { secret, plan } = found;
  const { current } = await versions.labels(secret);
  const isWaiting =
    secret.rotation === "manual-dual-publish"
      ? publicationOf(await driver.runs(secret)) === current
      : (await driver.runs(secret)).published;
  if (current === undefined || !isWaiting) {
    throw failedBy(new RotationError("nothing-published", `${secret.name} has no published key that waits`));
  }
  if (options.phase === "promote") return current;
  const wait = host.pace.waitOf(waitBefore("promote", secret));
  await host.progress.step(
    `${secret.key}: wait until every pod accepts the published key`,
    async (report) => {
      const confirmedAt = await versions.confirmed(secret, current);
      const from = confirmedAt && earliest(confirmedAt, wait);
      if (from === undefined) return;
      report(
        `until ${from.toISOString()}, ${formatDuration(wait)} after every Vault of ${plan.environment} had it`,
      );
      while (host.pace.now() < from) await host.pace.sleep(host.pace.lookEveryMs);
    },
  );
  return current;
}

/**
 * Puts what an operator supplies into the inbox.
 *
 * @returns the version that is to be made of it
 */
async function putSupplied(work: Work, kind: SuppliedSecret): Promise<string> {
  const { found, versions, host, options } = work;
  const { secret } = found;
  const supplied =
    "supplied" in options ? options.supplied : await suppliedValue(found, kind, options, host.terminal);
  try {
    completeValue(kind, supplied);
    return await versions.putSupplied(secret, supplied, options);
  } catch (failure) {
    throw failure instanceof RotationError
      ? new UserFault(faultOfSupplied(secret.key, kind, failure))
      : failure;
  }
}
