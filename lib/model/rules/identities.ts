import { judgeAccess } from "../access-rules";
import type { ParsedEnvironment } from "../environment-definition";
import { type Fault, fault, type PathStep } from "../faults";
import { isNamespacePattern, namespaceLike, namespacesMeet } from "../namespace-patterns";
import { type ServiceAccountName, serviceAccountOf } from "../service-account";
import { clustersWith } from "../workload-clusters";
import type { ParsedWorkload } from "../workload-definition";
import { forEnvironments, type RuleContext } from "./context";

/** One workload of one environment, as the clusters know it. */
interface Identity extends ServiceAccountName {
  readonly environmentName: string;
  readonly environment: ParsedEnvironment;
  readonly name: string;
  readonly workload: ParsedWorkload;
}

/** Setting in which an author wrote the namespace of a workload of an environment. */
const writtenAt = ({ environmentName, name, workload }: Identity): readonly PathStep[] =>
  workload.environments[environmentName]?.namespace === undefined
    ? ["environments", environmentName, "namespacePattern"]
    : ["workloads", name, "environments", environmentName, "namespace"];

/** Namespaces that no preview environment has. */
const SYSTEM_NAMESPACES = ["default", "kube-*", "openshift-*"];

/**
 * Namespaces by a pattern: whoever may create one that matches reads what its workloads read. So they are for development, the
 * beginning says whose they are, and nothing is made or restarted in them from here, since nobody knows their names.
 */
export const namespacePatternFaults = (context: RuleContext): readonly Fault[] =>
  allIdentities(context).flatMap((identity) => {
    const { environmentName, environment, name, namespace, workload } = identity;
    if (!isNamespacePattern(namespace)) return [];
    const at = writtenAt(identity);
    const names = { namespace: JSON.stringify(namespace), tier: environment.tier };
    const start = namespace.slice(0, namespace.indexOf("*"));
    const system = SYSTEM_NAMESPACES.find((other) => namespacesMeet(other, namespace));
    const bound = environment.vaultAuth === "jwt" ? environment.vaults : [];
    return [
      ...(environment.tier === "development"
        ? []
        : [
            fault(
              at,
              `${names.namespace} for ${name}, in ${names.tier}`,
              "namespaces by their names: whoever may create one that matches a pattern reads what its workloads read",
              "write the namespace without *, or keep the pattern for an environment of tier development",
            ),
          ]),
      ...(start.length >= 4 && system === undefined
        ? []
        : [
            fault(
              at,
              `${names.namespace} for ${name}${system === undefined ? "" : `, which ${namespaceLike(system)} matches`}`,
              "a pattern that begins with a word of at least three characters and a hyphen, and takes in no namespace of the cluster's own",
              "choose another beginning, such as preview-*",
            ),
          ]),
      ...(environment.identity === "irsa" || environment.clusters.length === 0
        ? []
        : [
            fault(
              ["environments", environmentName, "identity"],
              `${JSON.stringify(environment.identity)}, with the namespaces ${names.namespace} for ${name}`,
              '"irsa": EKS Pod Identity has an association for each namespace',
              'write "irsa", or name the namespace',
            ),
          ]),
      ...bound.flatMap(({ deployer, name: vault }, index) =>
        deployer === "names"
          ? []
          : [
              fault(
                ["environments", environmentName, "vaults", index, "deployer"],
                `${JSON.stringify(deployer)}, with vaultAuth jwt and namespaces by a pattern`,
                `"names": Vault has patterns of subjects in an object, whose contents no policy can bind, so that the deployer of ${vault} could widen them`,
                `write "names", with a namespace of Vault that is this environment's alone, or set environments.${environmentName}.vaultAuth to "kubernetes"`,
              ),
            ],
      ),
      ...(workload.reload.how === "redeploy"
        ? [
            fault(
              ["workloads", name, "reload"],
              `"redeploy", with the namespaces ${names.namespace} in ${environmentName}`,
              "file-watch or command: nobody knows the namespaces in which it would be restarted",
              `choose one of them, or name one namespace in workloads.${name}.environments.${environmentName}.namespace`,
            ),
          ]
        : []),
    ];
  });

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
  const holders = new Map<string, Identity[]>();
  return allIdentities(context).flatMap((identity) => {
    const { environment, environmentName, name } = identity;
    const own = clustersWith(environmentName, environment.clusters, identity.workload);
    const shared = environment.clusters.flatMap((cluster, index) => {
      if (!own.includes(cluster)) return [];
      const account = `${cluster.issuer} ${identity.serviceAccount}`;
      const known = holders.get(account) ?? [];
      const holder = known.find(({ namespace }) => namespacesMeet(namespace, identity.namespace));
      holders.set(account, holder && holder.namespace === identity.namespace ? known : [...known, identity]);
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
        `the issuer of a cluster of ${first.holder.environmentName} too, where ${first.holder.namespace}/${identity.serviceAccount} is workload ${first.holder.name}; here it is workload ${name}, so that a pod of ${first.holder.environmentName} could take the role of ${environmentName}`,
        "on one cluster, a namespace or ServiceAccount of its own for each environment's workload",
        APART,
      ),
    ];
  });
}

/**
 * Faults of workloads that share a namespace with one that is denied their secrets: a principal that may create pods in
 * a namespace can choose any ServiceAccount of it, and so its rights.
 */
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
  const faults = new Map<string, Fault>();
  for (const { readers, neighbours } of placesOf(identities)) {
    for (const reader of readers) {
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

/** Those of one namespace of one issuer, or of one pattern, with all that may share a namespace with them. */
function placesOf(
  identities: readonly Identity[],
): readonly { readonly readers: readonly Identity[]; readonly neighbours: readonly Identity[] }[] {
  const issuers = new Map<string, Map<string, Identity[]>>();
  for (const identity of identities) {
    const { environmentName, environment, workload, namespace } = identity;
    for (const { issuer } of clustersWith(environmentName, environment.clusters, workload)) {
      const places = issuers.get(issuer) ?? new Map<string, Identity[]>();
      issuers.set(issuer, places);
      places.set(namespace, [...(places.get(namespace) ?? []), identity]);
    }
  }
  return [...issuers.values()].flatMap((places) => {
    const patterns = [...places.keys()].filter(isNamespacePattern);
    return [...places].map(([namespace, readers]) => ({
      readers,
      neighbours: [
        ...readers,
        ...(isNamespacePattern(namespace) ? [...places.keys()] : patterns)
          .filter((other) => other !== namespace && namespacesMeet(other, namespace))
          .flatMap((other) => places.get(other) ?? []),
      ],
    }));
  });
}
