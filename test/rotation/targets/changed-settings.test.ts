import { type AddressInfo, connect } from "node:net";
import { createServer, type Server } from "node:tls";
import { Client } from "pg";
import {
  KIND_NAMES,
  KINDS,
  type KindName,
  type KindSettings,
  settingNames,
  settingsSchema,
} from "../../../lib/model/kinds";
import {
  keptSettings,
  refusedChanges,
  SETTING_RULES,
  type SettingRule,
  settingsInEffect,
} from "../../../lib/model/setting-rules";
import { pgServer } from "../../../lib/rotation/adapters/pg-server";
import { redisServer } from "../../../lib/rotation/adapters/redis-server";
import { datadogTargetOf } from "../../../lib/rotation/handlers/datadog";
import { sendGridTargetOf } from "../../../lib/rotation/handlers/sendgrid";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { settingsInEffectOf } from "../../../lib/rotation/protocol/settings-in-effect";
import { genericTarget } from "../../../lib/rotation/targets/generic";
import { postgresqlUserTarget } from "../../../lib/rotation/targets/postgresql-user";
import type { RedisServer } from "../../../lib/rotation/targets/redis";
import { redisAclUserTarget } from "../../../lib/rotation/targets/redis-acl-user";
import {
  type AccessKeys,
  type AccessKeyValue,
  s3AccessKeyTarget,
} from "../../../lib/rotation/targets/s3-access-key";
import { adminValueSchema } from "../../../lib/rotation/values/value-schemas";
import {
  type Postgres,
  ServerGroup,
  startPostgres,
  startRedis,
} from "../../../packages/rehearsal/src/servers";
import { loopbackCertificate } from "../../../packages/rehearsal/src/servers/loopback-certificate";
import { type SendGridServer, startDatadog, startSendGrid } from "../../../packages/rehearsal/src/vendors";
import { AccessKeysModel } from "../models/access-keys-model";
import { ChangingSecret } from "../models/changing-secret";

jest.setTimeout(120_000);

/** Settings of each kind under a live value. */
const BASE: { readonly [K in KindName]: object } = {
  "postgresql-user": { host: "db.example.com", database: "app", role: "app" },
  "redis-auth-token": { host: "redis.example.com", engine: "acl", user: "app" },
  "jwt-signing-key": {},
  "hmac-key": {},
  stripe: { mode: "test", account: "one" },
  paypal: { mode: "sandbox", account: "one" },
  sendgrid: { account: "one" },
  "s3-access-key": { bucket: "one", user: "one", sessionPolicy: { Version: "2012-10-17", Statement: [] } },
  datadog: { org: "one", serviceAccountId: "00000000-0000-0000-0000-000000000001" },
  generic: { fields: ["token"] },
};

const CERTIFICATE = loopbackCertificate("another").caPem;

/** Another value for each setting of each kind. One that is not here does not compile. */
const CHANGES: { readonly [K in KindName]: { readonly [S in keyof Required<KindSettings<K>>]: unknown } } = {
  "postgresql-user": {
    host: "new.example.com",
    writerHost: "writer.example.com",
    port: 6432,
    server: { host: "server.example.com", port: 5432 },
    caPem: CERTIFICATE,
    database: "shop",
    role: "shop",
    adopt: true,
    schemas: ["shop"],
    exceptObjects: ["public.audit"],
    privileges: ["SELECT"],
    lockGrace: { seconds: 60 },
    data: "sample",
    login: "alternating",
    connectionUser: "vault",
    ttl: { seconds: 3_600 },
    maxTtl: { seconds: 7_200 },
  },
  "redis-auth-token": {
    host: "new.example.com",
    port: 6380,
    caPem: CERTIFICATE,
    engine: "elasticache",
    replicationGroup: "group",
    formerReplicationGroups: ["group"],
    user: "shop",
    userId: "shop",
    formerElastiCacheUsers: ["shop"],
    formerMemoryDbUsers: ["shop"],
    persist: "none",
    tls: true,
  },
  "jwt-signing-key": {
    algorithm: "RS256",
    firstKey: "supplied",
    tokenLifetime: { seconds: 60 },
    clockSkew: { seconds: 5 },
    verifierCache: { seconds: 5 },
    issuer: "https://id.example.com",
  },
  "hmac-key": { algorithm: "sha512", bytes: 64, tolerance: { seconds: 5 } },
  stripe: {
    mode: "live",
    account: "two",
    accountId: "acct_2",
    webhookUrl: "https://pay.example.com/events",
    webhookEvents: ["charge.succeeded"],
    webhookConnect: true,
    keyPermissions: ["balance_read"],
    publishableKey: ["pk", "test", "rehearsal"].join("_"),
    apiUrl: "https://proxy.example.com",
  },
  paypal: { mode: "live", account: "two", apiUrl: "https://proxy.example.com" },
  sendgrid: {
    account: "two",
    subuser: "two",
    host: "api.eu.sendgrid.com",
    scopes: ["alerts.read"],
    apiUrl: "https://proxy.example.com",
  },
  "s3-access-key": {
    bucket: "two",
    user: "two",
    formerUsers: ["one"],
    sessionPolicy: { Version: "2012-10-17", Statement: [{ Effect: "Deny" }] },
  },
  datadog: {
    org: "two",
    site: "datadoghq.com",
    serviceAccountId: "00000000-0000-0000-0000-000000000002",
    appKeyScopes: ["dashboards_read"],
    apiUrl: "https://proxy.example.com",
  },
  generic: {
    fields: ["token", "pin"],
    generate: { token: { how: "bytes", bytes: 32, encoding: "hex" } },
    check: {
      how: "http",
      url: "https://target.example.com/me",
      auth: { scheme: "bearer", tokenField: "token" },
    },
    config: { baseUrl: "https://target.example.com" },
  },
};

const parsed = <K extends KindName>(kind: K, settings: object): KindSettings<K> =>
  settingsSchema(kind).parse(settings) as KindSettings<K>;

describe("each setting of each kind, changed under a live value", () => {
  const cases = KIND_NAMES.flatMap((kind) => settingNames(kind).map((setting) => [kind, setting] as const));

  test.each(cases)("%s: %s", (kind, setting) => {
    const rule = (SETTING_RULES[kind] as Readonly<Record<string, SettingRule>>)[setting];
    const to = (CHANGES[kind] as Readonly<Record<string, unknown>>)[setting];
    const before = parsed(kind, BASE[kind]) as Readonly<Record<string, unknown>>;
    const after = parsed(kind, { ...before, [setting]: to });
    const kept = keptSettings(kind, before as never);
    const now = (after as Readonly<Record<string, unknown>>)[setting];
    const held = settingsInEffect(kind, after, kept) as Readonly<Record<string, unknown>>;
    const isShown = (KINDS[kind].publicSettings as readonly string[]).includes(setting);

    switch (rule?.takesEffect) {
      case "with-value":
      case "longest":
      case "never":
        expect(held[setting]).toEqual(before[setting]);
        expect(kept[setting]).toEqual(before[setting]);
        break;
      case "at-once":
      case "with-place":
      case "in-value":
        // The place has not changed by this setting alone.
        expect(held[setting]).toEqual(now);
        break;
      default:
        throw new Error(`${kind} has no rule for ${setting}`);
    }
    expect(refusedChanges(kind, after, kept).map((change) => change.setting)).toEqual(
      rule.takesEffect === "never" ? [setting] : [],
    );
    // What goes with a value is what its file shows; what does not is the same in every file.
    if (isShown) expect(["with-value", "never", "at-once"]).toContain(rule.takesEffect);
    // A value keeps few and small things: Secrets Manager takes 65,536 bytes.
    expect(JSON.stringify(kept).length).toBeLessThan(1_000);
  });

  test("times are waited for as the longest that any value in play says", () => {
    const effect = settingsInEffectOf(
      "jwt-signing-key",
      "dev/jwt",
      {
        settings: parsed("jwt-signing-key", {
          tokenLifetime: { seconds: 60 },
          verifierCache: { seconds: 60 },
        }),
        rotation: "automatic",
        acceptedBy: "own-workloads",
        overlap: { seconds: 1_000 },
        publishLead: { seconds: 1_000 },
      },
      () => {
        throw new Error("no target is needed");
      },
    );
    expect(effect.waits([])).toEqual({ overlap: { seconds: 1_000 }, publishLead: { seconds: 1_000 } });
    const longer = {
      tokenLifetime: { seconds: 660 },
      clockSkew: { seconds: 60 },
      verifierCache: { seconds: 360 },
    };
    expect(effect.waits([undefined, longer])).toEqual({
      overlap: { seconds: 1_900 },
      publishLead: { seconds: 1_300 },
    });
  });
});

/** Rotates, changes the settings, rotates again, and ends the former value; at each moment both are tried. */
async function throughAChange<K extends KindName, V>(
  secret: ChangingSecret<K, V>,
  change: object,
  takes: (value: V, kept: Readonly<Record<string, unknown>>) => Promise<boolean>,
): Promise<void> {
  type Stored = V & { readonly _settings: Readonly<Record<string, unknown>> };
  const taken = async ({ _settings, ...value }: Stored) => takes(value as unknown as V, _settings);
  await secret.rotate("first");
  const first = secret.value() as Stored;
  const firstVersion = secret.version();
  expect(await taken(first)).toBe(true);

  secret.change(change);
  expect(await taken(secret.value() as Stored)).toBe(true);
  await secret.phase("verify", firstVersion);

  await secret.rotate("second");
  const second = secret.value() as Stored;
  expect(second._settings).toMatchObject(change);
  expect([await taken(first), await taken(second)]).toEqual([true, true]);

  // The way back, and forth again.
  await secret.phase("rollback", secret.version());
  expect(secret.version()).toBe(firstVersion);
  secret.confirm();
  expect(await taken(first)).toBe(true);
  await secret.rotate("third");
  const third = secret.value() as Stored;
  secret.clock.advance(2 * 86_400);
  await secret.phase("decommission", firstVersion);
  expect([await taken(first), await taken(third)]).toEqual([false, true]);
}

describe("real targets through a change of their settings", () => {
  const ADMIN = { username: "rotator", password: "rotator-password-0001" };
  const certificate = loopbackCertificate("Redis");
  let group: ServerGroup;
  let proxy: Server;
  let postgres: Postgres;
  let redis: RedisServer;
  const account: SendGridServer[] = [];

  beforeAll(async () => {
    group = ServerGroup.open();
    const server = await startRedis({ group });
    proxy = createServer({ cert: certificate.certificatePem, key: certificate.privateKeyPem }, (socket) => {
      const inner = connect(server.port, "127.0.0.1");
      socket.pipe(inner).pipe(socket);
      for (const side of [socket, inner])
        side.on("error", () => [socket, inner].map((each) => each.destroy()));
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const { port } = proxy.address() as AddressInfo;
    const nodes = [{ address: "127.0.0.1", port, host: "localhost" }];
    redis = { nodes: async () => nodes, open: redisServer.open };
    const [node] = nodes;
    if (node === undefined) throw new Error("no node");
    const session = await redisServer.open(
      node,
      {
        ...(server.user && { username: server.user }),
        ...(server.password && { password: server.password }),
      },
      certificate.caPem,
    );
    await session.command("ACL", "SETUSER", ADMIN.username, "on", `>${ADMIN.password}`, "+@all", "~*");
    for (const user of ["app", "shop"]) await session.command("ACL", "SETUSER", user, "on", "+@read", "~*");
    await session.close();

    postgres = await startPostgres({ group });
    const client = new Client(postgres.superuser);
    await client.connect();
    await client.query(`CREATE ROLE rotator LOGIN CREATEROLE PASSWORD '${ADMIN.password}'`);
    await client.query("GRANT pg_read_all_stats, pg_signal_backend TO rotator");
    await client.query("CREATE DATABASE app OWNER rotator");
    await client.end();
    const inApp = new Client({ ...postgres.superuser, database: "app" });
    await inApp.connect();
    await inApp.query("SET ROLE rotator");
    await inApp.query("CREATE TABLE public.orders (id int PRIMARY KEY)").catch(async () => {
      await inApp.query("RESET ROLE");
      await inApp.query("CREATE TABLE public.orders (id int PRIMARY KEY)");
      await inApp.query("ALTER TABLE public.orders OWNER TO rotator");
    });
    await inApp.end();
  });

  afterAll(async () => {
    proxy?.close();
    await Promise.all(account.map((server) => server.stop()));
    await group?.stop();
  });

  test("a Redis ACL user is renamed: the old login with the old password is refused afterwards", async () => {
    const secret = new ChangingSecret({
      kind: "redis-auth-token",
      settings: { host: "localhost", engine: "acl", user: "app", caPem: certificate.caPem },
      admin: ADMIN,
      targetOf: ({ settings, readAdmin, random }) =>
        redisAclUserTarget({ settings, admin: () => readAdmin(adminValueSchema), server: redis, random }),
    });
    await throughAChange(secret, { user: "shop" }, async ({ password }, { user }) => {
      const [node] = await redis.nodes("localhost", 0);
      if (node === undefined) throw new Error("no node");
      try {
        const session = await redisServer.open(node, { username: String(user), password }, certificate.caPem);
        await session.close();
        return true;
      } catch {
        return false;
      }
    });
  });

  test("a PostgreSQL role is renamed: the old login is refused afterwards", async () => {
    const secret = new ChangingSecret({
      kind: "postgresql-user",
      settings: {
        host: postgres.host,
        port: postgres.port,
        caPem: postgres.caPem,
        database: "app",
        role: "app",
        lockGrace: { seconds: 0 },
      },
      admin: ADMIN,
      targetOf: ({ settings, readAdmin, random }) =>
        postgresqlUserTarget({
          settings,
          admin: () => readAdmin(adminValueSchema),
          server: pgServer,
          random,
        }),
    });
    await throughAChange(secret, { role: "shop" }, async ({ username, password }) => {
      const client = new Client({ ...postgres.superuser, database: "app", user: username, password });
      try {
        await client.connect();
        await client.query("SELECT count(*) FROM orders");
        return true;
      } catch {
        return false;
      } finally {
        await client.end().catch(() => undefined);
      }
    });
  });

  test("a SendGrid key gets other scopes", async () => {
    const server = await startSendGrid();
    account.push(server);
    const secret = new ChangingSecret({
      kind: "sendgrid",
      settings: { account: "one", apiUrl: server.url, scopes: ["mail.send"] },
      admin: { apiKey: server.adminKey },
      targetOf: sendGridTargetOf,
    });
    await throughAChange(secret, { scopes: ["mail.send", "alerts.read"] }, async ({ apiKey }) =>
      server.takes(apiKey),
    );
  });

  test("Datadog keys get other scopes, for an organisation of another name", async () => {
    let now = (): Date => new Date();
    const server = await startDatadog({ now: () => now() });
    try {
      const secret = new ChangingSecret({
        kind: "datadog",
        settings: { org: "one", apiUrl: server.url, serviceAccountId: server.serviceAccountId },
        admin: server.admin,
        targetOf: datadogTargetOf,
      });
      now = () => secret.clock.now();
      await throughAChange(secret, { org: "two", appKeyScopes: ["dashboards_read"] }, async (value) =>
        server.takes(value),
      );
    } finally {
      await server.stop();
    }
  });

  test("a generic secret gets another field and other configuration", async () => {
    const secret = new ChangingSecret({
      kind: "generic",
      settings: { fields: ["token"], config: { baseUrl: "https://one.example.com" } },
      acceptedBy: "single-slot",
      overlap: { seconds: 0 },
      targetOf: (props) => genericTarget({ ...props, servers: {} as never }),
    });
    await secret.rotate("first");
    secret.change({ fields: ["token", "pin"], config: { baseUrl: "https://two.example.com" } });
    await secret.phase("verify", secret.version());
    expect(secret.value()).toMatchObject({ _settings: { fields: ["token"] } });
    await secret.rotate("second");
    expect(Object.keys(secret.value() ?? {})).toEqual(["token", "pin", "_settings"]);
    await secret.phase("rollback", secret.version());
    expect(Object.keys(secret.value() ?? {})).toEqual(["token", "_settings"]);
  });
});

describe("an IAM user is renamed", () => {
  const settings = { bucket: "app", user: "one", sessionPolicy: { Version: "2012-10-17", Statement: [] } };

  /** IAM with two users, and a function that may touch those of a list only. */
  function world() {
    const allowed = new Set(["one", "two"]);
    const users = new Map<string, AccessKeysModel>();
    const secret: ChangingSecret<"s3-access-key", AccessKeyValue> = new ChangingSecret({
      kind: "s3-access-key",
      settings,
      targetOf: (props) => s3AccessKeyTarget({ settings: props.settings, keys: iam, clock: props.clock }),
    });
    for (const user of allowed) users.set(user, new AccessKeysModel(() => secret.clock, 0, user));
    const keysOf = (user: string): AccessKeysModel => {
      const found = users.get(user);
      if (found === undefined)
        throw new RotationError("target-misconfigured", `there is no IAM user ${user}`);
      if (!allowed.has(user)) throw new RotationError("access-denied", "iam:ListUserTags", "AccessDenied");
      return found;
    };
    const owner = (id: string): AccessKeysModel | undefined =>
      [...users.values()].find(({ ids }) => ids.includes(id));
    const iam: AccessKeys = {
      list: async (user) => keysOf(user).list(user),
      create: async (user) => keysOf(user).create(user),
      remove: async (user, id) => keysOf(user).remove(user, id),
      lastUsedAt: async (id) => owner(id)?.lastUsedAt(id),
      callerOf: async (id, key) => owner(id)?.callerOf(id, key),
      tags: async (user) => keysOf(user).tags(user),
      putTag: async (user, key, value) => keysOf(user).putTag(user, key, value),
      removeTag: async (user, key) => keysOf(user).removeTag(user, key),
    };
    const takes = async ({ accessKeyId, secretAccessKey }: AccessKeyValue) =>
      owner(accessKeyId)?.lets(accessKeyId, secretAccessKey) ?? false;
    return { secret, allowed, users, takes };
  }

  test("the new user's key follows, and the old one's is deleted at the old user", async () => {
    const { secret, users, takes } = world();
    await throughAChange(secret, { user: "two" }, takes);
    expect(users.get("one")?.ids).toEqual([]);
    expect(users.get("two")?.ids).toHaveLength(1);
  });

  test("without rights on the old user, the fault names what gives them; with them it is retired", async () => {
    const { secret, allowed, users } = world();
    const first = await secret.rotate("first");
    secret.change({ user: "two" });
    allowed.delete("one");
    await secret.rotate("second");
    secret.clock.advance(2 * 86_400);
    await expect(secret.phase("decommission", first)).rejects.toThrow(
      /^settings-former-unreachable: .*\(access-denied\); it needs formerUsers: \["one"\] in its settings/,
    );
    // What `formerUsers` does: the function's policy names the former user as well.
    secret.change({ formerUsers: ["one"] });
    allowed.add("one");
    await secret.phase("decommission", first);
    expect(users.get("one")?.ids).toEqual([]);
  });

  test("nor does a rollback reach the old user without them", async () => {
    const { secret, allowed } = world();
    const first = await secret.rotate("first");
    secret.change({ user: "two" });
    await secret.rotate("second");
    allowed.delete("one");
    await expect(secret.phase("rollback", secret.version())).rejects.toThrow("settings-former-unreachable");
    allowed.add("one");
    await secret.phase("rollback", secret.version());
    expect(secret.version()).toBe(first);
  });

  test("a user that is gone for good holds up no later rotation", async () => {
    const { secret, users } = world();
    const first = await secret.rotate("first");
    secret.change({ user: "two" });
    await secret.rotate("second");
    users.delete("one");
    secret.clock.advance(2 * 86_400);
    await expect(secret.phase("decommission", first)).rejects.toThrow("settings-former-unreachable");
    await secret.rotate("third");
    await secret.rotate("fourth");
  });
});
