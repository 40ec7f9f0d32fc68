import { type ControllerKind, isJob } from "../../model/controller-kinds";
import { controllerNameOf, controllersOf, type NamedController } from "../../model/controllers";
import { checksIn, type HealthCheck } from "../../model/health-checks";
import { roleName, secretName, vaultRoleName } from "../../model/names";
import { isNamespacePattern } from "../../model/namespace-patterns";
import type { Cluster, Environment, Registry, Workload } from "../../model/registry";
import type { EnvironmentSecret } from "../../model/resolve";
import { serviceAccountOf } from "../../model/service-account";
import { trustPolicy } from "../../model/trust-policy";
import { clustersWith } from "../../model/workload-clusters";
import { roleArn } from "../platform/aws-arns";
import type { RolePlan } from "../platform/role-plan";
import { byText } from "../platform/sorting";
import { commonTags } from "../platform/tags";
import { readerRules, type VaultPolicy, vaultPolicy } from "../platform/vault-policy";
import { type PodPlan, podPlan } from "../pods/pod";
import { readerPolicies } from "./reader-policy";

/** One workload of an environment. */
export interface WorkloadPlan {
  readonly name: string;
  readonly description: string;
  /** Or a pattern of preview environments: `preview-*`. */
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly manage: Workload["manage"];
  /** Kind of the object that makes its pods. */
  readonly controller: Workload["controller"];
  /** Every object that makes its pods, in its namespace; the first is of kind `controller`. */
  readonly controllers: readonly NamedController[];
  readonly delivery: Workload["delivery"];
  /** Places in its Helm chart's values for annotations and volumes. */
  readonly helm: Workload["helm"];
  readonly reload: ReloadPlan;
  /** Health endpoints and synthetic checks that prove a rotation, sorted by name. */
  readonly checks: readonly HealthCheck[];
  readonly role: RolePlan;
  /** Keys that it reads, sorted. */
  readonly secrets: readonly string[];
  /** Vault policy and auth role; `undefined` without secrets, because Vault refuses an empty policy, and without a Vault. */
  readonly vault: { readonly roleName: string; readonly policy: VaultPolicy } | undefined;
  /** One per cluster, sorted by cluster. */
  readonly pods: readonly PodPlan[];
}

/** A workload's way to take up a changed file; a restart names the object that makes its pods, in its namespace. */
export type ReloadPlan =
  | Exclude<Workload["reload"], { readonly how: "redeploy" }>
  /** A job's: whatever starts later has it. */
  | { readonly how: "next-run" }
  | {
      readonly how: "redeploy";
      readonly controller: ControllerKind;
      readonly deployment: string;
      /** Restarted after it, one after the other. */
      readonly further?: readonly { readonly kind: ControllerKind; readonly name: string }[];
    };

/**
 * One workload of an environment.
 *
 * @param secrets what it consumes there, sorted by key
 */
export function workloadPlan(
  registry: Registry,
  environment: Environment,
  workload: Workload,
  secrets: readonly EnvironmentSecret[],
): WorkloadPlan {
  const { namespace, serviceAccount } = serviceAccountOf(
    environment.name,
    environment,
    workload.name,
    workload,
  );
  const name = roleName(registry.id, environment.name, workload.name);
  const vaultRole = vaultRoleName(registry.id, environment.name, workload.name);
  return {
    name: workload.name,
    description: workload.description ?? "",
    namespace,
    serviceAccount,
    // Nobody knows the namespaces of a pattern when Terraform runs.
    manage: isNamespacePattern(namespace) ? "external" : workload.manage,
    controller: workload.controller,
    controllers: controllersOf(workload.name, workload),
    delivery: isNamespacePattern(namespace) ? { how: "files" } : workload.delivery,
    helm: workload.helm,
    reload: reloadPlan(workload),
    checks: checksIn(workload, environment.name),
    role: {
      name,
      path: environment.rolePath,
      arn: roleArn(environment, environment.rolePath, name),
      trust: trustPolicy({
        partition: environment.partition,
        account: environment.account,
        role: { path: environment.rolePath, name },
        identity: environment.identity,
        clusters: clustersWith(environment.name, clustersOf(environment), workload),
        namespace,
        serviceAccount,
      }),
      policies: readerPolicies({
        scope: environment,
        registry: registry.id,
        environment: environment.name,
        workload: workload.name,
        roleName: name,
        regions: environment.allRegions,
        secretNames: secrets
          .filter((secret) => secret.store === "aws")
          .map((secret) => secretName(environment.name, secret.physicalKey))
          .sort(),
      }),
      ...(environment.permissionsBoundary ? { permissionsBoundary: environment.permissionsBoundary } : {}),
      tags: { ...commonTags(registry, environment), workload: workload.name },
    },
    secrets: secrets.map((secret) => secret.key),
    vault:
      secrets.length > 0 && environment.vaults.length > 0
        ? { roleName: vaultRole, policy: vaultPolicy(vaultRole, readerRules(secrets)) }
        : undefined,
    pods: clustersWith(environment.name, clustersOf(environment), workload).map((cluster) =>
      podPlan({
        registry: registry.id,
        environment,
        workload,
        namespace,
        serviceAccount,
        cluster,
        vault: environment.vaults.find((candidate) => candidate.name === cluster.vault),
        secrets,
      }),
    ),
  };
}

function reloadPlan(workload: Workload): ReloadPlan {
  const { name, reload, controller, furtherControllers } = workload;
  if (isJob(controller)) return { how: "next-run" };
  if (reload.how !== "redeploy") return reload;
  // No kind of a job is among them: a rule refuses that.
  const further = furtherControllers.flatMap(({ kind, name: other }) =>
    isJob(kind) ? [] : [{ kind, name: other }],
  );
  return {
    how: "redeploy",
    controller,
    deployment: controllerNameOf(name, workload),
    ...(further.length > 0 ? { further } : {}),
  };
}

/** The clusters of an environment, sorted by name. */
export const clustersOf = (environment: Environment): readonly Cluster[] =>
  [...environment.clusters].sort(byText((cluster) => cluster.name));
