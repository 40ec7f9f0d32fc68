import { type Blueprint, blueprint, type FunctionPlan, type VaultPlan } from "../../../../lib/blueprint";
import { functionZip } from "../../../../lib/bundles";
import type { PolicyDocument, Registry } from "../../../../lib/model";
import { type RehearsedTrail, startRehearsedTrail } from "../audit/rehearsed-trail";
import {
  type AwsAccess,
  loadAwsAccount,
  loadDatabaseServer,
  loadOperations,
  loadProcedure,
  loadSchedules,
  loadVaultServer,
  type RehearsedCluster,
  type RehearsedDatabase,
  takeHumanRole,
  type VaultCall,
} from "../load";
import {
  type ClusterIssuer,
  type EmbeddedAws,
  inNamespace,
  type OpenBao,
  type OutsideServer,
  type ReportProgress,
  type ServerGroup,
  startClusterIssuer,
  startEmbeddedAws,
  startOpenBao,
  startOutsideServer,
} from "../servers";
import {
  type AwsCall,
  type AwsShim,
  type AwsShimOptions,
  parameterText,
  startAwsShim,
  type WireError,
} from "../shim";
import { PostgresqlServers, type RehearsedTargets, startTargets, userCalls } from "../targets";
import { type RehearsedPlaces, relocatedSettings } from "./relocated-settings";

/** Subject of a rehearsed world. */
export interface WorldOptions {
  readonly registry: Registry;
  readonly environment: string;
  /** The servers end with it. */
  readonly group: ServerGroup;
  /** Called with the next step. @default none */
  readonly onProgress?: ReportProgress;
}

/** An environment as its blueprint says, standing in embedded servers. No secret has a value yet. */
export interface RehearsedWorld {
  readonly plan: Blueprint;
  readonly aws: EmbeddedAws;
  /** In front of the embedded AWS; all calls go through it. */
  readonly shim: AwsShim;
  /** By whom AWS is called, at the shim's endpoint. */
  readonly as: {
    /** The account's root: sets things up, never part of an assertion. */
    readonly root: AwsAccess;
    readonly deployer: AwsAccess;
    /** The first operator. */
    readonly operator: AwsAccess;
  };
  /** ARNs by name. */
  readonly functions: ReadonlyMap<string, string>;
  /** By Vault name. */
  readonly vaults: ReadonlyMap<string, OpenBao>;
  /** By cluster name. */
  readonly issuers: ReadonlyMap<string, ClusterIssuer>;
  readonly targets: RehearsedTargets;
  /** CI's issuer, and the pages that are checked. */
  readonly outside: OutsideServer;
  /** Audit trail; `undefined` where the environment has none. */
  readonly audit?: RehearsedTrail;
}

/** People's roles have what their own stacks give them; what they may not do is the secrets' own policies' doing. */
const ALL_RIGHTS: PolicyDocument = {
  Version: "2012-10-17",
  Statement: [{ Sid: "Everything", Effect: "Allow", Action: ["*"], Resource: ["*"] }],
};

/** Calls an OpenBao with its root token. */
const callOf =
  (server: OpenBao): VaultCall =>
  async (method, path, body) =>
    (await server.call(method, path, body ? { body } : {})).data;

/**
 * Stands an environment up: servers, then everything of its blueprint as Terraform would make it, with the functions' real
 * bundles under their real roles.
 *
 * @throws ServerFault when a server cannot be had
 */
export async function standUp(options: WorldOptions): Promise<RehearsedWorld> {
  const { registry, environment, group, onProgress = () => undefined } = options;
  const plan = blueprint(registry, environment);

  onProgress("Starting the embedded AWS, databases, Vaults, clusters");
  // Known only when the targets stand; no call comes before.
  let targets: RehearsedTargets | undefined;
  const [{ aws, shim }, postgresql, issuers, vaults, outside] = await Promise.all([
    startAws(options, plan, {
      onTaken: async (call) => tellCache(call, targets),
      handlers: userCalls((service, id) => targets?.awsUser(service, id)),
    }),
    PostgresqlServers.start(plan, group),
    startEach(plan.clusters, ({ issuer }) => startClusterIssuer({ group, issuer })),
    startEach(plan.vaults, async ({ namespace }) =>
      inNamespace(await startOpenBao({ group, onProgress }), namespace),
    ),
    startOutsideServer({ group }),
  ]);
  const root: AwsAccess = { endpoint: shim.endpoint, credentials: aws.rootCredentials(plan.account) };
  const personOf = async (arn: string): Promise<AwsAccess> => ({
    endpoint: shim.endpoint,
    credentials: await takeHumanRole(root, plan, { arn, policy: ALL_RIGHTS }),
  });
  const deployer = await personOf(plan.principals.deployer);
  const [operatorArn] = plan.principals.operators;
  const operator = operatorArn === undefined ? deployer : await personOf(operatorArn);

  onProgress("Starting caches and vendors; loading keys, secrets, replicas, roles");
  const [standing] = await Promise.all([
    startTargets(plan, root, group, postgresql),
    loadAwsAccount(deployer, plan),
  ]);
  targets = standing;
  onProgress("Loading Vaults, functions, rules, schedules");
  const places: RehearsedPlaces = {
    ...placesOf(plan, standing),
    vaults,
    issuers,
    outside,
    sts: shim.endpoint,
  };
  const [functions, audit] = await Promise.all([
    loadOperations(deployer, plan, (entry) => zipOf(entry, places), {
      NODE_EXTRA_CA_CERTS: outside.caFile,
    }),
    // Its credentials lie outside of the registry, where the deployer makes nothing.
    plan.audit && startRehearsedTrail(root, plan, plan.audit, group),
    loadVaults(plan, vaults, issuers, standing, shim),
  ]);
  await loadSchedules(deployer, plan, functions);
  await loadProcedure(deployer, plan);
  return {
    plan,
    aws,
    shim,
    as: { root, deployer, operator },
    functions,
    vaults,
    issuers,
    targets: standing,
    outside,
    ...(audit ? { audit } : {}),
  };
}

/** Starts a server for each entry, all at once; by name, in the order of the entries. */
async function startEach<E extends { readonly name: string }, S>(
  entries: readonly E[],
  start: (entry: E) => Promise<S>,
): Promise<ReadonlyMap<string, S>> {
  return new Map(await Promise.all(entries.map(async (entry) => [entry.name, await start(entry)] as const)));
}

async function startAws(
  { registry, environment, group, onProgress = () => undefined }: WorldOptions,
  plan: Blueprint,
  outside: Pick<AwsShimOptions, "onTaken" | "handlers">,
): Promise<Pick<RehearsedWorld, "aws" | "shim">> {
  const aws = await startEmbeddedAws({ group, onProgress });
  const issuers = tokenIssuersOf(registry, environment, plan);
  return { aws, shim: await startAwsShim({ upstream: aws, group, ...issuers, ...outside }) };
}

const zipOf = (entry: FunctionPlan, places: RehearsedPlaces): Uint8Array =>
  functionZip(entry.bundle, relocatedSettings(entry, places)).bytes;

function tokenIssuersOf(registry: Registry, environment: string, { account }: Blueprint) {
  const issuer = registry.environment(environment).awsTokenIssuer;
  return issuer === undefined ? {} : { tokenIssuers: { [account]: issuer } };
}

/** ElastiCache passes the token to its nodes, or refuses it; the embedded one has neither nodes nor rules. */
async function tellCache(
  call: AwsCall,
  targets: RehearsedTargets | undefined,
): Promise<WireError | undefined> {
  if (call.action !== "elasticache:ModifyReplicationGroup") return undefined;
  const id = parameterText(call, "ReplicationGroupId");
  const token = parameterText(call, "AuthToken");
  const group = id === undefined ? undefined : targets?.replicationGroups.get(id);
  if (group === undefined || token === undefined) return undefined;
  return group.changeToken({ strategy: parameterText(call, "AuthTokenUpdateStrategy"), token });
}

function placesOf(plan: Blueprint, { targets }: RehearsedTargets): Pick<RehearsedPlaces, "targets"> {
  const byName = plan.secrets.flatMap((secret) => {
    const target = secret.store === "aws" ? targets.get(secret.key) : undefined;
    return secret.store === "aws" && target ? [[secret.name, target] as const] : [];
  });
  return { targets: new Map(byName) };
}

/** One after the other: they share database servers. */
async function loadVaults(
  plan: Blueprint,
  ...surroundings: readonly [
    ReadonlyMap<string, OpenBao>,
    ReadonlyMap<string, ClusterIssuer>,
    RehearsedTargets,
    AwsShim,
  ]
): Promise<void> {
  for (const vault of plan.vaults) await loadVault(vault, plan, ...surroundings);
}

async function loadVault(
  vault: VaultPlan,
  plan: Blueprint,
  vaults: ReadonlyMap<string, OpenBao>,
  issuers: ReadonlyMap<string, ClusterIssuer>,
  targets: RehearsedTargets,
  shim: AwsShim,
): Promise<void> {
  const server = vaults.get(vault.name);
  if (server === undefined) throw new Error(`no server for Vault ${vault.name}`);
  const clusters: Record<string, RehearsedCluster> = {};
  for (const [name, issuer] of issuers) {
    clusters[name] = {
      apiServer: issuer.url,
      jwksUrl: issuer.jwksUrl,
      reviewerToken: issuer.reviewerToken,
      ...(issuer.caPem ? { caPem: issuer.caPem } : {}),
    };
  }
  await loadVaultServer(callOf(server), vault, clusters, {
    awsTokenKeys: [shim.webIdentity.publicKeyPem],
    databases: await databasesOf(vault, plan, targets),
  });
}

/** Logins of a Vault's connections, each on the PostgreSQL that stands for its host. */
async function databasesOf(
  vault: VaultPlan,
  plan: Blueprint,
  { postgresql }: RehearsedTargets,
): Promise<Readonly<Record<string, RehearsedDatabase>>> {
  const databases: Record<string, RehearsedDatabase> = {};
  for (const secret of plan.secrets) {
    if (secret.store !== "vault") continue;
    const own = vault.databases.map((database) => ({
      ...database,
      connections: database.connections.filter((connection) => connection.secret === secret.key),
    }));
    const server = postgresql.serverOf(secret);
    Object.assign(databases, await loadDatabaseServer(server, plan, { ...vault, databases: own }));
  }
  return databases;
}
