import { type Fault, fault, type PathStep } from "../faults";
import { nearest } from "../nearest";
import { clustersWith } from "../workload-clusters";
import { forEnvironments, type RuleContext, repeated } from "./context";

/**
 * Faults of clusters that share a Vault by the method `kubernetes`: Vault has every token reviewed by the cluster in
 * which it runs itself, with its own ServiceAccount.
 */
export function reviewerFaults({ parsed }: RuleContext): readonly Fault[] {
  const firstAt = new Map<string, { readonly name: string; readonly apiServer: string }>();
  return [...parsed.environments].flatMap(([environmentName, { vaultAuth, vaults, clusters }]) => {
    if (vaultAuth !== "kubernetes") return [];
    const strangers = clusters.flatMap((cluster) => {
      const address = vaults.find(({ name }) => name === cluster.vault)?.address;
      if (address === undefined) return [];
      const first = firstAt.get(address);
      if (first === undefined) firstAt.set(address, cluster);
      return first === undefined || first.apiServer === cluster.apiServer
        ? []
        : [{ address, first, cluster }];
    });
    const [one] = strangers;
    if (one === undefined) return [];
    return [
      fault(
        ["environments", environmentName, "vaultAuth"],
        `"kubernetes", with clusters ${one.first.name} and ${one.cluster.name} on the Vault at ${one.address}`,
        "one cluster for each Vault: it has tokens reviewed by the cluster in which it runs, which knows no other's",
        `set environments.${environmentName}.vaultAuth to "jwt", or give each cluster a Vault of its own`,
      ),
    ];
  });
}

/** Clusters that a workload names exist, and it lives somewhere in each environment in which it has secrets. */
export function workloadClusterFaults(context: RuleContext): readonly Fault[] {
  const { parsed } = context;
  const all = [...parsed.environments.values()].flatMap(({ clusters }) => clusters.map(({ name }) => name));
  const unknown = [...parsed.workloads].flatMap(([workload, { clusters, environments }]) => [
    ...listFaults(["workloads", workload, "clusters"], clusters ?? [], all),
    ...Object.entries(environments).flatMap(([name, here]) =>
      listFaults(
        ["workloads", workload, "environments", name, "clusters"],
        here.clusters ?? [],
        parsed.environments.get(name)?.clusters.map((cluster) => cluster.name) ?? all,
      ),
    ),
  ]);
  if (unknown.length > 0) return unknown;
  return forEnvironments(context, (name, { clusters }, secrets) =>
    [...parsed.workloads].flatMap(([workload, parsedWorkload]) => {
      const secret = secrets.find(({ consumers }) =>
        consumers.some((consumer) => consumer.workload === workload),
      );
      if (
        secret === undefined ||
        clusters.length === 0 ||
        clustersWith(name, clusters, parsedWorkload).length > 0
      )
        return [];
      return [
        fault(
          ["workloads", workload, "clusters"],
          `${(parsedWorkload.environments[name]?.clusters ?? parsedWorkload.clusters ?? []).join(", ")}, none of which is in ${name}, where it consumes ${secret.key}`,
          `a cluster of ${name}: ${clusters.map((cluster) => cluster.name).join(", ")}`,
          `name one of them in workloads.${workload}.environments.${name}.clusters`,
        ),
      ];
    }),
  );
}

function listFaults(
  path: readonly PathStep[],
  names: readonly string[],
  known: readonly string[],
): readonly Fault[] {
  const distinct = [...new Set(known)].sort();
  return [
    ...names.flatMap((name, index) => {
      if (known.includes(name)) return [];
      const near = nearest(name, distinct);
      return [
        fault(
          [...path, index],
          JSON.stringify(name),
          `clusters: ${distinct.join(", ")}`,
          near === undefined ? "choose one of them" : `write ${JSON.stringify(near)}`,
        ),
      ];
    }),
    ...repeated(names, (name) => name).map(({ entry, index }) =>
      fault([...path, index], `${JSON.stringify(entry)} a second time`, "each cluster once", "remove it"),
    ),
  ];
}
