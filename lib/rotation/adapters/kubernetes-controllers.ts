import { request as httpsRequest } from "node:https";
import { text as readText } from "node:stream/consumers";
import * as z from "zod/mini";
import type { RestartedCluster, RestartedWorkload } from "../../contracts/function-settings";
import { originOf } from "../../lambda/failure-origin";
import type { ControllerKind } from "../../model/controller-kinds";
import type { Controller, Controllers } from "../procedure/restarter";
import { RotationError } from "../protocol/rotation-error";
import { connectionFault } from "./connection-fault";

const TIMEOUT_MS = 10_000;

const count = z._default(z.int(), 0);
const observed = { observedGeneration: count };
const template = z.object({
  metadata: z.nullish(z.object({ annotations: z.nullish(z.record(z.string(), z.string())) })),
});
const strategy = (otherwise: string) =>
  z.prefault(
    z.object({
      type: z._default(z.string(), otherwise),
      rollingUpdate: z.nullish(z.object({ partition: z.nullish(z.int()) })),
    }),
    {},
  );

/** `apps/v1` of each kind, and `argoproj.io/v1alpha1` of Rollouts, as far as a restart reads it; a count that is 0 is left out by the API. */
const SCHEMAS = {
  Deployment: z.object({
    metadata: z.object({ generation: count }),
    spec: z.object({ replicas: z._default(z.int(), 1), paused: z._default(z.boolean(), false), template }),
    status: z.prefault(
      z.object({
        ...observed,
        replicas: count,
        updatedReplicas: count,
        availableReplicas: count,
        conditions: z._default(z.array(z.object({ type: z.string(), reason: z.optional(z.string()) })), []),
      }),
      {},
    ),
  }),
  StatefulSet: z.object({
    metadata: z.object({ generation: count }),
    spec: z.object({
      replicas: z._default(z.int(), 1),
      updateStrategy: strategy("RollingUpdate"),
      template,
    }),
    status: z.prefault(
      z.object({
        ...observed,
        replicas: count,
        readyReplicas: count,
        updatedReplicas: count,
        currentRevision: z.optional(z.string()),
        updateRevision: z.optional(z.string()),
      }),
      {},
    ),
  }),
  Rollout: z.object({
    metadata: z.object({
      generation: count,
      annotations: z._default(z.record(z.string(), z.string()), {}),
    }),
    spec: z.object({ replicas: z._default(z.int(), 1), restartAt: z.nullish(z.string()) }),
    status: z.prefault(
      z.object({
        replicas: count,
        availableReplicas: count,
        restartedAt: z.nullish(z.string()),
        conditions: z._default(z.array(z.object({ type: z.string(), reason: z.optional(z.string()) })), []),
      }),
      {},
    ),
  }),
  DaemonSet: z.object({
    metadata: z.object({ generation: count }),
    spec: z.object({ updateStrategy: strategy("RollingUpdate"), template }),
    status: z.prefault(
      z.object({
        ...observed,
        desiredNumberScheduled: count,
        updatedNumberScheduled: count,
        numberAvailable: count,
      }),
      {},
    ),
  }),
};

/** Resources of each kind in the API's paths. */
const RESOURCES = {
  Deployment: "apps/v1/deployments",
  StatefulSet: "apps/v1/statefulsets",
  DaemonSet: "apps/v1/daemonsets",
  Rollout: "argoproj.io/v1alpha1/rollouts",
} as const;

/** Path of an object below the API server's address. */
function pathOf({ namespace, kind, name }: RestartedWorkload): string {
  const [group, version, resource] = RESOURCES[kind].split("/");
  return `/apis/${group}/${version}/namespaces/${encodeURIComponent(namespace)}/${resource}/${encodeURIComponent(name)}`;
}

/** Kubernetes takes strategic merges of its own kinds only. */
const patchType = (kind: ControllerKind): string =>
  kind === "Rollout" ? "application/merge-patch+json" : "application/strategic-merge-patch+json";

/**
 * A new template of a Rollout would go through its canary or blue-green steps, which may wait for people; a restart replaces
 * the pods of the template that it has.
 */
const restartPatch = (kind: ControllerKind, annotations: Readonly<Record<string, string>>): object =>
  kind === "Rollout"
    ? { metadata: { annotations }, spec: { restartAt: `${new Date().toISOString().slice(0, 19)}Z` } }
    : { spec: { template: { metadata: { annotations } } } };

/**
 * {@link Controllers} of one cluster by its API.
 *
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/
 *
 * @param token a new one for each call
 */
export function kubernetesControllers(
  { name: cluster, apiServer, caPem }: RestartedCluster,
  token: () => Promise<string>,
): Controllers {
  const call = async (
    method: "GET" | "PATCH",
    workload: RestartedWorkload,
    body?: object,
  ): Promise<Controller> => {
    const { namespace, kind, name } = workload;
    const where = `${kind} ${namespace}/${name} of cluster ${cluster}`;
    const { status, text } = await send(
      { apiServer, caPem, token: await token() },
      { method, path: pathOf(workload), contentType: patchType(kind), body },
      where,
    );
    if (status !== 200) throw refusal(status, where);
    return READERS[kind](jsonOf(text), where);
  };
  return {
    cluster,
    read: (workload) => call("GET", workload),
    annotate: (workload, annotations) => call("PATCH", workload, restartPatch(workload.kind, annotations)),
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

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parsed<T>(schema: z.ZodMiniType<T>, json: unknown, where: string): T {
  const result = schema.safeParse(json);
  if (!result.success) throw new RotationError("target-misconfigured", `the answer for ${where} is none`);
  return result.data;
}

/** Each kind as `kubectl rollout status` reads it. */
const READERS: Readonly<Record<ControllerKind, (json: unknown, where: string) => Controller>> = {
  Deployment: (json, where) => {
    const { metadata, spec, status } = parsed(SCHEMAS.Deployment, json, where);
    return {
      ...common({ metadata, spec, status }),
      paused: spec.paused,
      wanted: spec.replicas,
      replicas: status.replicas,
      updated: status.updatedReplicas,
      available: status.availableReplicas,
      stalled: hasGivenUp(status.conditions),
    };
  },
  StatefulSet: (json, where) => {
    const { metadata, spec, status } = parsed(SCHEMAS.StatefulSet, json, where);
    requireRollingUpdate(spec.updateStrategy, where);
    const isRolledOut = status.updateRevision === status.currentRevision;
    return {
      ...common({ metadata, spec, status }),
      paused: false,
      wanted: spec.replicas,
      replicas: status.replicas,
      // Until the two revisions meet, a pod of the old one may be about to go.
      updated: isRolledOut
        ? Math.max(status.updatedReplicas, status.replicas)
        : Math.min(status.updatedReplicas, Math.max(0, spec.replicas - 1)),
      available: status.readyReplicas,
      stalled: false,
    };
  },
  Rollout: (json, where) => {
    const { metadata, spec, status } = parsed(SCHEMAS.Rollout, json, where);
    const isRestarted =
      spec.restartAt === undefined || spec.restartAt === null || isSame(spec.restartAt, status.restartedAt);
    return {
      generation: metadata.generation,
      // Its controller says by the time of the restart that it has seen it.
      observedGeneration: metadata.generation,
      annotations: metadata.annotations,
      paused: false,
      wanted: spec.replicas,
      replicas: status.replicas,
      updated: isRestarted ? Math.max(status.replicas, spec.replicas) : 0,
      // A canary's or preview's pods are there besides.
      available: isRestarted && status.availableReplicas >= spec.replicas ? Number.MAX_SAFE_INTEGER : 0,
      stalled: hasGivenUp(status.conditions),
    };
  },
  DaemonSet: (json, where) => {
    const { metadata, spec, status } = parsed(SCHEMAS.DaemonSet, json, where);
    requireRollingUpdate(spec.updateStrategy, where);
    return {
      ...common({ metadata, spec, status }),
      paused: false,
      wanted: status.desiredNumberScheduled,
      replicas: status.updatedNumberScheduled,
      updated: status.updatedNumberScheduled,
      available: status.numberAvailable,
      stalled: false,
    };
  },
};

const hasGivenUp = (
  conditions: readonly { readonly type: string; readonly reason?: string | undefined }[],
): boolean =>
  conditions.some(({ type, reason }) => type === "Progressing" && reason === "ProgressDeadlineExceeded");

/** `true` where two times are the same, however they are written. */
const isSame = (time: string, other: string | null | undefined): boolean =>
  other !== null && other !== undefined && Date.parse(time) === Date.parse(other);

const common = ({
  metadata,
  spec,
  status,
}: {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly template: z.output<typeof template> };
  readonly status: { readonly observedGeneration: number };
}) => ({
  generation: metadata.generation,
  observedGeneration: status.observedGeneration,
  annotations: spec.template.metadata?.annotations ?? {},
});

/**
 * Pods of `OnDelete` and those below a partition keep the old template until somebody deletes them.
 * https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#update-strategies
 */
function requireRollingUpdate(
  {
    type,
    rollingUpdate,
  }: {
    readonly type: string;
    readonly rollingUpdate?: { readonly partition?: number | null | undefined } | null | undefined;
  },
  where: string,
): void {
  if (type !== "RollingUpdate") {
    throw new RotationError(
      "target-misconfigured",
      `${where} has the update strategy ${type}, not RollingUpdate`,
    );
  }
  if ((rollingUpdate?.partition ?? 0) > 0) {
    throw new RotationError(
      "target-misconfigured",
      `${where} keeps pods below partition ${rollingUpdate?.partition}`,
    );
  }
}

async function send(
  { apiServer, caPem, token }: { apiServer: string; caPem: string | undefined; token: string },
  {
    method,
    path,
    contentType,
    body,
  }: { method: string; path: string; contentType: string; body: object | undefined },
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
            ...(body === undefined ? {} : { "content-type": contentType }),
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
