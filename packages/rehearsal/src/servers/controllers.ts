import * as z from "zod/mini";

/** Answer of an API server. */
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Result of a rollout. */
export interface Rollout {
  readonly namespace: string;
  /** Its path in the API below the namespace: `deployments/api`. */
  readonly controller: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const ROUTE =
  /^(GET|PATCH) \/apis\/(?:apps\/v1|argoproj\.io\/v1alpha1)\/namespaces\/([^/]+)\/((?:deployments|statefulsets|daemonsets|rollouts)\/[^/]+)$/;
const annotated = z.object({ annotations: z.record(z.string(), z.string()) });
const patchSchema = z.union([
  z.object({ spec: z.object({ template: z.object({ metadata: annotated }) }) }),
  // A Rollout's: https://argo-rollouts.readthedocs.io/en/stable/features/restart/
  z.object({ metadata: annotated, spec: z.object({ restartAt: z.string() }) }),
]);

/** Status of one pod of the newest template, in the words of each kind. */
const STATUS = {
  deployments: { replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
  statefulsets: {
    replicas: 1,
    updatedReplicas: 1,
    readyReplicas: 1,
    currentRevision: "1",
    updateRevision: "1",
  },
  rollouts: { replicas: 1, availableReplicas: 1 },
  daemonsets: { desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberAvailable: 1 },
} as const;

/**
 * Deployments, StatefulSets and DaemonSets of a cluster, each there from the beginning with one pod; a new template is rolled out at once. Callers come
 * with an EKS token, whose signature nobody checks here.
 *
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/
 */
export class ClusterControllers {
  /** Every change of a template, in order. */
  readonly rollouts: Rollout[] = [];

  /** `true` for a request about one of them. */
  isFor(route: string): boolean {
    return ROUTE.test(route);
  }

  /** @param body parsed JSON of a PATCH */
  answer(route: string, bearer: string, body: unknown): Answer {
    const [, method, namespace = "", controller = ""] = ROUTE.exec(route) ?? [];
    if (!isEksToken(bearer)) return { status: 401, body: { kind: "Status", code: 401 } };
    if (method === "PATCH") {
      const patch = patchSchema.safeParse(body);
      if (!patch.success) return { status: 400, body: { kind: "Status", code: 400 } };
      const { annotations } =
        "metadata" in patch.data ? patch.data.metadata : patch.data.spec.template.metadata;
      this.rollouts.push({
        namespace,
        controller,
        annotations: { ...this.#annotationsOf(namespace, controller), ...annotations },
      });
    }
    const generation =
      1 + this.rollouts.filter((it) => it.namespace === namespace && it.controller === controller).length;
    return {
      status: 200,
      body: {
        apiVersion: "apps/v1",
        metadata: {
          namespace,
          name: controller.split("/")[1],
          generation,
          annotations: this.#annotationsOf(namespace, controller),
        },
        spec: {
          replicas: 1,
          template: { metadata: { annotations: this.#annotationsOf(namespace, controller) } },
        },
        status: {
          observedGeneration: generation,
          ...STATUS[controller.split("/")[0] as keyof typeof STATUS],
        },
      },
    };
  }

  #annotationsOf(namespace: string, controller: string): Readonly<Record<string, string>> {
    return (
      this.rollouts.findLast((it) => it.namespace === namespace && it.controller === controller)
        ?.annotations ?? {}
    );
  }
}

/** A presigned GetCallerIdentity, as EKS's authenticator takes it. */
function isEksToken(bearer: string): boolean {
  if (!bearer.startsWith("k8s-aws-v1.")) return false;
  const url = Buffer.from(bearer.slice("k8s-aws-v1.".length), "base64url").toString("utf8");
  return /^https:\/\/sts\.[\w-]+\.amazonaws\.com\/\?.*Action=GetCallerIdentity/.test(url);
}
