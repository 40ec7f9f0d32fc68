import { KmsAlias } from "@cdktf/provider-aws/lib/kms-alias";
import { KmsKey } from "@cdktf/provider-aws/lib/kms-key";
import { KmsReplicaKey } from "@cdktf/provider-aws/lib/kms-replica-key";
import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { Construct } from "constructs";
import type { KeyPlan } from "../../blueprint";
import { setAddress } from "../address";
import { literalJson, literalText } from "../literal-text";

/** Input of {@link SecretsKey}. */
export interface SecretsKeyProps {
  /** The key as the blueprint has it: `blueprint(registry, "prod").key`. */
  readonly plan: KeyPlan;
  /** Regions of the plan: `blueprint(registry, "prod").regions`. */
  readonly regions: { readonly primary: string; readonly replicas: readonly string[] };
  /** @default the stack's own AWS provider */
  readonly provider?: AwsProvider;
}

/**
 * The multi-region customer key that encrypts an environment's secrets, its replica in every replica region,
 * and one alias in each.
 *
 * @example
 * const plan = blueprint(registry, "prod");
 * const key = new SecretsKey(stack, "key", { plan: plan.key, regions: plan.regions });
 * key.arnIn("eu-west-1");
 */
export class SecretsKey extends Construct {
  readonly #arns: ReadonlyMap<string, string>;

  constructor(scope: Construct, id: string, { plan, regions, provider }: SecretsKeyProps) {
    super(scope, id);
    const common = {
      ...(provider ? { provider } : {}),
      description: literalText(plan.description),
      deletionWindowInDays: plan.deletionWindowDays,
      tags: { ...plan.tags },
      lifecycle: { preventDestroy: plan.preventDestroy },
    };
    const policyIn = (region: string): string => {
      const policy = plan.policies[region];
      // Without one, KMS would put its default there: every right for the whole account.
      if (!policy) {
        throw new Error(
          `${this.node.path}: the plan has no key policy for ${region}; it has ${Object.keys(plan.policies).join(", ")}`,
        );
      }
      return literalJson(policy);
    };
    const primary = setAddress(
      this,
      new KmsKey(this, "primary", {
        ...common,
        region: regions.primary,
        multiRegion: true,
        enableKeyRotation: true,
        policy: policyIn(regions.primary),
      }),
      regions.primary,
    );
    // Every read of an attribute makes a token with a stack trace, so it is read once.
    const primaryArn = primary.arn;
    const replicas = regions.replicas.map((region) =>
      setAddress(
        this,
        new KmsReplicaKey(this, `replica-${region}`, {
          ...common,
          region,
          primaryKeyArn: primaryArn,
          policy: policyIn(region),
        }),
        region,
      ),
    );
    const keys: readonly (readonly [string, KmsKey | KmsReplicaKey])[] = [
      [regions.primary, primary],
      ...replicas.map((replica, index) => [regions.replicas[index] ?? "", replica] as const),
    ];
    for (const [region, key] of keys) {
      setAddress(
        this,
        new KmsAlias(this, `alias-${region}`, {
          ...(provider ? { provider } : {}),
          region,
          name: plan.alias,
          targetKeyId: key.keyId,
        }),
        region,
      );
    }
    this.#arns = new Map(keys.map(([region, key]) => [region, key === primary ? primaryArn : key.arn]));
  }

  /**
   * ARN (a token) of the key in a region.
   *
   * @throws Error for a region that the key was not made for
   */
  arnIn(region: string): string {
    const arn = this.#arns.get(region);
    if (arn === undefined) {
      throw new Error(
        `${this.node.path}: no key in ${region}; it was made for ${[...this.#arns.keys()].join(", ")}`,
      );
    }
    return arn;
  }
}
