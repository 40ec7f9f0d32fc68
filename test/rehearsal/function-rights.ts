import { rotates } from "../../lib/blueprint";
import type { RehearsedRotations } from "./rehearsed-rotations";
import { holderOf, type RightsUsed, rightsUsed } from "./rights-used";

/** The rights of the functions that rotate and mirror in an environment, held against what they did. */
export const functionRights = ({ world }: RehearsedRotations): RightsUsed =>
  rightsUsed(
    world.plan.functions
      .filter((plan) => rotates(plan) || plan.bundle === "mirror")
      .map(({ bundle, role }) => holderOf(bundle, role)),
    world.shim.calls,
  );
