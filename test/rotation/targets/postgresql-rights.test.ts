import { PostgresqlWorld } from "../models/postgresql-world";
import { ATTEMPT, versionId } from "../models/rehearsed-secret";

jest.setTimeout(120_000);

const v = (n: number): string => versionId(`rotation ${n}`);

describe.each([
  ["14.23", "14.23"],
  ["18", undefined],
] as const)("PostgreSQL %s", (_, version) => {
  let world: PostgresqlWorld;
  let count = 0;

  beforeAll(async () => {
    world = await PostgresqlWorld.start(version);
  });
  afterAll(() => world?.stop());

  /** A database of its own with one schema `public` that holds nothing. */
  async function freshDatabase(): Promise<string> {
    count += 1;
    const database = `db${count}`;
    await world.sql("postgres", [`CREATE DATABASE ${database} OWNER migrator`]);
    return database;
  }

  async function rotated(role: string, more: Readonly<Record<string, unknown>>) {
    const secret = world.secret(role, more);
    await secret.rotate(v(1));
    if (secret.current === undefined) throw new Error("no value");
    return { secret, value: secret.current };
  }

  test("PostGIS: a public table of an extension in a schema without own tables is nobody's business", async () => {
    const database = await freshDatabase();
    // The embedded servers have no PostGIS; plpgsql is an extension as well.
    await world.sql(database, [
      "CREATE TABLE public.spatial_ref_sys (srid int)",
      "ALTER EXTENSION plpgsql ADD TABLE public.spatial_ref_sys",
      "GRANT SELECT ON public.spatial_ref_sys TO PUBLIC",
    ]);
    const { value } = await rotated(`gis${count}`, { database });
    expect(await world.works(value, "SELECT srid FROM spatial_ref_sys", database)).toBe(true);
  });

  test("a table that PUBLIC may read and nobody may grant is named, with the statement that grants it", async () => {
    const database = await freshDatabase();
    await world.sql(database, [
      "CREATE TABLE public.codes (id int)",
      "GRANT SELECT ON public.codes TO PUBLIC",
    ]);
    const role = `reader${count}`;
    const secret = world.secret(role, { database });
    await expect(secret.rotate(v(1))).rejects.toMatchObject({
      code: "right-missing",
      message: expect.stringContaining(`GRANT INSERT, UPDATE, DELETE ON public.codes TO "${role}"`),
    });
    // What the settings leave out is no alarm, and what they ask for is there.
    await rotated(role, { database, exceptObjects: ["codes"] });
    await rotated(role, { database, exceptObjects: ["public.codes"] });
    await rotated(role, { database, privileges: ["SELECT"] });
    // The statement that the message names is the one that helps.
    await world.sql(database, [`GRANT INSERT, UPDATE, DELETE ON public.codes TO "${role}"`]);
    await rotated(role, { database });
  });

  test("every object counts, each privilege apart: tables, partitions, views, sequences, schemas", async () => {
    const database = await freshDatabase();
    const role = `all${count}`;
    await world.sql(database, [
      "SET ROLE migrator",
      "CREATE SCHEMA shop",
      "CREATE TABLE shop.fine (id serial PRIMARY KEY)",
      "RESET ROLE",
      // Others' objects: the admin may grant nothing of them.
      "CREATE TABLE shop.parted (id int) PARTITION BY RANGE (id)",
      "CREATE TABLE shop.part_one PARTITION OF shop.parted FOR VALUES FROM (0) TO (9)",
      "CREATE VIEW shop.plain AS SELECT id FROM shop.parted",
      "CREATE VIEW shop.counted AS SELECT count(*) AS n FROM shop.parted",
      "CREATE MATERIALIZED VIEW shop.kept AS SELECT 1 AS one",
      "CREATE SEQUENCE shop.numbers",
      "CREATE TABLE shop.identity (id int GENERATED ALWAYS AS IDENTITY)",
    ]);
    const settings = { database, schemas: ["shop"] };
    const target = world.target(role, settings);
    const value = await target.generate(undefined, ATTEMPT);
    await target.install(value, undefined, ATTEMPT);
    const missing = async (): Promise<string> => {
      const failure = await target.test(value).then(
        () => "",
        (error: Error) => error.message,
      );
      return failure;
    };
    const message = await missing();
    for (const grant of [
      "SELECT, INSERT, UPDATE, DELETE ON shop.parted",
      "SELECT, INSERT, UPDATE, DELETE ON shop.part_one",
      "SELECT, INSERT, UPDATE, DELETE ON shop.plain",
      // It cannot be written.
      "SELECT ON shop.counted",
      "SELECT ON shop.kept",
      "USAGE ON SEQUENCE shop.numbers",
      "SELECT, INSERT, UPDATE, DELETE ON shop.identity",
    ]) {
      expect(message).toContain(`GRANT ${grant} TO "${role}"`);
    }
    expect(message).not.toMatch(/shop\.fine|identity_id_seq/);
    // One after the other: none of them is covered by another one, nor by another privilege.
    const grants = message.match(/GRANT [^;(]+/g) ?? [];
    expect(grants).toHaveLength(7);
    for (const grant of grants) {
      expect(await missing()).toContain(grant.trim());
      await world.sql(database, [grant]);
      expect(await missing()).not.toContain(grant.trim());
    }
    await target.test(value);
    for (const privilege of ["INSERT", "DELETE"]) {
      await world.sql(database, [`REVOKE ${privilege} ON shop.parted FROM "${role}"`]);
      expect(await missing()).toContain(`GRANT ${privilege} ON shop.parted`);
      await world.sql(database, [`GRANT ${privilege} ON shop.parted TO "${role}"`]);
    }
    await world.sql(database, [`REVOKE USAGE ON SCHEMA shop FROM "${role}"`]);
    expect(await missing()).toContain(`GRANT USAGE ON SCHEMA shop TO "${role}"`);
    // The next rotation gives what the admin may give.
    await target.install(value, undefined, ATTEMPT);
    await target.test(value);
  });

  test("schemas of the settings, with rights for what their owners make later", async () => {
    const database = await freshDatabase();
    const role = `later${count}`;
    await world.sql(database, [
      "DROP SCHEMA public CASCADE",
      "SET ROLE migrator",
      'CREATE SCHEMA shop; CREATE SCHEMA "Mixed-Case"',
      "CREATE TABLE shop.orders (id serial PRIMARY KEY)",
    ]);
    const { value } = await rotated(role, { database, schemas: ["shop", "Mixed-Case"] });
    await world.sql(database, [
      "SET ROLE migrator",
      "CREATE TABLE shop.next (id serial PRIMARY KEY)",
      'CREATE TABLE "Mixed-Case".other (id int)',
    ]);
    await world.as(
      value,
      ["INSERT INTO shop.next DEFAULT VALUES", 'DELETE FROM "Mixed-Case".other'],
      database,
    );
    // Less than before: neither now, nor of what is made later.
    const less = world.target(role, { database, schemas: ["shop", "Mixed-Case"], privileges: ["SELECT"] });
    await less.install(value, undefined, ATTEMPT);
    await world.sql(database, ["SET ROLE migrator", "CREATE TABLE shop.last (id serial PRIMARY KEY)"]);
    await world.as(value, ["SELECT * FROM shop.last"], database);
    for (const statement of [
      "INSERT INTO shop.last DEFAULT VALUES",
      "DELETE FROM shop.next",
      "SELECT nextval('shop.last_id_seq')",
    ]) {
      await expect(world.as(value, [statement], database)).rejects.toMatchObject({ code: "42501" });
    }
    await less.test(value);
  });

  test("a schema that is not there is named, and nothing is made", async () => {
    const database = await freshDatabase();
    await world.sql(database, ["DROP SCHEMA public CASCADE"]);
    const role = `nowhere${count}`;
    for (const [schemas, named] of [
      [undefined, "public"],
      [["shop", "Other"], "Other, shop"],
    ] as const) {
      const secret = world.secret(role, { database, ...(schemas && { schemas: [...schemas] }) });
      await expect(secret.rotate(v(1))).rejects.toMatchObject({
        code: "target-misconfigured",
        message: expect.stringContaining(`database ${database} has no schema ${named}: CREATE SCHEMA`),
      });
    }
    expect(await world.sql("postgres", [`SELECT FROM pg_roles WHERE rolname LIKE '${role}%'`])).toEqual([]);
  });
});
