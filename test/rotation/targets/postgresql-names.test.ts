import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { grantStatement, sqlText } from "../../../lib/model/postgresql-grants";
import type { PostgresqlValue } from "../../../lib/rotation/targets/postgresql-user";
import { quoted } from "../../../lib/rotation/targets/sql";
import { overlapPassed, PostgresqlWorld } from "../models/postgresql-world";
import { ATTEMPT, versionId } from "../models/rehearsed-secret";

jest.setTimeout(240_000);

const RUNS = Number(process.env.NAME_RUNS ?? 25);
const v = (n: number): string => versionId(`rotation ${n}`);

let world: PostgresqlWorld;

beforeAll(async () => {
  world = await PostgresqlWorld.start();
});
afterAll(() => world?.stop());

/** Names that mean something to SQL, to a dollar-quoted block, to Vault's splitting, or to a template. */
const piece = fc.constantFrom(
  ..."abzAZ09_-$ .;'\"\\/%@:,()[]äλ你🙂",
  "$grants$",
  "END",
  "--",
  "/*",
  "%I",
  "; DROP ROLE rotator; --",
);
const name = fc
  .array(piece, { minLength: 1, maxLength: 8 })
  .map((pieces) => pieces.join("").trim())
  .filter((text) => text !== "" && Buffer.byteLength(text) <= 40 && !/^pg_|^public$|^none$/i.test(text));

test("property: any name that the grammar takes works for role, database, schema and table, and changes nothing else", async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(name, name, name, name, async (role, database, schema, table) => {
      run += 1;
      const names = { role: `${role}${run}r`, database: `${database}${run}d`, schema: `${schema}${run}s` };
      const before = await world.sql("postgres", ["SELECT count(*)::int AS n FROM pg_roles"]);
      await world.sql("postgres", [`CREATE DATABASE ${quoted(names.database)} OWNER migrator`]);
      const place = `${quoted(names.schema)}.${quoted(table)}`;
      await world.sql(names.database, [
        "SET ROLE migrator",
        `CREATE SCHEMA ${quoted(names.schema)}`,
        `CREATE TABLE ${place} (id serial PRIMARY KEY)`,
      ]);
      const secret = world.secret(names.role, { database: names.database, schemas: [names.schema] });
      await secret.rotate(v(1));
      const old = secret.current as PostgresqlValue;
      overlapPassed(secret);
      await secret.rotate(v(2));
      const current = secret.current as PostgresqlValue;
      for (const value of [old, current]) {
        expect(await world.works(value, `INSERT INTO ${place} DEFAULT VALUES`, names.database)).toBe(true);
      }
      overlapPassed(secret);
      await secret.phase("decommission", v(1));
      expect(await world.works(old, "SELECT 1", names.database)).toBe(false);
      const after = await world.sql("postgres", ["SELECT count(*)::int AS n FROM pg_roles"]);
      // The owner and its two logins, nothing more and nothing less.
      expect(Number(after[0]?.n) - Number(before[0]?.n)).toBe(3);
      await world.sql("postgres", [`DROP DATABASE ${quoted(names.database)}`]);
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: 150_000, markInterruptAsFailure: false },
  );
  process.stdout.write(`PostgreSQL: ${run} sets of names, each rotated twice and retired\n`);
  expect(run).toBeGreaterThan(4);
});

test("property: a text of SQL is that text, in statements that Vault would not split or fill in", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "binary", maxLength: 20 }).filter((text) => !/\0|[\uD800-\uDFFF]/u.test(text)),
      async (text) => {
        const constant = sqlText(text);
        expect(constant).toMatch(
          /^('[A-Za-z0-9_ .:/-]*'|convert_from\(decode\('[0-9a-f]*', 'hex'\), 'UTF8'\))$/,
        );
        const [row] = await world.sql("postgres", [`SELECT ${constant} AS text`]);
        expect(row?.text).toBe(text);
      },
    ),
    { numRuns: 40 },
  );
  const statement = grantStatement({
    role: "a'; $grants$ {{name}}",
    database: "my-db",
    schemas: ['"x"'],
    exceptObjects: [],
    privileges: ["SELECT"],
  });
  expect(statement).not.toContain("{{");
  expect(statement.match(/\$grants\$/g)).toHaveLength(2);
});

/** The statements of the guide, in its order. */
function guide(): readonly string[] {
  const text = readFileSync(
    join(__dirname, "..", "..", "..", "docs", "guides", "adopt-postgresql-login.md"),
    "utf8",
  );
  return [...text.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, block]) => block ?? "");
}

test("an existing login that owns objects becomes the owner role by the guide's steps, without a failed login", async () => {
  const [prepare, look, close, finish, back] = guide();
  if (!prepare || !look || !close || !finish || !back) throw new Error("the guide has five blocks of SQL");
  const legacy: PostgresqlValue = { username: "AppUser", password: "legacy-password-0001" };
  await world.sql("postgres", [
    `CREATE ROLE "AppUser" LOGIN PASSWORD '${legacy.password}'`,
    'CREATE DATABASE "my-db" OWNER "AppUser"',
  ]);
  await world.as(legacy, ["CREATE TABLE invoices (id serial PRIMARY KEY, note text)"], "my-db");

  let held: PostgresqlValue = legacy;
  let running = true;
  let attempts = 0;
  let failed = 0;
  const consumer = (async () => {
    while (running) {
      attempts += 1;
      const work = ["INSERT INTO invoices (note) VALUES ('x')", "SELECT count(*) FROM invoices"];
      if (!(await world.works(held, work.join("; "), "my-db"))) failed += 1;
    }
  })();

  await world.sql("my-db", [prepare.replaceAll("<admin>", "rotator")]);
  // Without the setting, a login is not taken for the owner.
  const more = { database: "my-db" };
  await expect(world.secret("AppUser", more).rotate(v(1))).rejects.toMatchObject({
    code: "target-misconfigured",
  });
  const secret = world.secret("AppUser", { ...more, adopt: true });
  await secret.rotate(v(1));
  expect(secret.current?.username).toBe("AppUser_a");
  // Both ways in at once; the consumer takes up the new value when it reads it.
  expect(await world.works(legacy, "SELECT count(*) FROM invoices", "my-db")).toBe(true);
  held = secret.current as PostgresqlValue;
  while ((await world.sql("my-db", [look])).length > 0)
    await new Promise((resolve) => setTimeout(resolve, 50));
  await world.sql("my-db", [close]);
  expect(await world.works(legacy, "SELECT 1", "my-db")).toBe(false);
  await world.sql("my-db", [back]);
  expect(await world.works(legacy, "SELECT 1", "my-db")).toBe(true);
  await world.sql("my-db", [close, finish]);
  // Now it is an owner as any other: the setting goes, and rotations go on.
  overlapPassed(secret);
  const after = world.target("AppUser", more);
  const next = await after.generate(secret.current, ATTEMPT);
  await after.install(next, secret.current, ATTEMPT);
  await after.test(next);
  held = next;
  await world.as(next, ["ALTER TABLE invoices ADD COLUMN total int"], "my-db");
  running = false;
  await consumer;
  process.stdout.write(
    `PostgreSQL: ${attempts} logins while an existing login was adopted, ${failed} failed\n`,
  );
  expect([failed, attempts > 10]).toEqual([0, true]);
});
