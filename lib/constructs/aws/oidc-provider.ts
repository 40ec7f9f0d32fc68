import { IamOpenidConnectProvider } from "@cdktf/provider-aws/lib/iam-openid-connect-provider";
import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { Construct } from "constructs";
import type { OidcProviderPlan, Tags } from "../../blueprint";
import { setAddress } from "../address";
import { literalText } from "../literal-text";

/** Input of {@link OidcProvider}. */
export interface OidcProviderProps {
  /** The provider as the blueprint has it. */
  readonly plan: OidcProviderPlan;
  /** @default none */
  readonly tags?: Tags;
  /** @default the stack's own AWS provider */
  readonly provider?: AwsProvider;
}

/**
 * The IAM OIDC provider of a cluster's issuer in the secrets' account, for clusters whose own stack makes none
 * there. IAM fetches the issuer's certificate itself.
 *
 * @example
 * for (const plan of blueprint(registry, "prod").oidcProviders) new OidcProvider(stack, plan.cluster, { plan });
 */
export class OidcProvider extends Construct {
  constructor(scope: Construct, id: string, { plan, tags, provider }: OidcProviderProps) {
    super(scope, id);
    setAddress(
      this,
      new IamOpenidConnectProvider(this, "provider", {
        ...(provider ? { provider } : {}),
        url: literalText(plan.issuer),
        clientIdList: [plan.audience],
        ...(tags ? { tags: { ...tags } } : {}),
      }),
      plan.cluster,
    );
  }
}
