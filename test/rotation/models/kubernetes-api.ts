import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { text } from "node:stream/consumers";
import { loopbackCertificate } from "../../../packages/rehearsal/src/servers/loopback-certificate";

/** Behaviour of the cluster's controller. */
export interface RolloutBehaviour {
  /** Looks at a Deployment until a new pod is ready. */
  readonly looksPerPod?: number;
  /** Pods with these annotations never get ready; after some looks the controller gives up. */
  readonly failsFor?: string;
  /** Answers of the next requests, in place of the usual ones. */
  readonly answers?: number[];
}

/** Kinds that the API serves. */
export type ControllerKind = "Deployment" | "StatefulSet" | "DaemonSet" | "Rollout";

const RESOURCES: Readonly<Record<string, ControllerKind>> = {
  "apps/v1/deployments": "Deployment",
  "apps/v1/statefulsets": "StatefulSet",
  "apps/v1/daemonsets": "DaemonSet",
  "argoproj.io/v1alpha1/rollouts": "Rollout",
};

interface StoredController {
  kind: ControllerKind;
  /** Of StatefulSets and DaemonSets. */
  strategy: { type: string; rollingUpdate?: { partition: number } };
  replicas: number;
  generation: number;
  observed: number;
  updated: number;
  old: number;
  ready: number;
  looks: number;
  paused: boolean;
  annotations: Record<string, string>;
  /** Of a Rollout: the restart that was asked for. */
  restartAt?: string;
}

/**
 * The part of a Kubernetes API server that restarts need: HTTPS with a CA of its own, bearer tokens, Deployments,
 * StatefulSets, DaemonSets and Rollouts of Argo with generation, patches and a controller that replaces pods one by one while
 * it is looked at; one with the update strategy `OnDelete` or a partition replaces none, or not all.
 *
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/stateful-set-v1/
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/daemon-set-v1/
 * https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#update-strategies
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
 * https://argo-rollouts.readthedocs.io/en/stable/features/restart/
 */
export class KubernetesApi {
  readonly #certificate = loopbackCertificate("Kubernetes API");
  readonly #controllers = new Map<string, StoredController>();
  readonly #server: Server;
  readonly tokens = new Set<string>();
  /** Method and path of each request. */
  readonly seen: string[] = [];
  behaviour: RolloutBehaviour = {};

  constructor() {
    this.#server = createServer(
      { cert: this.#certificate.certificatePem, key: this.#certificate.privateKeyPem },
      (request, response) => {
        void this.#serve(request, response);
      },
    );
  }

  get caPem(): string {
    return this.#certificate.caPem;
  }

  get url(): string {
    const address = this.#server.address();
    if (typeof address !== "object" || address === null) throw new Error("not listening");
    return `https://127.0.0.1:${address.port}`;
  }

  add(namespace: string, name: string, replicas: number, kind: ControllerKind = "Deployment"): void {
    const pods = { replicas, updated: replicas, ready: replicas, old: 0 };
    this.#controllers.set(`${namespace}/${name}`, {
      ...pods,
      kind,
      strategy: { type: "RollingUpdate" },
      generation: 1,
      observed: 1,
      looks: 0,
      paused: false,
      annotations: { team: "payments" },
    });
  }

  get(namespace: string, name: string): StoredController {
    const found = this.#controllers.get(`${namespace}/${name}`);
    if (found === undefined) throw new Error("no such controller");
    return found;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { method = "", url = "", headers } = request;
    this.seen.push(`${method} ${url}`);
    const answer = (status: number, json: object): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(json));
    };
    const refuse = (code: number): void => answer(code, { kind: "Status", status: "Failure", code });
    if (!this.tokens.has(headers.authorization?.replace(/^Bearer /, "") ?? "")) return refuse(401);
    const injected = this.behaviour.answers?.shift();
    if (injected !== undefined) return refuse(injected);
    const [, group, namespace, resource = "", name] =
      /^\/apis\/([a-z.]+\/[a-z0-9]+)\/namespaces\/([^/]+)\/([a-z]+)\/([^/]+)$/.exec(url) ?? [];
    const deployment = this.#controllers.get(`${namespace}/${name}`);
    if (deployment === undefined || deployment.kind !== RESOURCES[`${group}/${resource}`]) return refuse(404);
    if (method === "PATCH") {
      // No strategic merges of custom resources.
      const how = deployment.kind === "Rollout" ? "merge-patch" : "strategic-merge-patch";
      if (headers["content-type"] !== `application/${how}+json`) return refuse(415);
      this.#patch(deployment, JSON.parse(body));
    } else {
      this.#reconcile(deployment);
    }
    answer(200, this.#shown(deployment));
  }

  #patch(deployment: StoredController, patch: Patch): void {
    if (deployment.kind === "Rollout") {
      Object.assign(deployment.annotations, patch.metadata?.annotations);
      if (patch.spec?.restartAt === undefined) return;
      deployment.restartAt = patch.spec.restartAt;
      deployment.generation += 1;
      return;
    }
    const { annotations = {} } = patch.spec?.template?.metadata ?? {};
    const changed = Object.entries(annotations).some(([key, value]) => deployment.annotations[key] !== value);
    if (!changed) return;
    Object.assign(deployment.annotations, annotations);
    deployment.generation += 1;
  }

  /** One look of the controller: sees the new generation, then replaces a pod whenever one has become ready. */
  #reconcile(deployment: StoredController): void {
    if (deployment.observed < deployment.generation) {
      if (deployment.paused) return;
      const pods = { old: deployment.replicas, updated: 0, ready: deployment.replicas, looks: 0 };
      Object.assign(deployment, { ...pods, observed: deployment.generation });
      return;
    }
    const { type, rollingUpdate } = deployment.strategy;
    if (deployment.old === 0 || type === "OnDelete" || deployment.old <= (rollingUpdate?.partition ?? 0))
      return;
    deployment.looks += 1;
    if (this.#isBroken(deployment) || deployment.looks % (this.behaviour.looksPerPod ?? 1) !== 0) return;
    deployment.updated += 1;
    deployment.old -= 1;
  }

  #isBroken({ annotations }: StoredController): boolean {
    return Object.values(annotations).includes(this.behaviour.failsFor ?? "");
  }

  #shown(deployment: StoredController): object {
    const { kind, strategy, generation, observed, replicas, updated, old, looks, paused, annotations } =
      deployment;
    const isBroken = this.#isBroken(deployment);
    const stalled = isBroken && looks >= 5;
    const surge = isBroken && old > 0 ? 1 : 0;
    const template = { metadata: { annotations } };
    // Counts of zero are left out.
    const counts = (entries: Record<string, number>): object =>
      Object.fromEntries(Object.entries(entries).filter(([, count]) => count > 0));
    const shown = (spec: object, status: object): object => ({
      kind,
      metadata: { generation },
      spec: { ...spec, template },
      status: { observedGeneration: observed, ...status },
    });
    switch (kind) {
      case "Deployment":
        return shown(
          { replicas, ...(paused ? { paused } : {}) },
          {
            ...counts({
              replicas: old + updated + surge,
              updatedReplicas: updated + surge,
              availableReplicas: old + updated,
            }),
            conditions: [
              {
                type: "Progressing",
                status: stalled ? "False" : "True",
                reason: stalled ? "ProgressDeadlineExceeded" : "ReplicaSetUpdated",
              },
            ],
          },
        );
      case "StatefulSet":
        return shown(
          { replicas, updateStrategy: strategy },
          {
            // It replaces a pod in its place: a broken one is no longer ready, and there is no other in its stead.
            ...counts({
              replicas: old + updated,
              readyReplicas: old + updated - surge,
              updatedReplicas: updated + surge,
            }),
            currentRevision: old > 0 ? `${generation - 1}` : `${generation}`,
            updateRevision: `${generation}`,
          },
        );
      case "Rollout": {
        const { restartAt } = deployment;
        const isDone = old === 0 && observed === generation;
        return {
          kind,
          metadata: { generation, annotations },
          spec: { replicas, ...(restartAt ? { restartAt } : {}) },
          status: {
            observedGeneration: `${observed}`,
            ...counts({ replicas: old + updated, availableReplicas: old + updated - surge }),
            ...(restartAt && isDone ? { restartedAt: restartAt } : {}),
          },
        };
      }
      case "DaemonSet":
        return shown(
          { updateStrategy: strategy },
          {
            desiredNumberScheduled: replicas,
            ...counts({ updatedNumberScheduled: updated + surge, numberAvailable: old + updated - surge }),
          },
        );
    }
  }
}

interface Patch {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly restartAt?: string;
    readonly template?: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
  };
}
