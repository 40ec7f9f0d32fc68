import { secretTexts, textDigest } from "../../contracts/secret-texts";
import type { TextFingerprints } from "../../contracts/version-fingerprints";
import type { FingerprintRequest, PhaseRequest } from "../protocol/event";
import { RotationError } from "../protocol/rotation-error";
import { splitSettings } from "../protocol/settings-in-effect";
import type { Change } from "../protocol/waiting-law";
import { derivedVersionId } from "./derived-version";
import { endEarlierCredential } from "./earlier-credential";
import type { OpenedSecret } from "./opened-secret";
import { proveCurrent } from "./proofs";
import { publishedBy } from "./published-keys";
import { alreadyDone, done, type RotationOutcome, type SecretFingerprints } from "./rotation-context";
import { finish } from "./steps";
import { beside, type Held } from "./version-values";
import { rollBack } from "./way-back";

/** Takes a phase of the procedure that follows a rotation. */
export function takePhase<V>(secret: OpenedSecret<V>, request: PhaseRequest): Promise<RotationOutcome> {
  switch (request.phase) {
    case "verify":
      return verify(secret, request);
    case "promote":
      return promote(secret, request);
    case "rollback":
      return rollBack(secret, request);
    case "decommission":
      return decommission(secret, request);
  }
}

/** Makes the fingerprints for the record of a run: reads, and changes nothing. */
export async function takeFingerprints<V>(
  { context: { fingerprints }, values }: OpenedSecret<V>,
  { versionId, oldVersionId }: FingerprintRequest,
): Promise<RotationOutcome> {
  if (fingerprints === undefined) return { result: "nothing-to-do", versionId };
  const text = await values.readText(versionId);
  if (text === undefined) throw values.empty(versionId);
  const before = oldVersionId === undefined ? undefined : await values.readText(oldVersionId);
  const made = (value: string): Promise<string> => fingerprints.ofValue(credentialIn(values, value));
  return {
    ...done(versionId),
    fingerprints: { new: await made(text), ...(before === undefined ? {} : { old: await made(before) }) },
    texts: await textsOf(credentialIn(values, text), fingerprints),
  };
}

/** Credential in a stored text, be it of the kind's form or not: the settings that made it are no part of it. */
const credentialIn = <V>(values: OpenedSecret<V>["values"], text: string): unknown =>
  splitSettings(values.parse(text)).value ?? text;

async function textsOf(value: unknown, fingerprints: SecretFingerprints): Promise<TextFingerprints> {
  const texts = [...secretTexts(value)].map(
    async ([place, text]) => [place, await fingerprints.ofText(textDigest(text))] as const,
  );
  return Object.fromEntries(await Promise.all(texts));
}

/** Fingerprints of the texts in AWSCURRENT, which may be a first value that no run follows. Reads, and changes nothing. */
export async function lookAtTexts<V>({
  context: { fingerprints },
  versions,
  values,
}: OpenedSecret<V>): Promise<RotationOutcome> {
  const versionId = versions.holderOf("AWSCURRENT");
  const text = versionId === undefined ? undefined : await values.readText(versionId);
  if (versionId === undefined || text === undefined || fingerprints === undefined)
    return { result: "nothing-to-do", versionId: "" };
  return { ...done(versionId), texts: await textsOf(credentialIn(values, text), fingerprints) };
}

/** Looks for a published key in AWSCURRENT that nobody uses yet. Reads, and changes nothing. */
export async function lookForPublished<V>({ versions, values }: OpenedSecret<V>): Promise<RotationOutcome> {
  const versionId = versions.holderOf("AWSCURRENT");
  const current = versionId === undefined ? undefined : await values.read(versionId);
  if (versionId === undefined || current === undefined) return { result: "nothing-to-do", versionId: "" };
  const published = publishedBy(current.target);
  const keyInUse = published?.keyInUse?.(current.value);
  const seen = { ...done(versionId), ...(keyInUse === undefined ? {} : { keyInUse }) };
  try {
    published?.promoted(current.value);
    return { ...seen, published: published !== undefined };
  } catch (failure) {
    if (!(failure instanceof RotationError && failure.code === "nothing-published")) throw failure;
    return { ...seen, published: false };
  }
}

async function verify<V>(secret: OpenedSecret<V>, { versionId }: PhaseRequest): Promise<RotationOutcome> {
  const { target, value } = await secret.values.require(versionId);
  await target.test(value);
  // A value that was put by hand is served from now on.
  if (secret.versions.has(versionId, "AWSCURRENT")) await proveCurrent(secret, versionId);
  return done(versionId);
}

/**
 * Puts a published `next` to use; for every other kind, and for a version that is not finished, finishes a
 * rotation whose value an operator has supplied.
 */
async function promote<V>(secret: OpenedSecret<V>, request: PhaseRequest): Promise<RotationOutcome> {
  const { context, versions, values } = secret;
  const { versionId } = request;
  const held = await values.read(versionId);
  const { target } = held ?? context;
  const published = publishedBy(target);
  const unfinished = target.acceptedBy === "target" && versions.has(versionId, "AWSPENDING");
  if (published === undefined || unfinished) {
    secret.checkCandidate(versionId);
    return finish(secret, versionId);
  }
  const derivedId = derivedVersionId(request);
  if (versions.has(derivedId, "AWSCURRENT")) {
    // The call before this one may have ended between its two label moves.
    await secret.settle(derivedId);
    return alreadyDone(derivedId);
  }
  if (!versions.has(versionId, "AWSCURRENT")) {
    throw new RotationError(
      "stale-version",
      `version ${versionId} of ${context.secretName} is not AWSCURRENT`,
    );
  }
  if (held === undefined) throw values.empty(versionId);
  const promoted = published.promoted(held.value);
  const previousId = versions.holderOf("AWSPREVIOUS");
  const before = previousId === undefined ? undefined : beside(held, await secret.readable(previousId));
  const change = published.dropsUsed(held.value, before) ? "rotate" : "promote";
  const refreshedBy = request.emergency ? undefined : await secret.wait(change, versionId);
  // A run that failed has left it alive, and no label names it after this.
  await endEarlierCredential(secret, [held, { ...held, value: promoted }], refreshedBy, request.emergency);
  await secret.publish(derivedId, promoted, held);
  return done(derivedId);
}

async function decommission<V>(secret: OpenedSecret<V>, request: PhaseRequest): Promise<RotationOutcome> {
  const { context, versions, values } = secret;
  const { target, secretName } = context;
  const { versionId, emergency } = request;
  if (versions.has(versionId, "AWSCURRENT") || versions.has(versionId, "AWSPENDING")) {
    throw new RotationError(
      "version-is-current",
      `version ${versionId} of ${secretName} is ${versions.labelsOf(versionId)?.join(", ")}`,
    );
  }
  if (target.acceptedBy === "single-slot") return { result: "nothing-to-do", versionId };
  const derivedId = derivedVersionId(request);
  if (versions.has(derivedId, "AWSCURRENT")) {
    await secret.settle(derivedId);
    return alreadyDone(derivedId);
  }
  const currentId = versions.holderOf("AWSCURRENT");
  if (currentId === undefined) {
    throw new RotationError("value-missing", `${secretName} has no current value, so nothing is retired`);
  }
  const retired = await values.require(versionId);
  const current = await values.require(currentId);
  const remaining =
    publishedBy(current.target)?.withoutRetired(current.value, retired.value) ?? withoutOlder(current);
  if (target.acceptedBy === "own-workloads" && remaining === undefined) {
    await secret.settle(currentId);
    return alreadyDone(currentId);
  }
  const refreshedBy = emergency
    ? undefined
    : await secret.wait(endOf(current, retired), currentId, retired.kept);
  const evidence = await secret.retire(retired, await secret.kept(versionId), { refreshedBy, emergency });
  if (remaining === undefined) return { ...done(versionId), evidence };
  await secret.publish(derivedId, remaining, current);
  return { ...done(derivedId), evidence };
}

/** Wait before the end of a version: its whole overlap, or only the time until each consumer has the new one. */
const endOf = <V>({ target, value }: Held<V>, retired: Held<V>): Change =>
  target.acceptedBy === "target" && target.published?.signsOn(value, retired.value)
    ? "hand-over"
    : "decommission";

/**
 * The current value without the key that it accepts beside the retired version's one. Such a key is older still: a run
 * that was superseded or that failed has left it there. The wait that follows covers it as well.
 */
const withoutOlder = <V>({ target, value }: Held<V>): V | undefined =>
  target.acceptedBy === "own-workloads" ? target.withoutPrevious(value) : undefined;
