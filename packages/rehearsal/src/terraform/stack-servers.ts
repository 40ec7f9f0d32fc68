import { RotateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { Client } from "pg";
import type {
  AwsSecretPlan,
  Blueprint,
  DatabaseConnectionPlan,
  VaultPlan,
  VaultPolicy,
} from "../../../../lib/blueprint";
import type { PolicyDocument } from "../../../../lib/model";
import {
  type AwsAccess,
  type Credentials,
  loadDatabaseServer,
  rehearsedDeployer,
  secretsManager,
  takeHumanRole,
} from "../load";
import {
  inNamespace,
  type OpenBao,
  type OpenBaoAnswer,
  type Postgres,
  type ServerGroup,
  startClusterIssuer,
  startEmbeddedAws,
  startOpenBao,
  startPostgres,
} from "../servers";
import { type AwsShim, startAwsShim } from "../shim";
import type { RehearsedServers, RehearsedVaultServer } from "./override-file";
import { StepFailure } from "./step-failure";
import type { Variables } from "./terraform";

/** Systems of an environment that are rehearsed. */
export interface RehearsedParts {
  readonly aws: boolean;
  /** Kubernetes resources go to the cluster of the kubeconfig. */
  readonly kubernetes: boolean;
}

/** The servers that stand for an environment's systems, prepared as their administrators do. */
export interface StackServers {
  readonly servers: RehearsedServers;
  /** Terraform's credentials: of the deployer, nobody else's. */
  readonly credentials: Variables;
  /** First passwords of the databases' connections: needed by the first deployment only. */
  readonly firstPasswords: Variables;
  /** Names of the servers, for people. */
  readonly names: readonly string[];
  /** Variables by which people reach the first Vault, as its administrator, and the database. */
  readonly lookAround: Variables;
  /** Rotates what needs no system outside of the stack, and reports what it was. */
  rotate(step: string): Promise<readonly string[]>;
}

interface StackAws {
  readonly root: AwsAccess;
  readonly shim: AwsShim;
  readonly deployer: Credentials;
}

interface StackVault {
  readonly plan: VaultPlan;
  readonly server: OpenBao;
  /** As its administrator, in its namespace. */
  readonly call: AdministratorCall;
  readonly rehearsed: RehearsedVaultServer;
}

/** Starts and prepares the servers for one environment. */
export async function startStackServers(
  group: ServerGroup,
  plan: Blueprint,
  parts: RehearsedParts,
): Promise<StackServers> {
  const [issuer, postgres, aws] = await Promise.all([
    startClusterIssuer({ group }),
    hasDatabase(plan) ? startPostgres({ group }) : undefined,
    parts.aws ? startAws(group, plan) : undefined,
  ]);
  const vaults: StackVault[] = [];
  // One after the other: they prepare the same database.
  for (const vault of plan.vaults) vaults.push(await startVault(group, plan, vault, postgres));
  const connections = vaults.flatMap((vault) =>
    connectionsOf(vault.plan).map((connection) => ({ vault, connection })),
  );
  const passwordOf = ({ rehearsed }: StackVault, { name }: DatabaseConnectionPlan): string =>
    rehearsed.databases[name]?.password ?? "";
  return {
    servers: {
      ...(aws ? { awsEndpoint: aws.shim.endpoint } : {}),
      vaults: Object.fromEntries(vaults.map(({ plan: { name }, rehearsed }) => [name, rehearsed])),
      issuer,
    },
    credentials: {
      ...(aws ? awsVariables(aws, plan.regions.primary) : {}),
      ...Object.fromEntries(
        await Promise.all(
          vaults.map(async ({ plan: vault, call, rehearsed: { databases } }) => [
            `TF_VAR_${vault.tokenVariable}`,
            await deployerToken(call, rehearsedDeployer(vault, { issuer, databases })),
          ]),
        ),
      ),
    },
    firstPasswords: Object.fromEntries(
      connections.map(({ vault, connection }) => [
        `TF_VAR_${connection.passwordVariable}`,
        passwordOf(vault, connection),
      ]),
    ),
    names: [
      ...(aws ? ["AWS"] : []),
      ...vaults.map(({ plan: { name } }) => `Vault ${name}`),
      ...(postgres ? ["PostgreSQL"] : []),
    ],
    lookAround: { ...vaultVariables(vaults[0]), ...(postgres ? databaseVariables(postgres) : {}) },
    rotate: async (step) => {
      const rotated: string[] = [];
      const secret = aws && selfContainedSecret(plan);
      if (aws && secret) rotated.push(await rotateSecret(step, plan, aws, secret));
      for (const { vault, connection } of connections) {
        await vault.call("POST", connection.rotateRootPath);
        if (postgres) await refusesFirst(step, postgres, connection, passwordOf(vault, connection));
        rotated.push(`${connection.username} by Vault ${vault.plan.name}`);
      }
      return rotated;
    },
  };
}

/** Rights of the deployer in the rehearsed account: rights of its own are no part of the registry. */
const ALL_RIGHTS: PolicyDocument = {
  Version: "2012-10-17",
  Statement: [{ Sid: "Everything", Effect: "Allow", Action: ["*"], Resource: ["*"] }],
};

async function startAws(group: ServerGroup, plan: Blueprint): Promise<StackAws> {
  const upstream = await startEmbeddedAws({ group });
  const shim = await startAwsShim({ upstream, group });
  const root = { endpoint: shim.endpoint, credentials: upstream.rootCredentials(plan.account) };
  const deployer = await takeHumanRole(root, plan, { arn: plan.principals.deployer, policy: ALL_RIGHTS });
  return { root, shim, deployer };
}

const awsVariables = ({ deployer, shim }: StackAws, region: string): Variables => ({
  AWS_ACCESS_KEY_ID: deployer.accessKeyId,
  AWS_SECRET_ACCESS_KEY: deployer.secretAccessKey,
  AWS_SESSION_TOKEN: deployer.sessionToken ?? "",
  AWS_REGION: region,
  // Whatever the override file does not name must not be asked for in the cloud.
  AWS_ENDPOINT_URL: shim.endpoint,
});

const vaultVariables = (vault: StackVault | undefined): Variables =>
  vault
    ? {
        VAULT_ADDR: vault.server.address,
        VAULT_CACERT: vault.server.caFile,
        VAULT_TOKEN: vault.server.rootToken,
        ...(vault.plan.namespace ? { VAULT_NAMESPACE: vault.plan.namespace } : {}),
      }
    : {};

const databaseVariables = ({ superuser, caFile }: Postgres): Variables => ({
  PGHOST: superuser.host,
  PGPORT: String(superuser.port),
  PGUSER: superuser.user,
  PGPASSWORD: superuser.password,
  PGSSLMODE: "verify-full",
  PGSSLROOTCERT: caFile,
});

type AdministratorCall = (
  method: "GET" | "POST" | "PUT" | "DELETE" | "LIST",
  path: string,
  body?: object,
) => Promise<OpenBaoAnswer>;

/** The connections that the stack makes. Whoever makes a connection rotates its password. */
const connectionsOf = ({ databases }: VaultPlan): readonly DatabaseConnectionPlan[] =>
  databases.flatMap(({ connections }) => connections);

const hasDatabase = ({ vaults }: Blueprint): boolean => vaults.some(({ databases }) => databases.length > 0);

async function startVault(
  group: ServerGroup,
  plan: Blueprint,
  vault: VaultPlan,
  postgres: Postgres | undefined,
): Promise<StackVault> {
  const server = await inNamespace(await startOpenBao({ group }), vault.namespace);
  const call: AdministratorCall = (method, path, body) => server.call(method, path, body ? { body } : {});
  const databases = postgres ? await loadDatabaseServer(postgres, plan, vault) : {};
  const rehearsed = { address: server.address, caFile: server.caFile, databases };
  return { plan: vault, server, call, rehearsed };
}

/** A token with the deployer's policy and no other: an administrator writes the policy before a deployment. */
async function deployerToken(call: AdministratorCall, deployer: VaultPolicy): Promise<string> {
  await call("PUT", `sys/policies/acl/${deployer.name}`, { policy: deployer.text });
  const { auth } = await call("POST", "auth/token/create", { policies: [deployer.name], ttl: "2h" });
  return auth?.client_token ?? "";
}

/** Kinds whose values are made of nothing but randomness: no target has to be there. */
const SELF_CONTAINED: readonly string[] = ["jwt-signing-key", "hmac-key"];

const selfContainedSecret = ({ secrets }: Blueprint): AwsSecretPlan | undefined =>
  secrets.find(
    (secret): secret is AwsSecretPlan =>
      secret.store === "aws" && secret.schedule !== undefined && SELF_CONTAINED.includes(secret.kind),
  );

async function rotateSecret(
  step: string,
  { regions }: Blueprint,
  { root, shim }: StackAws,
  { name }: AwsSecretPlan,
): Promise<string> {
  // The schedule was tried when it was made; a rotation that comes before that has ended is refused.
  await shim.rotations.settled(name);
  await secretsManager(root, regions.primary).send(new RotateSecretCommand({ SecretId: name }));
  const { outcome, failures } = await shim.rotations.settled(name);
  if (outcome === "succeeded") return `${name} by its function`;
  const seen = failures.map((failure) => `${failure.step}: ${failure.errorType}`).join("; ");
  throw new StepFailure(step, `the rotation of ${name} to succeed`, `${outcome} (${seen})`);
}

/** PostgreSQL's code for a wrong password. */
const INVALID_PASSWORD = "28P01";

async function refusesFirst(
  step: string,
  { superuser }: Postgres,
  { username }: DatabaseConnectionPlan,
  password: string,
): Promise<void> {
  const client = new Client({ ...superuser, user: username, password });
  client.on("error", () => undefined);
  const seen = await client.connect().then(
    () => "a login",
    (refusal: { readonly code?: unknown }) => String(refusal.code),
  );
  await client.end().catch(() => undefined);
  if (seen === INVALID_PASSWORD) return;
  throw new StepFailure(
    step,
    `PostgreSQL to refuse the first password of ${username} with ${INVALID_PASSWORD}`,
    seen,
  );
}
