import { JwtAuthBackendRole } from "@cdktf/provider-vault/lib/jwt-auth-backend-role";
import { KubernetesAuthBackendRole } from "@cdktf/provider-vault/lib/kubernetes-auth-backend-role";
import type { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import type { VaultRolePlan } from "../../blueprint";
import { isNamespacePattern } from "../../model/namespace-patterns";
import { subjectOf } from "../../model/service-account";
import { setAddress } from "../address";

/** Input of {@link VaultLoginRole}. */
export interface VaultLoginRoleProps {
  /** The role as the blueprint has it: one of `plan.roles`. */
  readonly plan: VaultRolePlan;
  /** The auth mount, if this stack makes it. @default it exists */
  readonly mount?: ITerraformDependable;
  /** Distinguishes it from other Vaults' in the Terraform address. @default the mount's path and the workload */
  readonly word?: string;
  /** @default the stack's own Vault provider */
  readonly provider?: VaultProvider;
}

/** `bound_subject` is one subject; those of a pattern are bound by the claim. */
function subjectBound(plan: VaultRolePlan) {
  const subject = subjectOf(plan);
  return isNamespacePattern(plan.namespace)
    ? { boundClaimsType: "glob", boundClaims: { sub: subject } }
    : { boundSubject: subject };
}

/**
 * The auth role of a workload on one cluster's mount: bound to the exact ServiceAccount and to the
 * environment's audience, so that neither another pod's token nor this pod's token for another service logs in.
 *
 * @example
 * for (const plan of blueprint(registry, "prod").vaults[0].roles) {
 *   new VaultLoginRole(stack, `${plan.mount}-${plan.workload}`, { plan });
 * }
 */
export class VaultLoginRole extends Construct {
  constructor(scope: Construct, id: string, { plan, mount, word, provider }: VaultLoginRoleProps) {
    super(scope, id);
    const common = {
      ...(provider ? { provider } : {}),
      ...(mount ? { dependsOn: [mount] } : {}),
      backend: plan.mount,
      roleName: plan.name,
      tokenPolicies: [...plan.policies],
      // `default` would add rights that the registry does not name; what the agent needs of it is in the
      // workload's policy.
      tokenNoDefaultPolicy: true,
      tokenTtl: plan.tokenTtl.seconds,
      tokenMaxTtl: plan.tokenMaxTtl.seconds,
      ...(plan.boundCidrs ? { tokenBoundCidrs: [...plan.boundCidrs] } : {}),
    };
    const address = word ?? `${plan.mount}--${plan.workload}`;
    if (plan.method === "jwt") {
      setAddress(
        this,
        new JwtAuthBackendRole(this, "jwt", {
          ...common,
          roleType: "jwt",
          boundAudiences: [plan.audience],
          ...subjectBound(plan),
          userClaim: "sub",
        }),
        address,
      );
    } else {
      setAddress(
        this,
        new KubernetesAuthBackendRole(this, "kubernetes", {
          ...common,
          boundServiceAccountNames: [plan.serviceAccount],
          boundServiceAccountNamespaces: [plan.namespace],
          audience: plan.audience,
          // The UID changes with a recreated ServiceAccount, so an old entity's rights are not inherited.
          aliasNameSource: "serviceaccount_uid",
        }),
        address,
      );
    }
  }
}
