import type { Phase } from "../../rotation";
import type { DriverContext, RotatedPlan } from "./driven-rotation";
import { FailedRotation } from "./failed-rotation";
import type { VersionLabels } from "./version-labels";

/**
 * Version that a phase is about, where the caller names none.
 *
 * @throws FailedRotation `nothing-to-retire`, `value-missing`
 */
export async function versionOfPhase(
  secret: Pick<RotatedPlan, "name">,
  phase: Phase,
  { current, pending, previous }: VersionLabels,
  { plan, cloud }: Pick<DriverContext, "plan" | "cloud">,
): Promise<string> {
  const wanted = {
    verify: current,
    promote: pending ?? current,
    rollback: current,
    decommission: previous,
  }[phase];
  if (wanted === undefined) {
    throw new FailedRotation(
      phase === "decommission" ? "nothing-to-retire" : "value-missing",
      phase === "decommission"
        ? `nothing-to-retire: ${secret.name} has no AWSPREVIOUS. To do: nothing, or name the version with --version-id.`
        : `value-missing: ${secret.name} has no value yet. To do: secrets-registry bootstrap --env ${plan.environment}.`,
      false,
    );
  }
  if (phase !== "rollback" || previous === undefined) return wanted;
  // A second rollback would go forward again. After one, AWSPREVIOUS is the younger of the two.
  const created = await cloud.createdAt(secret.name);
  const age = (version: string): number => created.get(version)?.getTime() ?? 0;
  return age(previous) > age(wanted) ? previous : wanted;
}
