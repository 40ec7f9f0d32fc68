import type { Run } from "../../contracts/run";
import { Versions } from "../machine/versions";
import type { SecretDescription } from "../protocol/ports";

/** Time of a secret's last rotation. `isServed`: some value of it was served. */
export interface LastRotation {
  /** `undefined`: never. */
  readonly last: Date | undefined;
  readonly isServed: boolean;
}

/**
 * A secret's last rotation: by a run that was not withdrawn, or by Secrets Manager. A first value has no run.
 *
 * @param latest its runs, the latest first
 */
export function lastRotation(description: SecretDescription, latest: readonly Run[]): LastRotation {
  const run = latest.find(
    ({ kind, status }) => kind !== "promotion" && kind !== "retirement" && status !== "withdrawn",
  );
  const known = [run?.startedAt, description.lastRotatedAt].flatMap((date) => date ?? []);
  return {
    last: known.length === 0 ? undefined : new Date(Math.max(...known.map((date) => date.getTime()))),
    isServed: new Versions(description).isServed,
  };
}
