import { type KindSettings, POSTGRESQL_PRIVILEGES } from "../../model/kinds";
import { permitted, quoted, type SqlSession } from "./sql";

type Settings = KindSettings<"postgresql-user">;
type Privilege = Settings["privileges"][number];

interface TableGap {
  /** Quoted, with its schema. */
  readonly name: string;
  readonly lacking: readonly Privilege[];
  readonly excess: readonly Privilege[];
}

/**
 * Brings the role's privileges on the tables of schema `public` to what the registry says, more or less of them
 * (dev may do less than prod). It touches tables whose owner's rights the admin has, and not those that the
 * role owns: an owner can give itself any privilege back. Tables that a migration makes later are the
 * migration's to grant.
 */
export async function grantPrivileges(session: SqlSession, settings: Settings): Promise<void> {
  const { role, database, privileges } = settings;
  const owner = quoted(role);
  await permitted(`the grant option for CONNECT on ${database} and USAGE on schema public`, () =>
    session.query(
      `DO $do$ BEGIN
       IF NOT has_database_privilege(${literal(role)}, ${literal(database)}, 'CONNECT') THEN
         GRANT CONNECT ON DATABASE ${quoted(database)} TO ${owner};
       END IF;
       IF NOT has_schema_privilege(${literal(role)}, 'public', 'USAGE') THEN
         GRANT USAGE ON SCHEMA public TO ${owner};
       END IF;
     END $do$`,
    ),
  );
  const gaps = await session.query<TableGap>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name,
       ARRAY(SELECT p FROM unnest($2::text[]) p WHERE NOT has_table_privilege($1, c.oid, p)) AS lacking,
       ARRAY(SELECT p FROM unnest($3::text[]) p WHERE has_table_privilege($1, c.oid, p)) AS excess
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND pg_get_userbyid(c.relowner) <> $1 AND pg_has_role(c.relowner, 'USAGE')
     ORDER BY 1`,
    [role, privileges, POSTGRESQL_PRIVILEGES.filter((privilege) => !privileges.includes(privilege))],
  );
  for (const { name, lacking, excess } of gaps) {
    if (lacking.length > 0) await session.query(`GRANT ${lacking.join(", ")} ON ${name} TO ${owner}`);
    if (excess.length > 0) await session.query(`REVOKE ${excess.join(", ")} ON ${name} FROM ${owner}`);
  }
  if (privileges.includes("INSERT")) await grantSequences(session, role);
}

/**
 * A `serial` column takes its default from a sequence, which has rights of its own. CASE, because PostgreSQL
 * may ask for a sequence's privilege before it looks whether there is one.
 */
async function grantSequences(session: SqlSession, role: string): Promise<void> {
  const sequences = await session.query<{ readonly name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND pg_has_role(c.relowner, 'USAGE')
       AND CASE c.relkind WHEN 'S' THEN NOT has_sequence_privilege($1, c.oid, 'USAGE') ELSE false END
     ORDER BY 1`,
    [role],
  );
  for (const { name } of sequences) {
    await session.query(`GRANT USAGE ON SEQUENCE ${name} TO ${quoted(role)}`);
  }
}

interface SampleTable {
  readonly name: string;
  readonly column: string;
}

/**
 * Runs a statement of each sort that the role is for, as EXPLAIN: PostgreSQL checks the rights as if it ran,
 * and touches nothing. A database without tables that the role may see has nothing to try, and the login alone
 * must do.
 */
export async function provePrivileges(session: SqlSession, { privileges }: Settings): Promise<void> {
  const [table] = await session.query<SampleTable>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name, format('%I', a.attname) AS "column"
     FROM pg_class c
       JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         AND a.attgenerated = '' AND a.attidentity <> 'a'
     WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, $1)
     ORDER BY (SELECT bool_and(has_table_privilege(c.oid, p)) FROM unnest($2::text[]) p) DESC, c.relname, a.attnum
     LIMIT 1`,
    [privileges.join(","), privileges],
  );
  if (table === undefined) return;
  const statements: Partial<Record<Privilege, string>> = {
    SELECT: `SELECT ${table.column} FROM ${table.name}`,
    INSERT: `INSERT INTO ${table.name} DEFAULT VALUES`,
    UPDATE: `UPDATE ${table.name} SET ${table.column} = DEFAULT`,
    DELETE: `DELETE FROM ${table.name}`,
  };
  for (const privilege of privileges) {
    const statement = statements[privilege];
    if (statement !== undefined) await session.query(`EXPLAIN ${statement}`);
  }
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
