import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import { TerraformStack, TerraformVariable } from "cdktf";
import type { Construct } from "constructs";
import { blueprint, type ClusterPlan, type VaultPlan } from "../lib/blueprint";
import { chosen, type RegistryParts, SecretsRegistry } from "../lib/constructs";
import { literalText } from "../lib/constructs/literal-text";
import type { Registry } from "../lib/model";
import { type AssumedRole, awsProvider, type ProviderVersions, requireVersions } from "./aws-provider";
import { type BackendSettings, setBackend } from "./backend-settings";
import { VaultCaFile } from "./vault-ca-file";

/** Input of {@link SecretsStack}. */
export interface SecretsStackProps<E extends string, W extends string> {
  readonly registry: Registry<E, W, string>;
  readonly environment: NoInfer<E>;
  /** `false`: the caller's own, such as `new CloudBackend(stack, …)`. @default local state */
  readonly backend?: BackendSettings | false;
  /**
   * Role that Terraform takes to deploy to AWS, such as one of another account than its own credentials'.
   * @default none: the credentials are the deployer's
   */
  readonly assumeRole?: AssumedRole;
  /**
   * Versions of Terraform's providers, where an app holds them against other modules' constraints.
   * @default exactly those that the constructs are made from
   */
  readonly providerVersions?: ProviderVersions;
  /** Parts that the stack holds. @default everything of the environment */
  readonly parts?: RegistryParts;
}

/**
 * One environment as a deployable stack: backend, providers, and one {@link SecretsRegistry}. One class, one
 * instance for each environment; what differs is data. Credentials come from where Terraform runs: AWS's own
 * chain, `VAULT_TOKEN` or a variable for each Vault (`plan.tokenVariable`), and `aws eks get-token`.
 *
 * @example
 * new SecretsStack(app, "prod", { registry, environment: "prod", backend: { type: "s3", bucket, region } });
 */
export class SecretsStack<E extends string = string, W extends string = string> extends TerraformStack {
  readonly secrets: SecretsRegistry<E, W>;

  constructor(
    scope: Construct,
    id: string,
    {
      registry,
      environment,
      backend,
      parts = {},
      assumeRole,
      providerVersions = {},
    }: SecretsStackProps<E, W>,
  ) {
    super(scope, id);
    const plan = blueprint(registry, environment);
    requireVersions(this, providerVersions);
    if (backend !== false) setBackend(this, id, backend ?? { type: "local" });
    const vaults = chosen(plan.vaults, parts.vaults, `Vault of ${environment}`);
    const clusters = chosen(plan.clusters, parts.clusters, `cluster of ${environment}`);
    const aws = parts.aws ?? true;
    this.secrets = new SecretsRegistry(this, "secrets", {
      registry,
      environment,
      parts: { aws, vaults: vaults.map(({ name }) => name), clusters: clusters.map(({ name }) => name) },
      providers: {
        ...(aws ? { aws: awsProvider(this, plan.regions.primary, plan.account, assumeRole) } : {}),
        vault: Object.fromEntries(vaults.map((vault) => [vault.name, vaultProvider(this, vault)])),
        kubernetes: Object.fromEntries(
          clusters.map((cluster) => [cluster.name, kubernetesProvider(this, cluster)]),
        ),
      },
    });
  }
}

/** Aliases always, so that a second Vault or cluster does not rename the first one's. */
function vaultProvider(scope: Construct, vault: VaultPlan): VaultProvider {
  return new VaultProvider(scope, `vault-${vault.name}`, {
    alias: vault.name,
    address: vault.address,
    token: vaultToken(scope, vault),
    ...(vault.namespace ? { namespace: literalText(vault.namespace) } : {}),
    ...(vault.caPem
      ? {
          caCertFile: new VaultCaFile(scope, `vault-ca-${vault.name}`, {
            vault: vault.name,
            pem: vault.caPem,
          }).path,
        }
      : {}),
  });
}

/**
 * A token is good for one Vault, and `VAULT_TOKEN` holds one: where an environment has several, each has its variable.
 * It is in no plan and no state.
 */
function vaultToken(scope: Construct, { name, tokenVariable }: VaultPlan): string {
  const token = new TerraformVariable(scope, `vault-token-${name}`, {
    type: "string",
    description: `Token that deploys to the Vault ${name}; VAULT_TOKEN where it is not set`,
    sensitive: true,
    nullable: true,
  });
  token.overrideLogicalId(tokenVariable);
  // Newer than the engine's own list of settings.
  token.addOverride("ephemeral", true);
  token.addOverride("default", null);
  return token.stringValue;
}

function kubernetesProvider(scope: Construct, cluster: ClusterPlan): KubernetesProvider {
  return new KubernetesProvider(scope, `kubernetes-${cluster.name}`, {
    alias: cluster.name,
    host: cluster.apiServer,
    ...(cluster.caPem ? { clusterCaCertificate: cluster.caPem } : {}),
    exec: [
      {
        apiVersion: "client.authentication.k8s.io/v1beta1",
        command: "aws",
        args: ["eks", "get-token", "--cluster-name", cluster.name, "--region", cluster.region],
      },
    ],
  });
}
