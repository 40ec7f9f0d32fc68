import { days } from "../../lib/model";

/** A definition as plain, open data: tests change it in ways that types would not let them. */
// biome-ignore lint/suspicious/noExplicitAny: the whole point is to hand over what the types forbid
export type Draft = any;

const ACCOUNT = "111122223333";

/** A small valid definition, made anew for each test. */
export function draft(): Draft {
  return {
    id: "acme",
    environments: {
      dev: environment("development", ACCOUNT, "dev"),
      prod: environment("production", "444455556666", "prod"),
    },
    workloads: {
      backend: { namespace: "backend" },
      payments: { namespace: "payments" },
    },
    secrets: {
      "crypto/webhook": {
        kind: "hmac-key",
        description: "HMAC secret for webhooks",
        owner: "team-a",
        consumers: ["backend"],
        rotateEvery: days(180),
        store: "aws",
      },
      "db/app": {
        kind: "postgresql-user",
        description: "Application user",
        owner: "team-a",
        consumers: ["backend"],
        rotateEvery: days(30),
        store: "aws",
        admin: "admin/db",
        settings: { database: "app", role: "app" },
        environments: {
          dev: { settings: { host: "db.dev.example.com" } },
          prod: { settings: { host: "db.prod.example.com" } },
        },
      },
      "admin/db": {
        kind: "generic",
        description: "Login that makes logins",
        owner: "team-a",
        consumers: [],
        rotateEvery: days(90),
        store: "aws",
        rotation: "operator-assisted",
        settings: { fields: ["username", "password"] },
      },
      "payments/stripe": {
        kind: "stripe",
        description: "Stripe keys",
        owner: "team-b",
        consumers: ["payments"],
        rotateEvery: days(60),
        store: "aws",
        environments: {
          dev: { settings: { mode: "test", account: "sandbox" } },
          prod: { settings: { mode: "live", account: "live" } },
        },
      },
    },
    accessRules: { backend: { deny: ["payments/*"], reason: "policy" } },
  };
}

function environment(tier: string, account: string, name: string): Draft {
  return {
    tier,
    account,
    awsTokenIssuer: `https://${name}.tokens.sts.global.api.aws`,
    regions: { primary: "eu-central-1", replicas: ["eu-west-1"] },
    principals: {
      deployer: `arn:aws:iam::${account}:role/deployer`,
      operators: [`arn:aws:iam::${account}:role/operator`],
      approvers: [`arn:aws:iam::${account}:role/approver`],
      breakGlass: [`arn:aws:iam::${account}:role/break-glass`],
    },
    vaults: [
      {
        name: "main",
        address: `https://vault.${name}.example.com:8200`,
        regions: ["eu-central-1", "eu-west-1"],
      },
    ],
    clusters: [
      {
        name: `${name}-one`,
        region: "eu-central-1",
        issuer: `https://oidc.example.com/id/${name.toUpperCase()}`,
        apiServer: `https://api.${name}.example.com`,
        vault: "main",
      },
    ],
  };
}

/** Settings of a dynamic PostgreSQL user that Vault owns. */
export const vaultDatabase = (): Draft => ({
  kind: "postgresql-user",
  description: "Read-only user",
  owner: "team-a",
  consumers: ["backend"],
  rotateEvery: days(90),
  store: "vault",
  settings: { host: "ro.example.com", database: "app", role: "reporting", privileges: ["SELECT"] },
});

/** An S3 key. */
export const s3Key = (): Draft => ({
  kind: "s3-access-key",
  description: "S3 key",
  owner: "team-a",
  consumers: ["backend"],
  rotateEvery: days(90),
  store: "aws",
  settings: { bucket: "example-app", sessionPolicy: { Version: "2012-10-17", Statement: [] } },
  environments: { dev: { settings: { user: "s3-dev" } }, prod: { settings: { user: "s3-prod" } } },
});

/** A Redis token of an ElastiCache group. */
export const redisToken = (): Draft => ({
  kind: "redis-auth-token",
  description: "Redis token",
  owner: "team-a",
  consumers: ["backend"],
  rotateEvery: days(60),
  store: "aws",
  settings: { host: "redis.example.com", replicationGroup: "app" },
});

/** A generic password with a single slot. */
export const genericPassword = (): Draft => ({
  kind: "generic",
  description: "Password",
  owner: "team-a",
  consumers: ["backend"],
  rotateEvery: days(30),
  store: "aws",
});

/** An audit trail's sinks, one of each type. */
export function auditSinks(account = "444455556666"): Draft[] {
  const credential = {
    secretArn: `arn:aws:secretsmanager:eu-central-1:${account}:secret:siem/splunk-AbCdEf`,
  };
  return [
    {
      type: "splunk-hec",
      name: "splunk",
      url: "https://splunk.example.com:8088",
      index: "audit",
      token: credential,
    },
    {
      type: "datadog",
      name: "datadog",
      url: "https://http-intake.logs.datadoghq.eu",
      apiKey: { ...credential, field: "key" },
    },
    { type: "https", name: "own", url: "https://siem.example.com/in", auth: "signature", credential },
    {
      type: "firehose",
      name: "stream",
      streamArn: `arn:aws:firehose:eu-central-1:${account}:deliverystream/siem`,
    },
  ];
}
