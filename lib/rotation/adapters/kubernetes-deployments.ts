import { request as httpsRequest } from "node:https";
import { text as readText } from "node:stream/consumers";
import * as z from "zod/mini";
import type { RestartedCluster } from "../../model/function-settings";
import type { Deployment, Deployments } from "../procedure/restarter";
import { originOf, RotationError } from "../rotation-error";
import { connectionFault } from "./connection-fault";

const TIMEOUT_MS = 10_000;

const count = z._default(z.int(), 0);
/** What this needs of `apps/v1` Deployment; a count that is 0 is left out by the API. */
const deploymentSchema = z.object({
  metadata: z.object({ generation: count }),
  spec: z.object({
    replicas: z._default(z.int(), 1),
    paused: z._default(z.boolean(), false),
    template: z.object({
      metadata: z.nullish(z.object({ annotations: z.nullish(z.record(z.string(), z.string())) })),
    }),
  }),
  status: z.prefault(
    z.object({
      observedGeneration: count,
      replicas: count,
      updatedReplicas: count,
      availableReplicas: count,
      conditions: z._default(z.array(z.object({ type: z.string(), reason: z.optional(z.string()) })), []),
    }),
    {},
  ),
});

/**
 * {@link Deployments} of one cluster by its API.
 *
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/
 *
 * @param token a new one for each call
 */
export function kubernetesDeployments(
  { name: cluster, apiServer, caPem }: RestartedCluster,
  token: () => Promise<string>,
): Deployments {
  const call = async (
    method: "GET" | "PATCH",
    namespace: string,
    name: string,
    body?: object,
  ): Promise<Deployment> => {
    const where = `Deployment ${namespace}/${name} of cluster ${cluster}`;
    const path = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/deployments/${encodeURIComponent(name)}`;
    const { status, text } = await send(apiServer, caPem, await token(), method, path, body, where);
    if (status !== 200) throw refusal(status, where);
    return deploymentOf(text, where);
  };
  return {
    cluster,
    read: (namespace, name) => call("GET", namespace, name),
    annotate: (namespace, name, annotations) =>
      call("PATCH", namespace, name, { spec: { template: { metadata: { annotations } } } }),
  };
}

function refusal(status: number, where: string): RotationError {
  const origin = `HTTP-${status}`;
  if (status === 401 || status === 403)
    return new RotationError("right-missing", `patch and get ${where}`, origin);
  if (status === 404) return new RotationError("target-misconfigured", `there is no ${where}`, origin);
  if (status === 409) return new RotationError("target-busy", where, origin);
  if (status === 429) return new RotationError("throttled", where, origin);
  if (status >= 500) return new RotationError("target-unreachable", where, origin);
  return new RotationError("target-misconfigured", where, origin);
}

function deploymentOf(text: string, where: string): Deployment {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const parsed = deploymentSchema.safeParse(json);
  if (!parsed.success) throw new RotationError("target-misconfigured", `the answer for ${where} is none`);
  const { metadata, spec, status } = parsed.data;
  return {
    generation: metadata.generation,
    observedGeneration: status.observedGeneration,
    paused: spec.paused,
    wanted: spec.replicas,
    replicas: status.replicas,
    updated: status.updatedReplicas,
    available: status.availableReplicas,
    stalled: status.conditions.some(
      ({ type, reason }) => type === "Progressing" && reason === "ProgressDeadlineExceeded",
    ),
    annotations: spec.template.metadata?.annotations ?? {},
  };
}

async function send(
  apiServer: string,
  caPem: string | undefined,
  token: string,
  method: string,
  path: string,
  body: object | undefined,
  where: string,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    return await new Promise((resolve, reject) => {
      const sent = httpsRequest(
        new URL(path, apiServer),
        {
          method,
          headers: {
            authorization: `Bearer ${token}`,
            accept: "application/json",
            ...(body === undefined ? {} : { "content-type": "application/strategic-merge-patch+json" }),
          },
          agent: false,
          // Said here, because NODE_TLS_REJECT_UNAUTHORIZED could turn it off.
          rejectUnauthorized: true,
          ...(caPem === undefined ? {} : { ca: caPem }),
          signal: AbortSignal.timeout(TIMEOUT_MS),
        },
        (answer) => {
          readText(answer).then((text) => resolve({ status: answer.statusCode ?? 0, text }), reject);
        },
      );
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  } catch (failure) {
    const origin = originOf(failure);
    if (origin === "ABORT_ERR") throw new RotationError("target-unreachable", where, "timeout");
    throw connectionFault(failure, where) ?? new RotationError("unexpected", where, origin);
  }
}
