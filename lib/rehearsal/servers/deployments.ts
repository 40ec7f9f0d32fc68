import * as z from "zod/mini";

/** Answer of an API server. */
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** What a rollout did. */
export interface Rollout {
  readonly namespace: string;
  readonly deployment: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const ROUTE = /^(GET|PATCH) \/apis\/apps\/v1\/namespaces\/([^/]+)\/deployments\/([^/]+)$/;
const patchSchema = z.object({
  spec: z.object({
    template: z.object({ metadata: z.object({ annotations: z.record(z.string(), z.string()) }) }),
  }),
});

/**
 * Deployments of a cluster, each there from the beginning with one pod; a new template is rolled out at once. Callers come
 * with an EKS token, whose signature nobody checks here.
 *
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/
 */
export class Deployments {
  /** Every change of a template, in order. */
  readonly rollouts: Rollout[] = [];

  /** Whether a request is about a Deployment. */
  isFor(route: string): boolean {
    return ROUTE.test(route);
  }

  /** @param body parsed JSON of a PATCH */
  answer(route: string, bearer: string, body: unknown): Answer {
    const [, method, namespace = "", deployment = ""] = ROUTE.exec(route) ?? [];
    if (!isEksToken(bearer)) return { status: 401, body: { kind: "Status", code: 401 } };
    if (method === "PATCH") {
      const patch = patchSchema.safeParse(body);
      if (!patch.success) return { status: 400, body: { kind: "Status", code: 400 } };
      const { annotations } = patch.data.spec.template.metadata;
      this.rollouts.push({
        namespace,
        deployment,
        annotations: { ...this.#annotationsOf(namespace, deployment), ...annotations },
      });
    }
    const generation =
      1 + this.rollouts.filter((it) => it.namespace === namespace && it.deployment === deployment).length;
    return {
      status: 200,
      body: {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { namespace, name: deployment, generation },
        spec: {
          replicas: 1,
          template: { metadata: { annotations: this.#annotationsOf(namespace, deployment) } },
        },
        status: { observedGeneration: generation, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
      },
    };
  }

  #annotationsOf(namespace: string, deployment: string): Readonly<Record<string, string>> {
    return (
      this.rollouts.findLast((it) => it.namespace === namespace && it.deployment === deployment)
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
