import { KvSecretBackendV2 } from "@cdktf/provider-vault/lib/kv-secret-backend-v2";
import { Mount } from "@cdktf/provider-vault/lib/mount";
import type { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import { Construct } from "constructs";
import type { VaultPlan } from "../../blueprint";
import { setAddress } from "../address";

/** Input of {@link KvMount}. */
export interface KvMountProps {
  /** The mount as the blueprint has it: `plan.kv`. */
  readonly plan: VaultPlan["kv"];
  /** Distinguishes it from other Vaults' in the Terraform address. @default the mount's path */
  readonly word?: string;
  /** @default the stack's own Vault provider */
  readonly provider?: VaultProvider;
}

/**
 * The KV v2 mount of an environment: check-and-set required, so that two writers cannot overwrite each other
 * unseen, and two versions kept, because a pod may still be rendering the one before.
 *
 * @example
 * new KvMount(stack, "kv", { plan: blueprint(registry, "prod").vaults[0].kv });
 */
export class KvMount extends Construct {
  readonly path: string;

  constructor(scope: Construct, id: string, { plan, word, provider }: KvMountProps) {
    super(scope, id);
    const common = provider ? { provider } : {};
    const mount = setAddress(
      this,
      new Mount(this, "mount", {
        ...common,
        path: plan.mount,
        type: "kv",
        options: { version: "2" },
        description: "Copies of AWSCURRENT, written by the mirror only",
        ...(plan.preventDestroy ? { lifecycle: { preventDestroy: true } } : {}),
      }),
      word ?? plan.mount,
    );
    setAddress(
      this,
      new KvSecretBackendV2(this, "settings", {
        ...common,
        mount: mount.path,
        maxVersions: plan.maxVersions,
        casRequired: plan.casRequired,
      }),
      word ?? plan.mount,
    );
    this.path = plan.mount;
  }
}
