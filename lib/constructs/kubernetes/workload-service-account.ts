import { Annotations } from "@cdktf/provider-kubernetes/lib/annotations";
import type { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { ServiceAccountV1 } from "@cdktf/provider-kubernetes/lib/service-account-v1";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import type { ClusterPlan, WorkloadPlan } from "../../blueprint";
import { setAddress } from "../address";

/** Owner of our annotation among the managers of a ServiceAccount's fields (server-side apply). */
const FIELD_MANAGER = "secrets-registry";

/** The annotations by which a ServiceAccount carries its role; EKS Pod Identity needs none. */
export const roleAnnotations = (
  workload: WorkloadPlan,
  identity: ClusterPlan["identity"],
): Record<string, string> => (identity === "irsa" ? { "eks.amazonaws.com/role-arn": workload.role.arn } : {});

/** Input of {@link WorkloadServiceAccount}. */
export interface WorkloadServiceAccountProps {
  /** The workload as the blueprint has it. */
  readonly plan: WorkloadPlan;
  readonly cluster: Pick<ClusterPlan, "name" | "identity">;
  /** @default the stack's own Kubernetes provider */
  readonly provider?: KubernetesProvider;
}

/**
 * The ServiceAccount of a workload in one cluster: made, or only annotated, or left to GitOps, as the workload
 * says. One that is made does not mount its API token by itself: the agent has a token of its own, and a pod
 * that calls the API server says so (`automountServiceAccountToken: true` in its spec).
 *
 * @example
 * new WorkloadServiceAccount(stack, "backend", { plan, cluster: { name: "prod-eu", identity: "irsa" } });
 */
export class WorkloadServiceAccount extends Construct {
  /** Resource that pods which use it must wait for; `undefined` where others make it. */
  readonly made: ITerraformDependable | undefined;

  constructor(scope: Construct, id: string, { plan, cluster, provider }: WorkloadServiceAccountProps) {
    super(scope, id);
    const common = provider ? { provider } : {};
    const annotations = roleAnnotations(plan, cluster.identity);
    const word = `${cluster.name}--${plan.name}`;
    if (plan.manage === "create") {
      this.made = setAddress(
        this,
        new ServiceAccountV1(this, "service-account", {
          ...common,
          metadata: { name: plan.serviceAccount, namespace: plan.namespace, annotations },
          automountServiceAccountToken: false,
        }),
        word,
      );
    }
    if (plan.manage === "annotate" && Object.keys(annotations).length > 0) {
      this.made = setAddress(
        this,
        new Annotations(this, "annotations", {
          ...common,
          apiVersion: "v1",
          kind: "ServiceAccount",
          metadata: { name: plan.serviceAccount, namespace: plan.namespace },
          annotations,
          fieldManager: FIELD_MANAGER,
        }),
        word,
      );
    }
  }
}
