import { EksPodIdentityAssociation } from "@cdktf/provider-aws/lib/eks-pod-identity-association";
import { IamPolicy } from "@cdktf/provider-aws/lib/iam-policy";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePoliciesExclusive } from "@cdktf/provider-aws/lib/iam-role-policies-exclusive";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { IamRolePolicyAttachment } from "@cdktf/provider-aws/lib/iam-role-policy-attachment";
import { IamRolePolicyAttachmentsExclusive } from "@cdktf/provider-aws/lib/iam-role-policy-attachments-exclusive";
import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { Construct } from "constructs";
import type { ClusterPlan, WorkloadPlan } from "../../blueprint";
import { setAddress } from "../address";
import { literalJson, literalText } from "../literal-text";

/** A session of a pod lasts an hour and is renewed by the SDK: the shortest that IAM lets a role have. */
const SESSION_SECONDS = 3_600;

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

    const role = setAddress(
      this,
      new IamRole(this, "role", {
        ...common,
        name: plannedRole.name,
        path: plannedRole.path,
        description: literalText(plan.description || `Reads the secrets of ${plan.name}`),
        assumeRolePolicy: literalJson(plannedRole.trust),
        maxSessionDuration: SESSION_SECONDS,
        ...(plannedRole.permissionsBoundary ? { permissionsBoundary: plannedRole.permissionsBoundary } : {}),
        tags: { ...plannedRole.tags },
      }),
      word,
    );
    const roleName = role.name;

    const inline = plannedRole.policies.inline.map(
      ({ name, document }) =>
        setAddress(
          this,
          new IamRolePolicy(this, `inline-${name}`, {
            ...common,
            name,
            role: roleName,
            policy: literalJson(document),
          }),
          `${word}_${name}`,
        ).name,
    );
    const managed = plannedRole.policies.managed.map(({ name, document }, index) => {
      const policy = setAddress(
        this,
        new IamPolicy(this, `managed-${index + 1}`, {
          ...common,
          name,
          path: plannedRole.path,
          description: `Part ${index + 1} of what ${plan.name} reads`,
          policy: literalJson(document),
          tags: { ...plannedRole.tags },
        }),
        `${word}_${index + 1}`,
      );
      return setAddress(
        this,
        new IamRolePolicyAttachment(this, `attachment-${index + 1}`, {
          ...common,
          role: roleName,
          policyArn: policy.arn,
        }),
        `${word}_${index + 1}`,
      ).policyArn;
    });

    setAddress(
      this,
      new IamRolePoliciesExclusive(this, "only-inline", { ...common, roleName, policyNames: inline }),
      word,
    );
    setAddress(
      this,
      new IamRolePolicyAttachmentsExclusive(this, "only-managed", {
        ...common,
        roleName,
        policyArns: managed,
      }),
      word,
    );

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
