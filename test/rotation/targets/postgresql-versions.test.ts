import { Client } from "pg";
import { markStatement } from "../../../lib/rotation/targets/postgresql-logins";
import type { PostgresqlValue } from "../../../lib/rotation/targets/postgresql-user";
import { crashEverywhere } from "../models/crash-everywhere";
import { overlapPassed, PostgresqlWorld } from "../models/postgresql-world";
import { ATTEMPT, versionId } from "../models/rehearsed-secret";

jest.setTimeout(240_000);

const v = (n: number): string => versionId(`rotation ${n}`);
const MARK = `Rotated by secrets-registry for ${ATTEMPT.secretArn}`;

/** Two rotations: the value before, and the one in use. */
async function twice(world: PostgresqlWorld, role: string, more: Readonly<Record<string, unknown>> = {}) {
  const secret = world.secret(role, more);
  await secret.rotate(v(1));
  const old = secret.current;
  overlapPassed(secret);
  await secret.rotate(v(2));
  const current = secret.current;
  if (old === undefined || current === undefined) throw new Error("no values");
  return { secret, old, current };
}

/**
 * Before and after CVE-2024-10978, and with the fault of its first repair, by which a login does not become its role.
 * https://www.postgresql.org/docs/release/17.2/
 */
describe.each([
  ["14.11", "14.11", "own_a"],
  ["15.9", "15.9", "own_a"],
  ["16.14", "16.14", "own"],
  ["17.1", "17.1", "own_a"],
  ["18", undefined, "own"],
] as const)("PostgreSQL %s", (name, version, roleAfterDiscard) => {
  let world: PostgresqlWorld;

  beforeAll(async () => {
    world = await PostgresqlWorld.start(version);
  });
  afterAll(() => world?.stop());

  test("DISCARD ALL takes no right away, and what a login makes after it is the other login's as well", async () => {
    await world.sql("app", ["CREATE ROLE own NOLOGIN", "GRANT CREATE ON SCHEMA public TO own"]);
    await world.sql("postgres", ["GRANT own TO rotator WITH ADMIN OPTION"]);
    const secret = world.secret("own");
    await secret.rotate(v(1));
    const first = secret.current as PostgresqlValue;
    const rows = await world.as(first, [
      "DISCARD ALL",
      "INSERT INTO orders (note) VALUES ('pooled')",
      "CREATE TABLE made_after_reset (id serial PRIMARY KEY)",
      "SELECT current_user::text AS role",
    ]);
    // The server does what is said of it; the rest of the test is worth something only then.
    expect(rows).toEqual([{ role: roleAfterDiscard }]);
    overlapPassed(secret);
    await secret.rotate(v(2));
    const second = secret.current as PostgresqlValue;
    expect([first.username, second.username]).toEqual(["own_a", "own_b"]);
    await world.as(second, [
      "DISCARD ALL",
      "ALTER TABLE made_after_reset ADD COLUMN note text",
      "DROP TABLE made_after_reset",
      "SELECT * FROM orders",
    ]);
    // No membership that was needed for it is left.
    expect(
      await world.sql("postgres", [
        `SELECT r.rolname::text FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
         WHERE m.member = 'rotator'::regrole AND NOT m.admin_option AND r.rolname LIKE 'own%'`,
      ]),
    ).toEqual([]);
  });

  test("what one login has beside its password, the other gets", async () => {
    await world.sql("postgres", [
      "CREATE ROLE readers NOLOGIN; CREATE ROLE writers NOLOGIN",
      "GRANT readers, writers TO rotator WITH ADMIN OPTION",
    ]);
    const secret = world.secret("twin");
    await secret.rotate(v(1));
    await world.sql("postgres", [
      `ALTER ROLE twin_a SET search_path TO "$user", 'My Schema', public`,
      "ALTER ROLE twin_a IN DATABASE app SET work_mem TO '8MB'",
      `ALTER ROLE twin_a SET application_name TO 'it''s \\ "here"'`,
      "ALTER ROLE twin_a CONNECTION LIMIT 7 VALID UNTIL '2037-01-02 03:04:05.678+02'",
      "GRANT readers TO twin_a",
    ]);
    overlapPassed(secret);
    await secret.rotate(v(2));
    const shown = (role: string) =>
      world.sql("postgres", [
        `SELECT r.rolconnlimit, r.rolvaliduntil, (SELECT array_agg(s ORDER BY s) FROM pg_db_role_setting g, unnest(g.setconfig) s
           WHERE g.setrole = r.oid AND s NOT LIKE 'role=%') AS settings,
           ARRAY(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = r.oid AND roleid <> 'twin'::regrole ORDER BY 1) AS roles
         FROM pg_roles r WHERE rolname = '${role}'`,
      ]);
    expect(await shown("twin_b")).toEqual(await shown("twin_a"));
    expect((await shown("twin_b"))[0]).toMatchObject({ rolconnlimit: 7, roles: ["readers"] });
    const inSession = "SELECT current_setting('search_path') AS path, current_setting('work_mem') AS mem";
    expect(await world.as(secret.current as PostgresqlValue, [inSession])).toEqual([
      { path: `"$user", "My Schema", public`, mem: "8MB" },
    ]);
    // What was taken from the login in use goes from the next one, too.
    const grantsKnowTheirGrantor = Number(name.split(".")[0]) >= 16;
    await world.sql("postgres", [
      "ALTER ROLE twin_b RESET search_path",
      "ALTER ROLE twin_b CONNECTION LIMIT -1 VALID UNTIL 'infinity'",
      `REVOKE readers FROM twin_b${grantsKnowTheirGrantor ? " GRANTED BY rotator" : ""}`,
      "GRANT writers TO twin_b",
    ]);
    overlapPassed(secret);
    // What the superuser gave, the admin cannot take.
    if (grantsKnowTheirGrantor) {
      await expect(secret.rotate(v(3))).rejects.toMatchObject({
        code: "target-misconfigured",
        message: expect.stringContaining("twin_a and twin_b differ in membership in readers"),
      });
      await world.sql("postgres", ["REVOKE readers FROM twin_a"]);
    }
    await secret.rotate(v(3));
    expect(await shown("twin_a")).toMatchObject([{ rolconnlimit: -1, roles: ["writers"] }]);
  });
});

describe("one server", () => {
  let world: PostgresqlWorld;

  beforeAll(async () => {
    world = await PostgresqlWorld.start();
  });
  afterAll(() => world?.stop());

  test("a right that was given to one login alone is named before anything changes", async () => {
    const secret = world.secret("alone");
    await secret.rotate(v(1));
    await world.sql("app", ["CREATE TABLE extra (id int)", "GRANT SELECT ON extra TO alone_a, alone"]);
    overlapPassed(secret);
    const settings = /alone_a has rights of its own.*table extra.*GRANT … TO "alone"/;
    await expect(secret.rotate(v(2))).rejects.toThrow(settings);
    expect(await world.works(secret.current)).toBe(true);
    await world.sql("app", [
      "REVOKE SELECT ON extra FROM alone_a",
      "GRANT SELECT, INSERT, UPDATE, DELETE ON extra TO alone",
    ]);
    await secret.rotate(v(2));
    await world.sql("app", ["DROP TABLE extra"]);
  });

  test("a setting that only a superuser may change is named with what helps", async () => {
    const secret = world.secret("custom");
    await secret.rotate(v(1));
    await world.sql("postgres", ["ALTER ROLE custom_a SET app.tenant TO 'secret-of-custom'"]);
    overlapPassed(secret);
    const failure = await secret.rotate(v(2)).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(failure).toMatchObject({ code: "right-missing" });
    expect(failure?.message).toContain('GRANT SET ON PARAMETER "app"."tenant" TO <admin>');
    expect(failure?.message).not.toContain("secret-of-custom");
    await world.sql("postgres", ["GRANT SET ON PARAMETER app.tenant TO rotator"]);
    await secret.rotate(v(2));
    expect(
      await world.as(secret.current as PostgresqlValue, ["SELECT current_setting('app.tenant') AS tenant"]),
    ).toEqual([{ tenant: "secret-of-custom" }]);
  });

  describe("marks", () => {
    test("a login that people or another secret made is neither taken over nor ended", async () => {
      const value = { username: "taken_a", password: "0123456789abcdef0123" };
      const target = world.target("taken");
      await world.sql("postgres", ["CREATE ROLE taken_a LOGIN PASSWORD 'somebody-elses-0001'"]);
      await world.sql("postgres", ["GRANT taken_a TO rotator WITH ADMIN OPTION"]);
      const retirement = {
        secret: ATTEMPT,
        retired: value,
        kept: [],
        refreshedBy: undefined,
        emergency: true,
      };
      for (const comment of ["NULL", "'a person''s own'"]) {
        await world.sql("postgres", [`COMMENT ON ROLE taken_a IS ${comment}`]);
        await expect(target.install(value, undefined, ATTEMPT)).rejects.toMatchObject({
          code: "not-marked",
          message: expect.stringContaining(`COMMENT ON ROLE "taken_a" IS '${MARK}'`),
        });
        await expect(target.retire(retirement)).rejects.toMatchObject({ code: "not-marked" });
      }
      const other = { ...ATTEMPT, secretArn: ATTEMPT.secretArn.replace(/.$/, "X") };
      await world.sql("postgres", [markStatement("taken_a", other)]);
      await expect(target.install(value, undefined, ATTEMPT)).rejects.toThrow(/made for another secret/);
      await expect(target.retire(retirement)).rejects.toThrow(/made for another secret/);
      expect(await world.works({ username: "taken_a", password: "somebody-elses-0001" })).toBe(true);
      // With the mark it is ours.
      await world.sql("postgres", [markStatement("taken_a", ATTEMPT)]);
      await target.install(value, undefined, ATTEMPT);
      expect(await world.works(value)).toBe(true);
    });

    test("what is made carries the secret's mark; an unmarked login that takes the value is the secret's", async () => {
      const { secret, old } = await twice(world, "marked");
      for (const name of ["marked", "marked_a", "marked_b"]) expect(await world.commentOf(name)).toBe(MARK);
      await world.sql("postgres", ["COMMENT ON ROLE marked_a IS NULL"]);
      overlapPassed(secret);
      await secret.phase("decommission", v(1));
      expect(await world.works(old)).toBe(false);
      expect(await world.commentOf("marked_a")).toBe(MARK);
    });
  });

  describe("the lock before the end", () => {
    const LOCK = { lockGrace: { seconds: 4 } };

    test("a job that comes for a moment shows by failing, with the way back at hand", async () => {
      const { secret, old } = await twice(world, "nightly", LOCK);
      overlapPassed(secret);
      // It logs in and out again: no look at sessions finds it.
      expect(await world.works(old)).toBe(true);
      await expect(secret.phase("decommission", v(1))).rejects.toMatchObject({
        code: "lock-running",
        retryable: true,
        message: expect.stringContaining('ALTER ROLE "nightly_a" LOGIN'),
      });
      expect(await world.works(old)).toBe(false);
      expect(await world.commentOf("nightly_a")).toMatch(/\(locked since 20.*Z\)$/);
      // One statement, and the job works again with the password that it has; the retirement stops.
      await world.sql("postgres", ['ALTER ROLE "nightly_a" LOGIN']);
      expect(await world.works(old)).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 4_500));
      await expect(secret.phase("decommission", v(1))).rejects.toMatchObject({ code: "still-presented" });
      expect(await world.works(old)).toBe(true);
      // When the job has the new value, the mark without the lock lets the retirement begin anew.
      await world.sql("postgres", [markStatement("nightly_a", ATTEMPT)]);
      const asked = Date.now();
      await expect(secret.phase("decommission", v(1))).rejects.toMatchObject({ code: "lock-running" });
      const locked = Date.now();
      await new Promise((resolve) => setTimeout(resolve, 4_500));
      const outcome = await secret.phase("decommission", v(1));
      expect(outcome).toMatchObject({ result: "done", evidence: { lookedBy: "lock" } });
      // The comment keeps whole seconds.
      const since = Date.parse(outcome.evidence?.since ?? "");
      expect(since).toBeGreaterThan(asked - 1_000);
      expect(since).toBeLessThanOrEqual(locked);
      expect(await world.works(old)).toBe(false);
      await world.sql("postgres", ['ALTER ROLE "nightly_a" LOGIN']);
      expect(await world.works(old)).toBe(false);
    });

    test("a rollback opens a locked login again", async () => {
      const { secret, old, current } = await twice(world, "returned", LOCK);
      overlapPassed(secret);
      await expect(secret.phase("decommission", v(1))).rejects.toMatchObject({ code: "lock-running" });
      await world.target("returned", LOCK).install(old, current, ATTEMPT);
      expect([await world.works(old), await world.works(current)]).toEqual([true, true]);
      expect(await world.commentOf("returned_a")).toBe(MARK);
    });

    test("a leak, and what was never served, end at once", async () => {
      const { secret, old } = await twice(world, "leaked", LOCK);
      const client = new Client({
        ...world.postgres.superuser,
        database: "app",
        user: old.username,
        password: old.password,
      });
      const ended = new Promise((resolve) => client.on("error", resolve));
      await client.connect();
      const outcome = await secret.phase("decommission", v(1), { emergency: true });
      expect(outcome).toMatchObject({ evidence: { lookedBy: "not-looked" } });
      await ended;
      expect(await world.works(old)).toBe(false);

      const target = world.target("leaked", LOCK);
      const current = secret.current as PostgresqlValue;
      const pending = await target.generate(current, ATTEMPT);
      await target.install(pending, current, ATTEMPT);
      expect(await world.works(pending)).toBe(true);
      await target.retire({
        secret: ATTEMPT,
        retired: pending,
        kept: [current],
        refreshedBy: undefined,
        emergency: false,
      });
      expect([await world.works(pending), await world.works(current)]).toEqual([false, true]);
    });

    test("a crash at every call on the way converges", async () => {
      let n = 0;
      const points = await crashEverywhere(async () => {
        n += 1;
        const { secret, old } = await twice(world, `locked${n}`, { lockGrace: { seconds: 1 } });
        overlapPassed(secret);
        const decommission = async (plan?: Parameters<typeof secret.rotate>[1]): Promise<void> => {
          for (let tries = 0; tries < 20; tries += 1) {
            try {
              await secret.phase("decommission", v(1), plan === undefined ? {} : { plan });
              return;
            } catch (failure) {
              if ((failure as { code?: unknown }).code !== "lock-running") throw failure;
              await new Promise((resolve) => setTimeout(resolve, 300));
            }
          }
          throw new Error("it stays locked");
        };
        return {
          work: decommission,
          afterCrash: async () => expect(await world.works(secret.current)).toBe(true),
          afterAll: async () => {
            expect(await world.works(secret.current)).toBe(true);
            expect(await world.works(old)).toBe(false);
          },
        };
      }, ["after"]);
      process.stdout.write(`PostgreSQL: ${points} crash points in a decommission with a lock\n`);
      expect(points).toBeGreaterThan(20);
    });
  });
});
