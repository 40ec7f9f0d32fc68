import { judgeAccess } from "../access-rules";
import type { ParsedEnvironment, ParsedWorkload } from "../definition";
import { type Fault, fault } from "../faults";
import { type ServiceAccountName, serviceAccountOf, subjectOf } from "../service-account";
import { clustersWith } from "../workload-clusters";
import { forEnvironments, type RuleContext } from "./context";

/** One workload of one environment, as the clusters know it. */
interface Identity extends ServiceAccountName {
  readonly environmentName: string;
  readonly environment: ParsedEnvironment;
  readonly name: string;
  readonly workload: ParsedWorkload;
}

const identitiesOf = (
  { parsed }: RuleContext,
  environmentName: string,
  environment: ParsedEnvironment,
): readonly Identity[] =>
  [...parsed.workloads].map(([name, workload]) => ({
    environmentName,
    environment,
    name,
    workload,
    ...serviceAccountOf(environmentName, environment, name, workload),
  }));

const allIdentities = (context: RuleContext): readonly Identity[] =>
  forEnvironments(context, (name, environment) => identitiesOf(context, name, environment));

/** A namespace is a DNS label, also after the environment's pattern. */
export const namespaceFaults = (context: RuleContext): readonly Fault[] =>
  allIdentities(context).flatMap(({ environmentName, environment, name, namespace }) =>
    namespace.length <= 63
      ? []
      : [
          fault(
            ["workloads", name, "namespace"],
            `${namespace} in ${environmentName}, ${namespace.length} characters by ${environment.namespacePattern}`,
            "a namespace of at most 63 characters (RFC 1123 label)",
            `shorten it, or name one for the environment: workloads.${name}.environments.${environmentName}.namespace`,
          ),
        ],
  );

const APART =
  'give the environment namespaces of its own, such as namespacePattern: "{namespace}-{environment}", or name them in workloads.<workload>.environments.<environment>.namespace';

/**
 * One subject of one issuer takes one role. Clusters are the same where their issuers are: IAM, Vault's `jwt` and EKS Pod
 * Identity know a pod by nothing but its cluster, namespace and ServiceAccount, so a pod of one environment would take the
 * role of the other.
 */
export function sharedSubjectFaults(context: RuleContext): readonly Fault[] {
  const holders = new Map<string, Identity>();
  return allIdentities(context).flatMap((identity) => {
    const { environment, environmentName, name } = identity;
    const own = clustersWith(environmentName, environment.clusters, identity.workload);
    const shared = environment.clusters.flatMap((cluster, index) => {
      if (!own.includes(cluster)) return [];
      const subject = `${cluster.issuer} ${subjectOf(identity)}`;
      const holder = holders.get(subject);
      holders.set(subject, holder ?? identity);
      // Within one environment another rule speaks.
      return holder === undefined || holder.environmentName === environmentName
        ? []
        : [{ cluster, index, holder }];
    });
    const [first] = shared;
    if (first === undefined) return [];
    return [
      fault(
        ["environments", environmentName, "clusters", first.index, "issuer"],
        `the issuer of a cluster of ${first.holder.environmentName} too, where ${identity.namespace}/${identity.serviceAccount} is workload ${first.holder.name}; here it is workload ${name}, so that a pod of ${first.holder.environmentName} could take the role of ${environmentName}`,
        "on one cluster, a namespace or ServiceAccount of its own for each environment's workload",
        APART,
      ),
    ];
  });
}

/** Whoever may create pods in a namespace picks any ServiceAccount of it, and so its rights. */
export function sharedNamespaceFaults(context: RuleContext): readonly Fault[] {
  const { parsed, resolved } = context;
  const identities = allIdentities(context);
  const readBy = ({ environmentName, name }: Identity): readonly string[] =>
    (resolved.get(environmentName) ?? [])
      .filter(({ consumers }) => consumers.some(({ workload }) => workload === name))
      .map(({ key }) => key);
  const isDenied = (workload: string, key: string): boolean => {
    const verdict = judgeAccess(parsed.accessRules.get(workload), key);
    return !verdict.allowed && verdict.because === "denied";
  };
  const places = new Map<string, Identity[]>();
  for (const identity of identities) {
    const { environmentName, environment, workload } = identity;
    for (const { issuer } of clustersWith(environmentName, environment.clusters, workload)) {
      const place = `${issuer} ${identity.namespace}`;
      places.set(place, [...(places.get(place) ?? []), identity]);
    }
  }
  const faults = new Map<string, Fault>();
  for (const neighbours of places.values()) {
    for (const reader of neighbours) {
      for (const key of readBy(reader)) {
        // A reader that is denied the secret itself is a fault of its own.
        if (faults.has(reader.name) || isDenied(reader.name, key)) continue;
        const denied = neighbours.find(({ name }) => isDenied(name, key));
        if (denied === undefined) continue;
        faults.set(
          reader.name,
          fault(
            ["workloads", reader.name, "namespace"],
            `${reader.namespace} in ${reader.environmentName}, beside workload ${denied.name}, which accessRules[${JSON.stringify(denied.name)}].deny keeps from ${key}`,
            `a namespace without workloads that are denied what ${reader.name} reads: whoever creates pods in a namespace picks any of its ServiceAccounts`,
            "give it a namespace of its own",
          ),
        );
      }
    }
  }
  return [...faults.values()];
}
