import { JwtAuthBackend } from "@cdktf/provider-vault/lib/jwt-auth-backend";
import { JwtAuthBackendRole } from "@cdktf/provider-vault/lib/jwt-auth-backend-role";
import type { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import { Construct } from "constructs";
import type { MirrorLoginPlan } from "../../blueprint";
import { setAddress } from "../address";
import { literalText } from "../literal-text";
import { VaultAclPolicy } from "./vault-acl-policy";

/** Input of {@link MirrorLogin}. */
export interface MirrorLoginProps {
  /** The login as the blueprint has it: `plan.mirror`. */
  readonly plan: MirrorLoginPlan;
  /** Distinguishes it from other Vaults' in the Terraform address. @default the role's name */
  readonly word?: string;
  /** @default the stack's own Vault provider */
  readonly provider?: VaultProvider;
}

/**
 * The login of the mirror's function: AWS vouches for its IAM role by a token, and Vault verifies it with the keys that
 * AWS publishes. Bound to issuer, this Vault's audience, the role and the function; without the `default` policy.
 *
 * @example
 * const { mirror } = blueprint(registry, "prod").vaults[0];
 * if (mirror) new MirrorLogin(stack, "mirror", { plan: mirror });
 */
export class MirrorLogin extends Construct {
  constructor(scope: Construct, id: string, { plan, word, provider }: MirrorLoginProps) {
    super(scope, id);
    const common = provider ? { provider } : {};
    const address = word ?? plan.role;
    new VaultAclPolicy(this, "policy", { ...common, plan: plan.policy, word: address });
    const backend = setAddress(
      this,
      new JwtAuthBackend(this, "jwt", {
        ...common,
        path: plan.authMount,
        type: "jwt",
        description: "The function that copies AWSCURRENT into this Vault",
        boundIssuer: literalText(plan.issuer),
        oidcDiscoveryUrl: literalText(plan.issuer),
        jwtSupportedAlgs: [plan.signingAlgorithm],
      }),
      address,
    );
    setAddress(
      this,
      new JwtAuthBackendRole(this, "role", {
        ...common,
        dependsOn: [backend],
        backend: plan.authMount,
        roleName: plan.role,
        roleType: "jwt",
        boundAudiences: [plan.audience],
        boundSubject: plan.subject,
        boundClaims: { ...plan.boundClaims },
        userClaim: "sub",
        tokenPolicies: [plan.policy.name],
        tokenNoDefaultPolicy: true,
        tokenTtl: plan.tokenTtl.seconds,
        tokenMaxTtl: plan.tokenMaxTtl.seconds,
      }),
      address,
    );
  }
}
