import type { KindSettings } from "./kinds";
import { POSTGRESQL_PRIVILEGES } from "./kinds";

/** Settings that say what a role may do. */
export type PostgresqlGrants = Pick<
  KindSettings<"postgresql-user">,
  "role" | "database" | "schemas" | "exceptObjects" | "privileges"
>;

/**
 * A text of SQL. What is not plain goes as hexadecimal digits, so that no quote, dollar sign, semicolon or brace of a name
 * means anything: neither to PostgreSQL within a dollar-quoted block, nor to Vault, which splits statements and fills in
 * names.
 */
export const sqlText = (text: string): string =>
  /^[A-Za-z0-9_ .:/-]*$/.test(text)
    ? `'${text}'`
    : `convert_from(decode('${Buffer.from(text, "utf8").toString("hex")}', 'hex'), 'UTF8')`;

const list = (texts: readonly string[]): string => `ARRAY[${texts.map(sqlText).join(", ")}]::text[]`;

/** Privileges of sequences that come with those of tables: `serial` columns take their defaults from them. */
const needsSequences = ({ privileges }: Pick<PostgresqlGrants, "privileges">): boolean =>
  privileges.includes("INSERT") || privileges.includes("UPDATE");

/**
 * Relations of schemas that the registry speaks of, as a table expression with columns `oid`, `schema`, `relname`, `name`
 * (quoted), `relkind` and `relowner`: tables, partitions, views, foreign tables, and sequences that are not part of an
 * identity column. Members of extensions are their extension's own matter (PostGIS's `spatial_ref_sys`).
 *
 * @param schemas expression of type `text[]`
 * @param except expression of type `text[]`
 */
export const registryRelations = (schemas: string, except: string): string => `(
    SELECT c.oid, n.nspname AS schema, c.relname, format('%I.%I', n.nspname, c.relname) AS name, c.relkind, c.relowner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY (${schemas}) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND NOT c.relname = ANY (${except}) AND NOT n.nspname || '.' || c.relname = ANY (${except})
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
        AND (d.deptype = 'e' OR c.relkind = 'S' AND d.deptype = 'i'))
  )`;

/**
 * One statement that brings the role's privileges on the relations of its schemas to what the registry says, more or less
 * of them (dev may do less than prod), now and by default for what their owners make later. It touches relations whose
 * owner's rights the session has, and not those that the role owns: an owner can give itself any privilege back. Rotation's
 * functions and Vault's database engine run the same text.
 *
 * SQLSTATE 3F000: a schema is missing; 42501: the session may not grant USAGE of one.
 */
export function grantStatement(settings: PostgresqlGrants): string {
  const { role, database, schemas, exceptObjects, privileges } = settings;
  const others = POSTGRESQL_PRIVILEGES.filter((privilege) => !privileges.includes(privilege));
  const sequences = needsSequences(settings);
  return `DO $grants$ DECLARE
  entry record;
  the_role CONSTANT text := ${sqlText(role)};
  the_database CONSTANT text := ${sqlText(database)};
  the_schemas CONSTANT text[] := ${list(schemas)};
  not_ours CONSTANT text[] := ${list(exceptObjects)};
  given CONSTANT text[] := ${list(privileges)};
  taken CONSTANT text[] := ${list(others)};
BEGIN
  FOR entry IN SELECT s AS name, to_regnamespace(quote_ident(s)) AS oid FROM unnest(the_schemas) s LOOP
    IF entry.oid IS NULL THEN
      RAISE EXCEPTION 'database % has no schema %', the_database, entry.name USING ERRCODE = '3F000';
    ELSIF NOT has_schema_privilege(the_role, entry.oid, 'USAGE') THEN
      EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', entry.name, the_role);
    END IF;
  END LOOP;
  IF NOT has_database_privilege(the_role, the_database, 'CONNECT') THEN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', the_database, the_role);
  END IF;
  FOR entry IN
    SELECT r.name, ARRAY(SELECT p FROM unnest(given) p WHERE NOT has_table_privilege(the_role, r.oid, p)) AS lacking,
      ARRAY(SELECT p FROM unnest(taken) p WHERE has_table_privilege(the_role, r.oid, p)) AS excess
    FROM ${registryRelations("the_schemas", "not_ours")} r
    WHERE r.relkind <> 'S' AND pg_get_userbyid(r.relowner) <> the_role AND pg_has_role(r.relowner, 'USAGE')
    ORDER BY 1
  LOOP
    IF cardinality(entry.lacking) > 0 THEN
      EXECUTE format('GRANT %s ON %s TO %I', array_to_string(entry.lacking, ', '), entry.name, the_role);
    END IF;
    IF cardinality(entry.excess) > 0 THEN
      EXECUTE format('REVOKE %s ON %s FROM %I', array_to_string(entry.excess, ', '), entry.name, the_role);
    END IF;
  END LOOP;
  FOR entry IN
    SELECT r.name
    FROM ${registryRelations("the_schemas", "not_ours")} r
    WHERE pg_get_userbyid(r.relowner) <> the_role AND pg_has_role(r.relowner, 'USAGE')
      AND CASE r.relkind WHEN 'S' THEN has_sequence_privilege(the_role, r.oid, 'USAGE') <> ${sequences} ELSE false END
    ORDER BY 1
  LOOP
    EXECUTE format(${sequences ? "'GRANT USAGE ON SEQUENCE %s TO %I'" : "'REVOKE USAGE ON SEQUENCE %s FROM %I'"}, entry.name, the_role);
  END LOOP;
  FOR entry IN
    SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I', o.rolname, n.nspname) AS command,
      ARRAY(SELECT p FROM unnest(given) p WHERE NOT 'r' || p = ANY (d.acl)) AS lacking,
      ARRAY(SELECT p FROM unnest(taken) p WHERE 'r' || p = ANY (d.acl)) AS excess,
      'SUSAGE' = ANY (d.acl) AS sequences
    FROM pg_namespace n
      JOIN pg_roles o ON o.rolname <> the_role AND o.rolname !~ '^pg_' AND pg_has_role(o.oid, 'USAGE')
        AND (o.oid = n.nspowner
          OR o.oid IN (SELECT r.relowner FROM ${registryRelations("ARRAY[n.nspname]::text[]", "not_ours")} r))
      CROSS JOIN LATERAL (SELECT ARRAY(SELECT a.defaclobjtype::text || g.privilege_type
        FROM pg_default_acl a, aclexplode(a.defaclacl) g
        WHERE a.defaclrole = o.oid AND a.defaclnamespace = n.oid AND pg_get_userbyid(g.grantee) = the_role) AS acl) d
    WHERE n.nspname = ANY (the_schemas)
    ORDER BY 1
  LOOP
    IF cardinality(entry.lacking) > 0 THEN
      EXECUTE format('%s GRANT %s ON TABLES TO %I', entry.command, array_to_string(entry.lacking, ', '), the_role);
    END IF;
    IF cardinality(entry.excess) > 0 THEN
      EXECUTE format('%s REVOKE %s ON TABLES FROM %I', entry.command, array_to_string(entry.excess, ', '), the_role);
    END IF;
    IF entry.sequences <> ${sequences} THEN
      EXECUTE format(${sequences ? "'%s GRANT USAGE ON SEQUENCES TO %I'" : "'%s REVOKE USAGE ON SEQUENCES FROM %I'"}, entry.command, the_role);
    END IF;
  END LOOP;
END $grants$`;
}
