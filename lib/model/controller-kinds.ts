/**
 * Kinds of `apps/v1` that make pods from a template and replace them when it changes.
 * https://kubernetes.io/docs/concepts/workloads/controllers/
 */
export const CONTROLLER_KINDS = ["Deployment", "StatefulSet", "DaemonSet"] as const;

/**
 * Kinds that can be restarted: {@link CONTROLLER_KINDS}, and Rollouts of Argo (`argoproj.io/v1alpha1`).
 * https://argo-rollouts.readthedocs.io/en/stable/features/restart/
 */
export const RESTARTED_KINDS = [...CONTROLLER_KINDS, "Rollout"] as const;

/** One of {@link RESTARTED_KINDS}. */
export type ControllerKind = (typeof RESTARTED_KINDS)[number];

/**
 * Kinds of `batch/v1`, whose pods come to an end. An agent that stays would keep them from it
 * (https://github.com/hashicorp/vault-k8s/issues/120), so they have the one that renders once, and take up a new value when the
 * next one starts.
 */
export const JOB_KINDS = ["Job", "CronJob"] as const;

/** One of {@link JOB_KINDS}. */
export type JobKind = (typeof JOB_KINDS)[number];

/** `true` where a workload's pods come to an end by themselves. */
export const isJob = (controller: ControllerKind | JobKind): controller is JobKind =>
  (JOB_KINDS as readonly string[]).includes(controller);
