import type { PodPlan } from "../../blueprint";

/** A strategic merge patch of a Deployment's pod template that adds the three things a pod needs. */
export const podTemplatePatch = (plan: PodPlan): object => ({
  spec: {
    template: {
      metadata: { annotations: plan.annotations },
      spec: { serviceAccountName: plan.serviceAccountName, volumes: plan.volumes },
    },
  },
});
