import { type Duration, formatDuration } from "../model/duration";
import {
  authMount,
  deployerPolicyName,
  keyAsWord,
  kvMount,
  roleName,
  secretName,
  secretsKeyAlias,
  vaultAudience,
  vaultRoleName,
} from "../model/names";
import type { PolicyDocument } from "../model/policy-document";
import type { Cluster, Environment, Registry, VaultServer, Workload } from "../model/registry";
import type { EnvironmentSecret } from "../model/resolve";
import { stsAudience, trustPolicy } from "../model/trust-policy";
import { oidcProviderArn, roleArn, secretArnPattern } from "./aws-arns";
import { keyPolicy } from "./key-policy";
import { type PodPlan, podPlan } from "./pod";
import { type RolePolicies, readerPolicies } from "./reader-policy";
import { secretPolicy } from "./secret-policy";
import { deployerRules, readerRules, type VaultPolicy, vaultPathOf, vaultPolicy } from "./vault-policy";

/**
 * What one environment holds, as plain data: no token, no clock, no cloud. The constructs turn it into Terraform; proofs,
 * previews and rehearsals read the same data.
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
  readonly key: KeyPlan;
  /** Sorted by key. */
  readonly secrets: readonly SecretPlan[];
  /** Sorted by name. */
  readonly workloads: readonly WorkloadPlan[];
  /** IAM OIDC providers that the stack makes, sorted by cluster. */
  readonly oidcProviders: readonly OidcProviderPlan[];
  /** Sorted by name. */
  readonly vaults: readonly VaultPlan[];
  /** Sorted by name. */
  readonly clusters: readonly ClusterPlan[];
}

/** The multi-region customer key of an environment's secrets. */
export interface KeyPlan {
  readonly alias: string;
  readonly description: string;
  /** Key policy of the primary or replica key in each region. */
  readonly policies: Readonly<Record<string, PolicyDocument>>;
  readonly deletionWindowDays: number;
  readonly preventDestroy: boolean;
  readonly tags: Tags;
}

/** AWS tags. */
export type Tags = Readonly<Record<string, string>>;

interface SecretPlanCommon {
  readonly key: string;
  /** The key as one word of Terraform addresses: `db--app-primary`. */
  readonly word: string;
  readonly kind: EnvironmentSecret["kind"];
  readonly settings: EnvironmentSecret["settings"];
  readonly description: string;
  readonly owner: string;
  /** Workload names, sorted; none once retired. */
  readonly consumers: readonly string[];
  readonly rotateEvery: Duration;
  readonly rotation: EnvironmentSecret["rotation"];
  readonly acceptedBy: EnvironmentSecret["acceptedBy"];
  readonly dualWrite: boolean;
  readonly overlap: Duration;
  readonly publishLead: Duration;
  readonly classification: EnvironmentSecret["classification"];
  /** Secret with which rotation changes this one. */
  readonly admin?: string;
  readonly retired?: string;
  /** Where pods read it in Vault. */
  readonly vaultPath: string;
}

/** A secret of AWS Secrets Manager. */
export interface AwsSecretPlan extends SecretPlanCommon {
  readonly store: "aws";
  readonly name: string;
  /** ARN in any region; ends in `-??????`. */
  readonly arnPattern: string;
  readonly regions: readonly string[];
  readonly policy: PolicyDocument;
  readonly recoveryWindowDays: number;
  readonly preventDestroy: boolean;
  /** Words of former keys, oldest first: Terraform moves the address. */
  readonly movedFrom: readonly string[];
  readonly tags: Tags;
}

/** A secret that a Vault engine owns; each Vault has its own value. */
export interface VaultSecretPlan extends SecretPlanCommon {
  readonly store: "vault";
  readonly regions: readonly string[];
}

/** One secret of an environment. */
export type SecretPlan = AwsSecretPlan | VaultSecretPlan;

/** One workload of an environment. */
export interface WorkloadPlan {
  readonly name: string;
  readonly description: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly manage: Workload["manage"];
  readonly delivery: Workload["delivery"];
  readonly reload: Workload["reload"];
  readonly role: RolePlan;
  /** Keys that it reads, sorted. */
  readonly secrets: readonly string[];
  /** Vault policy and auth role; `undefined` without secrets, because Vault refuses an empty policy. */
  readonly vault: { readonly roleName: string; readonly policy: VaultPolicy } | undefined;
  /** One per cluster, sorted by cluster. */
  readonly pods: readonly PodPlan[];
}

/** The IAM role of a workload. */
export interface RolePlan {
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  readonly trust: PolicyDocument;
  readonly policies: RolePolicies;
  readonly permissionsBoundary?: string;
  readonly tags: Tags;
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

/** One Vault of an environment. */
export interface VaultPlan {
  readonly name: string;
  readonly address: string;
  readonly caPem?: string;
  readonly namespace?: string;
  readonly regions: readonly string[];
  readonly manage: VaultServer["manage"];
  readonly kv: { readonly mount: string; readonly maxVersions: number; readonly casRequired: boolean };
  /** One per cluster that uses this Vault, sorted by cluster. */
  readonly auths: readonly VaultAuthPlan[];
  /** Policies of workloads, sorted by name. */
  readonly policies: readonly VaultPolicy[];
  readonly roles: readonly VaultRolePlan[];
  readonly deployer: VaultPolicy;
}

/** Login of one cluster's pods to one Vault. */
export interface VaultAuthPlan {
  readonly method: Environment["vaultAuth"];
  readonly mount: string;
  readonly cluster: string;
  readonly issuer: string;
  readonly apiServer: string;
  readonly caPem?: string;
  readonly issuerCaPem?: string;
  readonly issuerKeys?: readonly string[];
}

/** The auth role of one workload on one cluster's auth mount. */
export interface VaultRolePlan {
  readonly mount: string;
  readonly method: Environment["vaultAuth"];
  readonly cluster: string;
  readonly name: string;
  readonly workload: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly audience: string;
  readonly policies: readonly string[];
  readonly tokenTtl: Duration;
  readonly tokenMaxTtl: Duration;
}

/** KV keeps the version before the current one: a pod may still be rendering it. */
const KV_VERSIONS = 2;
/** A pod's Vault token; the agent renews it while the pod lives, up to the maximum. */
const TOKEN_TTL: Duration = { seconds: 3_600 };
const TOKEN_MAX_TTL: Duration = { seconds: 24 * 3_600 };
/** KMS's longest waiting time before a key is gone. */
const KEY_DELETION_DAYS = 30;

const toDays = (duration: Duration): number => Math.round(duration.seconds / 86_400);

const byText =
  <T>(text: (entry: T) => string) =>
  (a: T, b: T): number =>
    text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0;

/** A retired secret has no consumer by rule, so nothing needs to be taken away here. */
const consumersOf = (secret: EnvironmentSecret): readonly string[] =>
  secret.consumers.map((consumer) => consumer.workload).sort();

function commonTags(registry: Registry, environment: Environment): Record<string, string> {
  return { "managed-by": "cdktf-secrets-registry", registry: registry.id, environment: environment.name };
}

function secretPlan(registry: Registry, environment: Environment, secret: EnvironmentSecret): SecretPlan {
  const common: SecretPlanCommon = {
    key: secret.key,
    word: keyAsWord(secret.key),
    kind: secret.kind,
    settings: secret.settings,
    description: secret.description,
    owner: secret.owner,
    consumers: consumersOf(secret),
    rotateEvery: secret.rotateEvery,
    rotation: secret.rotation,
    acceptedBy: secret.acceptedBy,
    dualWrite: secret.dualWrite,
    overlap: secret.overlap,
    publishLead: secret.publishLead,
    classification: secret.classification,
    ...(secret.admin ? { admin: secret.admin } : {}),
    ...(secret.retired ? { retired: secret.retired } : {}),
    vaultPath: vaultPathOf(secret),
  };
  if (secret.store === "vault") {
    const served = new Set(environment.vaults.flatMap((vault) => vault.regions));
    return {
      ...common,
      store: "vault",
      regions: environment.allRegions.filter((region) => served.has(region)),
    };
  }
  const { operators, breakGlass } = environment.principals;
  const name = secretName(environment.name, secret.physicalKey);
  return {
    ...common,
    store: "aws",
    name,
    arnPattern: secretArnPattern(environment, "*", name),
    regions: environment.allRegions,
    policy: secretPolicy({
      key: secret.key,
      readers: [
        ...common.consumers.map((workload) => workloadRoleArn(registry, environment, workload)),
        ...operators,
        ...breakGlass,
      ],
      writers: [...operators, ...breakGlass],
    }),
    recoveryWindowDays: toDays(environment.recoveryWindow),
    preventDestroy: environment.preventDestroy && secret.retired === undefined,
    movedFrom: secret.renamedFrom.map(keyAsWord),
    tags: {
      ...commonTags(registry, environment),
      "secret-key": secret.key,
      kind: secret.kind,
      owner: secret.owner,
      "rotation-cadence": formatDuration(secret.rotateEvery),
      "rotation-mode": secret.rotation,
      "data-classification": secret.classification,
      ...(secret.retired ? { retired: secret.retired } : {}),
    },
  };
}

const workloadRoleArn = (registry: Registry, environment: Environment, workload: string): string =>
  roleArn(environment, environment.rolePath, roleName(registry.id, environment.name, workload));

function keyPlan(registry: Registry, environment: Environment, secrets: readonly SecretPlan[]): KeyPlan {
  const { deployer, operators, breakGlass } = environment.principals;
  const consumers = [
    ...new Set(secrets.filter(({ store }) => store === "aws").flatMap((secret) => secret.consumers)),
  ];
  const readers = consumers.sort().map((workload) => workloadRoleArn(registry, environment, workload));
  return {
    alias: secretsKeyAlias(registry.id, environment.name),
    description: `Secrets of ${registry.id} in ${environment.name}`,
    policies: Object.fromEntries(
      environment.allRegions.map((region) => [
        region,
        keyPolicy({
          scope: environment,
          environment: environment.name,
          region,
          readers,
          writers: [deployer, ...operators, ...breakGlass],
        }),
      ]),
    ),
    deletionWindowDays: KEY_DELETION_DAYS,
    preventDestroy: environment.preventDestroy,
    tags: commonTags(registry, environment),
  };
}

function workloadPlan(registry: Registry, environment: Environment, workload: Workload): WorkloadPlan {
  const here = workload.environments[environment.name];
  const namespace = here?.namespace ?? workload.namespace;
  const serviceAccount = here?.serviceAccount ?? workload.serviceAccount ?? workload.name;
  const secrets = registry
    .secretsIn(environment.name)
    .filter((secret) => secret.consumers.some((consumer) => consumer.workload === workload.name));
  const name = roleName(registry.id, environment.name, workload.name);
  const vaultRole = vaultRoleName(registry.id, environment.name, workload.name);
  return {
    name: workload.name,
    description: workload.description ?? "",
    namespace,
    serviceAccount,
    manage: workload.manage,
    delivery: workload.delivery,
    reload: workload.reload,
    role: {
      name,
      path: environment.rolePath,
      arn: roleArn(environment, environment.rolePath, name),
      trust: trustPolicy({
        partition: environment.partition,
        account: environment.account,
        identity: environment.identity,
        clusters: clustersOf(environment),
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
      secrets.length > 0
        ? { roleName: vaultRole, policy: vaultPolicy(vaultRole, readerRules(secrets)) }
        : undefined,
    pods: clustersOf(environment).flatMap((cluster) => {
      const vault = environment.vaults.find((candidate) => candidate.name === cluster.vault);
      return vault
        ? [
            podPlan({
              registry: registry.id,
              environment,
              workload,
              namespace,
              serviceAccount,
              cluster,
              vault,
              secrets,
            }),
          ]
        : [];
    }),
  };
}

const clustersOf = (environment: Environment): readonly Cluster[] =>
  [...environment.clusters].sort(byText((cluster) => cluster.name));

function vaultPlan(
  registry: Registry,
  environment: Environment,
  vault: VaultServer,
  workloads: readonly WorkloadPlan[],
): VaultPlan {
  const auths = clustersOf(environment)
    .filter((cluster) => cluster.vault === vault.name)
    .map(
      (cluster): VaultAuthPlan => ({
        method: environment.vaultAuth,
        mount: authMount(environment.vaultAuth, cluster.name),
        cluster: cluster.name,
        issuer: cluster.issuer,
        apiServer: cluster.apiServer,
        ...(cluster.caPem ? { caPem: cluster.caPem } : {}),
        ...(cluster.issuerCaPem ? { issuerCaPem: cluster.issuerCaPem } : {}),
        ...(cluster.issuerKeys ? { issuerKeys: cluster.issuerKeys } : {}),
      }),
    );
  const policies = workloads.flatMap((workload) => (workload.vault ? [workload.vault.policy] : []));
  const deployerName = deployerPolicyName(registry.id, environment.name);
  const roles = auths.flatMap((auth) =>
    workloads.flatMap((workload): VaultRolePlan[] =>
      workload.vault
        ? [
            {
              mount: auth.mount,
              method: auth.method,
              cluster: auth.cluster,
              name: workload.vault.roleName,
              workload: workload.name,
              namespace: workload.namespace,
              serviceAccount: workload.serviceAccount,
              audience: vaultAudience(environment.name),
              policies: [workload.vault.policy.name],
              tokenTtl: TOKEN_TTL,
              tokenMaxTtl: TOKEN_MAX_TTL,
            },
          ]
        : [],
    ),
  );
  return {
    name: vault.name,
    address: vault.address,
    ...(vault.caPem ? { caPem: vault.caPem } : {}),
    ...(vault.namespace ? { namespace: vault.namespace } : {}),
    regions: vault.regions,
    manage: vault.manage,
    kv: { mount: kvMount(environment.name), maxVersions: KV_VERSIONS, casRequired: true },
    auths,
    policies,
    roles,
    deployer: vaultPolicy(
      deployerName,
      deployerRules({
        kvMount: kvMount(environment.name),
        authMounts: auths.map((auth) => auth.mount),
        roles,
        manage: vault.manage,
        policyNames: [...policies.map((policy) => policy.name), deployerName],
      }),
    ),
  };
}

function computeBlueprint(registry: Registry, environmentName: string): Blueprint {
  const environment = registry.environment(environmentName);
  const secrets = registry
    .secretsIn(environmentName)
    .map((secret) => secretPlan(registry, environment, secret));
  const workloads = registry.workloadNames.map((name) =>
    workloadPlan(registry, environment, registry.workload(name)),
  );
  return {
    registry: registry.id,
    environment: environment.name,
    tier: environment.tier,
    account: environment.account,
    partition: environment.partition,
    regions: { ...environment.regions, all: environment.allRegions },
    principals: environment.principals,
    refreshEvery: environment.refreshEvery,
    reloadMargin: environment.reloadMargin,
    key: keyPlan(registry, environment, secrets),
    secrets,
    workloads,
    oidcProviders: clustersOf(environment)
      .filter((cluster) => cluster.oidcProvider === "create")
      .map((cluster) => ({
        cluster: cluster.name,
        issuer: cluster.issuer,
        audience: stsAudience(environment.partition),
        arn: oidcProviderArn(environment, cluster.issuer),
      })),
    vaults: [...environment.vaults]
      .sort(byText((vault) => vault.name))
      .map((vault) => vaultPlan(registry, environment, vault, workloads)),
    clusters: clustersOf(environment).map((cluster) => ({ ...cluster, identity: environment.identity })),
  };
}

const computed = new WeakMap<object, Map<string, Blueprint>>();

/**
 * What an environment holds. The same registry gives the same data, whatever order it was written in; the result is
 * computed once per registry and environment.
 *
 * @throws RegistryError where the environment would break one of AWS's or Kubernetes' size limits
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
