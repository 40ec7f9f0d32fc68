import type { KindSettings } from "../../model/kinds";
import { grantStatement } from "../../model/postgresql-grants";
import { permitted, type SqlSession } from "./sql";

type Settings = KindSettings<"postgresql-user">;
type Privilege = Settings["privileges"][number];

/** Brings the role's privileges on the tables of schema `public` to what the registry says. */
export async function grantPrivileges(session: SqlSession, settings: Settings): Promise<void> {
  await permitted(`the grant option for CONNECT on ${settings.database} and USAGE on schema public`, () =>
    session.query(grantStatement(settings)),
  );
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
