import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { text } from "node:stream/consumers";
import { loopbackCertificate } from "../../../lib/rehearsal/servers/loopback-certificate";

/** How the cluster's controller goes on. */
export interface RolloutBehaviour {
  /** Looks at a Deployment until a new pod is ready. */
  readonly looksPerPod?: number;
  /** Pods with these annotations never get ready; after some looks the controller gives up. */
  readonly failsFor?: string;
  /** Answers of the next requests, in place of the usual ones. */
  readonly answers?: number[];
}

interface StoredDeployment {
  replicas: number;
  generation: number;
  observed: number;
  updated: number;
  old: number;
  ready: number;
  looks: number;
  paused: boolean;
  annotations: Record<string, string>;
}

/**
 * The part of a Kubernetes API server that restarts need: HTTPS with a CA of its own, bearer tokens, Deployments with
 * generation, strategic merge patch and a controller that replaces pods one by one while it is looked at.
 *
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
 */
export class KubernetesApi {
  readonly #certificate = loopbackCertificate("Kubernetes API");
  readonly #deployments = new Map<string, StoredDeployment>();
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

  add(namespace: string, name: string, replicas: number): void {
    const pods = { replicas, updated: replicas, ready: replicas, old: 0 };
    this.#deployments.set(`${namespace}/${name}`, {
      ...pods,
      generation: 1,
      observed: 1,
      looks: 0,
      paused: false,
      annotations: { team: "payments" },
    });
  }

  get(namespace: string, name: string): StoredDeployment {
    const found = this.#deployments.get(`${namespace}/${name}`);
    if (found === undefined) throw new Error("no such Deployment");
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
    const [, namespace, name] =
      /^\/apis\/apps\/v1\/namespaces\/([^/]+)\/deployments\/([^/]+)$/.exec(url) ?? [];
    const deployment = this.#deployments.get(`${namespace}/${name}`);
    if (deployment === undefined) return refuse(404);
    if (method === "PATCH") {
      if (headers["content-type"] !== "application/strategic-merge-patch+json") return refuse(415);
      this.#patch(deployment, JSON.parse(body));
    } else {
      this.#reconcile(deployment);
    }
    answer(200, this.#shown(deployment));
  }

  #patch(deployment: StoredDeployment, patch: Patch): void {
    const { annotations = {} } = patch.spec?.template?.metadata ?? {};
    const changed = Object.entries(annotations).some(([key, value]) => deployment.annotations[key] !== value);
    if (!changed) return;
    Object.assign(deployment.annotations, annotations);
    deployment.generation += 1;
  }

  /** One look of the controller: sees the new generation, then replaces a pod whenever one has become ready. */
  #reconcile(deployment: StoredDeployment): void {
    if (deployment.observed < deployment.generation) {
      if (deployment.paused) return;
      const pods = { old: deployment.replicas, updated: 0, ready: deployment.replicas, looks: 0 };
      Object.assign(deployment, { ...pods, observed: deployment.generation });
      return;
    }
    if (deployment.old === 0) return;
    deployment.looks += 1;
    if (this.#isBroken(deployment) || deployment.looks % (this.behaviour.looksPerPod ?? 1) !== 0) return;
    deployment.updated += 1;
    deployment.old -= 1;
  }

  #isBroken({ annotations }: StoredDeployment): boolean {
    return Object.values(annotations).includes(this.behaviour.failsFor ?? "");
  }

  #shown(deployment: StoredDeployment): object {
    const { generation, observed, replicas, updated, old, looks, paused, annotations } = deployment;
    const stalled = this.#isBroken(deployment) && looks >= 5;
    const surge = this.#isBroken(deployment) && old > 0 ? 1 : 0;
    return {
      kind: "Deployment",
      metadata: { generation },
      spec: { replicas, ...(paused ? { paused } : {}), template: { metadata: { annotations } } },
      status: {
        observedGeneration: observed,
        replicas: old + updated + surge,
        // Counts of zero are left out.
        ...(updated + surge > 0 ? { updatedReplicas: updated + surge } : {}),
        ...(old + updated > 0 ? { availableReplicas: old + updated } : {}),
        conditions: [
          {
            type: "Progressing",
            status: stalled ? "False" : "True",
            reason: stalled ? "ProgressDeadlineExceeded" : "ReplicaSetUpdated",
          },
        ],
      },
    };
  }
}

interface Patch {
  readonly spec?: {
    readonly template?: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
  };
}
