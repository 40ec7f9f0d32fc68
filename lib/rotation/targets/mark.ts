import { fitName } from "../../model/names";
import { RotationError } from "../protocol/rotation-error";
import type { SecretIdentity } from "../protocol/target";

/** Key of the AWS tag by which a thing belongs to a secret. */
export const MARK_KEY = "secrets-registry:secret";

/** Tag values have 256 characters at most (https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html). */
const MARK_LENGTH = 256;

/**
 * Value of the tag: the secret's name. What carries it is in the secret's own account, so the name distinguishes secrets,
 * and a secret that was made anew under its name finds its things again.
 */
export const markOf = ({ secretName }: Pick<SecretIdentity, "secretName">): string =>
  fitName(secretName, MARK_LENGTH);

/**
 * Makes sure that a thing is not another secret's.
 *
 * @param found the mark on it; `undefined`: it has none
 * @param thing such as `replication group app`
 * @returns whether it is marked as this secret's already
 * @throws RotationError `target-not-ours`
 */
export function isOurs(found: string | undefined, secret: SecretIdentity, thing: string): boolean {
  if (found === undefined || found === markOf(secret)) return found !== undefined;
  throw new RotationError("target-not-ours", `${thing} carries ${MARK_KEY} ${JSON.stringify(found)}`);
}
