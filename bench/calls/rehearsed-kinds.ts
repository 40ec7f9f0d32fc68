import { randomBytes } from "node:crypto";
import { Client } from "pg";
import type * as z from "zod/mini";
import {
  type KindName,
  type KindSettings,
  type KindSettingsInput,
  settingsSchema,
} from "../../lib/model/kinds";
import { datadogApi } from "../../lib/rotation/adapters/datadog-api";
import { PayPalApi } from "../../lib/rotation/adapters/paypal-api";
import { pgServer } from "../../lib/rotation/adapters/pg-server";
import { redisServer } from "../../lib/rotation/adapters/redis-server";
import { SecretsManagerStore } from "../../lib/rotation/adapters/secrets-manager-store";
import { sendGridApi } from "../../lib/rotation/adapters/sendgrid-api";
import { StripeApi } from "../../lib/rotation/adapters/stripe-api";
import { stripeKeysApi } from "../../lib/rotation/adapters/stripe-keys-api";
import { once } from "../../lib/rotation/protocol/once";
import { datadogAdminSchema, datadogTarget } from "../../lib/rotation/targets/datadog";
import { elastiCacheAuthTarget } from "../../lib/rotation/targets/elasticache-auth";
import { genericTarget } from "../../lib/rotation/targets/generic";
import { hmacKeyTarget } from "../../lib/rotation/targets/hmac-key";
import { jwtSigningKeyTarget } from "../../lib/rotation/targets/jwt-signing-key";
import { payPalTarget } from "../../lib/rotation/targets/paypal";
import { postgresqlUserTarget } from "../../lib/rotation/targets/postgresql-user";
import { redisAclUserTarget } from "../../lib/rotation/targets/redis-acl-user";
import { s3AccessKeyTarget } from "../../lib/rotation/targets/s3-access-key";
import { sendGridAdminSchema, sendGridTarget } from "../../lib/rotation/targets/sendgrid";
import { type StripeValue, stripeTarget } from "../../lib/rotation/targets/stripe";
import { readAdminValue } from "../../lib/rotation/values/admin-value";
import { adminValueSchema } from "../../lib/rotation/values/value-schemas";
import { type ServerGroup, startPostgres } from "../../packages/rehearsal/src/servers";
import { RehearsedRedis } from "../../packages/rehearsal/src/targets/redis";
import {
  type DatadogServer,
  startDatadog,
  startPayPalServer,
  startSendGrid,
  startStripeServer,
  type VendorServer,
} from "../../packages/rehearsal/src/vendors";
import { AccessKeysModel } from "../../test/rotation/models/access-keys-model";
import type { CrashPlan } from "../../test/rotation/models/crash-plan";
import { ElastiCacheModel } from "../../test/rotation/models/elasticache-model";
import { OperatedSecret } from "../../test/rotation/models/operated-secret";
import {
  RehearsedSecret,
  type TargetUnder,
  TestClock,
  testRandom,
  versionId,
} from "../../test/rotation/models/rehearsed-secret";

/** A secret of a kind with everything around it. */
export interface RehearsedKind {
  readonly kind: string;
  /** Name of a call to the target. */
  readonly target: string;
  readonly secret: Pick<RehearsedSecret<unknown>, "clock" | "confirm" | "currentVersion" | "phase">;
  readonly rotate: (n: number, plan: CrashPlan) => Promise<unknown>;
  /** Action of an operator before the old credential may go. */
  readonly release?: () => void;
  /** Requests that reached the target so far, where ports do not show them. */
  readonly requests?: () => number;
}

const ADMIN = "test/admin";

const settingsOf = <K extends KindName>(kind: K, settings: KindSettingsInput<K>): KindSettings<K> =>
  settingsSchema(kind).parse(settings) as KindSettings<K>;

/** Reads the admin secret as a function does. */
type AdminUnder = (plan: CrashPlan) => <A>(schema: z.ZodMiniType<A>) => Promise<A>;

function automatic<V>(
  targetOf: (secret: () => RehearsedSecret<V>, adminUnder: AdminUnder) => TargetUnder<V>,
  adminValue?: object,
) {
  const adminUnder: AdminUnder = (plan) => (schema) =>
    readAdminValue(plan.wrap(new SecretsManagerStore(secret.secrets.client)), ADMIN, () => undefined, schema);
  const secret: RehearsedSecret<V> = new RehearsedSecret<V>({ target: targetOf(() => secret, adminUnder) });
  secret.secrets.create(ADMIN);
  if (adminValue) secret.secrets.putByHand(ADMIN, versionId("admin"), JSON.stringify(adminValue));
  return { secret, rotate: (n: number, plan: CrashPlan) => secret.rotate(versionId(`rotation ${n}`), plan) };
}

/** Every kind, each made when it is its turn. Servers end with the group. */
export async function rehearsedKinds(group: ServerGroup): Promise<readonly (() => Promise<RehearsedKind>)[]> {
  const vendor = async <S extends VendorServer>(name: string, starting: Promise<S>): Promise<S> => {
    const place = group.placeFor(name);
    const server = await starting;
    group.adopt(place, () => server.stop());
    return server;
  };
  return [
    () => postgresqlUser(group),
    () => redisAclUser(group),
    elastiCacheToken,
    jwtSigningKey,
    hmacKey,
    async () => stripe(await vendor("stripe", startStripeServer())),
    async () => payPal(await vendor("paypal", startPayPalServer())),
    async () => sendGrid(await vendor("sendgrid", startSendGrid())),
    s3AccessKey,
    () => datadog((now) => vendor("datadog", startDatadog({ now }))),
    generic,
  ];
}

async function postgresqlUser(group: ServerGroup): Promise<RehearsedKind> {
  const { host, port, caPem, superuser } = await startPostgres({ group });
  const admin = { username: "rotator", password: randomBytes(24).toString("hex") };
  const client = new Client(superuser);
  await client.connect();
  await client.query(`CREATE ROLE rotator LOGIN CREATEROLE PASSWORD '${admin.password}'`);
  await client.query("GRANT pg_read_all_stats, pg_signal_backend TO rotator");
  await client.query("CREATE DATABASE app OWNER rotator");
  await client.end();
  const settings = settingsOf("postgresql-user", { host, port, caPem, database: "app", role: "app" });
  const made = automatic(
    (_secret, adminUnder) => (plan) =>
      postgresqlUserTarget({
        settings,
        admin: () => adminUnder(plan)(adminValueSchema),
        server: plan.wrap(pgServer),
        random: testRandom,
      }),
    admin,
  );
  return { kind: "postgresql-user", target: "logins and statements", ...made };
}

async function redisAclUser(group: ServerGroup): Promise<RehearsedKind> {
  const redis = await RehearsedRedis.start(group);
  await redis.administer(["ACL", "SETUSER", "app", "on", "~*", "+@all", "-@admin"]);
  const settings = settingsOf("redis-auth-token", { ...redis.place, engine: "acl", user: "app" });
  const made = automatic(
    (_secret, adminUnder) => (plan) =>
      redisAclUserTarget({
        settings,
        admin: () => adminUnder(plan)(adminValueSchema),
        server: plan.wrap(redisServer),
        random: testRandom,
      }),
    redis.admin,
  );
  return { kind: "redis-auth-token (acl, one node)", target: "logins and commands", ...made };
}

async function elastiCacheToken(): Promise<RehearsedKind> {
  const model = new ElastiCacheModel(randomBytes(24).toString("hex"));
  const settings = settingsOf("redis-auth-token", { host: "redis.example.com", replicationGroup: "app" });
  const made = automatic((secret) => (plan) => {
    const { clock } = secret();
    const [groups, server] = [plan.wrap(model.groups), plan.wrap(model)];
    return elastiCacheAuthTarget({ settings, groups, server, clock, random: testRandom });
  });
  return { kind: "redis-auth-token (elasticache)", target: "ElastiCache, logins and commands", ...made };
}

async function jwtSigningKey(): Promise<RehearsedKind> {
  const settings = settingsOf("jwt-signing-key", {});
  const made = automatic(() => () => jwtSigningKeyTarget({ settings, mode: "automatic" }));
  return { kind: "jwt-signing-key", target: "none", ...made };
}

async function hmacKey(): Promise<RehearsedKind> {
  const settings = settingsOf("hmac-key", {});
  const made = automatic(() => () => hmacKeyTarget({ settings, mode: "automatic", random: testRandom }));
  return { kind: "hmac-key", target: "none", ...made };
}

async function stripe(server: Awaited<ReturnType<typeof startStripeServer>>): Promise<RehearsedKind> {
  const settings = settingsOf("stripe", { mode: "test", account: "sandbox", apiUrl: server.url });
  const account = server.createAccount();
  const api = new StripeApi(settings);
  const keys = stripeKeysApi(settings, () => Promise.reject(new Error("people make these keys")));
  const secret: OperatedSecret<StripeValue> = new OperatedSecret(
    { kind: "stripe", settings },
    {
      target: (plan) =>
        stripeTarget({
          settings,
          mode: "operator-assisted",
          stripe: plan.wrap(api),
          keys: plan.wrap(keys),
          clock: secret.clock,
          random: testRandom,
        }),
    },
  );
  const given: string[] = [];
  return {
    kind: "stripe (keys)",
    target: "requests",
    secret,
    async rotate(n, plan) {
      const keys = server.createKeys(account, "test");
      given.push(keys.secretKey);
      await secret.run(await secret.supply(`rotation ${n}`, keys), plan);
    },
    release: () => server.expireKey(given[0] ?? ""),
    requests: () => server.calls.length,
  };
}

async function payPal(server: Awaited<ReturnType<typeof startPayPalServer>>): Promise<RehearsedKind> {
  const settings = settingsOf("paypal", { mode: "sandbox", account: "shop", apiUrl: server.url });
  const tokens = new PayPalApi(settings);
  const secret = new OperatedSecret(
    { kind: "paypal", settings },
    {
      target: (plan) => payPalTarget({ settings, tokens: plan.wrap(tokens) }),
    },
  );
  const first = server.createApp();
  return {
    kind: "paypal",
    target: "requests",
    secret,
    async rotate(n, plan) {
      const credential = n === 1 ? first : server.addSecret(first.clientId);
      await secret.run(await secret.supply(`rotation ${n}`, credential), plan);
    },
    release: () => server.setStatus(first, "disabled"),
    requests: () => server.calls.length,
  };
}

async function sendGrid(server: Awaited<ReturnType<typeof startSendGrid>>): Promise<RehearsedKind> {
  const settings = settingsOf("sendgrid", { account: "shop", apiUrl: server.url });
  const made = automatic(
    (secret, adminUnder) => (plan) => {
      const admin = once(() => adminUnder(plan)(sendGridAdminSchema));
      const { clock } = secret();
      return sendGridTarget({
        settings,
        admin,
        sendGrid: sendGridApi(settings, admin),
        clock,
        random: testRandom,
      });
    },
    { apiKey: server.adminKey },
  );
  return { kind: "sendgrid", target: "requests", requests: () => server.calls.length, ...made };
}

async function s3AccessKey(): Promise<RehearsedKind> {
  const settings = settingsOf("s3-access-key", {
    bucket: "app",
    user: "s3-app",
    sessionPolicy: { Version: "2012-10-17", Statement: [] },
  });
  const made = automatic((secret) => {
    // A new key is known at once: each second of waiting is one more request.
    const model = new AccessKeysModel(() => secret().clock, 0);
    return (plan) => s3AccessKeyTarget({ settings, keys: plan.wrap(model), clock: secret().clock });
  });
  return { kind: "s3-access-key", target: "IAM and STS", ...made };
}

/** Datadog says when a key was used last, so its clock is the secret's. */
async function datadog(start: (now: () => Date) => Promise<DatadogServer>): Promise<RehearsedKind> {
  let clock = new TestClock();
  const server = await start(() => clock.now());
  const { url, serviceAccountId } = server;
  const settings = settingsOf("datadog", { org: "shop", serviceAccountId, apiUrl: url });
  const made = automatic(
    (secret, adminUnder) => (plan) => {
      const admin = once(() => adminUnder(plan)(datadogAdminSchema));
      return datadogTarget({
        settings,
        admin,
        datadog: datadogApi(settings, admin),
        clock: secret().clock,
        random: testRandom,
      });
    },
    server.admin,
  );
  clock = made.secret.clock;
  return { kind: "datadog", target: "requests", requests: () => server.calls.length, ...made };
}

async function generic(): Promise<RehearsedKind> {
  const settings = settingsOf("generic", {});
  const none = {
    open: () => Promise.reject(new Error("no check")),
    send: () => Promise.reject(new Error("no check")),
  };
  const made = automatic(
    () => () =>
      genericTarget({
        settings,
        rotation: "automatic",
        acceptedBy: "single-slot",
        random: testRandom,
        servers: { http: none, sql: none },
      }),
  );
  return { kind: "generic (no check)", target: "none", ...made };
}
