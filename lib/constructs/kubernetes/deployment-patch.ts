import { DataResource, type ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import type { ClusterPlan, PodPlan, WorkloadPlan } from "../../blueprint";
import { eksClusterArn } from "../../blueprint/platform/aws-arns";
import { setAddress } from "../address";
import { literalJson } from "../literal-text";
import { podTemplatePatch } from "./pod-template-patch";

/** Input of {@link DeploymentPatch}. */
export interface DeploymentPatchProps {
  /** The pod as the blueprint has it. */
  readonly plan: PodPlan;
  /** Name of the object, in the plan's namespace. */
  readonly deployment: string;
  /** @default Deployment */
  readonly controller?: WorkloadPlan["controller"];
  readonly cluster: Pick<ClusterPlan, "name" | "region" | "account">;
  /** AWS partition of the cluster. @default aws */
  readonly partition?: string;
  /** Context of kubectl. @default the cluster's ARN, as `aws eks update-kubeconfig` names it */
  readonly context?: string;
  /** Last part of its Terraform address. @default the object's name */
  readonly word?: string;
  /** Resources that the new pods need first: their ServiceAccount, the Vault's CA. @default nothing */
  readonly after?: readonly ITerraformDependable[];
}

/**
 * Patches an existing Deployment, StatefulSet or DaemonSet with all that its pods need. The Kubernetes provider can patch annotations
 * only, and annotations without the token volume stop new pods, so `kubectl patch` applies the three together,
 * whenever the patch changes. Needs kubectl where Terraform runs. It does not see changes made by others, and a
 * destroy leaves the Deployment as it is: where GitOps owns the Deployment, use the files.
 *
 * @example
 * new DeploymentPatch(stack, "backend", { plan: workload.pods[0], deployment: "backend", cluster });
 */
export class DeploymentPatch extends Construct {
  constructor(
    scope: Construct,
    id: string,
    {
      plan,
      deployment,
      controller = "Deployment",
      cluster,
      partition = "aws",
      context,
      word = deployment,
      after = [],
    }: DeploymentPatchProps,
  ) {
    super(scope, id);
    const patch = literalJson(podTemplatePatch(plan, controller));
    setAddress(
      this,
      new DataResource(this, "patch", {
        dependsOn: [...after],
        // The patch itself, so that the plan shows what changes. It holds templates and paths, never a value.
        triggersReplace: { deployment, namespace: plan.namespace, patch },
        provisioners: [
          {
            type: "local-exec",
            // Through the environment: nothing of it is read by the shell.
            command:
              'kubectl --context "$CONTEXT" --namespace "$NAMESPACE" patch "$CONTROLLER" "$DEPLOYMENT" --type strategic --patch "$PATCH"',
            environment: {
              CONTEXT:
                context ??
                eksClusterArn({ partition, account: cluster.account }, cluster.region, cluster.name),
              NAMESPACE: plan.namespace,
              CONTROLLER: controller.toLowerCase(),
              DEPLOYMENT: deployment,
              PATCH: patch,
            },
          },
        ],
      }),
      `${cluster.name}--${word}`,
    );
  }
}
