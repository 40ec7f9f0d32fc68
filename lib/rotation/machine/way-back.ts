import type { PhaseRequest } from "../protocol/event";
import { RotationError } from "../protocol/rotation-error";
import { useUp } from "./inbox";
import type { OpenedSecret } from "./opened-secret";
import { makeCurrent } from "./proofs";
import { alreadyDone, done, type RotationOutcome } from "./rotation-context";
import { beside } from "./version-values";

/**
 * Takes a version back. Target and label return together: the target accepts the value that is in use from then on, as its
 * newest where it keeps an order, before anything is labelled; so whatever dies here, AWSCURRENT works, and the next
 * rotation meets a target that is as if this one had never been. Decision: docs/adr/0021-the-way-back.md
 */
export async function rollBack<V>(
  secret: OpenedSecret<V>,
  { versionId }: PhaseRequest,
): Promise<RotationOutcome> {
  const { versions } = secret;
  if (versions.has(versionId, "AWSCURRENT")) return returnToPrevious(secret, versionId);
  if (versions.has(versionId, "AWSPREVIOUS")) {
    // The call before this one may have ended between its two label moves.
    if (versions.has(versionId, "AWSPENDING")) await secret.settle(versionId);
    return alreadyDone(versionId);
  }
  return giveUp(secret, versionId);
}

/** Goes back from a version that was served. Its own credential lives on: it is retired once nobody can hold it any more. */
async function returnToPrevious<V>(secret: OpenedSecret<V>, versionId: string): Promise<RotationOutcome> {
  const { context, versions, values } = secret;
  const { publications, secretName } = context;
  const previousId = versions.holderOf("AWSPREVIOUS");
  const previous = previousId === undefined ? undefined : await values.read(previousId);
  if (previousId === undefined || previous === undefined) {
    throw new RotationError("nothing-to-return-to", `${secretName} has no AWSPREVIOUS value`);
  }
  const { target, value } = previous;
  // A credential that was retired meanwhile stays dead: installing it would bring it back. A single slot does not
  // accept it now, in any case.
  if (target.acceptedBy !== "single-slot") await target.test(value);
  if (target.acceptedBy !== "own-workloads") {
    const left = beside(previous, await secret.readable(versionId));
    await secret.reaching(previous, () => target.install(value, left, secret.attempt(previousId)));
    await target.test(value);
  }
  await publications.withdraw(secretName, previousId);
  await makeCurrent(secret, previousId);
  await secret.settle(versionId);
  return done(versionId);
}

/**
 * A version that nobody was served. Its credential dies at once, and then its label goes, so that a call that died in
 * between is made again.
 */
async function giveUp<V>(secret: OpenedSecret<V>, versionId: string): Promise<RotationOutcome> {
  const { versions, values, context } = secret;
  await useUp(secret, versionId);
  const isPending = versions.has(versionId, "AWSPENDING");
  if (!isPending && (await values.readText(versionId)) === undefined) {
    // What was supplied may never have become a version.
    if (context.inbox?.takes === "each-value") return { result: "nothing-to-do", versionId };
    throw new RotationError("version-unknown", `${context.secretName} has no version ${versionId}`);
  }
  await endUnserved(secret, versionId);
  if (!isPending) return { result: "nothing-to-do", versionId };
  await secret.settle(versionId);
  return done(versionId);
}

async function endUnserved<V>(secret: OpenedSecret<V>, versionId: string): Promise<void> {
  const { context, versions, values } = secret;
  const { log, secretName } = context;
  const current = await secret.labelled("AWSCURRENT");
  const given = await secret.readable(versionId);
  if (given === undefined) {
    // It was to be made by the settings of now.
    const now = values.ofNow();
    await now.target.abandon?.(secret.attempt(versionId), beside(now, current));
    return;
  }
  if (given.target.acceptedBy === "own-workloads") return;
  if (given.target.acceptedBy === "single-slot") {
    const currentId = versions.holderOf("AWSCURRENT");
    if (current === undefined || currentId === undefined || current.target.acceptedBy === "own-workloads")
      return;
    await current.target.install(current.value, beside(current, given), secret.attempt(currentId));
    return;
  }
  try {
    await secret.retire(given, await secret.kept(versionId), { refreshedBy: undefined, emergency: false });
  } catch (failure) {
    // What only a person can end at the target must not hold up those who give it up.
    if (!(failure instanceof RotationError && failure.code === "still-accepted")) throw failure;
    log.warn(failure.message, { secret: secretName, version: versionId, code: failure.code });
  }
}
