import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { Client } from "pg";
import { type KindSettings, settingsSchema } from "../../../lib/model/kinds";
import { pgServer } from "../../../lib/rotation/adapters/pg-server";
import {
  type PostgresqlTargetProps,
  type PostgresqlValue,
  postgresqlUserTarget,
} from "../../../lib/rotation/targets/postgresql-user";
import { type Postgres, startPostgres } from "../../../packages/rehearsal/src/servers";
import { crashEverywhere } from "../models/crash-everywhere";
import { ATTEMPT, RehearsedSecret, testRandom, versionId } from "../models/rehearsed-secret";

jest.setTimeout(60_000);

const HOUR = 3_600;
const ADMIN = { username: "rotator", password: "rotator-password-0001" };
const v = (n: number): string => versionId(`rotation ${n}`);

let postgres: Postgres;

beforeAll(async () => {
  postgres = await startPostgres({ settings: { log_statement: "all" } });
  await asSuperuser("postgres", [
    `CREATE ROLE rotator LOGIN CREATEROLE PASSWORD '${ADMIN.password}'`,
    "GRANT pg_read_all_stats, pg_signal_backend TO rotator",
    "CREATE ROLE weak LOGIN PASSWORD 'weak-password-000001'",
    "CREATE ROLE migrator NOLOGIN",
    "GRANT migrator TO rotator",
    "CREATE DATABASE app OWNER migrator",
  ]);
  await asSuperuser("app", [
    "SET ROLE migrator",
    "CREATE TABLE public.orders (id serial PRIMARY KEY, note text)",
    "CREATE TABLE public.always (id int GENERATED ALWAYS AS IDENTITY, twice int GENERATED ALWAYS AS (1) STORED, n int)",
  ]);
});

afterAll(() => postgres?.stop());

async function asSuperuser(database: string, statements: readonly string[]): Promise<readonly unknown[]> {
  return connected({ ...postgres.superuser, database }, statements);
}

async function connected(
  config: ConstructorParameters<typeof Client>[0],
  statements: readonly string[],
): Promise<readonly unknown[]> {
  const client = new Client(config);
  await client.connect();
  try {
    let rows: readonly unknown[] = [];
    for (const statement of statements) rows = (await client.query(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

/** Runs statements as a consumer does. */
const asConsumer = ({ username, password }: PostgresqlValue, ...statements: readonly string[]) =>
  connected({ ...postgres.superuser, database: "app", user: username, password }, statements);

const works = (value: PostgresqlValue | undefined): Promise<boolean> =>
  value === undefined
    ? Promise.resolve(false)
    : asConsumer(value, "SELECT count(*) FROM orders").then(
        () => true,
        () => false,
      );

async function sessionsOf(username: string): Promise<number> {
  const rows = await asSuperuser("postgres", [
    `SELECT 1 FROM pg_stat_activity WHERE usename = '${username}'`,
  ]);
  return rows.length;
}

function settingsOf(role: string, more: Partial<KindSettings<"postgresql-user">> = {}) {
  const settings = settingsSchema("postgresql-user").parse({
    host: "db.example.com",
    database: "app",
    role,
    lockGrace: { seconds: 0 },
  });
  return {
    ...(settings as KindSettings<"postgresql-user">),
    host: postgres.host,
    port: postgres.port,
    caPem: postgres.caPem,
    ...more,
  };
}

const propsOf = (role: string, more: Partial<PostgresqlTargetProps> = {}): PostgresqlTargetProps => ({
  settings: settingsOf(role),
  admin: async () => ADMIN,
  server: pgServer,
  random: testRandom,
  ...more,
});

const secretOf = (role: string, more: Partial<PostgresqlTargetProps> = {}) =>
  new RehearsedSecret<PostgresqlValue>({
    target: (plan) => postgresqlUserTarget({ ...propsOf(role, more), server: plan.wrap(pgServer) }),
    overlap: HOUR,
  });

async function arrived(secret: RehearsedSecret<PostgresqlValue>): Promise<void> {
  secret.confirm();
  secret.clock.advance(2 * HOUR);
}

test("ten rotations and decommissions: consumers with old and new values never fail", async () => {
  const secret = secretOf("shop");
  await secret.rotate(v(1));
  let held: readonly (PostgresqlValue | undefined)[] = [secret.current];
  let attempts = 0;
  let failed = 0;
  let running = true;
  const prober = (async () => {
    while (running) {
      for (const value of held) {
        attempts += 1;
        if (!(await works(value))) failed += 1;
      }
    }
  })();
  for (let n = 2; n <= 11; n += 1) {
    await arrived(secret);
    const before = secret.current;
    await secret.rotate(v(n));
    held = [before, secret.current];
    await arrived(secret);
    held = [secret.current];
    // The prober may be between reading the list and logging in.
    await new Promise((resolve) => setTimeout(resolve, 40));
    secret.clock.advance((Date.now() - secret.clock.now().getTime()) / 1_000 + 2 * HOUR);
    secret.confirm();
    secret.clock.advance(2 * HOUR);
    await secret.phase("decommission", v(n - 1));
    expect(await works(before)).toBe(false);
  }
  running = false;
  await prober;
  process.stdout.write(`PostgreSQL: ${attempts} logins by consumers during 10 rotations, ${failed} failed\n`);
  expect(failed).toBe(0);
  expect(attempts).toBeGreaterThan(20);
});

test("objects belong to the owner role, so that the next login can change them", async () => {
  await asSuperuser("app", [
    "CREATE SCHEMA IF NOT EXISTS catalog",
    "CREATE ROLE catalog NOLOGIN",
    "GRANT ALL ON SCHEMA catalog TO catalog",
    "GRANT catalog TO rotator WITH ADMIN OPTION",
  ]);
  const secret = secretOf("catalog");
  await secret.rotate(v(1));
  const first = secret.current;
  await arrived(secret);
  await secret.rotate(v(2));
  const second = secret.current;
  if (first === undefined || second === undefined) throw new Error("no values");
  expect([first.username, second.username]).toEqual(["catalog_a", "catalog_b"]);
  await asConsumer(first, "CREATE TABLE catalog.items (id int)");
  await asConsumer(second, "ALTER TABLE catalog.items ADD COLUMN name text", "DROP TABLE catalog.items");
});

test("the role may do what the registry says and no more, and new privileges come with the next rotation", async () => {
  const less = secretOf("lesser", {
    settings: settingsOf("lesser", { privileges: ["SELECT", "INSERT", "UPDATE"] }),
  });
  await less.rotate(v(1));
  const value = less.current;
  if (value === undefined) throw new Error("no value");
  await asConsumer(value, "INSERT INTO orders (note) VALUES ('x')", "UPDATE orders SET note = 'y'");
  await expect(asConsumer(value, "DELETE FROM orders")).rejects.toMatchObject({ code: "42501" });
  await arrived(less);
  const readOnly = postgresqlUserTarget(
    propsOf("lesser", { settings: settingsOf("lesser", { privileges: ["SELECT"] }) }),
  );
  await readOnly.install(value, undefined, ATTEMPT);
  await expect(asConsumer(value, "INSERT INTO orders (note) VALUES ('x')")).rejects.toMatchObject({
    code: "42501",
  });
  await expect(readOnly.test(value)).resolves.toBeUndefined();
  const all = postgresqlUserTarget(propsOf("lesser"));
  await expect(all.test(value)).rejects.toMatchObject({ code: "right-missing" });
});

test("the server sees verifiers only, and its log no password", async () => {
  const secret = secretOf("quiet");
  await secret.rotate(v(1));
  const [row] = await asSuperuser("postgres", [
    "SELECT rolpassword, rolinherit, rolcanlogin FROM pg_authid WHERE rolname = 'quiet_a'",
  ]);
  expect(row).toMatchObject({
    rolpassword: expect.stringMatching(/^SCRAM-SHA-256\$4096:/),
    rolinherit: true,
    rolcanlogin: true,
  });
  const log = readFileSync(postgres.logFile, "utf8");
  expect(log).toContain('CREATE ROLE "quiet_a"');
  expect(log).not.toContain(secret.current?.password);
});

describe("decommission", () => {
  async function twice(role: string) {
    const secret = secretOf(role);
    await secret.rotate(v(1));
    const old = secret.current;
    await arrived(secret);
    await secret.rotate(v(2));
    if (old === undefined) throw new Error("no value");
    return { secret, old };
  }

  test("is refused while somebody logs in with the old value after everybody should have the new one", async () => {
    const { secret, old } = await twice("late");
    // The test's clock runs in the past, so every session of today is a late one.
    await arrived(secret);
    const client = new Client({
      ...postgres.superuser,
      database: "app",
      user: old.username,
      password: old.password,
    });
    await client.connect();
    await expect(secret.phase("decommission", v(1))).rejects.toMatchObject({ code: "still-presented" });
    expect(await works(old)).toBe(true);
    await client.end();
    // PostgreSQL takes a moment to notice that the session is gone.
    while (await sessionsOf(old.username)) await new Promise((resolve) => setTimeout(resolve, 20));
    await secret.phase("decommission", v(1));
    expect(await works(old)).toBe(false);
  });

  test("leaves sessions that began in time to their end; an emergency ends them", async () => {
    const { secret, old } = await twice("early");
    const client = new Client({
      ...postgres.superuser,
      database: "app",
      user: old.username,
      password: old.password,
    });
    const ended = new Promise((resolve) => client.on("error", resolve));
    await client.connect();
    secret.clock.advance((Date.now() - secret.clock.now().getTime()) / 1_000);
    await arrived(secret);
    await secret.phase("decommission", v(1));
    expect((await client.query("SELECT count(*) FROM orders")).rows).toHaveLength(1);
    await secret.phase("decommission", v(1), { emergency: true });
    await ended;
    expect(await works(secret.current)).toBe(true);
  });

  test("after it, a rollback is refused and changes nothing; before it, the old login works again", async () => {
    const { secret } = await twice("back");
    await secret.phase("rollback", v(2));
    expect(secret.current?.username).toBe("back_a");
    await arrived(secret);
    await secret.rotate(v(3));
    await arrived(secret);
    await secret.phase("decommission", v(1));
    await expect(secret.phase("rollback", v(3))).rejects.toMatchObject({ code: "target-refused" });
    expect(secret.currentVersion).toBe(v(3));
  });
});

describe("bad input is a coded error that says what to do", () => {
  const value: PostgresqlValue = { username: "bad_a", password: "0123456789abcdef" };
  const login = (login: { username: string; password: string; host?: string }) => ({
    admin: async () => login,
  });

  test.each<[string, string, (role: string) => Partial<PostgresqlTargetProps>]>([
    [
      "a host that the certificate does not name",
      "target-not-trusted",
      (role) => ({ settings: settingsOf(role, { host: "127.1" }) }),
    ],
    [
      "a certificate of an unknown CA",
      "target-not-trusted",
      (role) => ({ settings: settingsOf(role, { caPem: undefined }) }),
    ],
    ["nobody listening", "target-unreachable", (role) => ({ settings: settingsOf(role, { port: 1 }) })],
    [
      "a host that does not exist",
      "target-unreachable",
      (role) => ({ settings: settingsOf(role, { host: "db.invalid" }) }),
    ],
    [
      "a database that does not exist",
      "target-misconfigured",
      (role) => ({ settings: settingsOf(role, { database: "none" }) }),
    ],
    [
      "an admin whose password is wrong",
      "admin-refused",
      () => login({ ...ADMIN, password: "wrong-password-00001" }),
    ],
    [
      "an admin without rights",
      "right-missing",
      () => login({ username: "weak", password: "weak-password-000001" }),
    ],
    [
      "an admin secret of another host",
      "host-mismatch",
      () => login({ ...ADMIN, host: "db.other.example.com" }),
    ],
    ["an admin that is the login itself", "user-mismatch", () => login({ ...ADMIN, username: "bad_a" })],
  ])("%s: %s", async (_what, code, more) => {
    const target = postgresqlUserTarget(propsOf("bad", more("bad")));
    await expect(target.install(value, undefined, ATTEMPT)).rejects.toMatchObject({
      code,
      change: expect.stringMatching(/\w+/),
    });
  });

  test("a server without TLS: target-without-tls, and no password is sent", async () => {
    const received: Buffer[] = [];
    const plain = createServer((socket) => {
      socket.on("data", (data) => {
        received.push(data);
        socket.write("N");
      });
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    const address = plain.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const target = postgresqlUserTarget(propsOf("bad", { settings: settingsOf("bad", { port }) }));
    await expect(target.install(value, undefined, ATTEMPT)).rejects.toMatchObject({
      code: "target-without-tls",
    });
    // The request for TLS (8 bytes) and nothing after it.
    expect(Buffer.concat(received)).toHaveLength(8);
    await new Promise((resolve) => plain.close(resolve));
  });

  test("roles that are not ours to change", async () => {
    await asSuperuser("postgres", ["CREATE ROLE root_a SUPERUSER LOGIN", "CREATE ROLE person LOGIN"]);
    const superuser = postgresqlUserTarget(propsOf("root"));
    await expect(
      superuser.install({ ...value, username: "root_a" }, undefined, ATTEMPT),
    ).rejects.toMatchObject({
      code: "user-mismatch",
    });
    const person = postgresqlUserTarget(propsOf("person"));
    await expect(
      person.install({ ...value, username: "person_a" }, undefined, ATTEMPT),
    ).rejects.toMatchObject({
      code: "target-misconfigured",
    });
    const foreign = postgresqlUserTarget(propsOf("bad"));
    await expect(foreign.generate({ ...value, username: "billing_a" }, ATTEMPT)).rejects.toMatchObject({
      code: "user-mismatch",
    });
    await expect(
      foreign.retire({
        secret: ATTEMPT,
        retired: { ...value, username: "postgres" },
        kept: [],
        refreshedBy: undefined,
        emergency: false,
      }),
    ).rejects.toMatchObject({ code: "user-mismatch" });
  });

  test("an owner role that the admin may not grant names the missing right", async () => {
    await asSuperuser("postgres", ["CREATE ROLE foreign_owner NOLOGIN"]);
    const target = postgresqlUserTarget(propsOf("foreign_owner"));
    await expect(
      target.install({ ...value, username: "foreign_owner_a" }, undefined, ATTEMPT),
    ).rejects.toThrow(/GRANT "foreign_owner" TO <admin> WITH ADMIN OPTION/);
  });

  test("settings that no rotation can serve", () => {
    expect(() =>
      postgresqlUserTarget(propsOf("bad", { settings: settingsOf("bad", { role: "r".repeat(62) }) })),
    ).toThrow(/name-too-long/);
    expect(() =>
      postgresqlUserTarget(propsOf("bad", { settings: settingsOf("bad", { login: "static" }) })),
    ).toThrow(/settings-malformed/);
  });
});

describe("a crash at every call to the outside converges", () => {
  test("a first rotation", async () => {
    let count = 0;
    const points = await crashEverywhere(async () => {
      count += 1;
      const secret = secretOf(`first_${count}`);
      return {
        work: (plan) => secret.rotate(v(1), plan),
        // The first value is AWSCURRENT before it can work; nobody gets it until its test has passed.
        afterCrash: async () => undefined,
        afterAll: async () => expect(await works(secret.current)).toBe(true),
      };
    }, ["after"]);
    process.stdout.write(`PostgreSQL: ${points} crash points in a first rotation\n`);
    expect(points).toBeGreaterThan(30);
  });

  test("later rotations and decommissions: AWSCURRENT always logs in", async () => {
    const secret = secretOf("crash");
    // Sessions begin in real time, and none of them shall look late.
    secret.clock.advance((Date.now() - secret.clock.now().getTime()) / 1_000);
    let n = 1;
    await secret.rotate(v(1));
    const stillWorks = async () => expect(await works(secret.current)).toBe(true);
    const rotations = await crashEverywhere(async () => {
      await arrived(secret);
      n += 1;
      return {
        work: (plan) => secret.rotate(v(n), plan),
        afterCrash: stillWorks,
        afterAll: async () => {
          await stillWorks();
          expect(secret.currentVersion).toBe(v(n));
        },
      };
    });
    const decommissions = await crashEverywhere(async () => {
      await arrived(secret);
      n += 1;
      const old = secret.current;
      await secret.rotate(v(n));
      await arrived(secret);
      return {
        work: (plan) => secret.phase("decommission", v(n - 1), plan === undefined ? {} : { plan }),
        afterCrash: stillWorks,
        afterAll: async () => {
          await stillWorks();
          expect(await works(old)).toBe(false);
        },
      };
    });
    process.stdout.write(
      `PostgreSQL: ${rotations} crash points in a rotation, ${decommissions} in a decommission\n`,
    );
    expect(rotations).toBeGreaterThan(50);
    expect(decommissions).toBeGreaterThan(20);
  }, 240_000);
});

test("two invocations at once converge", async () => {
  const secret = secretOf("both");
  await secret.rotate(v(1));
  await arrived(secret);
  secret.secrets.stage(secret.name, v(2));
  await Promise.allSettled([secret.rotate(v(2)), secret.rotate(v(2))]);
  await secret.rotate(v(2));
  expect(secret.currentVersion).toBe(v(2));
  expect(await works(secret.current)).toBe(true);
});
