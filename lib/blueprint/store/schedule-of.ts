import { sumOf } from "../../model/duration";
import type { Environment } from "../../model/registry";
import type { EnvironmentSecret } from "../../model/resolve";
import { type RotationSchedule, rotationSchedule } from "../../model/rotation-schedule";

/** Schedule of a secret that rotates by itself; `undefined`: people move it on, or nobody needs it any more. */
export const scheduleOf = (
  { rotationHours }: Pick<Environment, "rotationHours">,
  secret: EnvironmentSecret,
): RotationSchedule | undefined =>
  secret.store === "aws" && secret.rotation === "automatic" && secret.retired === undefined
    ? rotationSchedule(
        secret.physicalKey,
        secret.rotateEvery,
        sumOf(secret.overlap, secret.publishLead),
        rotationHours,
        secret.schedule,
      )
    : undefined;
