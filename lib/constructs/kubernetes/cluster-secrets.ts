import type { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { Construct } from "constructs";
import type { Blueprint } from "../../blueprint";
import { hideIdsBelow } from "../address";
import { AgentConfigMap } from "./agent-config-map";
import { DeploymentPatch } from "./deployment-patch";
import { PodFiles } from "./pod-files";
import { VaultCa } from "./vault-ca";
import { WorkloadServiceAccount } from "./workload-service-account";

/** Input of {@link ClusterSecrets}. */
export interface ClusterSecretsProps {
  readonly blueprint: Blueprint;
  /** Name of one of the blueprint's clusters. */
  readonly cluster: string;
  /** @default the stack's own Kubernetes provider */
  readonly provider?: KubernetesProvider;
  /** `true`: files for Helm and Kustomize are written at synth. @default true */
  readonly files?: boolean;
}

/**
 * Everything of an environment in one cluster: ServiceAccounts, the Vault's CA in each namespace that needs it,
 * and the way by which pods get their annotations. Refers to nothing of AWS or Vault: roles and paths are names.
 *
 * @example
 * new ClusterSecrets(stack, "cluster", { blueprint: blueprint(registry, "prod"), cluster: "prod-eu-central" });
 */
export class ClusterSecrets extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { blueprint, cluster: name, provider, files = true }: ClusterSecretsProps,
  ) {
    super(scope, id);
    hideIdsBelow(this);
    const cluster = blueprint.clusters.find((candidate) => candidate.name === name);
    if (!cluster) {
      throw new Error(
        `${this.node.path}: no cluster ${JSON.stringify(name)} in ${blueprint.environment}; it has ${blueprint.clusters.map((candidate) => candidate.name).join(", ")}`,
      );
    }
    const common = provider ? { provider } : {};
    const caIn = new Map<string, VaultCa>();
    for (const workload of blueprint.workloads) {
      const pod = workload.pods.find((candidate) => candidate.cluster === name);
      if (!pod) continue;
      const account = new WorkloadServiceAccount(this, `service-account-${workload.name}`, {
        ...common,
        plan: workload,
        cluster,
      });
      if (pod.vaultCa && workload.manage !== "external" && !caIn.has(workload.namespace)) {
        const ca = new VaultCa(this, `vault-ca-${workload.namespace}`, {
          ...common,
          ...pod.vaultCa,
          namespace: workload.namespace,
          word: `${name}--${workload.namespace}`,
        });
        caIn.set(workload.namespace, ca);
      }
      const config =
        pod.agentConfig && workload.manage !== "external"
          ? new AgentConfigMap(this, `agent-config-${workload.name}`, {
              ...common,
              ...pod.agentConfig,
              namespace: workload.namespace,
              word: `${name}--${workload.name}`,
            })
          : undefined;
      if (workload.delivery.how === "patch" && pod.files.length > 0) {
        const rest = {
          cluster,
          partition: blueprint.partition,
          after: [account.made, caIn.get(workload.namespace)?.made, config?.made].flatMap(
            (made) => made ?? [],
          ),
        };
        new DeploymentPatch(this, `patch-${workload.name}`, {
          plan: pod,
          deployment: workload.delivery.deployment,
          controller: workload.controller,
          ...rest,
        });
        for (const { kind, name: further } of workload.controllers.slice(1)) {
          new DeploymentPatch(this, `patch-${workload.name}--${kind}-${further}`, {
            plan: pod,
            deployment: further,
            controller: kind,
            word: `${workload.namespace}--${kind.toLowerCase()}-${further}`,
            ...rest,
          });
        }
      }
    }
    if (files) new PodFiles(this, "files", { workloads: blueprint.workloads, cluster });
  }
}
