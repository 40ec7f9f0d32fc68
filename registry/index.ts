import { days, defineRegistry, hours } from "../lib/model";
import { dev, prod, stage } from "./environments";
import { workloads } from "./workloads";

/**
 * The secrets of the organisation: the table of the policy, entry by entry, with its environment matrix.
 * Data only; whatever follows from it (names, roles, policies, Vault paths, annotations) is derived.
 */
export const registry = defineRegistry({
  id: "acme",
  environments: { dev, stage, prod },
  workloads,
  secrets: {
    "db/app-primary": {
      kind: "postgresql-user",
      description: "PostgreSQL app user credentials",
      owner: "team-data",
      consumers: ["backend", "celery"],
      rotateEvery: days(30),
      store: "aws",
      admin: "admin/postgresql",
      settings: { database: "app", role: "app" },
      environments: {
        dev: {
          classification: "internal",
          settings: {
            host: "db.dev.example.com",
            privileges: ["SELECT", "INSERT", "UPDATE"],
            data: "sample",
          },
        },
        stage: { settings: { host: "db.stage.example.com", data: "copy" } },
        prod: { settings: { host: "db.prod.example.com" } },
      },
    },
    "db/reporting-ro": {
      kind: "postgresql-user",
      description: "Read-only replica user",
      owner: "team-data",
      consumers: ["backend-read"],
      rotateEvery: days(90),
      // Vault's database engine makes a short-lived user per pod; the cadence is that of its connection credential.
      store: "vault",
      settings: {
        database: "app",
        role: "reporting",
        privileges: ["SELECT"],
        ttl: hours(12),
        maxTtl: days(7),
      },
      environments: {
        dev: {
          presence: "optional",
          settings: { host: "db-ro.dev.example.com", writerHost: "db.dev.example.com", data: "sample" },
        },
        stage: {
          settings: { host: "db-ro.stage.example.com", writerHost: "db.stage.example.com", data: "copy" },
        },
        prod: { settings: { host: "db-ro.prod.example.com", writerHost: "db.prod.example.com" } },
      },
    },
    "redis/app": {
      kind: "redis-auth-token",
      description: "Redis auth token",
      owner: "team-platform",
      consumers: ["backend", "celery"],
      rotateEvery: days(60),
      store: "aws",
      environments: {
        dev: { settings: { host: "redis.dev.example.com", replicationGroup: "app-dev" } },
        stage: { settings: { host: "redis.stage.example.com", replicationGroup: "app-stage" } },
        prod: { settings: { host: "redis.prod.example.com", replicationGroup: "app-prod" } },
      },
    },
    "jwt/signing": {
      kind: "jwt-signing-key",
      description: "Asymmetric JWT signing keypair",
      owner: "team-identity",
      consumers: ["backend"],
      rotateEvery: days(90),
      store: "aws",
      classification: "restricted",
      rotation: "manual-dual-publish",
      environments: {
        // A dev-only key that nobody needs to look after.
        dev: { rotation: "automatic", classification: "internal" },
      },
    },
    "crypto/webhook": {
      kind: "hmac-key",
      description: "HMAC secret for webhooks",
      owner: "team-integrations",
      consumers: ["backend"],
      rotateEvery: days(180),
      store: "aws",
      environments: { dev: { presence: "optional" } },
    },
    "payments/stripe": {
      kind: "stripe",
      description: "Stripe API keys + webhook secret",
      owner: "team-payments",
      consumers: ["backend-payments"],
      rotateEvery: days(60),
      store: "aws",
      classification: "restricted",
      environments: {
        dev: { settings: stripe("test", "sandbox", "dev") },
        stage: { settings: stripe("test", "stage", "stage") },
        prod: { settings: stripe("live", "live", "prod") },
      },
    },
    "payments/paypal": {
      kind: "paypal",
      description: "PayPal credentials",
      owner: "team-payments",
      consumers: ["backend-payments"],
      rotateEvery: days(60),
      store: "aws",
      classification: "restricted",
      environments: {
        dev: { settings: { mode: "sandbox", account: "sandbox" } },
        stage: { settings: { mode: "sandbox", account: "stage" } },
        prod: { settings: { mode: "live", account: "live" } },
      },
    },
    "smtp/sendgrid": {
      kind: "sendgrid",
      description: "SendGrid API key",
      owner: "team-messaging",
      consumers: ["backend", "celery-email"],
      rotateEvery: days(30),
      store: "aws",
      admin: "admin/sendgrid",
      environments: {
        dev: { settings: { account: "sandbox" } },
        stage: { settings: { account: "staging" } },
        prod: { settings: { account: "production" } },
      },
    },
    "storage/s3-app": {
      kind: "s3-access-key",
      description: "S3 access and secret keys + session policy",
      owner: "team-platform",
      consumers: ["backend", "celery"],
      rotateEvery: days(90),
      store: "aws",
      environments: {
        dev: { settings: s3App("dev") },
        stage: { settings: s3App("stage") },
        prod: { settings: s3App("prod") },
      },
    },
    "observability/datadog": {
      kind: "datadog",
      description: "Datadog API + app keys",
      owner: "team-observability",
      consumers: ["datadog-agent"],
      rotateEvery: days(120),
      store: "aws",
      admin: "admin/datadog",
      environments: {
        dev: { settings: { org: "dev", serviceAccountId: "00000000-0000-4000-8000-000000000001" } },
        stage: { settings: { org: "stage", serviceAccountId: "00000000-0000-4000-8000-000000000002" } },
        prod: { settings: { org: "prod", serviceAccountId: "00000000-0000-4000-8000-000000000003" } },
      },
    },
    // What rotation itself needs. No workload reads them; people put them, by `secrets-registry rotate`.
    "admin/postgresql": {
      kind: "generic",
      description: "Login that makes the application's logins",
      owner: "team-data",
      consumers: [],
      rotateEvery: days(90),
      store: "aws",
      rotation: "operator-assisted",
      classification: "restricted",
      settings: { fields: ["username", "password"] },
      environments: {
        dev: { settings: { check: loginAt("db.dev.example.com") } },
        stage: { settings: { check: loginAt("db.stage.example.com") } },
        prod: { settings: { check: loginAt("db.prod.example.com") } },
      },
    },
    "admin/sendgrid": {
      kind: "generic",
      description: "SendGrid API key that makes API keys",
      owner: "team-messaging",
      consumers: [],
      rotateEvery: days(90),
      store: "aws",
      rotation: "operator-assisted",
      classification: "restricted",
      settings: { fields: ["apiKey"] },
    },
    "admin/datadog": {
      kind: "generic",
      description: "Datadog keys that make keys",
      owner: "team-observability",
      consumers: [],
      rotateEvery: days(120),
      store: "aws",
      rotation: "operator-assisted",
      classification: "restricted",
      settings: { fields: ["apiKey", "appKey"] },
    },
  },
  accessRules: {
    backend: {
      allow: ["db/*", "redis/*", "jwt/*", "crypto/*", "smtp/*", "storage/*"],
      deny: ["payments/*"],
      reason: "the policy's guardrail: the backend role can read db/* and jwt/*, but not payments/*",
    },
    "backend-read": { allow: ["db/reporting-ro"] },
    "backend-payments": { allow: ["payments/*"] },
    celery: { deny: ["payments/*", "jwt/*"] },
    "celery-email": { allow: ["smtp/*"] },
    "datadog-agent": { allow: ["observability/*"] },
  },
});

/** The login that makes logins must be able to log in, and be one that may make them. */
function loginAt(host: string) {
  return {
    how: "sql",
    host,
    database: "app",
    usernameFrom: "username",
    passwordField: "password",
    statement: "SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user",
    expect: { firstColumn: "true" },
  } as const;
}

/** Stripe's world of an environment, and the endpoint to which it sends events there. */
function stripe<const M extends "test" | "live">(mode: M, account: string, environment: string) {
  const host = environment === "prod" ? "api.example.com" : `api.${environment}.example.com`;
  return { mode, account, webhookUrl: `https://${host}/webhooks/stripe` };
}

/** Bucket of an environment and what a session taken with its key may do there. */
function s3App(environment: string) {
  const bucket = `example-${environment}-app`;
  return {
    bucket,
    user: `s3-app-${environment}`,
    sessionPolicy: {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
          Resource: `arn:aws:s3:::${bucket}/*`,
        },
        { Effect: "Allow", Action: "s3:ListBucket", Resource: `arn:aws:s3:::${bucket}` },
      ],
    },
  };
}
