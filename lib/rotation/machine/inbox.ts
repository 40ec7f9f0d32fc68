import { createHash } from "node:crypto";
import { USED_UP } from "../../model/supplied-values";
import { labelHolder } from "../protocol/label-holder";
import { RotationError } from "../protocol/rotation-error";
import type { OpenedSecret } from "./opened-secret";

/**
 * The value that a person has supplied for a version, with what is carried over from AWSCURRENT; `undefined`: none. A
 * refused one is used up, so that a run whose value was refused makes nothing else either.
 *
 * @throws RotationError `operator-needed` when it was used up
 */
export async function suppliedFor<V>(
  secret: OpenedSecret<V>,
  versionId: string,
  current: V | undefined,
): Promise<V | undefined> {
  const { inbox, store, guard } = secret.context;
  if (inbox?.takes !== "each-value") return undefined;
  const text = await store.read(inbox.name, versionId);
  if (text === undefined) {
    const isUsedUp = (await store.read(inbox.name, tokenOf(versionId, "current"))) !== undefined;
    if (isUsedUp) {
      throw new RotationError("operator-needed", `what was supplied for version ${versionId} is used up`);
    }
    await refusePassedOver(secret, versionId);
    return undefined;
  }
  guard(text);
  const supplied = secret.values.parse(text);
  try {
    return inbox.complete(supplied, current);
  } catch (failure) {
    await useUp(secret, versionId);
    throw failure;
  }
}

/** `true` where the value that is made now is the one that people supply before any other. */
export const takesFirstValue = <V>({ context: { inbox }, versions }: OpenedSecret<V>): boolean =>
  inbox?.takes === "first-value" && !versions.isServed;

/**
 * The value that was used before there was a secret: what lies in the inbox, whichever version is made of it, since
 * Secrets Manager may begin the first rotation with another version than the one that was asked for. What is refused stays,
 * so that each call says why; something better takes its place.
 *
 * @throws RotationError `operator-needed` when nothing lies there; `value-malformed`
 */
export async function firstSupplied<V>(secret: OpenedSecret<V>): Promise<V> {
  const { inbox, guard, secretName } = secret.context;
  const text = inbox && (await latestIn(secret));
  if (inbox === undefined || text === undefined) {
    throw new RotationError(
      "operator-needed",
      `${secretName} is to begin with a value that is in use already, and nobody has supplied it: give it to bootstrap`,
    );
  }
  guard(text);
  const supplied = secret.values.parse(text);
  guard(supplied);
  return inbox.complete(supplied, undefined);
}

/** The latest text of the inbox; `undefined`: it is empty, or used up. */
async function latestIn<V>({ context: { inbox, store } }: OpenedSecret<V>): Promise<string | undefined> {
  if (inbox === undefined) return undefined;
  const { labels } = await store.describe(inbox.name);
  const latest = labelHolder(labels, "AWSCURRENT");
  const text = latest === undefined ? undefined : await store.read(inbox.name, latest);
  return text === USED_UP ? undefined : text;
}

/** Versions of the inbox that can be asked for by a label and hold something that was supplied, sorted. */
async function lyingIn<V>({ context: { inbox, store } }: OpenedSecret<V>): Promise<readonly string[]> {
  if (inbox === undefined) return [];
  const { labels } = await store.describe(inbox.name);
  const labelled = [...labels].flatMap(([version, names]) => (names.length > 0 ? [version] : []));
  const lying: string[] = [];
  for (const version of labelled.sort()) {
    const text = await store.read(inbox.name, version);
    if (text !== undefined && text !== USED_UP) lying.push(version);
  }
  return lying;
}

/**
 * An inbox keeps two values: a third one pushes the first out. A run whose value may have been pushed out makes nothing in
 * its place: the latest has a run of its own, or gets one when its command is run again.
 *
 * @throws RotationError `operator-needed`
 */
async function refusePassedOver<V>(secret: OpenedSecret<V>, versionId: string): Promise<void> {
  const waiting = await lyingIn(secret);
  if (waiting.length === 0) return;
  throw new RotationError(
    "operator-needed",
    `nothing is supplied for version ${versionId}: an inbox keeps two values, and later ones wait there as versions ` +
      `${waiting.join(" and ")}; supply the one that is meant`,
  );
}

/**
 * Takes what was supplied for a version out of sight: other values come after it, as many as it takes that no label is left
 * on it, so that whoever has not its version id cannot ask for it; Secrets Manager removes it with its oldest versions. Not
 * more: what was supplied after it waits for a run of its own. The same version again changes nothing. Where people supply
 * the first value alone, whatever lies there goes: nothing reads it any more.
 */
export async function useUp<V>(secret: OpenedSecret<V>, versionId: string): Promise<void> {
  const { inbox, store } = secret.context;
  if (inbox === undefined) return;
  for (const supplied of inbox.takes === "each-value" ? [versionId] : await lyingIn(secret)) {
    for (const place of ["current", "previous"] as const) {
      const { labels } = await store.describe(inbox.name);
      if ((labels.get(supplied) ?? []).length === 0) break;
      await store.putCurrent(inbox.name, tokenOf(supplied, place), USED_UP);
    }
  }
}

/** As long as a version id may be. */
const tokenOf = (versionId: string, place: "current" | "previous"): string =>
  createHash("sha256")
    .update(JSON.stringify([versionId, place]))
    .digest("hex");
