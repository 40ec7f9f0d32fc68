import type { KindSettings } from "./kinds";
import { POSTGRESQL_PRIVILEGES } from "./kinds";

type Settings = Pick<KindSettings<"postgresql-user">, "role" | "database" | "privileges">;

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const list = (texts: readonly string[]): string => `ARRAY[${texts.map(literal).join(", ")}]::text[]`;

/**
 * One statement that brings the role's privileges on the tables of schema `public` to what the registry says, more or
 * less of them (dev may do less than prod). It touches tables whose owner's rights the session has, and not those
 * that the role owns: an owner can give itself any privilege back. Tables that a migration makes later are the
 * migration's to grant. Rotation's functions and Vault's database engine run the same text.
 */
export function grantStatement({ role, database, privileges }: Settings): string {
  const others = POSTGRESQL_PRIVILEGES.filter((privilege) => !privileges.includes(privilege));
  return `DO $grants$ DECLARE entry record; BEGIN
  IF NOT has_database_privilege(${literal(role)}, ${literal(database)}, 'CONNECT') THEN
    GRANT CONNECT ON DATABASE ${identifier(database)} TO ${identifier(role)};
  END IF;
  IF NOT has_schema_privilege(${literal(role)}, 'public', 'USAGE') THEN
    GRANT USAGE ON SCHEMA public TO ${identifier(role)};
  END IF;
  FOR entry IN
    SELECT format('%I.%I', n.nspname, c.relname) AS name,
      ARRAY(SELECT p FROM unnest(${list(privileges)}) p WHERE NOT has_table_privilege(${literal(role)}, c.oid, p)) AS lacking,
      ARRAY(SELECT p FROM unnest(${list(others)}) p WHERE has_table_privilege(${literal(role)}, c.oid, p)) AS excess
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND pg_get_userbyid(c.relowner) <> ${literal(role)} AND pg_has_role(c.relowner, 'USAGE')
    ORDER BY 1
  LOOP
    IF cardinality(entry.lacking) > 0 THEN
      EXECUTE format('GRANT %s ON %s TO ${identifier(role)}', array_to_string(entry.lacking, ', '), entry.name);
    END IF;
    IF cardinality(entry.excess) > 0 THEN
      EXECUTE format('REVOKE %s ON %s FROM ${identifier(role)}', array_to_string(entry.excess, ', '), entry.name);
    END IF;
  END LOOP;
${privileges.includes("INSERT") ? sequenceGrants(role) : ""}END $grants$`;
}

/**
 * A `serial` column takes its default from a sequence, which has rights of its own. CASE, because PostgreSQL
 * may ask for a sequence's privilege before it looks whether there is one.
 */
const sequenceGrants = (role: string): string => `  FOR entry IN
    SELECT format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND pg_has_role(c.relowner, 'USAGE')
      AND CASE c.relkind WHEN 'S' THEN NOT has_sequence_privilege(${literal(role)}, c.oid, 'USAGE') ELSE false END
    ORDER BY 1
  LOOP
    EXECUTE format('GRANT USAGE ON SEQUENCE %s TO ${identifier(role)}', entry.name);
  END LOOP;
`;
