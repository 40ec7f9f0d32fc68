import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import type { DatabaseConnectionPlan } from "../../lib/blueprint";
import type { VaultCall } from "../../packages/rehearsal/src/load";
import { type Postgres, ServerGroup, startPostgres } from "../../packages/rehearsal/src/servers";
import { callWith, isRefusal } from "./rehearsed-environment";
import { type RehearsedVault, rehearseVault, STATIC_PERIOD } from "./rehearsed-vault";

const CREDS = "database-dev/creds/db--ro";
const STATIC_CREDS = "database-dev/static-creds/db--legacy";

let group: ServerGroup;
let postgres: Postgres;
let vault: RehearsedVault;

interface Login {
  readonly username: string;
  readonly password: string;
}

async function as<T>(login: Login, work: (client: Client) => Promise<T>, database = "app"): Promise<T> {
  const client = new Client({
    ...postgres.superuser,
    database,
    user: login.username,
    password: login.password,
  });
  // A server that ends a session says so by an event, too.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const asSuperuser = <T>(work: (client: Client) => Promise<T>, database?: string): Promise<T> =>
  as({ username: postgres.superuser.user, password: postgres.superuser.password }, work, database);

const sql =
  (statement: string, parameters: unknown[] = []) =>
  async (client: Client) =>
    (await client.query(statement, parameters)).rows;

/** The lease's user in PostgreSQL's catalogue; nothing when it is gone. */
const roleOf = (username: string) =>
  asSuperuser(sql("SELECT rolcanlogin, rolvaliduntil FROM pg_roles WHERE rolname = $1", [username]));

interface Lease extends Login {
  readonly id: string;
  readonly seconds: number;
}

/** A new user, as a pod of the consumer gets it. */
async function lease(): Promise<Lease> {
  const role = vault.plan.roles.find(({ workload }) => workload === "backend");
  if (!role) throw new Error("no role");
  const { namespace, serviceAccount, audience } = role;
  const login = await vault.server.call("POST", `auth/${role.mount}/login`, {
    token: null,
    body: { role: role.name, jwt: vault.issuer.token({ namespace, serviceAccount, audience }) },
  });
  const answer = await vault.server.call("GET", CREDS, { token: login.auth?.client_token ?? null });
  return {
    ...(answer.data as unknown as Login),
    id: answer.lease_id ?? "",
    seconds: answer.lease_duration ?? 0,
  };
}

const root: VaultCall = (...call) => callWith(vault.server, vault.server.rootToken)(...call);
const revoke = ({ id }: Lease): Promise<unknown> =>
  root("PUT", "sys/leases/revoke", { lease_id: id, sync: true });

function connectionOf(secret: string): DatabaseConnectionPlan {
  const found = vault.plan.databases[0]?.connections.find((connection) => connection.secret === secret);
  if (!found) throw new Error(`no connection of ${secret}`);
  return found;
}

const firstLogin = (connection: DatabaseConnectionPlan): Login => ({
  username: connection.username,
  password: vault.databases[connection.name]?.password ?? "",
});

beforeAll(async () => {
  group = ServerGroup.open();
  postgres = await startPostgres({ group, settings: { log_statement: "all" } });
  vault = await rehearseVault(group, postgres);
  // The application's own tables: the connection's login may grant what their owner may.
  await asSuperuser(
    sql(`CREATE ROLE app NOLOGIN; CREATE SCHEMA IF NOT EXISTS public; GRANT CREATE ON SCHEMA public TO app; SET ROLE app;
      CREATE TABLE orders (id serial PRIMARY KEY, note text); INSERT INTO orders (note) VALUES ('one'); RESET ROLE;
      GRANT app TO "${connectionOf("db/ro").username}"`),
  );
}, 120_000);

afterAll(() => group?.stop(), 60_000);

describe("a user for each lease", () => {
  test("a consumer's pod gets one that reads and does nothing else", async () => {
    const user = await lease();
    expect(user.username).toMatch(/^v-db--ro-[A-Za-z0-9]{20}-\d+$/);
    expect(user.seconds).toBe(12 * 3_600);
    await as(user, async (client) => {
      expect((await client.query("SELECT session_user, current_user")).rows).toEqual([
        { session_user: user.username, current_user: "reporting" },
      ]);
      expect((await client.query("SELECT note FROM orders")).rows).toEqual([{ note: "one" }]);
      for (const statement of [
        "INSERT INTO orders (note) VALUES ('two')",
        "UPDATE orders SET note = 'two'",
        "DELETE FROM orders",
        "TRUNCATE orders",
        "CREATE TABLE mine (id int)",
        "CREATE ROLE mine",
        `GRANT reporting TO app`,
      ]) {
        await expect(client.query(statement)).rejects.toMatchObject({ code: "42501" });
      }
      // A pool's reset may take the role away: the rights stay, and no others come.
      await client.query("DISCARD ALL");
      await client.query("SET ROLE NONE");
      expect((await client.query("SELECT note FROM orders")).rows).toEqual([{ note: "one" }]);
      await expect(client.query("DELETE FROM orders")).rejects.toMatchObject({ code: "42501" });
    });
  });

  test("other workloads get none", async () => {
    const call = await vault.asWorkload("payments");
    for (const path of [CREDS, STATIC_CREDS]) {
      expect(isRefusal(await call("GET", path).catch((error: unknown) => error))).toBe(true);
    }
  });

  test("the connection is no superuser, and the role gets what the registry says, no more and no less", async () => {
    expect(
      await asSuperuser(
        sql("SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = $1", [
          connectionOf("db/ro").username,
        ]),
      ),
    ).toEqual([{ rolsuper: false, rolcreaterole: true }]);
    await asSuperuser(
      sql("GRANT DELETE ON orders TO reporting; SET ROLE app; CREATE TABLE later (id int); RESET ROLE"),
    );
    await as(await lease(), async (client) => {
      await client.query("SELECT * FROM later");
      await expect(client.query("DELETE FROM orders")).rejects.toMatchObject({ code: "42501" });
    });
  });

  test("many leases at once are as many users", async () => {
    const users = await Promise.all(Array.from({ length: 10 }, lease));
    expect(new Set(users.map(({ username }) => username)).size).toBe(10);
    await Promise.all(users.map((user) => as(user, sql("SELECT note FROM orders"))));
    await Promise.all(users.map(revoke));
    for (const { username } of users) expect(await roleOf(username)).toEqual([]);
  });

  test("renewal lengthens the life of the login in the database", async () => {
    const user = await lease();
    // The lease was given with seconds in mind; the renewal asks for less, and gets that.
    await root("PUT", "sys/leases/renew", { lease_id: user.id, increment: 600 });
    const [before] = await roleOf(user.username);
    await root("PUT", "sys/leases/renew", { lease_id: user.id, increment: 7_200 });
    const [after] = await roleOf(user.username);
    const minutes = (after.rolvaliduntil - before.rolvaliduntil) / 60_000;
    expect(Math.round(minutes)).toBe(110);
    await as(user, sql("SELECT note FROM orders"));
  });

  test("revocation takes the login away, whatever it owns", async () => {
    const user = await lease();
    await as(user, async (client) => {
      await client.query("SET ROLE NONE");
      await client.query("SELECT lo_create(4711)");
    });
    await revoke(user);
    expect(await roleOf(user.username)).toEqual([]);
    await expect(as(user, sql("SELECT 1"))).rejects.toMatchObject({ code: "28P01" });
    expect(
      await asSuperuser(
        sql("SELECT pg_get_userbyid(lomowner) AS owner FROM pg_largeobject_metadata WHERE oid = 4711"),
      ),
    ).toEqual([{ owner: "reporting" }]);
  });

  test("who owns something in another database stays as a name that cannot log in", async () => {
    const user = await lease();
    await as(
      user,
      async (client) => {
        await client.query("SET ROLE NONE");
        await client.query("SELECT lo_create(4712)");
      },
      "postgres",
    );
    await revoke(user);
    expect(await roleOf(user.username)).toMatchObject([{ rolcanlogin: false }]);
    await expect(as(user, sql("SELECT 1"))).rejects.toMatchObject({ code: "28P01" });
  });

  test("revocation of a user that somebody dropped by hand succeeds", async () => {
    const user = await lease();
    await asSuperuser(sql(`DROP ROLE "${user.username}"`));
    await revoke(user);
  });

  test("a session outlives the lease: cutting it would be a failure that a consumer sees", async () => {
    const user = await lease();
    await as(user, async (client) => {
      await revoke(user);
      expect((await client.query("SELECT note FROM orders")).rows).toEqual([{ note: "one" }]);
    });
  });

  test("a role that could log in by itself, or administer, is refused, and no user is made", async () => {
    const users = sql("SELECT count(*)::int AS users FROM pg_roles WHERE rolname LIKE 'v-%'");
    const before = await asSuperuser(users);
    for (const [power, without] of [
      ["LOGIN", "NOLOGIN"],
      ["CREATEDB", "NOCREATEDB"],
    ]) {
      await asSuperuser(sql(`ALTER ROLE reporting ${power}`));
      await expect(lease()).rejects.toThrow(/must be NOLOGIN and without administrative powers/);
      await asSuperuser(sql(`ALTER ROLE reporting ${without}`));
    }
    expect(await asSuperuser(users)).toEqual(before);
    await revoke(await lease());
  });

  test("the database's log has no password of theirs", async () => {
    const user = await lease();
    await root("POST", connectionOf("db/ro").rotateRootPath);
    const log = readFileSync(postgres.logFile, "utf8");
    expect(log).toContain(`CREATE ROLE "${user.username}"`);
    expect(log).toContain("SCRAM-SHA-256$");
    expect(log).not.toContain(user.password);
  });
});

describe("the connection's own login", () => {
  test("Vault rotates it for the mirror, the first password is dead, and users are made as before", async () => {
    const connection = connectionOf("db/legacy");
    const dynamic = connectionOf("db/ro");
    await as(firstLogin(connection), sql("SELECT 1"));
    const { authMount, role, subject, audience } = vault.mirror;
    const { auth } = await vault.server.call("POST", `auth/${authMount}/login`, {
      token: null,
      body: { role, jwt: vault.awsIssuer.token({ subject, audience }) },
    });
    const call = callWith(vault.server, auth?.client_token ?? null);
    for (const { rotateRootPath } of [connection, dynamic, connection, dynamic]) {
      await call("POST", rotateRootPath);
      const user = await lease();
      await as(user, sql("SELECT note FROM orders"));
      await revoke(user);
    }
    for (const each of [connection, dynamic]) {
      await expect(as(firstLogin(each), sql("SELECT 1"))).rejects.toMatchObject({ code: "28P01" });
      // It is nowhere to be read.
      expect(JSON.stringify(await root("GET", `database-dev/config/${each.name}`))).not.toMatch(
        /"password":/,
      );
    }
  });

  test("a certificate of another CA, or another name, is not trusted", async () => {
    const connection = connectionOf("db/ro");
    const url = (host: string, caFile: string) =>
      `postgresql://{{username}}:{{password}}@${host}:${postgres.port}/app?sslmode=verify-full&sslrootcert=${caFile}`;
    const configure = (connection_url: string) =>
      root("POST", "database-dev/config/probe", {
        plugin_name: connection.plugin,
        connection_url,
        ...firstLogin(connection),
      });
    await expect(configure(url("127.0.0.1", vault.server.caFile))).rejects.toThrow(/certificate/);
    await expect(configure(url("127.0.0.2", postgres.caFile))).rejects.toThrow(/certificate|refused/);
  });
});

test("a static login gets another password each period; the old one is dead at once", async () => {
  const call = await vault.asWorkload("backend");
  const read = async () => (await call("GET", STATIC_CREDS)) as Login & { readonly rotation_period: number };
  let held = await read();
  expect(held).toMatchObject({ username: "legacy", rotation_period: STATIC_PERIOD.seconds });
  const passwords = [held.password];
  const gaps: number[] = [];
  let attempts = 0;
  let lastGood = Date.now();
  // A consumer that holds what it read until that fails: what a pod sees whose agent has not rendered anew.
  while (passwords.length < 4) {
    attempts += 1;
    try {
      await as(held, sql("SELECT 1"));
      lastGood = Date.now();
    } catch (failure) {
      expect(failure).toMatchObject({ code: "28P01" });
      held = await read();
      await as(held, sql("SELECT 1"));
      gaps.push(Date.now() - lastGood);
      passwords.push(held.password);
    }
    await sleep(50);
  }
  expect(new Set(passwords).size).toBe(4);
  process.stdout.write(
    `static login: ${attempts} logins in ${passwords.length - 1} rotations, ${gaps.length} failed; gaps up to ${Math.max(...gaps)} ms for one who reads again at once\n`,
  );
}, 60_000);

test("the deployer's policy is enough to load all of it, and reads neither users nor copies", async () => {
  const other = await rehearseVault(group, postgres, async (server, { name, text }) => {
    await server.call("PUT", `sys/policies/acl/${name}`, { body: { policy: text } });
    const { auth } = await server.call("POST", "auth/token/create", {
      body: { policies: [name], no_default_policy: true },
    });
    return callWith(server, auth?.client_token ?? null);
  });
  const { auth } = await other.server.call("POST", "auth/token/create", {
    body: { policies: [other.plan.deployer.name], no_default_policy: true },
  });
  const call = callWith(other.server, auth?.client_token ?? null);
  for (const path of [CREDS, STATIC_CREDS, "kv-dev/data/db/app"]) {
    expect(isRefusal(await call("GET", path).catch((error: unknown) => error))).toBe(true);
  }
  for (const path of ["rotate-root/db--ro", "rotate-role/db--legacy", "reset/db--ro"]) {
    const refused = await call("POST", `database-dev/${path}`).catch((error: unknown) => error);
    expect(isRefusal(refused)).toBe(true);
  }
}, 60_000);
