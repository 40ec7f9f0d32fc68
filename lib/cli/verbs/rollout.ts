import type { Registry } from "../../model";
import { unknownSecret } from "../find-secret";
import { UserFault } from "../user-fault";
import { type ProcedureOptions, type ProcedureReport, rotateByProcedure } from "./procedure-rotation";
import type { RotationHost } from "./rotate";

/** How a rollout is called. */
export interface RolloutOptions extends Pick<ProcedureOptions, "change" | "valueFrom" | "emergency"> {
  /** @default every environment that has the secret */
  readonly environments?: readonly string[] | undefined;
}

/** How far a rollout came. */
export interface RolloutReport {
  readonly secret: string;
  /** In the registry's order: development, staging, production. */
  readonly environments: readonly ProcedureReport[];
  /** Environments that were not begun, because one before them did not verify. */
  readonly left: readonly string[];
}

/** Whether the rotation of an environment is behind it. */
export const isThrough = ({ outcome }: Pick<ProcedureReport, "outcome">): boolean =>
  outcome === "done" || outcome === "already-done";

/**
 * Rotates a secret in one environment after the other, and stops at the first that does not come to its good end. Run
 * again with the same change request, it goes on there.
 *
 * @throws UserFault and UnknownNameError
 */
export async function rollout(
  registry: Registry,
  key: string,
  { environments, ...options }: RolloutOptions,
  host: RotationHost,
): Promise<RolloutReport> {
  if (!registry.secretKeys.includes(key)) throw new UserFault(unknownSecret(registry, key));
  for (const name of environments ?? []) registry.environment(name);
  const wanted = registry.environmentNames.filter(
    (name) => registry.secretIn(name, key) !== undefined && (environments?.includes(name) ?? true),
  );
  const reports: ProcedureReport[] = [];
  for (const environment of wanted) {
    const report = await rotateByProcedure(registry, key, { environment, ...options }, host);
    reports.push(report);
    if (!isThrough(report)) break;
  }
  return { secret: key, environments: reports, left: wanted.slice(reports.length) };
}
