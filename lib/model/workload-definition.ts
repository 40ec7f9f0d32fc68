import * as z from "zod/mini";
import { iamDescription } from "./aws-grammar";
import { type ControllerKind, JOB_KINDS, type JobKind, RESTARTED_KINDS } from "./controller-kinds";
import type { Duration } from "./duration";
import { duration, oneLine } from "./grammar";
import {
  type HealthCheckInEnvironmentInput,
  type HealthCheckInput,
  healthCheckInEnvironmentSchema,
  healthCheckSchema,
} from "./health-checks";
import { containerFolder, dnsLabel, dnsSubdomain, namespaceOrPattern } from "./kubernetes-grammar";
import { amountOf } from "./quantity";
import { SECRETS_FOLDER } from "./secrets-folder";

/** Workloads as an author writes them, and the run-time schema of the same. */

/** Way in which a workload takes up a changed file. */
export type ReloadInput =
  /** The application watches the files. */
  | { readonly how: "file-watch" }
  /** The agent runs a command in its own container after a file changed, such as a request to the application. */
  | { readonly how: "command"; readonly command: string }
  /**
   * The application reads at start only, so a rotation restarts its Deployment. `deployment`: its name in the
   * workload's namespace. Default: the Deployment that delivery patches, else the workload's name.
   */
  | { readonly how: "redeploy"; readonly deployment?: string };

/** Places in the values of a workload's Helm chart. */
export interface HelmInput {
  /** Place at which the chart takes annotations of pods, as keys joined by dots. Default: `podAnnotations`. */
  readonly annotationsAt?: string;
  /** Place at which it takes additional volumes of pods, as keys joined by dots. Default: `volumes`. */
  readonly volumesAt?: string;
  /**
   * `true`: the chart runs its annotations through `tpl`, as those of Bitnami and of Datadog do: then their text is
   * escaped, so that Helm leaves the agent's templates to the agent. Default: `false`.
   */
  readonly tpl?: boolean;
}

/** CPU and memory of the agent's containers, in Kubernetes quantities. A limit of `""` is no limit. */
export interface AgentResourcesInput {
  readonly requests?: { readonly cpu?: string; readonly memory?: string };
  readonly limits?: { readonly cpu?: string; readonly memory?: string };
}

/** An object that makes pods. */
export interface ControllerInput {
  /** Default: `Deployment`. */
  readonly kind?: ControllerKind | JobKind;
  readonly name: string;
}

/** One workload: one ServiceAccount, one role. */
export interface WorkloadInput<E extends string = string> {
  readonly description?: string;
  readonly namespace: string;
  /** Default: the workload's own name. */
  readonly serviceAccount?: string;
  /**
   * Kind of the object that makes its pods, which `reload.deployment` and `delivery.deployment` name. A restart after a
   * rotation, patches and files follow it. Default: `Deployment`.
   */
  readonly controller?: ControllerKind | JobKind;
  /** Other objects in its namespace whose pods have the same ServiceAccount, such as `[{ name: "worker" }]`. Default: none. */
  readonly furtherControllers?: readonly ControllerInput[];
  /**
   * Longest run of a Job or CronJob (`activeDeadlineSeconds` enforces it): it has the values of its start until
   * it ends, so no old value goes earlier. Needed for those, and for nothing else.
   */
  readonly longestRun?: Duration;
  /**
   * `create`: Terraform makes the ServiceAccount. `annotate`: it exists (a Helm chart makes it) and Terraform adds
   * the annotation. `external`: GitOps does both from the files. Default: `create`.
   */
  readonly manage?: "create" | "annotate" | "external";
  /** Health endpoints and synthetic checks by name; a rotation is proved by them. Default: none. */
  readonly checks?: Readonly<Record<string, HealthCheckInput>>;
  /** Differences per environment: namespaces of a shared cluster, URLs of checks. */
  readonly environments?: {
    readonly [P in E]?: {
      /** Stands as it is, without the environment's pattern; in development also for all that match: `preview-*`. */
      readonly namespace?: string;
      readonly serviceAccount?: string;
      /** Clusters in which it lives here. Default: those that it names for all environments. */
      readonly clusters?: readonly string[];
      /** Differences by the check's name; a name of its own is a check that only this environment has. */
      readonly checks?: Readonly<Record<string, HealthCheckInEnvironmentInput>>;
    };
  };
  /**
   * Clusters in which it lives, by name; it has no ServiceAccount, role or login in any other. Default: all clusters of each
   * environment.
   */
  readonly clusters?: readonly string[];
  /** Containers that get the files. Default: all. */
  readonly containers?: readonly string[];
  /** User id of the application: the agent runs as it, and files are readable by it alone. */
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  /** Folder in its containers under which the files appear; it hides what an image has there. Default: `/vault/secrets`. */
  readonly secretVolumePath?: string;
  /** Default: `file-watch`. */
  readonly reload?: ReloadInput;
  /** Places in the values of its Helm chart. Default: those of charts of `helm create`. */
  readonly helm?: HelmInput;
  /** Requests and limits of the agent. Default: 50m CPU and 64Mi requested, 500m and 128Mi at most. */
  readonly agentResources?: AgentResourcesInput;
  /**
   * Way in which annotations and volume reach the pods. `files`: values for Helm and patches for Kustomize, written at
   * synth. `patch`: Terraform patches the named Deployment. Default: `files`.
   */
  readonly delivery?: { readonly how: "files" } | { readonly how: "patch"; readonly deployment: string };
}

const quantities = (isTaken: (text: string) => boolean, allowed: string, change: string) => ({
  request: z.string().check(z.refine(isTaken, { params: { allowed, change }, message: "quantity" })),
  /** Empty: none, where the injector would set one of its own. */
  limit: z.string().check(
    z.refine((text) => text === "" || isTaken(text), {
      params: { allowed: `${allowed}, or "" for no limit`, change },
      message: "quantity",
    }),
  ),
});

const cpu = quantities(
  (text) => amountOf(text) !== undefined,
  "CPUs as Kubernetes has them, such as 250m or 0.5",
  "write thousandths with m, or a number of CPUs",
);

const memory = quantities(
  (text) => (amountOf(text) ?? 0) >= 1 && !/[num]$/.test(text),
  "bytes as Kubernetes has them, such as 64Mi or 1G",
  "write Mi or Gi: m is a thousandth of a byte",
);

const containerName = dnsLabel;

const valuesPath = z.string().check(
  z.refine((value) => /^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*$/.test(value), {
    params: {
      allowed: "keys of a chart's values joined by dots, such as controller.podAnnotations",
      change: "write the place as `helm show values` has it",
    },
    message: "path",
  }),
);

const controllerKind = z._default(z.enum([...RESTARTED_KINDS, ...JOB_KINDS]), "Deployment");

/** Run-time schema of a workload. */
export const workloadSchema = z.strictObject({
  description: z.optional(iamDescription),
  namespace: dnsLabel,
  serviceAccount: z.optional(dnsSubdomain),
  controller: controllerKind,
  furtherControllers: z._default(z.array(z.strictObject({ kind: controllerKind, name: dnsSubdomain })), []),
  longestRun: z.optional(duration),
  manage: z._default(z.enum(["create", "annotate", "external"]), "create"),
  checks: z._default(z.record(z.string(), healthCheckSchema), {}),
  environments: z._default(
    z.record(
      z.string(),
      z.strictObject({
        namespace: z.optional(namespaceOrPattern),
        serviceAccount: z.optional(dnsSubdomain),
        clusters: z.optional(z.array(z.string()).check(z.minLength(1))),
        checks: z._default(z.record(z.string(), healthCheckInEnvironmentSchema), {}),
      }),
    ),
    {},
  ),
  clusters: z.optional(z.array(z.string()).check(z.minLength(1))),
  containers: z.optional(z.array(containerName).check(z.minLength(1))),
  runAsUser: z.optional(z.int().check(z.gte(1))),
  runAsGroup: z.optional(z.int().check(z.gte(1))),
  secretVolumePath: z._default(containerFolder, SECRETS_FOLDER),
  reload: z._default(
    z.discriminatedUnion("how", [
      z.strictObject({ how: z.literal("file-watch") }),
      z.strictObject({ how: z.literal("command"), command: oneLine }),
      z.strictObject({ how: z.literal("redeploy"), deployment: z.optional(dnsSubdomain) }),
    ]),
    { how: "file-watch" },
  ),
  helm: z._default(
    z.strictObject({
      annotationsAt: z._default(valuesPath, "podAnnotations"),
      volumesAt: z._default(valuesPath, "volumes"),
      tpl: z._default(z.boolean(), false),
    }),
    { annotationsAt: "podAnnotations", volumesAt: "volumes", tpl: false },
  ),
  agentResources: z._default(
    z.strictObject({
      requests: z.optional(
        z.strictObject({ cpu: z.optional(cpu.request), memory: z.optional(memory.request) }),
      ),
      limits: z.optional(z.strictObject({ cpu: z.optional(cpu.limit), memory: z.optional(memory.limit) })),
    }),
    {},
  ),
  delivery: z._default(
    z.discriminatedUnion("how", [
      z.strictObject({ how: z.literal("files") }),
      z.strictObject({ how: z.literal("patch"), deployment: dnsSubdomain }),
    ]),
    { how: "files" },
  ),
});

/** A workload with every default filled in. */
export type ParsedWorkload = z.output<typeof workloadSchema>;
