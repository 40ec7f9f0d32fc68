import type { PodPlan } from "../../blueprint";
import { literalText } from "../literal-text";

/** Content of a Deployment's pod template, in the shape of the Kubernetes provider's resources. */
export interface PodSpec {
  /** Annotations for `template.metadata.annotations`. */
  readonly annotations: Record<string, string>;
  /** Name for `template.spec.serviceAccountName`. */
  readonly serviceAccountName: string;
  /** Volume for `template.spec.volume`. */
  readonly volume: {
    readonly name: string;
    readonly projected: {
      readonly sources: {
        readonly serviceAccountToken: {
          readonly audience: string;
          readonly expirationSeconds: number;
          readonly path: string;
        };
      }[];
    }[];
  }[];
}

/**
 * The three things that a pod needs, for a Deployment in the same app.
 *
 * @example
 * const pod = secrets.workload("backend").pod;
 * new DeploymentV1(this, "backend", {
 *   metadata: { name: "backend", namespace: "backend" },
 *   spec: {
 *     selector: { matchLabels: { app: "backend" } },
 *     template: {
 *       metadata: { labels: { app: "backend" }, annotations: pod.annotations },
 *       spec: { serviceAccountName: pod.serviceAccountName, volume: pod.volume, container: [{ name: "app",
 * image }] },     },
 *   },
 * });
 */
export const podSpec = (plan: PodPlan): PodSpec => ({
  // Templates and reload commands are the author's text; a shell's `${NAME}` in them is not Terraform's.
  annotations: Object.fromEntries(
    Object.entries(plan.annotations).map(([name, value]) => [name, literalText(value)]),
  ),
  serviceAccountName: plan.serviceAccountName,
  volume: plan.volumes.map((volume) => ({
    name: volume.name,
    projected: [
      {
        sources: volume.projected.sources.map(({ serviceAccountToken }) => ({
          serviceAccountToken: { ...serviceAccountToken },
        })),
      },
    ],
  })),
});
