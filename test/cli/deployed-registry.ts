import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
} from "@aws-sdk/client-secrets-manager";
import { Client } from "pg";
import { type AwsSecretPlan, type Blueprint, blueprint } from "../../lib/blueprint";
import { functionZip } from "../../lib/bundles";
import { awsWhoseCloud } from "../../lib/cli/cloud/aws-whose-cloud";
import type { Pace } from "../../lib/cli/driver/pace";
import { run } from "../../lib/cli/program";
import {
  fingerprintedKey,
  fingerprintsObject,
  readVersionFingerprints,
} from "../../lib/contracts/version-fingerprints";
import { days, defineRegistry, type PolicyDocument, type Registry } from "../../lib/model";
import {
  type AwsAccess,
  type Credentials,
  loadAwsAccount,
  loadProcedure,
  loadVaultServer,
  secretsManager,
  takeHumanRole,
} from "../../packages/rehearsal/src/load";
import { loadOperations, loadSchedules } from "../../packages/rehearsal/src/load/operations";
import { RunKeepingCloud } from "../../packages/rehearsal/src/rehearse/begun-runs";
import {
  type ClusterIssuer,
  type OpenBao,
  type Postgres,
  type ServerGroup,
  startClusterIssuer,
  startEmbeddedAws,
  startOpenBao,
  startPostgres,
} from "../../packages/rehearsal/src/servers";
import { type AwsShim, startAwsShim } from "../../packages/rehearsal/src/shim";
import type { Draft } from "../model/sample";
import { ALL_RIGHTS, callWith } from "../rehearsal/rehearsed-environment";
import { FakeTerminal } from "./fake-terminal";
import { type CliResult, MODEL } from "./run-cli";

const ACCOUNT = "111122223333";
const REGION = "eu-central-1";
const TOKEN_ISSUER = "https://rehearsal.tokens.sts.global.api.aws";
export const OPERATOR = `arn:aws:iam::${ACCOUNT}:role/operator`;

/** Environments of the registry: two, so that one can be bootstrapped in pieces. */
export const ENVIRONMENTS = ["dev", "test"] as const;
/** One of them. */
export type EnvironmentName = (typeof ENVIRONMENTS)[number];

/** As fast as an embedded cloud; time itself is real. */
export const QUICK: Pace = {
  now: () => new Date(),
  sleep,
  lookEveryMs: 100,
  sweepEveryMs: 1_000,
  retryAfterMs: 50,
  patienceMs: () => 15_000,
  waitOf: (wait) => wait,
  confirmationMs: 8_000,
};

/** Name of the key with which the organisation signs before there is a registry. */
export const ADOPTED_KID = "acme-2021";

const signingKeyPem = (): string =>
  generateKeyPairSync("ec", { namedCurve: "P-256" })
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();

const text = (): string => randomBytes(24).toString("base64url");

/** A small registry that is deployed in embedded AWS, OpenBao and PostgreSQL, with its functions. No secret has a value. */
export class DeployedRegistry {
  /** Values that people supply, by key; generated. */
  readonly firstValues: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The registry as a module, for `--registry`. */
  readonly file: string;

  private constructor(
    readonly registry: Registry,
    draft: Draft,
    readonly shim: AwsShim,
    readonly vault: OpenBao,
    readonly postgres: Postgres,
    readonly issuer: ClusterIssuer,
    readonly operator: Credentials,
    private readonly root: AwsAccess,
    adminPassword: string,
  ) {
    this.firstValues = {
      "admin/db": { username: "rotation_admin", password: adminPassword },
      "jwt/signing": { kid: ADOPTED_KID, privateKey: signingKeyPem() },
      "legacy/api": { token: text() },
    };
    this.file = join(mkdtempSync(join(tmpdir(), "deployed-")), "registry.js");
    writeFileSync(
      this.file,
      `exports.registry = require(${JSON.stringify(MODEL)}).defineRegistry(${JSON.stringify(draft)});`,
    );
  }

  /** Deploys it: roles, secrets, keys, functions, rules, table, Vault's mounts and logins, the database. */
  static async deploy(group: ServerGroup): Promise<DeployedRegistry> {
    const [aws, vault, postgres, issuer] = await Promise.all([
      startEmbeddedAws({ group }),
      startOpenBao({ group }),
      startPostgres({ group }),
      startClusterIssuer({ group }),
    ]);
    const shim = await startAwsShim({ upstream: aws, group, tokenIssuers: { [ACCOUNT]: TOKEN_ISSUER } });
    const draft = draftOf(vault, postgres, issuer);
    const registry = defineRegistry(draft) as Registry;
    const root = { endpoint: shim.endpoint, credentials: aws.rootCredentials(ACCOUNT) };
    const adminPassword = await prepareDatabases(postgres);
    const first = blueprint(registry, "dev");
    const credentials = await takeHumanRole(root, first, {
      arn: first.principals.deployer,
      policy: ALL_RIGHTS,
    });
    for (const name of ENVIRONMENTS) {
      const plan = blueprint(registry, name);
      await loadAwsAccount({ ...root, credentials }, plan);
      const functions = await loadOperations(
        { ...root, credentials },
        plan,
        ({ bundle, settings }) => functionZip(bundle, settings).bytes,
      );
      await loadSchedules({ ...root, credentials }, plan, functions);
      await loadProcedure({ ...root, credentials }, plan);
      await loadVault(vault, plan, issuer, shim);
    }
    const operator = await takeHumanRole(root, first, { arn: OPERATOR, policy: operatorRights(registry) });
    return new DeployedRegistry(
      registry,
      draft,
      shim,
      vault,
      postgres,
      issuer,
      operator,
      root,
      adminPassword,
    );
  }

  /** Questions of the last command. */
  asked: FakeTerminal["asked"] = [];

  plan(environment: EnvironmentName): Blueprint {
    return blueprint(this.registry, environment);
  }

  /** Runs the command line as an operator, with the SDK's own chain. */
  async cli(
    args: readonly string[],
    { input, answers, credentials = this.operator, pace = QUICK }: CliSettings = {},
  ): Promise<CliResult> {
    const terminal = new FakeTerminal({
      ...(input === undefined ? {} : { input: JSON.stringify(input) }),
      ...(answers ? { answers } : {}),
    });
    return withCredentials(this.shim.endpoint, credentials, async () => ({
      code: await run(["--registry", this.file, ...args], terminal, {
        pace,
        // Past the dispatcher nothing begins runs, and without one functions do nothing to a value in use.
        cloudIn: (region, environment) =>
          new RunKeepingCloud(
            { region },
            { plan: this.plan(environment as EnvironmentName), as: { root: this.root } },
          ),
      }),
      out: terminal.printed,
      err: terminal.told,
    })).finally(() => {
      this.asked = terminal.asked;
    });
  }

  /** ARN of the function that rotates a secret. */
  functionOf(environment: EnvironmentName, key: string): string {
    const { rotatedBy } = this.secret(environment, key);
    return this.plan(environment).functions.find(({ name }) => name === rotatedBy)?.arn ?? "";
  }

  /** `true` when a database login works. */
  async logsIn({ username, password }: Readonly<Record<string, string>>): Promise<boolean> {
    const client = new Client({ ...this.postgres.superuser, database: "app", user: username, password });
    try {
      await client.connect();
      return true;
    } catch {
      return false;
    } finally {
      await client.end();
    }
  }

  /** Changes a password as a database administrator does before an admin secret is rotated. */
  async changePassword(role: string, password: string): Promise<void> {
    const client = new Client({ ...this.postgres.superuser });
    await client.connect();
    await client.query(`ALTER ROLE ${role} PASSWORD '${password}'`);
    await client.end();
  }

  /** Credentials of the account that may do nothing. */
  powerless(): Promise<Credentials> {
    const policy: PolicyDocument = {
      Version: "2012-10-17",
      Statement: [{ Sid: "Nothing", Effect: "Deny", Action: ["secretsmanager:*"], Resource: ["*"] }],
    };
    return takeHumanRole(this.root, this.plan("dev"), {
      arn: `arn:aws:iam::${ACCOUNT}:role/powerless`,
      policy,
    });
  }

  secret(environment: EnvironmentName, key: string): AwsSecretPlan {
    const found = this.plan(environment).secrets.find((secret) => secret.key === key);
    if (found?.store !== "aws") throw new Error(`no ${key}`);
    return found;
  }

  /** Labels of the versions of a secret, by version. */
  async labels(
    environment: EnvironmentName,
    key: string,
  ): Promise<Readonly<Record<string, readonly string[]>>> {
    const { name } = this.secret(environment, key);
    const { VersionIdsToStages = {} } = await secretsManager(this.root, REGION).send(
      new DescribeSecretCommand({ SecretId: name }),
    );
    return VersionIdsToStages;
  }

  /** AWSCURRENT's value. */
  async value(environment: EnvironmentName, key: string) {
    const { name } = this.secret(environment, key);
    const { SecretString = "null" } = await secretsManager(this.root, REGION).send(
      new GetSecretValueCommand({ SecretId: name }),
    );
    return JSON.parse(SecretString);
  }

  /** Every value that the secrets of an environment have, as texts of eight characters or more. */
  async valueTexts(environment: EnvironmentName): Promise<readonly string[]> {
    const keys = this.plan(environment).secrets.map(({ key }) => key);
    const values = await Promise.all(keys.map((key) => this.value(environment, key)));
    return [...values, ...Object.values(this.firstValues)]
      .flatMap(textsIn)
      .filter(({ length }) => length > 20);
  }

  /** Lets the confirmations of all versions be so old that no wait is left. */
  async ageConfirmation(environment: EnvironmentName, key: string): Promise<void> {
    const { name } = this.secret(environment, key);
    const labels = await this.labels(environment, key);
    const [version = ""] = Object.entries(labels).find(([, held]) => held.includes("AWSCURRENT")) ?? [];
    await new DynamoDBClient({
      ...this.root,
      credentials: { ...this.root.credentials },
      region: REGION,
    }).send(
      new UpdateItemCommand({
        TableName: this.plan(environment).operations?.publicationsTable,
        Key: { secret: { S: name }, version: { S: version } },
        UpdateExpression: "SET confirmedAt = :at",
        ExpressionAttributeValues: { ":at": { S: "2020-01-01T00:00:00.000Z" } },
      }),
    );
  }

  /** Puts a value past everything, as a person in the console. */
  async putByHand(environment: EnvironmentName, key: string, value: object): Promise<void> {
    await secretsManager(this.root, REGION).send(
      new PutSecretValueCommand({
        SecretId: this.secret(environment, key).name,
        SecretString: JSON.stringify(value),
      }),
    );
  }

  /** Texts in an inbox, under any label. */
  async inboxTexts(environment: EnvironmentName, key: string): Promise<readonly string[]> {
    const SecretId = this.secret(environment, key).inbox?.name;
    const client = secretsManager(this.root, REGION);
    const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId }));
    const texts = await Promise.all(
      Object.keys(VersionIdsToStages).map((VersionId) =>
        client.send(new GetSecretValueCommand({ SecretId, VersionId })),
      ),
    );
    return [...new Set(texts.map(({ SecretString = "" }) => SecretString))];
  }

  /** Fingerprints of a secret's only version. */
  async fingerprintsOf(environment: EnvironmentName, key: string) {
    const cloud = awsWhoseCloud({ region: REGION, ...this.root });
    const bucket = this.plan(environment).procedure?.records.name ?? "";
    const folder = fingerprintsObject(fingerprintedKey(environment, this.secret(environment, key).name), "");
    const objects = (await cloud.objects(bucket)).filter((name) => name.startsWith(folder.slice(0, -5)));
    const [only, ...more] = await Promise.all(objects.map((name) => cloud.read(bucket, name)));
    return more.length > 0 ? more : readVersionFingerprints(only ?? "");
  }

  /** Data that pods read in Vault. */
  async inVault(environment: EnvironmentName, key: string) {
    const { vaultPath } = this.secret(environment, key);
    const { data } = await this.vault.call("GET", vaultPath);
    return (data as { data: Record<string, unknown> }).data;
  }
}

interface CliSettings {
  /** Standard input, to be written as JSON. */
  readonly input?: unknown;
  /** Answers of a person; without them there is none. */
  readonly answers?: readonly string[];
  readonly credentials?: Credentials;
  readonly pace?: Pace;
}

const CHAIN = [
  "AWS_ENDPOINT_URL",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
] as const;

/** Credentials and endpoint as the SDK's own chain finds them. */
export async function withCredentials<T>(
  endpoint: string,
  credentials: Credentials,
  work: () => Promise<T>,
): Promise<T> {
  const before = CHAIN.map((name) => [name, process.env[name]] as const);
  const wanted = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
  };
  const set = (name: string, value: string | undefined): void => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  for (const name of CHAIN) set(name, wanted[name]);
  try {
    return await work();
  } finally {
    for (const [name, value] of before) set(name, value);
  }
}

const textsIn = (value: unknown): readonly string[] =>
  typeof value === "string"
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(textsIn)
      : [];

/** Exactly the rights that docs/guides/first-deploy.md gives to an operator. */
function operatorRights(registry: Registry): PolicyDocument {
  const plans = ENVIRONMENTS.map((name) => blueprint(registry, name));
  const secrets = [...ENVIRONMENTS, "later"].map(
    (name) => `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}/*`,
  );
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Secrets",
        Effect: "Allow",
        Action: [
          "secretsmanager:DescribeSecret",
          "secretsmanager:ListSecretVersionIds",
          "secretsmanager:RotateSecret",
        ],
        Resource: secrets,
      },
      {
        Sid: "Inboxes",
        Effect: "Allow",
        Action: ["secretsmanager:PutSecretValue"],
        Resource: secrets.map((arn) => arn.replace(/\*$/, "_inbox/*")),
      },
      {
        Sid: "Key",
        Effect: "Allow",
        Action: ["kms:Decrypt", "kms:GenerateDataKey"],
        Resource: [`arn:aws:kms:${REGION}:${ACCOUNT}:key/*`],
      },
      {
        Sid: "Functions",
        Effect: "Allow",
        Action: ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"],
        Resource: plans.flatMap(({ functions }) => functions.map(({ arn }) => arn)),
      },
      {
        Sid: "Confirmations",
        Effect: "Allow",
        Action: ["dynamodb:DescribeTable", "dynamodb:GetItem"],
        Resource: plans.map(
          ({ operations }) => `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${operations?.publicationsTable}`,
        ),
      },
    ],
  };
}

/** Makes the databases with a login that makes logins. */
async function prepareDatabases(postgres: Postgres): Promise<string> {
  const password = text();
  const work = async (database: string, ...statements: string[]): Promise<void> => {
    const client = new Client({ ...postgres.superuser, database });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  await work(
    postgres.superuser.database,
    `CREATE ROLE rotation_admin LOGIN CREATEROLE PASSWORD '${password}'`,
    "GRANT pg_read_all_stats, pg_signal_backend TO rotation_admin",
    "CREATE DATABASE app OWNER rotation_admin",
  );
  await work("app", "CREATE TABLE orders (id int PRIMARY KEY)", "ALTER TABLE orders OWNER TO rotation_admin");
  return password;
}

async function loadVault(
  vault: OpenBao,
  plan: Blueprint,
  issuer: ClusterIssuer,
  shim: AwsShim,
): Promise<void> {
  const call = callWith(vault, vault.rootToken);
  const [cluster] = plan.clusters;
  const [place] = plan.vaults;
  if (!cluster || !place) throw new Error("the sample has a cluster and a Vault");
  const { url: apiServer, jwksUrl, reviewerToken, caPem } = issuer;
  await loadVaultServer(
    call,
    place,
    { [cluster.name]: { apiServer, jwksUrl, reviewerToken, caPem } },
    { awsTokenKeys: [shim.webIdentity.publicKeyPem] },
  );
}

function draftOf(vault: OpenBao, postgres: Postgres, issuer: ClusterIssuer): Draft {
  const environment = (name: string) => ({
    tier: "development",
    account: ACCOUNT,
    awsTokenIssuer: TOKEN_ISSUER,
    regions: { primary: REGION, replicas: [] },
    principals: { deployer: `arn:aws:iam::${ACCOUNT}:role/deployer`, operators: [OPERATOR], breakGlass: [] },
    vaults: [{ name: "main", address: vault.address, caPem: vault.caPem, regions: [REGION] }],
    vaultAuth: "jwt",
    // One cluster for all of them.
    namespacePattern: "{namespace}-{environment}",
    clusters: [
      {
        name: `${name}-one`,
        region: REGION,
        issuer: issuer.url,
        issuerCaPem: issuer.caPem,
        apiServer: issuer.url,
        vault: "main",
      },
    ],
  });
  const secret = (kind: string, more: object) => ({
    kind,
    description: kind,
    owner: "team-a",
    consumers: ["backend"],
    rotateEvery: days(90),
    store: "aws",
    ...more,
  });
  const database = { host: "localhost", port: postgres.port, caPem: postgres.caPem, database: "app" };
  return {
    id: "acme",
    environments: { dev: environment("dev"), test: environment("test"), later: environment("later") },
    workloads: { backend: { namespace: "backend" } },
    secrets: {
      "admin/db": secret("generic", {
        consumers: [],
        rotation: "operator-assisted",
        settings: {
          fields: ["username", "password"],
          check: {
            how: "sql",
            ...database,
            usernameFrom: "username",
            passwordField: "password",
            statement: "SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user",
            expect: { firstColumn: "true" },
          },
        },
      }),
      "db/app": secret("postgresql-user", {
        admin: "admin/db",
        settings: { ...database, lockGrace: { seconds: 0 } },
        environments: {
          dev: { settings: { role: "app" } },
          test: { settings: { role: "app_test" } },
          later: { settings: { role: "app_later" } },
        },
      }),
      "crypto/webhook": secret("hmac-key", { rotation: "manual-dual-publish" }),
      "crypto/session": secret("hmac-key", { rotation: "automatic" }),
      "jwt/signing": secret("jwt-signing-key", {
        rotation: "manual-dual-publish",
        settings: { firstKey: "supplied" },
      }),
      "legacy/api": secret("generic", { rotation: "operator-assisted", settings: { fields: ["token"] } }),
    },
  };
}
