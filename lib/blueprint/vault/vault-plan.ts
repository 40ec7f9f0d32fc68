import { fault, RegistryError } from "../../model/faults";
import { podTokenTimes } from "../../model/lease-law";
import { authMount, deployerPolicyName, kvMount, vaultAudience, vaultTokenVariable } from "../../model/names";
import type { Environment, Registry, VaultServer } from "../../model/registry";
import { clustersOf, type WorkloadPlan } from "../identity/workload-plan";
import { type VaultPolicy, vaultPolicy } from "../platform/vault-policy";
import type { SecretPlan } from "../store/secret-plan";
import { databasePlans } from "./database-plan";
import { mirrorLoginPlan } from "./mirror-login";
import { type DeployedVault, deployerRules } from "./vault-deployer";
import type { VaultAuthPlan, VaultPlan, VaultRolePlan } from "./vault-server-plan";

/** An entry in Consul; twice that in Raft. https://developer.hashicorp.com/vault/docs/internals/limits */
const VAULT_ENTRY_LIMIT = 512 * 1_024;
/** An entry in Raft, the largest that a server takes without settings of its own (`max_entry_size`). */
const RAFT_ENTRY_LIMIT = 2 * VAULT_ENTRY_LIMIT;

/** KV keeps the version before the current one: a pod may still be rendering it. */
const KV_VERSIONS = 2;

/**
 * One Vault of an environment, for the workloads that have secrets.
 *
 * @throws RegistryError when the policy of the deployer, of the mirror or of a workload outgrows what Vault stores
 */
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
        ...(cluster.podCidrs ? { podCidrs: cluster.podCidrs } : {}),
      }),
    );
  const madeUsers = registry
    .secretsIn(environment.name)
    .filter(
      ({ kind, settings, store }) =>
        store === "vault" && kind === "postgresql-user" && settings.login === "dynamic",
    );
  const tokenOf = (name: string) =>
    podTokenTimes(
      environment,
      madeUsers.some(({ consumers }) => consumers.some(({ workload }) => workload === name)),
      registry.workload(name).longestRun,
    );
  const policies = workloads.flatMap((workload) => (workload.vault ? [workload.vault.policy] : []));
  const roles = auths.flatMap((auth) =>
    workloads.flatMap((workload): VaultRolePlan[] =>
      workload.vault && workload.pods.some(({ cluster }) => cluster === auth.cluster)
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
              tokenTtl: tokenOf(workload.name).ttl,
              tokenMaxTtl: tokenOf(workload.name).maxTtl,
              ...(auth.podCidrs ? { boundCidrs: auth.podCidrs } : {}),
            },
          ]
        : [],
    ),
  );
  const databases = databasePlans(environment, vault, registry.secretsIn(environment.name));
  const mirror = mirrorLoginPlan(registry, environment, vault.name, secrets, databases);
  const deployed: DeployedVault = {
    name: vault.name,
    address: vault.address,
    tokenVariable: vaultTokenVariable(vault.name),
    ...(vault.caPem ? { caPem: vault.caPem } : {}),
    ...(vault.namespace ? { namespace: vault.namespace } : {}),
    regions: vault.regions,
    manage: vault.manage,
    kv: {
      mount: kvMount(environment.name),
      maxVersions: KV_VERSIONS,
      casRequired: true,
      preventDestroy: environment.preventDestroy,
    },
    auths,
    policies,
    roles,
    databases,
    ...(mirror ? { mirror } : {}),
    deployerBound: vault.deployer,
  };
  const deployer = vaultPolicy(deployerPolicyName(registry.id, environment.name), deployerRules(deployed));
  const path = ["environments", environment.name, "vaults", environment.vaults.indexOf(vault)];
  const faults = [
    ...(vault.deployer === "contents" && deployer.text.length > VAULT_ENTRY_LIMIT
      ? [
          fault(
            [...path, "deployer"],
            `"contents", with which the deployer's policy has ${deployer.text.length} characters`,
            `${VAULT_ENTRY_LIMIT} characters in one entry of Vault's storage (Consul; twice that in Raft)`,
            'give the environment a namespace of its own and bind its deployer by "names", or split the registry',
          ),
        ]
      : []),
    ...[...policies, ...(mirror ? [mirror.policy] : []), ...(vault.deployer === "contents" ? [] : [deployer])]
      .map((policy) => ({ name: policy.name, stored: storedLength(policy) }))
      .filter(({ stored }) => stored > RAFT_ENTRY_LIMIT)
      .map(({ name, stored }) =>
        fault(
          path,
          `secrets and workloads with which the policy ${name} has ${stored} bytes in Vault's storage`,
          `${RAFT_ENTRY_LIMIT} bytes in one entry (Raft; half of that in Consul)`,
          "split the registry: each has a mount, a mirror and a deployer of its own",
        ),
      ),
  ];
  if (faults.length > 0) throw new RegistryError(faults);
  return { ...deployed, deployer };
}

/** Bytes that Vault keeps with a policy's text: OpenBao 2 took 300 where it refused one ("put failed due to value being too large"). */
const ENTRY_OVERHEAD = 1_024;

/** Bytes of a policy as Vault keeps it: its text as JSON, with what stands beside it. */
const storedLength = ({ text }: VaultPolicy): number =>
  Buffer.byteLength(JSON.stringify(text)) + ENTRY_OVERHEAD;
