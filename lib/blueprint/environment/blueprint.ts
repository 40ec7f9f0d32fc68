import type { Duration } from "../../model/duration";
import { groupBy } from "../../model/group-by";
import type { Cluster, Environment, Registry } from "../../model/registry";
import { STS_AUDIENCE } from "../../model/trust-policy";
import { auditOf } from "../audit/audit-of-environment";
import type { AuditPlan } from "../audit/audit-plan";
import { type DeployerPlan, deployerPlan } from "../deployer/deployer-rights";
import { type FunctionPlan, mirrorFunctionPlan, rotationFunctionPlan } from "../functions/function-plan";
import { clustersOf, type WorkloadPlan, workloadPlan } from "../identity/workload-plan";
import { type KeyPlan, keyPlan } from "../keys/key-plan";
import { type OperationsPlan, operationsPlan } from "../operations/operations-plan";
import { oidcProviderArn } from "../platform/aws-arns";
import { byText } from "../platform/sorting";
import { type ProcedurePlan, procedureOf } from "../procedure/procedure-plan";
import { assignFunctions, functionsBySecret } from "../store/function-assignment";
import { type SecretPlan, secretPlan } from "../store/secret-plan";
import { vaultPlan } from "../vault/vault-plan";
import type { VaultPlan } from "../vault/vault-server-plan";
import { type ClusterAccountPlan, clusterAccountPlans } from "./cluster-account-plan";

/**
 * Everything that one environment holds, as plain data: no token, no clock, no cloud. The constructs turn it into
 * Terraform; proofs, previews and rehearsals read the same data.
 */
export interface Blueprint {
  readonly registry: string;
  readonly environment: string;
  readonly tier: Environment["tier"];
  readonly account: string;
  readonly partition: string;
  readonly regions: {
    readonly primary: string;
    readonly replicas: readonly string[];
    readonly all: readonly string[];
  };
  readonly principals: Environment["principals"];
  readonly refreshEvery: Duration;
  readonly reloadMargin: Duration;
  /** `required`: a rotation that people start needs an approved change request. */
  readonly changeRequest: Environment["changeRequest"];
  /** `required`: an approver must agree before an old credential is retired. */
  readonly approval: Environment["approval"];
  readonly key: KeyPlan;
  /** Rights of the deployer's role in AWS. */
  readonly deployer: DeployerPlan;
  /** Sorted by key. */
  readonly secrets: readonly SecretPlan[];
  /** Lambda functions that rotate, mirror and follow rotations, sorted by name. */
  readonly functions: readonly FunctionPlan[];
  /** Key, queue, topic, tables and rules around the functions; `undefined` where there are none. */
  readonly operations?: OperationsPlan;
  /** Rotation procedure; `undefined` where nothing is rotated in Secrets Manager. */
  readonly procedure?: ProcedurePlan;
  /** Audit trail; `undefined` where the environment has none. */
  readonly audit?: AuditPlan;
  /** Those that consume something here, sorted by name. */
  readonly workloads: readonly WorkloadPlan[];
  /** IAM OIDC providers that the stack makes, sorted by cluster. */
  readonly oidcProviders: readonly OidcProviderPlan[];
  /** Sorted by name. */
  readonly vaults: readonly VaultPlan[];
  /** Sorted by name. */
  readonly clusters: readonly ClusterPlan[];
  /** Other accounts in which EKS Pod Identity gives pods a role, sorted by account. Each is a stack of its own. */
  readonly clusterAccounts: readonly ClusterAccountPlan[];
}

/** An IAM OIDC provider that the stack makes. */
export interface OidcProviderPlan {
  readonly cluster: string;
  readonly issuer: string;
  /** Audience of the tokens that it vouches for: STS. */
  readonly audience: string;
  readonly arn: string;
}

/** One cluster of an environment. */
export interface ClusterPlan extends Cluster {
  readonly identity: Environment["identity"];
}

function computeBlueprint(registry: Registry, environmentName: string): Blueprint {
  const environment = registry.environment(environmentName);
  registry.requireDay(environmentName);
  const assignments = assignFunctions(registry, environment);
  const bySecret = functionsBySecret(assignments);
  const secrets = registry
    .secretsIn(environmentName)
    .map((secret) => secretPlan(registry, environment, secret, bySecret));
  const consumed = groupBy(
    registry.secretsIn(environmentName),
    ({ consumers }) => new Set(consumers.map(({ workload }) => workload)),
  );
  // What consumes nothing here gets nothing here: whoever may create its ServiceAccount would have its rights. Without a
  // cluster there is nobody whom a role could trust.
  const workloads = registry.workloadNames.flatMap((name) => {
    const secrets = environment.clusters.length > 0 ? consumed.get(name) : undefined;
    return secrets ? [workloadPlan(registry, environment, registry.workload(name), secrets)] : [];
  });
  const vaults = [...environment.vaults]
    .sort(byText((vault) => vault.name))
    .map((vault) => vaultPlan(registry, environment, vault, workloads, secrets));
  const mirror = mirrorFunctionPlan(registry, environment, vaults);
  const procedure =
    assignments.length > 0
      ? procedureOf(registry, environment, { assignments, bySecret, workloads, mirror })
      : undefined;
  const functions = [
    ...assignments.map((assignment) =>
      rotationFunctionPlan(registry, environment, assignment, procedure !== undefined),
    ),
    ...(mirror ? [mirror] : []),
    ...(procedure?.functions ?? []),
  ].sort(byText(({ name }) => name));
  const operations = operationsPlan(registry, environment, functions, procedure?.plan);
  const audit = auditOf(registry, environment, {
    workloads,
    functions,
    vaults,
    hasProcedure: procedure !== undefined,
  });
  const clusters = clustersOf(environment).map((cluster) => ({ ...cluster, identity: environment.identity }));
  const plan: Omit<Blueprint, "deployer"> = {
    registry: registry.id,
    environment: environment.name,
    tier: environment.tier,
    account: environment.account,
    partition: environment.partition,
    regions: { ...environment.regions, all: environment.allRegions },
    principals: environment.principals,
    refreshEvery: environment.refreshEvery,
    reloadMargin: environment.reloadMargin,
    changeRequest: environment.changeRequest,
    approval: environment.approval,
    key: keyPlan(registry, environment, secrets, functions),
    secrets,
    functions,
    ...(operations ? { operations } : {}),
    ...(procedure ? { procedure: procedure.plan } : {}),
    ...(audit ? { audit } : {}),
    workloads,
    oidcProviders: clustersOf(environment)
      .filter((cluster) => cluster.oidcProvider === "create")
      .map((cluster) => ({
        cluster: cluster.name,
        issuer: cluster.issuer,
        audience: STS_AUDIENCE,
        arn: oidcProviderArn(environment, cluster.issuer),
      })),
    vaults,
    clusters,
    clusterAccounts: clusterAccountPlans(registry, environment, clusters, workloads),
  };
  return { ...plan, deployer: deployerPlan(registry, environment, plan) };
}

const computed = new WeakMap<object, Map<string, Blueprint>>();

/**
 * Blueprint of an environment. The same registry gives the same data, whatever order it was written in; the result is
 * computed once per registry and environment.
 *
 * @throws RegistryError where the environment would break one of AWS's or Kubernetes' size limits, and where it has grants with a last day
 * and the registry is of no day
 * @example
 * blueprint(registry, "prod").secrets.map((secret) => secret.key);
 */
export function blueprint<E extends string>(
  registry: Registry<E, string, string>,
  environment: NoInfer<E>,
): Blueprint {
  const plain = registry as unknown as Registry;
  const known = computed.get(registry) ?? new Map<string, Blueprint>();
  computed.set(registry, known);
  const plan = known.get(environment) ?? computeBlueprint(plain, environment);
  known.set(environment, plan);
  return plan;
}
