import { formatDuration, inHours } from "../../model/duration";
import type { HealthCheck } from "../../model/health-checks";
import type { KindName } from "../../model/kinds";
import { type Registry, UnknownNameError } from "../../model/registry";
import { type Blueprint, blueprint } from "../environment/blueprint";
import type { ReloadPlan, WorkloadPlan } from "../identity/workload-plan";
import { byText } from "../platform/sorting";
import { publicSettings, type RenderedFile } from "../pods/agent-template";
import type { SecretPlan } from "../store/secret-plan";
import { rotationImpact } from "./rotation-impact";

/** Everything that a change of one secret touches in one environment. Plain data, the same for the same registry. */
export interface BlastRadius {
  readonly registry: string;
  readonly secret: string;
  readonly environment: string;
  readonly kind: KindName;
  readonly description: string;
  readonly owner: string;
  readonly classification: SecretPlan["classification"];
  readonly store: SecretPlan["store"];
  readonly rotation: SecretPlan["rotation"];
  readonly acceptedBy: SecretPlan["acceptedBy"];
  /** Cadence in words: `30 days`. */
  readonly cadence: string;
  /** Readers, sorted: the access matrix's column. For a key that signs, they are the verifiers as well. */
  readonly consumers: readonly AffectedConsumer[];
  /** Regions that hold it, the primary one first. */
  readonly regions: readonly string[];
  /** Vaults that serve it to pods, sorted; none for a secret that no workload reads. */
  readonly vaults: readonly { readonly name: string; readonly regions: readonly string[] }[];
  /** Secrets that are rotated with this one, directly or by way of others; sorted by chain. */
  readonly dependents: readonly DependentSecret[];
  /** The target that the credential opens, without anything secret: host, database, bucket, account. */
  readonly target: Readonly<Record<string, string | number | boolean>>;
  /** Each consumer's way to take up the new value, sorted by workload. */
  readonly reload: readonly ConsumerReload[];
  /** Checks that watch the change, sorted by workload and name. */
  readonly checks: readonly WatchingCheck[];
  /** Consumers that no check watches, sorted. */
  readonly unwatched: readonly string[];
  /** Whole hours within which every pod has rendered the new value, rounded up. */
  readonly refreshHours: number;
  /** Whole hours that the old credential lives beside the new one, rounded up; 0: it cannot. */
  readonly overlapHours: number;
  /** Whole hours that a published key waits before it is used, rounded up; 0: the target accepts at once. */
  readonly publishLeadHours: number;
  /** `required`: people need an approved change request to start it; and an approver to end it. */
  readonly changeRequest: Blueprint["changeRequest"];
  readonly approval: Blueprint["approval"];
  readonly breaks: string;
  readonly rollback: string;
}

/** A workload that reads the secret. */
export interface AffectedConsumer {
  readonly workload: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Regions in which its role reads the secret. */
  readonly regions: readonly string[];
  /** Clusters that run it, sorted by name. */
  readonly clusters: readonly {
    readonly name: string;
    readonly region: string;
    /** `undefined`: pods read Secrets Manager. */
    readonly vault?: string | undefined;
  }[];
  /** Files in its pods, with their full path. */
  readonly files: readonly { readonly path: string; readonly format: RenderedFile["format"] }[];
}

/** One consumer's way to take up a new value. */
export type ConsumerReload = ReloadPlan & {
  readonly workload: string;
  /** `false`: the sidecar's file is enough. */
  readonly restarts: boolean;
};

/** A check of one consumer. */
export type WatchingCheck = HealthCheck & { readonly workload: string };

/** A secret that another one is needed for. */
export interface DependentSecret {
  readonly secret: string;
  /** Keys from the secret that changes to this one. */
  readonly chain: readonly string[];
  /** Workloads that read it, sorted: whom a failed rotation of it would reach. */
  readonly consumers: readonly string[];
}

/**
 * Everything that a change of a secret touches in an environment.
 *
 * @throws UnknownNameError when the registry, or this environment, does not have the secret
 * @example
 * blastRadius(registry, "prod", "db/app-primary").consumers.map(({ workload }) => workload);
 */
export function blastRadius<E extends string, K extends string>(
  registry: Registry<E, string, K>,
  environment: NoInfer<E>,
  key: NoInfer<K>,
): BlastRadius {
  const plan = blueprint(registry, environment);
  const resolved = registry.secretIn(environment, key);
  const secret = plan.secrets.find((candidate) => candidate.key === key);
  if (resolved === undefined || secret === undefined) {
    throw new UnknownNameError(
      `secret of ${environment}`,
      key,
      plan.secrets.map((candidate) => candidate.key),
    );
  }
  const workloads = plan.workloads.filter(({ name }) => secret.consumers.includes(name));
  return {
    registry: plan.registry,
    secret: secret.key,
    environment: plan.environment,
    kind: secret.kind,
    description: secret.description,
    owner: secret.owner,
    classification: secret.classification,
    store: secret.store,
    rotation: secret.rotation,
    acceptedBy: secret.acceptedBy,
    cadence: formatDuration(secret.rotateEvery),
    consumers: workloads.map((workload) => consumerOf(plan, secret, workload)),
    regions: secret.regions,
    vaults:
      workloads.length === 0
        ? []
        : plan.vaults.map((vault) => ({ name: vault.name, regions: vault.regions })),
    dependents: dependentsOf(plan, [key]),
    target: publicSettings(resolved),
    reload: workloads.map((workload) => ({
      workload: workload.name,
      restarts: workload.reload.how === "redeploy",
      ...workload.reload,
    })),
    checks: workloads.flatMap((workload) =>
      workload.checks.map((check) => ({ workload: workload.name, ...check })),
    ),
    unwatched: workloads.filter(({ checks }) => checks.length === 0).map(({ name }) => name),
    refreshHours: inHours(plan.refreshEvery),
    overlapHours: inHours(secret.overlap),
    publishLeadHours: inHours(secret.publishLead),
    changeRequest: plan.changeRequest,
    approval: plan.approval,
    ...rotationImpact(secret),
  };
}

/** The environments that have a secret, in the order in which a change travels: Dev → Stage → Prod. */
export function environmentsWith<E extends string, K extends string>(
  registry: Registry<E, string, K>,
  key: NoInfer<K>,
): readonly E[] {
  return registry.environmentNames.filter((environment) => registry.secretIn(environment, key) !== undefined);
}

function consumerOf(plan: Blueprint, secret: SecretPlan, workload: WorkloadPlan): AffectedConsumer {
  return {
    workload: workload.name,
    namespace: workload.namespace,
    serviceAccount: workload.serviceAccount,
    regions: secret.regions,
    clusters: plan.clusters
      .filter(({ name }) => workload.pods.some(({ cluster }) => cluster === name))
      .map(({ name, region, vault }) => ({ name, region, vault })),
    // The same in every cluster.
    files: (workload.pods[0]?.files ?? [])
      .filter((file) => file.secret === secret.key)
      .map(({ path, format }) => ({ path: `${workload.pods[0]?.folder}/${path}`, format })),
  };
}

/** The rules let no circle of admin secrets through, so the walk ends. */
function dependentsOf(plan: Blueprint, chain: readonly string[]): readonly DependentSecret[] {
  return plan.secrets
    .filter(({ admin }) => admin !== undefined && admin === chain.at(-1))
    .flatMap((secret) => {
      const longer = [...chain, secret.key];
      return [
        { secret: secret.key, chain: longer, consumers: secret.consumers },
        ...dependentsOf(plan, longer),
      ];
    })
    .sort(byText(({ chain: steps }) => steps.join("\n")));
}
