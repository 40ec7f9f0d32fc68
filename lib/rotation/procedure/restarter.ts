import * as z from "zod/mini";
import type { RestartedWorkload, RestarterSettings } from "../../contracts/function-settings";
import type { RestarterEvent } from "../../contracts/procedure-events";
import type { Clock, Logbook } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";

/** An object that makes pods from a template, as its cluster has it. */
export interface Controller {
  /** Grows with every change of what is wanted. */
  readonly generation: number;
  /** The generation that the cluster has seen. */
  readonly observedGeneration: number;
  readonly paused: boolean;
  /** Pods that are wanted, and there are: of any template, of the newest, and ready for long enough. */
  readonly wanted: number;
  readonly replicas: number;
  readonly updated: number;
  readonly available: number;
  /** The cluster has given up (`progressDeadlineSeconds` of a Deployment; the others have none). */
  readonly stalled: boolean;
  /** Annotations of its pods' template. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Deployments, StatefulSets and DaemonSets of one cluster. */
export interface Controllers {
  readonly cluster: string;
  /**
   * @throws RotationError `target-misconfigured` when there is none, or when a changed template would not replace all of its
   * pods by itself; `right-missing`, `target-unreachable`
   */
  read(workload: RestartedWorkload): Promise<Controller>;
  /** Adds annotations to its pods' template, which replaces its pods one by one. */
  annotate(workload: RestartedWorkload, annotations: Readonly<Record<string, string>>): Promise<Controller>;
}

/** Ports of the restarter. */
export interface RestarterContext {
  readonly settings: RestarterSettings;
  /** Clusters in the order of the settings. */
  readonly clusters: readonly Controllers[];
  readonly clock: Clock;
  readonly log: Logbook;
}

/** Result of a call. */
export interface RestarterOutcome {
  /** Workloads whose pods have the version, in every cluster. */
  readonly restarted: readonly string[];
}

/** Run-time schema of the restarter's events. */
export const restarterEvent: z.ZodMiniType<RestarterEvent> = z.strictObject({
  Workloads: z.array(z.string()),
  Version: z.string().check(z.minLength(1), z.maxLength(64)),
});

/**
 * A restart did not end well. Its text is names and a code. The name is what the state machine matches.
 */
class RolloutFailed extends Error {
  override readonly name = "RolloutFailed";
}

/** Annotation of pods' templates: the version that they were restarted for. */
export const RESTARTED_FOR = "secrets-registry/restarted-for";

const LOOK_EVERY_MS = 5_000;
/** Lambda's 15 minutes, less what the last look may take. */
const PATIENCE_MS = 13 * 60_000;

/**
 * Restarts workloads for a version of a secret, one after the other, each until all of its pods are new and available: so
 * that a version with which pods do not start stops at the first. The version is the annotation's value, so a repeated
 * call only waits.
 */
export class Restarter {
  readonly #context: RestarterContext;

  constructor(context: RestarterContext) {
    this.#context = context;
  }

  /**
   * @throws RolloutFailed
   * @throws RotationError `target-busy` when the time of a call is over before the pods are ready; call again
   */
  async run({ Workloads, Version }: RestarterEvent): Promise<RestarterOutcome> {
    const { settings, clusters, clock } = this.#context;
    const until = clock.now().getTime() + PATIENCE_MS;
    for (const name of Workloads) {
      const workload = settings.workloads[name];
      if (workload === undefined) throw new RotationError("settings-malformed", `no workload ${name}`);
      const runsIn = (name: string): boolean => workload.clusters?.includes(name) ?? true;
      const controllers = [workload, ...(workload.further ?? []).map((own) => ({ ...workload, ...own }))];
      for (const cluster of clusters.filter((candidate) => runsIn(candidate.cluster)))
        for (const controller of controllers) await this.#restart(cluster, controller, Version, until);
    }
    return { restarted: Workloads };
  }

  async #restart(
    cluster: Controllers,
    workload: RestartedWorkload,
    version: string,
    until: number,
  ): Promise<void> {
    const { clock, log } = this.#context;
    const { namespace, kind, name } = workload;
    const fields = { cluster: cluster.cluster, namespace, kind, name, version };
    let state = await known(() => cluster.read(workload));
    if (state.annotations[RESTARTED_FOR] !== version) {
      state = await known(() => cluster.annotate(workload, { [RESTARTED_FOR]: version }));
      log.info("restart begun", fields);
    }
    for (;;) {
      const where = `${kind} ${name} in ${namespace} of cluster ${cluster.cluster}`;
      if (state.annotations[RESTARTED_FOR] !== version) throw new RolloutFailed(`overtaken: ${where}`);
      if (isReady(state)) break;
      if (state.paused) throw new RolloutFailed(`paused: ${where}`);
      if (isSeen(state) && state.stalled) throw new RolloutFailed(`progress-deadline-exceeded: ${where}`);
      if (clock.now().getTime() >= until) {
        throw new RotationError(
          "target-busy",
          `${state.available} of ${state.wanted} pods are ready: ${where}`,
        );
      }
      await clock.sleep(LOOK_EVERY_MS);
      state = await known(() => cluster.read(workload));
    }
    log.info("restart done", { ...fields, pods: state.available });
  }
}

const isSeen = ({ generation, observedGeneration }: Controller): boolean => observedGeneration >= generation;

/**
 * `true` for a rollout that `kubectl rollout status` would call complete: every pod is of the newest template, none is
 * left of older ones, all are available.
 * https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/rollout_status.go
 */
const isReady = (state: Controller): boolean =>
  isSeen(state) &&
  state.updated >= state.wanted &&
  state.replicas <= state.updated &&
  state.available >= state.updated;

/** Makes a failed rollout of each fault that another try cannot fix; the others may be tried again. */
async function known<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (failure) {
    if (failure instanceof RotationError && !failure.retryable) {
      throw new RolloutFailed(failure.message);
    }
    throw failure;
  }
}
