import { TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { blueprint } from "../lib/blueprint";
import { ClusterAccountIdentities } from "../lib/constructs";
import { type Registry, UnknownNameError } from "../lib/model";
import { type AssumedRole, awsProvider, type ProviderVersions, requireVersions } from "./aws-provider";
import { type BackendSettings, setBackend } from "./backend-settings";

/** Input of {@link ClusterAccountStack}. */
export interface ClusterAccountStackProps<E extends string> {
  readonly registry: Registry<E, string, string>;
  readonly environment: NoInfer<E>;
  /** Account of the clusters: one of the blueprint's `clusterAccounts`. */
  readonly account: string;
  /** `false`: the caller's own, such as `new CloudBackend(stack, …)`. @default local state */
  readonly backend?: BackendSettings | false;
  /** Role that Terraform takes to deploy to the account. @default none: the credentials are the deployer's */
  readonly assumeRole?: AssumedRole;
  /**
   * Versions of Terraform's providers, where an app holds them against other modules' constraints.
   * @default exactly those that the constructs are made from
   */
  readonly providerVersions?: Pick<ProviderVersions, "aws">;
}

/**
 * EKS Pod Identity of one environment in one account of its clusters, where that is not the account of the secrets. A stack of its
 * own, since another role deploys it; applied after the environment's.
 *
 * @throws UnknownNameError for an account in which the environment has no pods by EKS Pod Identity
 * @example
 * for (const { account } of blueprint(registry, "prod").clusterAccounts) {
 *   new ClusterAccountStack(app, `prod-pods-${account}`, { registry, environment: "prod", account });
 * }
 */
export class ClusterAccountStack<E extends string = string> extends TerraformStack {
  constructor(
    scope: Construct,
    id: string,
    {
      registry,
      environment,
      account,
      backend,
      assumeRole,
      providerVersions = {},
    }: ClusterAccountStackProps<E>,
  ) {
    super(scope, id);
    const { clusterAccounts } = blueprint(registry, environment);
    const plan = clusterAccounts.find((candidate) => candidate.account === account);
    if (plan === undefined) {
      throw new UnknownNameError(
        `account in which pods of ${environment} take a role by EKS Pod Identity:`,
        account,
        clusterAccounts.map((candidate) => candidate.account),
      );
    }
    requireVersions(this, providerVersions);
    if (backend !== false) setBackend(this, id, backend ?? { type: "local" });
    const provider = awsProvider(this, plan.region, account, assumeRole);
    new ClusterAccountIdentities(this, "pods", { plan, provider });
  }
}
