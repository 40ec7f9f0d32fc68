import { BY_SCHEDULE } from "../../contracts/run";
import type { StepRequest } from "../protocol/event";
import { RotationError } from "../protocol/rotation-error";
import { requireRunOf } from "../protocol/run-authority";
import { endEarlierCredential } from "./earlier-credential";
import { firstSupplied, suppliedFor, takesFirstValue, useUp } from "./inbox";
import type { OpenedSecret } from "./opened-secret";
import { isProven, takeBackUnproven } from "./proofs";
import { publishedBy } from "./published-keys";
import { alreadyDone, done, type RotationOutcome } from "./rotation-context";
import { beside, type Held } from "./version-values";

/** Takes one of Secrets Manager's four steps. */
export async function takeStep<V>(
  secret: OpenedSecret<V>,
  { step, versionId }: StepRequest,
): Promise<RotationOutcome> {
  checkStaged(secret, step, versionId);
  await checkRun(secret, step, versionId);
  switch (step) {
    case "createSecret":
      return create(secret, versionId);
    case "setSecret":
      return set(secret, versionId);
    case "testSecret":
      return test(secret, versionId);
    case "finishSecret":
      return finish(secret, versionId);
  }
}

/** Proves a version that was installed, and makes it AWSCURRENT. */
export async function finish<V>(secret: OpenedSecret<V>, versionId: string): Promise<RotationOutcome> {
  if (await isProven(secret, versionId)) return alreadyDone(versionId);
  const pending = await secret.values.require(versionId);
  const predecessor = beside(pending, await secret.predecessor(versionId));
  pending.target.checkSuccession(pending.value, predecessor, await isEmergency(secret, versionId));
  await secret.commit(versionId, pending);
  return done(versionId);
}

/**
 * Secrets Manager calls with a version that it has staged itself. Where an operator's tool runs the steps
 * there is no schedule, hence no rotation to be enabled, and the version begins with createSecret.
 */
function checkStaged<V>(secret: OpenedSecret<V>, step: StepRequest["step"], versionId: string): void {
  const { mode, secretName } = secret.context;
  const scheduled = mode === "automatic";
  if (scheduled && !secret.versions.rotationEnabled) {
    throw new RotationError("rotation-disabled", `rotation of ${secretName} is not enabled`);
  }
  if (scheduled || step !== "createSecret") secret.checkCandidate(versionId);
}

/**
 * Once a value is served, only what has a run goes on: the dispatcher begins it, or createSecret for Secrets Manager's own
 * schedule. A version that nobody has filled yet has none.
 */
async function checkRun<V>(
  secret: OpenedSecret<V>,
  step: StepRequest["step"],
  versionId: string,
): Promise<void> {
  const { context, versions, values } = secret;
  // Where no procedure follows, nothing begins runs.
  if (context.runs === undefined) return;
  if (!versions.isServed || (await isProven(secret, versionId))) return;
  if (context.mode === "automatic") {
    if (step === "createSecret" || (await values.read(versionId)) === undefined) return;
    // Somebody has put a value by hand: the version is current, and this makes it a proved one.
    if (versions.has(versionId, "AWSCURRENT")) return;
  }
  // What was proved by another key, that of a region that was lost, is proved anew by its test.
  if (versions.has(versionId, "AWSCURRENT") && versions.proofsOf(versionId).length > 0) return;
  await requireRunOf(versionId, context);
}

async function create<V>(
  secret: OpenedSecret<V>,
  versionId: string,
  hasTakenBack = false,
): Promise<RotationOutcome> {
  const { context, versions, values } = secret;
  const { settings, log, secretName } = context;
  // An empty AWSPENDING version exists before the first call: only a value shows that this step was done.
  if ((await values.read(versionId)) !== undefined) {
    await useUp(secret, versionId);
    return alreadyDone(versionId);
  }
  if (await takeBackUnproven(secret)) {
    log.warn("AWSCURRENT was put past every test: what was served before is back", {
      secret: secretName,
      version: versions.holderOf("AWSCURRENT"),
    });
    return create(await secret.reopened(), versionId, true);
  }
  const currentId = versions.holderOf("AWSCURRENT");
  const current = currentId === undefined ? undefined : await values.read(currentId);
  const emergency = await isEmergency(secret, versionId);
  // Where no version was ever proved, no value was ever served: there is nobody to wait for.
  const isServed = currentId !== undefined && current !== undefined && versions.isServed;
  if (isServed && (context.inbox?.publishes ?? true)) {
    settings?.checkChange(current.kept);
    const refreshedBy = emergency ? undefined : await secret.wait("rotate", currentId);
    await beginRun(secret, versionId, currentId);
    // Readers by IRSA hold what was AWSCURRENT a moment ago. It may be another owner's, too: a person ends it.
    if (!hasTakenBack || emergency) {
      await endEarlierCredential(secret, [current], refreshedBy, emergency);
    }
  }
  const now = values.ofNow();
  const value = await make(secret, versionId, current, emergency);
  try {
    await values.putPending(versionId, { ...now, value });
  } catch (failure) {
    if (!(failure instanceof RotationError && failure.code === "value-exists")) throw failure;
    // Two calls at once: the other one's value stands, and every later step reads it from the store.
    log.info("another call wrote this version's value first", { secret: secretName, version: versionId });
    await now.target.discard?.(value);
    await useUp(secret, versionId);
    return alreadyDone(versionId);
  }
  await useUp(secret, versionId);
  return done(versionId);
}

/** Makes a new value. In an emergency every key of it is another one: a leak is of all that a value holds. */
async function make<V>(
  secret: OpenedSecret<V>,
  versionId: string,
  current: Held<V> | undefined,
  emergency: boolean,
): Promise<V> {
  const { values, versions } = secret;
  const now = values.ofNow();
  const attempt = secret.attempt(versionId);
  if (takesFirstValue(secret)) {
    // Where a call before this one has put it, it is taken over whole: its key is the one that is to be used.
    return now.target.generate(undefined, attempt, current?.value ?? (await firstSupplied(secret)));
  }
  const currentId = versions.holderOf("AWSCURRENT");
  const isProved = currentId !== undefined && versions.proofsOf(currentId).length > 0;
  const given = await suppliedFor(secret, versionId, isProved ? current?.value : undefined);
  const published = publishedBy(now.target);
  if (emergency && current !== undefined && published !== undefined) {
    return published.replaced(current.value, attempt, given);
  }
  const predecessor = beside(now, current);
  const elsewhere = predecessor === undefined ? current?.value : undefined;
  return now.target.generate(predecessor, attempt, given, elsewhere);
}

/**
 * `true` where the run by which the version rotates in is an emergency: a step's event is Secrets Manager's and knows of
 * none.
 */
async function isEmergency<V>(
  { context: { runs, secretName } }: OpenedSecret<V>,
  versionId: string,
): Promise<boolean> {
  return (await runs?.read(secretName, versionId))?.emergency ?? false;
}

/**
 * A rotation by Secrets Manager's own schedule begins its run here, before anything is made; one that the dispatcher
 * started has one already. Other modes are started by the dispatcher alone.
 */
async function beginRun<V>(
  { context: { mode, runs, secretName, clock } }: OpenedSecret<V>,
  versionId: string,
  currentId: string,
): Promise<void> {
  if (mode !== "automatic") return;
  await runs?.begin(
    {
      secret: secretName,
      run: versionId,
      kind: "rotation",
      newVersion: versionId,
      oldVersion: currentId,
      startedBy: BY_SCHEDULE,
    },
    clock.now(),
  );
}

async function set<V>(secret: OpenedSecret<V>, versionId: string): Promise<RotationOutcome> {
  if (await isProven(secret, versionId)) return alreadyDone(versionId);
  const pending = await secret.values.require(versionId);
  const { target, value } = pending;
  const predecessor = beside(pending, await secret.predecessor(versionId));
  const emergency = await isEmergency(secret, versionId);
  target.checkSuccession(value, predecessor, emergency);
  await endBeforeSupplied(secret, versionId, pending, emergency);
  if (target.acceptedBy !== "own-workloads") {
    await target.install(value, predecessor, secret.attempt(versionId));
  }
  return done(versionId);
}

/**
 * A value that people have supplied was not made by createSecret, which ends the credential before AWSCURRENT's. Where the
 * overlap is not over yet, the dispatcher has not begun this.
 */
async function endBeforeSupplied<V>(
  secret: OpenedSecret<V>,
  versionId: string,
  pending: Held<V>,
  emergency: boolean,
): Promise<void> {
  const { context, versions } = secret;
  const currentId = versions.holderOf("AWSCURRENT");
  if (context.mode === "automatic" || currentId === undefined || currentId === versionId) return;
  const refreshedBy = emergency ? undefined : await secret.refreshedBy(currentId);
  if (!emergency && refreshedBy === undefined) return;
  await endEarlierCredential(secret, [...(await secret.kept(versionId)), pending], refreshedBy, emergency);
}

async function test<V>(secret: OpenedSecret<V>, versionId: string): Promise<RotationOutcome> {
  if (await isProven(secret, versionId)) return alreadyDone(versionId);
  const pending = await secret.values.read(versionId);
  // RotateSecret with RotateImmediately=false calls testSecret alone, with a version that nobody has filled.
  if (pending === undefined) return { result: "nothing-to-do", versionId };
  await pending.target.test(pending.value);
  return done(versionId);
}
