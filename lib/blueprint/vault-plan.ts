import type { Duration } from "../model/duration";
import { authMount, deployerPolicyName, kvMount, vaultAudience, vaultTokenVariable } from "../model/names";
import type { Environment, Registry, VaultServer } from "../model/registry";
import { type DatabasePlan, databasePlans } from "./database-plan";
import { type MirrorLoginPlan, mirrorLoginPlan } from "./mirror-login";
import type { SecretPlan } from "./secret-plan";
import { deployerRules, type VaultPolicy, vaultPolicy } from "./vault-policy";
import { clustersOf, type WorkloadPlan } from "./workload-plan";

/** One Vault of an environment. */
export interface VaultPlan {
  readonly name: string;
  readonly address: string;
  /** Ephemeral Terraform variable with the token that deploys to it; `VAULT_TOKEN` where it is not set. */
  readonly tokenVariable: string;
  readonly caPem?: string;
  readonly namespace?: string;
  readonly regions: readonly string[];
  readonly manage: VaultServer["manage"];
  readonly kv: { readonly mount: string; readonly maxVersions: number; readonly casRequired: boolean };
  /** One per cluster that uses this Vault, sorted by cluster. */
  readonly auths: readonly VaultAuthPlan[];
  /** Policies of workloads, sorted by name. */
  readonly policies: readonly VaultPolicy[];
  readonly roles: readonly VaultRolePlan[];
  /** The database engine; none where no secret is Vault's, one else. */
  readonly databases: readonly DatabasePlan[];
  /** Login of the function that writes the copies and has Vault rotate its connections. */
  readonly mirror?: MirrorLoginPlan;
  readonly deployer: VaultPolicy;
}

/** Login of one cluster's pods to one Vault. */
export interface VaultAuthPlan {
  readonly method: Environment["vaultAuth"];
  readonly mount: string;
  readonly cluster: string;
  readonly issuer: string;
  readonly apiServer: string;
  readonly caPem?: string;
  readonly issuerCaPem?: string;
  readonly issuerKeys?: readonly string[];
}

/** The auth role of one workload on one cluster's auth mount. */
export interface VaultRolePlan {
  readonly mount: string;
  readonly method: Environment["vaultAuth"];
  readonly cluster: string;
  readonly name: string;
  readonly workload: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly audience: string;
  readonly policies: readonly string[];
  readonly tokenTtl: Duration;
  readonly tokenMaxTtl: Duration;
}

/** KV keeps the version before the current one: a pod may still be rendering it. */
const KV_VERSIONS = 2;
/** A pod's Vault token; the agent renews it while the pod lives, up to the maximum. */
const TOKEN_TTL: Duration = { seconds: 3_600 };
const TOKEN_MAX_TTL: Duration = { seconds: 24 * 3_600 };

/** One Vault of an environment, for the workloads that have secrets. */
export function vaultPlan(
  registry: Registry,
  environment: Environment,
  vault: VaultServer,
  workloads: readonly WorkloadPlan[],
  secrets: readonly SecretPlan[],
): VaultPlan {
  const auths = clustersOf(environment)
    .filter((cluster) => cluster.vault === vault.name)
    .map(
      (cluster): VaultAuthPlan => ({
        method: environment.vaultAuth,
        mount: authMount(environment.vaultAuth, cluster),
        cluster: cluster.name,
        issuer: cluster.issuer,
        apiServer: cluster.apiServer,
        ...(cluster.caPem ? { caPem: cluster.caPem } : {}),
        ...(cluster.issuerCaPem ? { issuerCaPem: cluster.issuerCaPem } : {}),
        ...(cluster.issuerKeys ? { issuerKeys: cluster.issuerKeys } : {}),
      }),
    );
  const policies = workloads.flatMap((workload) => (workload.vault ? [workload.vault.policy] : []));
  const deployerName = deployerPolicyName(registry.id, environment.name);
  const roles = auths.flatMap((auth) =>
    workloads.flatMap((workload): VaultRolePlan[] =>
      workload.vault
        ? [
            {
              mount: auth.mount,
              method: auth.method,
              cluster: auth.cluster,
              name: workload.vault.roleName,
              workload: workload.name,
              namespace: workload.namespace,
              serviceAccount: workload.serviceAccount,
              audience: vaultAudience(environment.name),
              policies: [workload.vault.policy.name],
              tokenTtl: TOKEN_TTL,
              tokenMaxTtl: TOKEN_MAX_TTL,
            },
          ]
        : [],
    ),
  );
  const databases = databasePlans(environment, vault, registry.secretsIn(environment.name));
  const mirror = mirrorLoginPlan(registry, environment, secrets, databases);
  return {
    name: vault.name,
    address: vault.address,
    tokenVariable: vaultTokenVariable(vault.name),
    ...(vault.caPem ? { caPem: vault.caPem } : {}),
    ...(vault.namespace ? { namespace: vault.namespace } : {}),
    regions: vault.regions,
    manage: vault.manage,
    kv: { mount: kvMount(environment.name), maxVersions: KV_VERSIONS, casRequired: true },
    auths,
    policies,
    roles,
    databases,
    ...(mirror ? { mirror } : {}),
    deployer: vaultPolicy(
      deployerName,
      deployerRules({
        kvMount: kvMount(environment.name),
        authMounts: [...auths.map((auth) => auth.mount), ...(mirror ? [mirror.authMount] : [])],
        roles: [...roles, ...(mirror ? [{ mount: mirror.authMount, name: mirror.role }] : [])],
        databases,
        policyNames: [
          ...policies.map((policy) => policy.name),
          ...(mirror ? [mirror.policy.name] : []),
          deployerName,
        ],
      }),
    ),
  };
}
