import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import type { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import type { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { type Blueprint, blueprint, type PodPlan } from "../blueprint";
import { type Registry, UnknownNameError } from "../model";
import { hideIdsBelow } from "./address";
import { AwsSecrets } from "./aws";
import { synthesizeFrugally, withoutTokenTraces } from "./frugal-synthesis";
import { ClusterSecrets, type PodSpec, podSpec } from "./kubernetes";
import { providersOf } from "./shared-providers";
import { VaultSecrets } from "./vault";

/** Parts of an environment that a stack holds. AWS, each Vault and each cluster can be stacks of their own. */
export interface RegistryParts {
  /** @default true */
  readonly aws?: boolean;
  /** Names of Vaults. @default all */
  readonly vaults?: readonly string[];
  /** Names of clusters. @default all */
  readonly clusters?: readonly string[];
}

/**
 * Providers. Needed wherever a stack reaches more than one account, Vault or cluster: each Vault and each cluster has
 * its own then, and none is left to the stack's default provider ({@link SharedProviderError}).
 */
export interface RegistryProviders {
  readonly aws?: AwsProvider;
  /** Providers by Vault name. */
  readonly vault?: Readonly<Record<string, VaultProvider>>;
  /** Providers by cluster name. */
  readonly kubernetes?: Readonly<Record<string, KubernetesProvider>>;
}

/** Input of {@link SecretsRegistry}. */
export interface SecretsRegistryProps<E extends string, W extends string> {
  readonly registry: Registry<E, W, string>;
  readonly environment: NoInfer<E>;
  /** @default everything */
  readonly parts?: RegistryParts;
  /** @default the stack's default provider of each kind, where the stack has one Vault and one cluster */
  readonly providers?: RegistryProviders;
  /** Folder of the functions' bundles, for an app that is itself bundled. @default `dist/functions` of this package */
  readonly bundles?: string;
}

/** Needs of a Deployment in the same app, by workload. */
export interface WorkloadReference {
  /** ARN of its IAM role: a plain string. */
  readonly roleArn: string;
  readonly namespace: string;
  readonly serviceAccountName: string;
  /** Needs of its pods, where the environment has one cluster. */
  readonly pod: PodSpec;
  /** Needs of its pods in one of several clusters. */
  podIn(cluster: string): PodSpec;
}

/**
 * Everything that follows from a registry in one environment: secrets, identities, Vault, pods.
 *
 * @example
 * const secrets = new SecretsRegistry(this, "secrets", { registry, environment: "dev" });
 * secrets.workload("backend").pod.annotations;
 *
 * @example An environment with several Vaults and clusters: a provider for each
 * new SecretsRegistry(this, "secrets", {
 *   registry,
 *   environment: "prod",
 *   providers: { vault: { "eu-central": central, "eu-west": west }, kubernetes: { "prod-eu-central": eks, "prod-eu-west": other } },
 * });
 *
 * @example AWS alone, so that a Vault that is away does not block it
 * new SecretsRegistry(this, "secrets", { registry, environment: "prod", parts: { vaults: [], clusters: [] } });
 */
export class SecretsRegistry<E extends string = string, W extends string = string> extends Construct {
  /** The data that everything here is made of. */
  readonly blueprint: Blueprint;

  /**
   * @throws SharedProviderError where several Vaults or clusters would be reached by one provider
   * @throws UnknownNameError for a part or a provider of what the environment does not have
   */
  constructor(
    scope: Construct,
    id: string,
    { registry, environment, parts = {}, providers = {}, bundles }: SecretsRegistryProps<E, W>,
  ) {
    super(scope, id);
    hideIdsBelow(this);
    synthesizeFrugally(TerraformStack.of(this));
    const plan = blueprint(registry, environment);
    this.blueprint = plan;
    withoutTokenTraces(() => this.#add(environment, plan, parts, providers, bundles));
  }

  #add(
    environment: string,
    plan: Blueprint,
    parts: RegistryParts,
    providers: RegistryProviders,
    bundles: string | undefined,
  ): void {
    const { aws = true, vaults, clusters } = parts;
    if (aws) {
      const account = { name: plan.account, identity: plan.account };
      const own = providersOf(
        this,
        "AWS account",
        [account],
        providers.aws && { [plan.account]: providers.aws },
      );
      new AwsSecrets(this, "aws", {
        blueprint: plan,
        ...(bundles === undefined ? {} : { bundles }),
        ...(own[plan.account] ? { provider: own[plan.account] } : {}),
      });
    }
    const vaultPlans = chosen(plan.vaults, vaults, `Vault of ${environment}`);
    const byVault = providersOf(
      this,
      "Vault",
      vaultPlans.map(({ name, address, namespace = "" }) => ({ name, identity: `${address} ${namespace}` })),
      providers.vault,
    );
    for (const vault of vaultPlans) {
      const provider = byVault[vault.name];
      new VaultSecrets(this, `vault-${vault.name}`, { plan: vault, ...(provider ? { provider } : {}) });
    }
    const clusterPlans = chosen(plan.clusters, clusters, `cluster of ${environment}`);
    const byCluster = providersOf(
      this,
      "cluster",
      clusterPlans.map(({ name, apiServer }) => ({ name, identity: apiServer })),
      providers.kubernetes,
    );
    for (const { name } of clusterPlans) {
      const provider = byCluster[name];
      new ClusterSecrets(this, `cluster-${name}`, {
        blueprint: plan,
        cluster: name,
        ...(provider ? { provider } : {}),
      });
    }
  }

  /**
   * A workload as a Deployment in the same app needs it.
   *
   * @throws UnknownNameError for a workload or cluster that the registry does not have
   */
  workload(name: W): WorkloadReference {
    const { workloads } = this.blueprint;
    const found = workloads.find((workload) => workload.name === name);
    if (!found)
      throw new UnknownNameError(
        "workload, or one that consumes nothing here:",
        name,
        workloads.map((workload) => workload.name),
      );
    const podIn = (cluster: string): PodSpec => podSpec(podOf(found.pods, cluster));
    return {
      roleArn: found.role.arn,
      namespace: found.namespace,
      serviceAccountName: found.serviceAccount,
      podIn,
      get pod() {
        const [only, ...others] = found.pods;
        if (!only || others.length > 0) {
          throw new UnknownNameError(
            "cluster, where there is not just one: ask podIn(cluster) instead of",
            "pod",
            found.pods.map((pod) => pod.cluster),
          );
        }
        return podSpec(only);
      },
    };
  }
}

function podOf(pods: readonly PodPlan[], cluster: string): PodPlan {
  const found = pods.find((pod) => pod.cluster === cluster);
  if (!found)
    throw new UnknownNameError(
      "cluster",
      cluster,
      pods.map((pod) => pod.cluster),
    );
  return found;
}

/** The named ones of a list, all by default. */
export function chosen<T extends { readonly name: string }>(
  all: readonly T[],
  names: readonly string[] | undefined,
  what: string,
): readonly T[] {
  const unknown = names?.find((name) => !all.some((entry) => entry.name === name));
  if (unknown !== undefined)
    throw new UnknownNameError(
      what,
      unknown,
      all.map((entry) => entry.name),
    );
  return names ? all.filter((entry) => names.includes(entry.name)) : all;
}
