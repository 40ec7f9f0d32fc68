import { Policy } from "@cdktf/provider-vault/lib/policy";
import type { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import type { VaultPolicy } from "../../blueprint";
import { setAddress } from "../address";

/** Input of {@link VaultAclPolicy}. */
export interface VaultAclPolicyProps {
  /** The policy as the blueprint has it. */
  readonly plan: VaultPolicy;
  /** Distinguishes it from other Vaults' in the Terraform address. @default the policy's name */
  readonly word?: string;
  /** @default the stack's own Vault provider */
  readonly provider?: VaultProvider;
}

/**
 * A Vault ACL policy: a workload's exact read paths, or what the mirror writes.
 *
 * @example
 * for (const plan of blueprint(registry, "prod").vaults[0].policies) new VaultAclPolicy(stack, plan.name, { plan });
 */
export class VaultAclPolicy extends Construct {
  /** The policy, for resources that must wait for it and go before it. */
  readonly policy: ITerraformDependable;

  constructor(scope: Construct, id: string, { plan, word, provider }: VaultAclPolicyProps) {
    super(scope, id);
    this.policy = setAddress(
      this,
      new Policy(this, "policy", { ...(provider ? { provider } : {}), name: plan.name, policy: plan.text }),
      word ?? plan.name,
    );
  }
}
