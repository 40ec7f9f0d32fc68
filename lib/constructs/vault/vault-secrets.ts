import type { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import type { VaultPlan } from "../../blueprint";
import { hideIdsBelow } from "../address";
import { writesPolicies } from "../policy-files";
import { ClusterLogin } from "./cluster-login";
import { DatabaseEngine } from "./database-engine";
import { KvMount } from "./kv-mount";
import { MirrorLogin } from "./mirror-login";
import { VaultAclPolicy } from "./vault-acl-policy";
import { VaultLoginRole } from "./vault-login-role";

/** Input of {@link VaultSecrets}. */
export interface VaultSecretsProps {
  /** The Vault as the blueprint has it: one of `blueprint(registry, "prod").vaults`. */
  readonly plan: VaultPlan;
  /** @default the stack's own Vault provider */
  readonly provider?: VaultProvider;
}

/**
 * Everything of an environment in one Vault or OpenBao: KV mount, database engine, logins of its clusters and of the
 * mirror, policies and roles. The deployer's own policy is written as a file, for the Vault's administrator. A namespace is the provider's
 * setting.
 *
 * @example
 * for (const plan of blueprint(registry, "prod").vaults) new VaultSecrets(stack, `vault-${plan.name}`, { plan });
 */
export class VaultSecrets extends Construct {
  constructor(scope: Construct, id: string, { plan, provider }: VaultSecretsProps) {
    super(scope, id);
    hideIdsBelow(this);
    const common = provider ? { provider } : {};
    // Several Vaults of one environment have the same names inside, so the Vault's own name is part of every address.
    const word = (name: string): string => `${plan.name}--${name}`;
    const mounts = new Map<string, ITerraformDependable>();
    new KvMount(this, "kv", { ...common, plan: plan.kv, word: word(plan.kv.mount) });
    for (const auth of plan.auths) {
      const login = new ClusterLogin(this, `login-${auth.cluster}`, {
        ...common,
        plan: auth,
        word: word(auth.cluster),
      });
      mounts.set(auth.mount, login.mount);
    }
    for (const entry of plan.policies)
      new VaultAclPolicy(this, `policy-${entry.name}`, { ...common, plan: entry, word: word(entry.name) });
    for (const role of plan.roles) {
      const mount = mounts.get(role.mount);
      new VaultLoginRole(this, `role-${role.cluster}-${role.workload}`, {
        ...common,
        plan: role,
        word: word(`${role.cluster}--${role.workload}`),
        ...(mount ? { mount } : {}),
      });
    }
    for (const database of plan.databases) {
      new DatabaseEngine(this, database.mount, {
        ...common,
        plan: database,
        vault: plan.name,
      });
    }
    if (plan.mirror) {
      new MirrorLogin(this, "mirror", {
        ...common,
        plan: plan.mirror,
        word: word(plan.mirror.role),
      });
    }
    writesDeployerPolicy(this, plan);
  }
}

/**
 * Writes, at synth, the policy of the token that Terraform works with: `policies/vault-<vault>-deployer.hcl`. It is no resource: whoever
 * could change the policy of their own token could give themselves the whole Vault.
 */
function writesDeployerPolicy(scope: Construct, { name, namespace, deployer }: VaultPlan): void {
  const where = namespace === undefined ? "" : ` -namespace=${namespace}`;
  const file = `vault-${name}-deployer.hcl`;
  const head = `# For an administrator of the Vault ${name}, before the apply: vault policy write${where} ${deployer.name} ${file}\n\n`;
  writesPolicies(scope, { [file]: `${head}${deployer.text}` });
}
