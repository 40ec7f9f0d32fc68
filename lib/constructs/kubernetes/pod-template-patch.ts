import type { PodPlan, WorkloadPlan } from "../../blueprint";

/** A strategic merge patch of an object's pod template that adds the three things a pod needs. */
export function podTemplatePatch(
  plan: PodPlan,
  controller: WorkloadPlan["controller"] = "Deployment",
): object {
  const template = {
    metadata: { annotations: plan.annotations },
    spec: {
      serviceAccountName: plan.serviceAccountName,
      // Whoever merges lists of Kubernetes' own kinds replaces those of others.
      ...(controller === "Rollout" ? {} : { volumes: plan.volumes }),
    },
  };
  return controller === "CronJob"
    ? { spec: { jobTemplate: { spec: { template } } } }
    : { spec: { template } };
}
