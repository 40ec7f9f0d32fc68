import { check } from "../check";
import { type Fault, fault, type PathStep } from "../faults";
import { slug } from "../grammar";
import { checkNames, mergedCheck, type WrittenChecks } from "../health-checks";
import { nearest } from "../nearest";
import type { RuleContext } from "./context";

/** Checks that would not run where somebody counts on them. */
export const healthCheckFaults = (context: RuleContext): readonly Fault[] =>
  [...context.parsed.workloads].flatMap(([workload, written]) => [
    ...nameFaults(workload, written),
    ...[...context.parsed.environments.keys()].flatMap((environment) =>
      checkNames(written, environment).flatMap((name) => incomplete(workload, written, environment, name)),
    ),
  ]);

/** Names become parts of metrics and of the rotation log. */
function nameFaults(workload: string, { checks, environments }: WrittenChecks): readonly Fault[] {
  const places: readonly (readonly PathStep[])[] = [
    ...Object.keys(checks).map((name) => ["workloads", workload, "checks", name]),
    ...Object.entries(environments).flatMap(([environment, here]) =>
      Object.keys(here.checks)
        .filter((name) => !(name in checks))
        .map((name) => ["workloads", workload, "environments", environment, "checks", name]),
    ),
  ];
  return places.flatMap((place) => check(slug, place.at(-1), place).faults);
}

function incomplete(
  workload: string,
  written: WrittenChecks,
  environment: string,
  name: string,
): readonly Fault[] {
  const own = Object.keys(written.checks);
  const here = ["workloads", workload, "environments", environment, "checks", name];
  const merged = mergedCheck(written, environment, name);
  if (!own.includes(name) && merged?.type === undefined) {
    const near = nearest(name, own);
    return [
      fault(
        here,
        `${JSON.stringify(name)}, which is no check of workloads.${workload}.checks and has no type of its own`,
        own.length === 0
          ? "a check with type and url"
          : `one of ${[...own].sort().join(", ")}, or a check with type and url`,
        near === undefined ? "complete it, or remove it" : `did you mean ${JSON.stringify(near)}?`,
      ),
    ];
  }
  if (merged === undefined || merged.url !== undefined) return [];
  return [
    fault(
      [...here, "url"],
      "nothing",
      `the URL of the check in ${environment}`,
      `add it, give workloads.${workload}.checks a URL for all environments, or write "none" where the check does not run`,
    ),
  ];
}
