import { EksPodIdentityAssociation } from "@cdktf/provider-aws/lib/eks-pod-identity-association";
import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { Construct } from "constructs";
import type { ClusterPlan, WorkloadPlan } from "../../blueprint";
import { setAddress } from "../address";
import { ExclusiveRole } from "./exclusive-role";

/** Input of {@link WorkloadIdentity}. */
export interface WorkloadIdentityProps {
  /** The workload as the blueprint has it. */
  readonly plan: WorkloadPlan;
  /** Clusters in which EKS Pod Identity gives its pods the role; IRSA needs none. @default none */
  readonly podIdentityClusters?: readonly ClusterPlan[];
  /** @default the stack's own AWS provider */
  readonly provider?: AwsProvider;
}

/**
 * The IAM role of a workload: trusted for its ServiceAccount only, with exactly its read rights. Its policies
 * are exclusive: one that is added by hand shows in the next plan and goes with the next apply.
 *
 * @example
 * const [plan] = blueprint(registry, "prod").workloads;
 * new WorkloadIdentity(stack, "backend", { plan });
 */
export class WorkloadIdentity extends Construct {
  /** ARN of the role: a plain string, known before it exists. */
  readonly roleArn: string;

  constructor(
    scope: Construct,
    id: string,
    { plan, podIdentityClusters = [], provider }: WorkloadIdentityProps,
  ) {
    super(scope, id);
    const { role: plannedRole, name: word } = plan;
    const common = provider ? { provider } : {};
    this.roleArn = plannedRole.arn;

    const role = new ExclusiveRole(this, "role", {
      ...common,
      plan: plannedRole,
      word,
      description: plan.description || `Reads the secrets of ${plan.name}`,
      rights: `what ${plan.name} reads`,
    });

    for (const cluster of podIdentityClusters) {
      setAddress(
        this,
        new EksPodIdentityAssociation(this, `association-${cluster.name}`, {
          ...common,
          region: cluster.region,
          clusterName: cluster.name,
          namespace: plan.namespace,
          serviceAccount: plan.serviceAccount,
          roleArn: role.arn,
          tags: { ...plannedRole.tags },
        }),
        `${cluster.name}--${word}`,
      );
    }
  }
}
