import { RotationError } from "../protocol/rotation-error";
import type { OpenedSecret } from "./opened-secret";
import type { Held } from "./version-values";

/**
 * Ends the credential of AWSPREVIOUS before another one is made, whatever became of the run that should have: a run that
 * failed or died leaves it alive, and it would hold the slot that the next one needs. By the law nobody presents it any
 * more when a rotation may begin; an emergency does not ask.
 *
 * @param kept AWSCURRENT's value, and the one that is about to come in
 * @param refreshedBy when every consumer should have had AWSCURRENT
 * @throws RotationError for what may pass with time, and `still-presented`: whoever presents it would be cut off
 */
export async function endEarlierCredential<V>(
  secret: OpenedSecret<V>,
  kept: readonly Held<V>[],
  refreshedBy: Date | undefined,
  emergency: boolean,
): Promise<void> {
  const { context, versions } = secret;
  const { log, secretName } = context;
  const previousId = versions.holderOf("AWSPREVIOUS");
  if (previousId === undefined) return;
  const previous = await secret.readable(previousId);
  if (previous === undefined) return;
  try {
    await secret.retire(previous, kept, { refreshedBy, emergency });
  } catch (failure) {
    if (!(failure instanceof RotationError) || holdsUp(failure)) throw failure;
    if (failure.code === "settings-former-unreachable") await requireReachable(kept[0]);
    log.warn(failure.message, { secret: secretName, version: previousId, code: failure.code });
  }
}

/**
 * A former place that cannot be reached may be gone for good, or it is away together with the one in use: then it is asked
 * again, for after this rotation nobody would.
 *
 * @throws RotationError `target-unreachable`
 */
async function requireReachable<V>(current: Held<V> | undefined): Promise<void> {
  try {
    await current?.target.test(current.value);
  } catch (failure) {
    if (!(failure instanceof RotationError) || failure.code === "target-unreachable") throw failure;
  }
}

/** Faults that only a person can change: the vendor's key is theirs to end, or the place is gone. */
const LEFT_TO_PEOPLE: ReadonlySet<string> = new Set(["still-accepted", "settings-former-unreachable"]);

/**
 * `true` for faults that hold the rotation up: what no later try changes, and what only a person can end, must not refuse each later rotation: making the next
 * credential says it, if it matters.
 */
const holdsUp = ({ code, retryable }: RotationError): boolean =>
  code === "still-presented" || (retryable && !LEFT_TO_PEOPLE.has(code));
