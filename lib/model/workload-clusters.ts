import type { ParsedEnvironment } from "./environment-definition";
import type { ParsedWorkload } from "./workload-definition";

/**
 * The clusters of an environment in which a workload lives: those that it names for the environment, else those that it names for
 * all of them, else every one. It has no identity in any other: whoever may create its ServiceAccount there takes nothing.
 */
export function clustersWith<C extends ParsedEnvironment["clusters"][number]>(
  environmentName: string,
  clusters: readonly C[],
  workload: Pick<ParsedWorkload, "clusters" | "environments">,
): readonly C[] {
  const named = workload.environments[environmentName]?.clusters ?? workload.clusters;
  return named === undefined ? clusters : clusters.filter(({ name }) => named.includes(name));
}
