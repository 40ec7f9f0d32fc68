import { AuthBackend } from "@cdktf/provider-vault/lib/auth-backend";
import { JwtAuthBackend } from "@cdktf/provider-vault/lib/jwt-auth-backend";
import { KubernetesAuthBackendConfig } from "@cdktf/provider-vault/lib/kubernetes-auth-backend-config";
import type { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import type { VaultAuthPlan } from "../../blueprint";
import { setAddress } from "../address";
import { literalText } from "../literal-text";

/** Input of {@link ClusterLogin}. */
export interface ClusterLoginProps {
  /** The auth mount as the blueprint has it: one of `plan.auths`. */
  readonly plan: VaultAuthPlan;
  /** Distinguishes it from other Vaults' in the Terraform address. @default the mount's path */
  readonly word?: string;
  /** @default the stack's own Vault provider */
  readonly provider?: VaultProvider;
}

/**
 * The auth mount by which one cluster's pods log in. With `kubernetes`, Vault asks the API server about each
 * token, with the ServiceAccount of its own pod: no reviewer's token is stored. With `jwt`, it verifies tokens
 * with the issuer's keys.
 *
 * @example
 * new ClusterLogin(stack, "login", { plan: blueprint(registry, "prod").vaults[0].auths[0] });
 */
export class ClusterLogin extends Construct {
  /** Resource that roles on this mount must wait for. */
  readonly mount: ITerraformDependable;

  constructor(scope: Construct, id: string, { plan, word, provider }: ClusterLoginProps) {
    super(scope, id);
    const common = provider ? { provider } : {};
    const name = word ?? plan.mount;
    const description = `Pods of cluster ${plan.cluster}`;
    if (plan.method === "jwt") {
      this.mount = setAddress(
        this,
        new JwtAuthBackend(this, "jwt", {
          ...common,
          path: plan.mount,
          type: "jwt",
          description,
          ...jwtTrust(plan),
        }),
        name,
      );
      return;
    }
    const backend = setAddress(
      this,
      new AuthBackend(this, "kubernetes", { ...common, path: plan.mount, type: "kubernetes", description }),
      name,
    );
    setAddress(
      this,
      new KubernetesAuthBackendConfig(this, "settings", {
        ...common,
        backend: backend.path,
        kubernetesHost: plan.apiServer,
        ...(plan.caPem ? { kubernetesCaCert: plan.caPem } : {}),
        // The API server checks the issuer when it reviews the token.
        disableIssValidation: true,
      }),
      name,
    );
    this.mount = backend;
  }
}

/** Source of the issuer's keys for Vault: given, or published by the issuer. */
function jwtTrust(plan: VaultAuthPlan) {
  const issuer = { boundIssuer: literalText(plan.issuer) };
  if (plan.issuerKeys) return { ...issuer, jwtValidationPubkeys: [...plan.issuerKeys] };
  return {
    ...issuer,
    oidcDiscoveryUrl: literalText(plan.issuer),
    ...(plan.issuerCaPem ? { oidcDiscoveryCaPem: plan.issuerCaPem } : {}),
  };
}
