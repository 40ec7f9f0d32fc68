import type { SecretDescription } from "./ports";
import { RotationError } from "./rotation-error";

/**
 * Refuses a secret whose values cannot be used, or not from here.
 *
 * @throws RotationError `secret-deleted`, `replica-region`
 */
export function requireUsable(secretName: string, description: SecretDescription, region: string): void {
  if (description.deleted) {
    throw new RotationError("secret-deleted", `${secretName} is scheduled for deletion`);
  }
  if (description.primaryRegion !== undefined && description.primaryRegion !== region) {
    throw new RotationError(
      "replica-region",
      `${secretName} in ${region} is a replica of ${description.primaryRegion}`,
    );
  }
}
