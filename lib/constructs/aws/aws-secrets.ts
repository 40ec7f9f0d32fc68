import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { Construct } from "constructs";
import type { Blueprint } from "../../blueprint";
import { hideIdsBelow } from "../address";
import { policyText, writesPolicies } from "../policy-files";
import { AuditTrail } from "./audit-trail";
import { OidcProvider } from "./oidc-provider";
import { Operations } from "./operations";
import { ReplicatedSecret } from "./replicated-secret";
import { RotationProcedure } from "./rotation-procedure";
import { SecretsKey } from "./secrets-key";
import { WorkloadIdentity } from "./workload-identity";

/** Input of {@link AwsSecrets}. */
export interface AwsSecretsProps {
  readonly blueprint: Blueprint;
  /** Folder of the functions' bundles. @default `dist/functions` of this package */
  readonly bundles?: string;
  /** @default the stack's own AWS provider */
  readonly provider?: AwsProvider;
}

/**
 * Everything of an environment that lives in AWS: key, secrets, functions that rotate them, the procedure that follows, identities. Refers to nothing of Vault or
 * Kubernetes, so it deploys while either is away. The policies that the deployer's role needs are written beside the stack, as
 * `policies/deployer.json` (`deployer-2.json` and so on, where IAM's size asks for more) and `deployer-boundary.json`.
 *
 * @example
 * new AwsSecrets(stack, "secrets", { blueprint: blueprint(registry, "prod") });
 */
export class AwsSecrets extends Construct {
  readonly key: SecretsKey;

  constructor(scope: Construct, id: string, { blueprint, bundles, provider }: AwsSecretsProps) {
    super(scope, id);
    hideIdsBelow(this);
    const { regions, operations, procedure } = blueprint;
    const common = provider ? { provider } : {};
    const key = new SecretsKey(this, "key", { ...common, plan: blueprint.key, regions });
    this.key = key;
    const functions = operations
      ? new Operations(this, "operations", {
          ...common,
          plan: operations,
          functions: blueprint.functions,
          region: regions.primary,
          account: blueprint.account,
          ...(bundles === undefined ? {} : { bundles }),
        })
      : undefined;
    if (procedure && functions) {
      new RotationProcedure(this, "procedure", {
        ...common,
        plan: procedure,
        region: regions.primary,
        keyArn: functions.keyArn,
        alarmTopicArn: functions.alarmTopicArn,
      });
    }
    if (blueprint.audit && functions) {
      new AuditTrail(this, "audit", {
        ...common,
        plan: blueprint.audit,
        region: regions.primary,
        alarmTopicArn: functions.alarmTopicArn,
        ...(bundles === undefined ? {} : { bundles }),
      });
    }
    for (const plan of blueprint.secrets) {
      if (plan.store !== "aws") continue;
      const rotator = plan.schedule && plan.rotatedBy ? functions?.callable(plan.rotatedBy) : undefined;
      new ReplicatedSecret(this, `secret-${plan.word}`, {
        ...common,
        plan,
        regions,
        keyArnIn: (region) => key.arnIn(region),
        ...(rotator ? { rotation: { functionArn: rotator.arn, permission: rotator.permission } } : {}),
      });
    }
    for (const plan of blueprint.oidcProviders) {
      new OidcProvider(this, `oidc-${plan.cluster}`, { ...common, plan, tags: blueprint.key.tags });
    }
    const { policies, boundary } = blueprint.deployer;
    writesPolicies(this, {
      ...Object.fromEntries(
        policies.map((policy, at) => [`deployer${at === 0 ? "" : `-${at + 1}`}.json`, policyText(policy)]),
      ),
      "deployer-boundary.json": policyText(boundary),
    });
    const podIdentityClusters = blueprint.clusters.filter(
      ({ identity, account }) => identity === "pod-identity" && account === blueprint.account,
    );
    for (const plan of blueprint.workloads) {
      const lives = (cluster: string): boolean => plan.pods.some((pod) => pod.cluster === cluster);
      new WorkloadIdentity(this, `workload-${plan.name}`, {
        ...common,
        plan,
        podIdentityClusters: podIdentityClusters.filter(({ name }) => lives(name)),
      });
    }
  }
}
