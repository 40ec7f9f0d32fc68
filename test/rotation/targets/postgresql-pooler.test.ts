import * as fc from "fast-check";
import { sqlFailure } from "../../../lib/rotation/adapters/sql-failure";
import type { PostgresqlValue } from "../../../lib/rotation/targets/postgresql-user";
import { type Pooler, type PoolerOptions, startPooler } from "../models/pgbouncer";
import { ADMIN, overlapPassed, PostgresqlWorld } from "../models/postgresql-world";
import { ATTEMPT, versionId } from "../models/rehearsed-secret";

jest.setTimeout(120_000);

const v = (n: number): string => versionId(`rotation ${n}`);

let world: PostgresqlWorld;
let running: Pooler | undefined;

beforeAll(async () => {
  world = await PostgresqlWorld.start();
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
});
afterAll(() => world?.stop());

async function pooler(options: Omit<PoolerOptions, "authUser">): Promise<Pooler> {
  const { user: name, password } = world.postgres.superuser;
  running = await startPooler(world.postgres, { ...options, authUser: { name, password } });
  process.stdout.write(`in front of PostgreSQL: ${running.name}, ${options.mode} pooling\n`);
  return running;
}

/** Consumers go by the pooler; the server is another place, or the same. */
const behind = ({ host, port, caPem }: Pooler, server: "named" | "not named") => ({
  host,
  port,
  caPem: `${caPem}\n${world.postgres.caPem}`,
  ...(server === "named" ? { server: { host: "localhost", port: world.postgres.port } } : {}),
});

async function through(
  { host, port, caPem }: Pooler,
  { username: user, password }: PostgresqlValue,
  statement = "SELECT count(*) FROM orders",
  more: object = {},
): Promise<readonly Record<string, unknown>[]> {
  return world.connected({ host, port, ssl: { ca: caPem }, database: "app", user, password, ...more }, [
    statement,
  ]);
}

/** The reason for these tests: the pooler refuses what rotation used to send. */
test("a startup parameter that the pooler does not know is refused by 08P01", async () => {
  const front = await pooler({ mode: "session" });
  await expect(
    through(front, ADMIN as PostgresqlValue, "SELECT 1", { statement_timeout: 1_000 }),
  ).rejects.toMatchObject({
    code: "08P01",
    message: expect.stringContaining("unsupported startup parameter"),
  });
});

test("where PgBouncer cannot be had, its stand-in refuses the same and lets a rotation through", async () => {
  const front = await pooler({ mode: "session", standIn: true });
  const login = through(front, ADMIN as PostgresqlValue, "SELECT 1", { options: "-c geqo=off" });
  await expect(login).rejects.toMatchObject({ code: "08P01" });
  const secret = world.secret("stand_in", behind(front, "not named"));
  await secret.rotate(v(1));
  await through(front, secret.current as PostgresqlValue);
});

describe.each([
  ["session", "named"],
  ["session", "not named"],
  ["transaction", "named"],
  ["transaction", "not named"],
] as const)("PgBouncer by its defaults, %s pooling, its server %s", (mode, server) => {
  test("three rotations and decommissions, both logins by the pooler all the while, and no state left in its sessions", async () => {
    const front = await pooler({ mode });
    const role = `pool ${mode} ${server}`.replaceAll(" ", "_");
    const secret = world.secret(role, behind(front, server));
    await secret.rotate(v(1));
    for (let n = 2; n <= 4; n += 1) {
      const old = secret.current as PostgresqlValue;
      overlapPassed(secret);
      await secret.rotate(v(n));
      const current = secret.current as PostgresqlValue;
      await through(front, old);
      await through(front, current);
      overlapPassed(secret);
      await secret.phase("decommission", v(n - 1));
      expect(await world.works(old)).toBe(false);
      await through(front, current);
    }
    const admin = ADMIN as PostgresqlValue;
    for (let look = 0; look < 5; look += 1) {
      expect(await through(front, admin, "SHOW statement_timeout")).toEqual([{ statement_timeout: "0" }]);
    }
  });
});

test("a pooler that knows only the login in use: the rotation ends before anybody is served, with the way out", async () => {
  const secret = world.secret("known");
  await secret.rotate(v(1));
  const old = secret.current as PostgresqlValue;
  const [row] = await world.sql("postgres", [
    "SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = 'known_a'",
  ]);
  const front = await pooler({ mode: "session", users: { known_a: String(row?.verifier) } });
  await through(front, old);
  for (const [server, code, words] of [
    ["named", "target-misconfigured", /localhost accepts known_b, and the pooler .* must know both logins/],
    ["not named", "target-refused", /does not know it \(PgBouncer: auth_query/],
  ] as const) {
    const target = world.target("known", behind(front, server));
    const value = await target.generate(old, ATTEMPT);
    await world.target("known").install(value, old, ATTEMPT);
    const failure = await target.test(value).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(failure).toMatchObject({ code });
    expect(failure?.message).toMatch(words);
    await through(front, old);
  }
});

/** Failures as `pg` gives them. */
const failureWith = (code: string, message = "a text that may quote a value"): Error =>
  Object.assign(new Error(message), { code });

test("whatever a server or a pooler names is not unexpected, and its text stays there", () => {
  // Classes of PostgreSQL's appendix A.
  const classes =
    "03 08 09 0A 0B 0F 0L 0P 0Z 10 20 21 22 23 24 25 26 27 28 2B 2D 2F 34 38 39 3B 3D 3F 40 42 44 53 54 55 57 58 F0 HV P0 XX";
  for (const each of classes.split(" ")) {
    for (const state of [`${each}000`, `${each}P01`, `${each}501`]) {
      const fault = sqlFailure(failureWith(state), "app_a at db:5432");
      expect(fault).toMatchObject({ origin: state });
      expect(fault?.code).not.toBe("unexpected");
      expect(fault?.message).not.toContain("quote a value");
    }
  }
  for (const [text, code] of [
    ["SASL authentication failed", "target-refused"],
    ["no such user: app_a", "target-refused"],
    ["unsupported startup parameter: options", "target-misconfigured"],
    ['no such database: "app"', "target-misconfigured"],
    ["query_wait_timeout", "target-busy"],
    ["client_login_timeout (server down)", "target-busy"],
    ["no more connections allowed (max_client_conn)", "target-busy"],
    ["something new", "target-failed"],
  ] as const) {
    expect(sqlFailure(failureWith("08P01", text), "x")).toMatchObject({ code });
  }
  for (const code of ["ECONNREFUSED", "EPIPE", "ERR_TLS_CERT_ALTNAME_INVALID", "SELF_SIGNED_CERT_IN_CHAIN"]) {
    expect(sqlFailure(failureWith(code), "x")).toBeUndefined();
  }
});

test("property: every SQLSTATE becomes a coded fault", () => {
  const character = fc.constantFrom(..."0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  fc.assert(
    fc.property(
      fc.constantFrom(..."0123456789FHPX"),
      fc.array(character, { minLength: 4, maxLength: 4 }),
      (first, rest) => {
        const fault = sqlFailure(failureWith(`${first}${rest.join("")}`), "x");
        return fault !== undefined && fault.code !== "unexpected";
      },
    ),
  );
});
