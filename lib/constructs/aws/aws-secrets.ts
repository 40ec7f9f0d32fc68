import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { Construct } from "constructs";
import type { Blueprint } from "../../blueprint";
import { hideIdsBelow } from "../address";
import { OidcProvider } from "./oidc-provider";
import { ReplicatedSecret } from "./replicated-secret";
import { SecretsKey } from "./secrets-key";
import { WorkloadIdentity } from "./workload-identity";

/** Input of {@link AwsSecrets}. */
export interface AwsSecretsProps {
  readonly blueprint: Blueprint;
  /** @default the stack's own AWS provider */
  readonly provider?: AwsProvider;
}

/**
 * Everything of an environment that lives in AWS: key, secrets, identities. Refers to nothing of Vault or
 * Kubernetes, so it deploys while either is away.
 *
 * @example
 * new AwsSecrets(stack, "secrets", { blueprint: blueprint(registry, "prod") });
 */
export class AwsSecrets extends Construct {
  readonly key: SecretsKey;

  constructor(scope: Construct, id: string, { blueprint, provider }: AwsSecretsProps) {
    super(scope, id);
    hideIdsBelow(this);
    const { regions } = blueprint;
    const common = provider ? { provider } : {};
    const key = new SecretsKey(this, "key", { ...common, plan: blueprint.key, regions });
    this.key = key;
    for (const plan of blueprint.secrets) {
      if (plan.store !== "aws") continue;
      new ReplicatedSecret(this, `secret-${plan.word}`, {
        ...common,
        plan,
        regions,
        keyArnIn: (region) => key.arnIn(region),
      });
    }
    for (const plan of blueprint.oidcProviders) {
      new OidcProvider(this, `oidc-${plan.cluster}`, { ...common, plan, tags: blueprint.key.tags });
    }
    const podIdentityClusters = blueprint.clusters.filter((cluster) => cluster.identity === "pod-identity");
    for (const plan of blueprint.workloads) {
      new WorkloadIdentity(this, `workload-${plan.name}`, { ...common, plan, podIdentityClusters });
    }
  }
}
