import { type Duration, formatDuration } from "../../model/duration";
import type { Publications } from "./ports";
import { RotationError } from "./rotation-error";

/**
 * The law of decision 3 (docs/explanation/architecture.md): who accepts a credential does so before anybody presents it, and until nobody does.
 * Every wait is counted from the moment when the last Vault confirmed AWSCURRENT; that is the latest change of
 * the secret, so each earlier one is at least as old.
 */
export interface Waits {
  /** Time for which the old credential lives beside the new one; 0 s: it cannot. */
  readonly overlap: Duration;
  /** Time for which `next` is accepted everywhere before it is used; 0 s where the target accepts. */
  readonly publishLead: Duration;
}

/** Change that is about to happen to the secret. */
export type Change = "rotate" | "promote" | "decommission" | "hand-over";

/**
 * The least time between the confirmed AWSCURRENT and a change.
 *
 * `rotate` takes the slot of the credential before AWSCURRENT (the other login, the second token, `previous`), which
 * lives through the overlap; where own workloads accept it may also put `next` to use, hence the longer of the two.
 *
 * `hand-over` is a decommission after which every key that workloads check lives on: what was published beside the
 * credential has its own overlap later, so this one waits only until each consumer has the new value.
 */
export function waitBefore(change: Change, waits: Waits): Duration {
  switch (change) {
    case "rotate":
      return waits.overlap.seconds >= waits.publishLead.seconds ? waits.overlap : waits.publishLead;
    case "promote":
    case "hand-over":
      return waits.publishLead;
    case "decommission":
      return waits.overlap;
  }
}

/** `true` for a refusal by this law: the same change may be made later. */
export const isTooEarly = (failure: unknown): failure is RotationError =>
  failure instanceof RotationError &&
  (failure.code === "overlap-running" || failure.code === "not-published-yet");

/** Earliest time of a change. */
export const earliest = (confirmedAt: Date, wait: Duration): Date =>
  new Date(confirmedAt.getTime() + wait.seconds * 1_000);

/**
 * Refuses a change that comes too early.
 *
 * @returns when every consumer has the current version; `undefined` where there is nothing to wait for
 * @throws RotationError `not-published-yet` or `overlap-running`
 */
export async function enforceWait(
  change: Change,
  waits: Waits,
  secretName: string,
  currentVersion: string,
  publications: Pick<Publications, "confirmedAt">,
  now: Date,
): Promise<Date | undefined> {
  const wait = waitBefore(change, waits);
  if (wait.seconds === 0) return undefined;
  const confirmedAt = await publications.confirmedAt(secretName, currentVersion);
  if (confirmedAt === undefined) {
    throw new RotationError(
      "not-published-yet",
      `${secretName}: version ${currentVersion} is not confirmed yet: not every Vault, or region, serves it`,
    );
  }
  const from = earliest(confirmedAt, wait);
  if (now.getTime() < from.getTime()) {
    throw new RotationError(
      "overlap-running",
      `${secretName}: ${change} is possible from ${from.toISOString()}, ${formatDuration(wait)} after version ` +
        `${currentVersion} was confirmed`,
    );
  }
  return from;
}
