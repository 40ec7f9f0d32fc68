import { days, defineRegistry, type Registry } from "../../lib/model";
import { dev } from "../../registry/environments";

const secret = (more: object) => ({
  description: "Rehearsed",
  owner: "team-a",
  consumers: ["backend"],
  rotateEvery: days(30),
  store: "aws" as const,
  ...more,
});

const admin = (fields: readonly string[]) =>
  secret({ kind: "generic", consumers: [], rotation: "operator-assisted", settings: { fields } });

// biome-ignore lint/suspicious/noExplicitAny: a table is shorter than what types make of each kind; the rules check it
const secrets: any = {
  "admin/postgresql": admin(["username", "password"]),
  "admin/redis": admin(["username", "password"]),
  "admin/sendgrid": admin(["apiKey"]),
  "admin/datadog": admin(["apiKey", "appKey"]),
  "app/session": secret({
    kind: "generic",
    rotation: "automatic",
    settings: { fields: ["password"], generate: { password: { how: "password" } } },
  }),
  "crypto/webhook": secret({ kind: "hmac-key", rotation: "automatic" }),
  "db/app": secret({
    kind: "postgresql-user",
    admin: "admin/postgresql",
    settings: { host: "db.dev.example.com", database: "app", role: "app" },
  }),
  "jwt/signing": secret({ kind: "jwt-signing-key", rotation: "automatic" }),
  "observability/datadog": secret({
    kind: "datadog",
    admin: "admin/datadog",
    settings: { org: "dev", serviceAccountId: "00000000-0000-4000-8000-000000000001" },
  }),
  "payments/paypal": secret({ kind: "paypal", settings: { mode: "sandbox", account: "sandbox" } }),
  "payments/stripe": secret({
    kind: "stripe",
    settings: { mode: "test", account: "sandbox", webhookUrl: "https://api.dev.example.com/webhooks/stripe" },
  }),
  "redis/elasticache": secret({
    kind: "redis-auth-token",
    settings: { host: "redis.dev.example.com", replicationGroup: "app-dev" },
  }),
  "redis/memorydb": secret({
    kind: "redis-auth-token",
    settings: { engine: "memorydb-user", host: "memory.dev.example.com", user: "app-dev" },
  }),
  "redis/serverless": secret({
    kind: "redis-auth-token",
    settings: { engine: "elasticache-user", host: "cache.dev.example.com", user: "app", userId: "app-dev" },
  }),
  "redis/own": secret({
    kind: "redis-auth-token",
    admin: "admin/redis",
    settings: { engine: "acl", host: "redis-own.dev.example.com", user: "app" },
  }),
  "smtp/sendgrid": secret({ kind: "sendgrid", admin: "admin/sendgrid", settings: { account: "sandbox" } }),
  "storage/s3": secret({
    kind: "s3-access-key",
    settings: {
      bucket: "example-dev-app",
      user: "s3-app-dev",
      sessionPolicy: {
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Action: ["s3:GetObject"], Resource: "arn:aws:s3:::example-dev-app/*" },
        ],
      },
    },
  }),
};

/** Every kind of secret, and every engine of Redis, in an environment like the organisation's dev. */
export const everyKind: Registry = defineRegistry({
  id: "acme",
  environments: { dev },
  workloads: { backend: { namespace: "backend" } },
  secrets,
}) as Registry;
