import { grantStatement, type PostgresqlGrants, registryRelations } from "../../model/postgresql-grants";
import { RotationError } from "../protocol/rotation-error";
import { permitted, quoted, type SqlSession } from "./sql";

/** Grants that one message names. */
const NAMED = 10;

/**
 * Brings the role's privileges on the relations of its schemas to what the registry says.
 *
 * @throws RotationError `target-misconfigured` for a schema that is not there, `right-missing`
 */
export async function grantPrivileges(session: SqlSession, settings: PostgresqlGrants): Promise<void> {
  await requireSchemas(session, settings);
  const schemas = settings.schemas.join(", ");
  await permitted(
    `the grant option for CONNECT on ${settings.database} and for USAGE on ${schemas}, and for the tables' privileges`,
    () => session.query(grantStatement(settings)),
  );
}

/** @throws RotationError `target-misconfigured` that names the schemas that are not there */
async function requireSchemas(
  session: SqlSession,
  { schemas, database }: Pick<PostgresqlGrants, "schemas" | "database">,
): Promise<void> {
  const missing = await session.query<{ readonly name: string }>(
    `SELECT s AS name FROM unnest($1::text[]) s
     WHERE NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = s) ORDER BY 1`,
    [schemas],
  );
  if (missing.length === 0) return;
  const statements = missing.map(({ name }) => `CREATE SCHEMA ${quoted(name)}`).join("; ");
  throw new RotationError(
    "target-misconfigured",
    `database ${database} has no schema ${missing.map(({ name }) => name).join(", ")}: ${statements}, or name others in the setting schemas`,
  );
}

interface MissingRight {
  /** `SCHEMA app` or `app.orders`, quoted. */
  readonly on: string;
  readonly privileges: readonly string[];
}

/**
 * Asks PostgreSQL, as the login itself, for every privilege of every relation that the settings speak of. Those that mean
 * nothing there are left out: INSERT into a view that cannot be written, TRUNCATE of a view.
 *
 * @throws RotationError `right-missing` that names what is missing by the statements that grant it
 */
export async function provePrivileges(session: SqlSession, settings: PostgresqlGrants): Promise<void> {
  await requireSchemas(session, settings);
  const { role, schemas, exceptObjects, privileges } = settings;
  const missing = await session.query<MissingRight>(
    `SELECT format('SCHEMA %I', n.nspname) AS "on", ARRAY['USAGE'] AS privileges
     FROM pg_namespace n
     WHERE n.nspname = ANY ($1::text[]) AND NOT has_schema_privilege(n.oid, 'USAGE')
     UNION ALL
     SELECT r.name, lacking.privileges
     FROM ${registryRelations("$1::text[]", "$2::text[]")} r
       CROSS JOIN LATERAL (SELECT ARRAY(SELECT p FROM unnest($3::text[]) p
         WHERE NOT has_table_privilege(r.oid, p) AND CASE r.relkind
           WHEN 'm' THEN p = 'SELECT'
           WHEN 'f' THEN p IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
           WHEN 'v' THEN p = 'SELECT' OR CASE p WHEN 'INSERT' THEN 8 WHEN 'UPDATE' THEN 4 WHEN 'DELETE' THEN 16 ELSE 0 END
             & pg_relation_is_updatable(r.oid, true) <> 0
           ELSE true END)) AS lacking (privileges)
     WHERE r.relkind <> 'S' AND cardinality(lacking.privileges) > 0
     UNION ALL
     SELECT 'SEQUENCE ' || r.name, ARRAY['USAGE']
     FROM ${registryRelations("$1::text[]", "$2::text[]")} r
     WHERE $3::text[] && ARRAY['INSERT', 'UPDATE']
       AND CASE r.relkind WHEN 'S' THEN NOT has_sequence_privilege(r.oid, 'USAGE') ELSE false END
     ORDER BY 1`,
    [schemas, exceptObjects, privileges],
  );
  if (missing.length === 0) return;
  const statements = missing
    .slice(0, NAMED)
    .map((right) => `GRANT ${right.privileges.join(", ")} ON ${right.on} TO ${quoted(role)}`);
  const more = missing.length > NAMED ? `, and ${missing.length - NAMED} more` : "";
  throw new RotationError(
    "right-missing",
    `${role} lacks rights in ${settings.database}: ${statements.join("; ")}${more} (or name what is not its business in the setting exceptObjects)`,
  );
}
