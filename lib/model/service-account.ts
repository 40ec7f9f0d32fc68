import type { ParsedEnvironment } from "./environment-definition";
import type { ParsedWorkload } from "./workload-definition";

/** A ServiceAccount as Kubernetes knows it; the identity of one workload in each cluster of one environment. */
export interface ServiceAccountName {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/**
 * ServiceAccount of a workload in an environment. A namespace that the workload names for the environment stands as it
 * is; any other goes through the environment's pattern.
 */
export function serviceAccountOf(
  environmentName: string,
  { namespacePattern }: Pick<ParsedEnvironment, "namespacePattern">,
  workloadName: string,
  workload: Pick<ParsedWorkload, "namespace" | "serviceAccount" | "environments">,
): ServiceAccountName {
  const here = workload.environments[environmentName];
  return {
    namespace:
      here?.namespace ??
      namespacePattern
        .replaceAll("{namespace}", workload.namespace)
        .replaceAll("{environment}", environmentName),
    serviceAccount: here?.serviceAccount ?? workload.serviceAccount ?? workloadName,
  };
}

/** `sub` claim of a ServiceAccount's tokens. */
export const subjectOf = ({ namespace, serviceAccount }: ServiceAccountName): string =>
  `system:serviceaccount:${namespace}:${serviceAccount}`;
