import { EksPodIdentityAssociation } from "@cdktf/provider-aws/lib/eks-pod-identity-association";
import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { Construct } from "constructs";
import type { ClusterAccountPlan } from "../../blueprint";
import { hideIdsBelow, setAddress } from "../address";
import { policyText, writesPolicies } from "../policy-files";
import { ExclusiveRole } from "./exclusive-role";

/** Input of {@link ClusterAccountIdentities}. */
export interface ClusterAccountIdentitiesProps {
  /** The account as the blueprint has it. */
  readonly plan: ClusterAccountPlan;
  /** Provider of the cluster's account. @default the stack's own AWS provider */
  readonly provider?: AwsProvider;
}

/**
 * EKS Pod Identity in an account of clusters that read secrets of another account: a role for each workload's pods, which can take
 * the workload's role beside the secrets and nothing else, and their associations. Rights of its deployer are written to `policies`
 * beside the stack.
 *
 * @example
 * const [plan] = blueprint(registry, "prod").clusterAccounts;
 * new ClusterAccountIdentities(stack, "pods", { plan });
 */
export class ClusterAccountIdentities extends Construct {
  constructor(scope: Construct, id: string, { plan, provider }: ClusterAccountIdentitiesProps) {
    super(scope, id);
    hideIdsBelow(this);
    const common = provider ? { provider } : {};
    const arns = new Map(
      plan.roles.map(({ workload, role }) => [
        workload,
        new ExclusiveRole(this, `role-${workload}`, {
          ...common,
          plan: role,
          word: workload,
          description: `Pods of ${workload}: takes the role that reads its secrets`,
          rights: `what pods of ${workload} take`,
        }).arn,
      ]),
    );
    for (const { cluster, region, workload, namespace, serviceAccount, targetRoleArn } of plan.associations) {
      setAddress(
        this,
        new EksPodIdentityAssociation(this, `association-${cluster}-${workload}`, {
          ...common,
          region,
          clusterName: cluster,
          namespace,
          serviceAccount,
          roleArn: arns.get(workload) ?? "",
          targetRoleArn,
          // The trust of both roles goes by them.
          disableSessionTags: false,
          tags: { ...plan.roles.find((role) => role.workload === workload)?.role.tags },
        }),
        `${cluster}--${workload}`,
      );
    }
    writesPolicies(
      this,
      Object.fromEntries(
        plan.deployer.map((policy, at) => [
          `deployer${at === 0 ? "" : `-${at + 1}`}.json`,
          policyText(policy),
        ]),
      ),
    );
  }
}
