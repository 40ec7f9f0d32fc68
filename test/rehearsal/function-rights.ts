import { rotates } from "../../lib/blueprint";
import type { RehearsedRotations } from "./rehearsed-rotations";
import { type RightsUsed, rightsOf, rightsUsed } from "./rights-used";

/** The rights of the functions that rotate and mirror in an environment, held against what they did. */
export const functionRights = ({ world }: RehearsedRotations): RightsUsed =>
  rightsUsed(
    Object.fromEntries(
      world.plan.functions
        .filter((plan) => rotates(plan) || plan.bundle === "mirror")
        .map(({ role }) => [role.name, [rightsOf(role, world.shim.calls)]]),
    ),
  );
