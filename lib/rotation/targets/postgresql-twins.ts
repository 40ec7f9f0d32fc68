import { RotationError } from "../protocol/rotation-error";
import { permitted, quoted, type SqlSession } from "./sql";

/**
 * Law of pairs: what one login has beside its password, the other has: settings (`ALTER ROLE … SET search_path`), the attributes
 * CONNECTION LIMIT and VALID UNTIL, memberships in other roles. Otherwise a rotation changes what the application may do, or
 * how the database reads its statements.
 */

interface Setting {
  /** `null`: in all databases. */
  readonly database: string | null;
  readonly name: string;
  /** Value of the setting. It may be a secret (`app.key`): it goes into statements, never into messages. */
  readonly value: string;
}

interface Membership {
  readonly role: string;
  readonly admin: boolean;
  readonly inherit: boolean;
  readonly set: boolean;
}

interface Attributes {
  readonly connectionLimit: number;
  /** Seconds since 1970, or `Infinity`. */
  readonly validUntil: string;
}

interface LoginState {
  readonly settings: ReadonlyMap<string, Setting>;
  readonly memberships: ReadonlyMap<string, Membership>;
  readonly attributes: Attributes;
}

/**
 * Brings `login` to what `model` has.
 *
 * @throws RotationError `right-missing`; `target-misconfigured` for rights that were given to `model` alone, and for what
 * cannot be copied
 */
export async function likenLogin(
  session: SqlSession,
  login: string,
  model: string,
  role: string,
  options: boolean,
): Promise<void> {
  await refuseOwnRights(session, model, role);
  const states = await statesOf(session, [login, model], role);
  const wanted = states.get(model);
  if (wanted === undefined) return;
  const statements = differences(login, states.get(login), wanted, options);
  if (statements.length === 0) return;
  for (const statement of statements) {
    await permitted(statement.needs, () => session.query(statement.sql));
  }
  const after = await statesOf(session, [login], role);
  const left = differences(login, after.get(login), wanted, options);
  if (left.length === 0) return;
  throw new RotationError(
    "target-misconfigured",
    `${login} and ${model} differ in ${left.map(({ what }) => what).join(", ")}: give both the same`,
  );
}

/** Rights of a login's own do not follow to the other one: they belong to the role. */
async function refuseOwnRights(session: SqlSession, login: string, role: string): Promise<void> {
  const rights = await session.query<{ readonly place: string }>(
    `SELECT DISTINCT CASE WHEN d.dbid IN (0, c.oid) THEN pg_describe_object(d.classid, d.objid, 0)
       ELSE 'database ' || quote_ident(b.datname) END AS place
     FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
       JOIN pg_database c ON c.datname = current_database() LEFT JOIN pg_database b ON b.oid = d.dbid
     WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype IN ('a', 'r') AND r.rolname = $1
     ORDER BY 1 LIMIT 10`,
    [login],
  );
  if (rights.length === 0) return;
  const places = rights.map(({ place }) => place).join("; ");
  throw new RotationError(
    "target-misconfigured",
    `${login} has rights of its own, which the other login has not: ${places}. Give them to the role (GRANT … TO ${quoted(role)}), then take them from the login (REVOKE … FROM ${quoted(login)})`,
  );
}

interface StateRow extends Attributes {
  readonly login: string;
  readonly settings: readonly Setting[];
  readonly memberships: readonly Membership[];
}

async function statesOf(
  session: SqlSession,
  logins: readonly string[],
  role: string,
): Promise<ReadonlyMap<string, LoginState>> {
  // Before PostgreSQL 16 a membership has no options of its own; the member's attribute decides, which is the same for both.
  const rows = await session.query<StateRow>(
    `SELECT l.rolname::text AS login, l.rolconnlimit AS "connectionLimit",
       extract(epoch FROM coalesce(l.rolvaliduntil, 'infinity'))::text AS "validUntil",
       (SELECT coalesce(json_agg(json_build_object('database', d.datname, 'name', split_part(s, '=', 1),
           'value', substr(s, strpos(s, '=') + 1))), '[]')
         FROM pg_db_role_setting g LEFT JOIN pg_database d ON d.oid = g.setdatabase
           CROSS JOIN LATERAL unnest(g.setconfig) s
         WHERE g.setrole = l.oid AND NOT s LIKE 'role=%') AS settings,
       (SELECT coalesce(json_agg(m), '[]') FROM (SELECT r.rolname AS role, bool_or(a.admin_option) AS admin,
           bool_or(coalesce((to_jsonb(a) ->> 'inherit_option')::bool, true)) AS inherit,
           bool_or(coalesce((to_jsonb(a) ->> 'set_option')::bool, true)) AS set
         FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid
         WHERE a.member = l.oid AND r.rolname <> $2 GROUP BY 1) m) AS memberships
     FROM pg_roles l WHERE l.rolname = ANY ($1)`,
    [logins, role],
  );
  return new Map(
    rows.map(({ login, connectionLimit, validUntil, settings, memberships }) => [
      login,
      {
        attributes: { connectionLimit, validUntil },
        settings: new Map(settings.map((entry) => [JSON.stringify([entry.database, entry.name]), entry])),
        memberships: new Map(memberships.map((entry) => [entry.role, entry])),
      },
    ]),
  );
}

interface Difference {
  /** Text for messages: names only. */
  readonly what: string;
  readonly sql: string;
  /** The right that the statement needs. */
  readonly needs: string;
}

function differences(
  login: string,
  found: LoginState | undefined,
  wanted: LoginState,
  options: boolean,
): readonly Difference[] {
  const name = quoted(login);
  const statements: Difference[] = [];
  const { connectionLimit, validUntil } = wanted.attributes;
  if (found?.attributes.connectionLimit !== connectionLimit || found.attributes.validUntil !== validUntil) {
    const until = validUntil === "Infinity" ? "'infinity'" : `'${timeOf(validUntil)}'`;
    statements.push({
      what: "CONNECTION LIMIT or VALID UNTIL",
      sql: `ALTER ROLE ${name} CONNECTION LIMIT ${connectionLimit} VALID UNTIL ${until}`,
      needs: `CREATEROLE, and from PostgreSQL 16 ADMIN OPTION on ${login}`,
    });
  }
  for (const [key, setting] of union(found?.settings, wanted.settings)) {
    const target = wanted.settings.get(key);
    if (found?.settings.get(key)?.value === target?.value) continue;
    const place = setting.database === null ? "" : ` IN DATABASE ${quoted(setting.database)}`;
    const parameter = setting.name.split(".").map(quoted).join(".");
    const change = target === undefined ? `RESET ${parameter}` : `SET ${parameter} TO ${constantOf(target)}`;
    statements.push({
      what: `setting ${setting.name}`,
      sql: `ALTER ROLE ${name}${place} ${change}`,
      needs: `to change the setting ${setting.name} of ${login} (from PostgreSQL 15: GRANT SET ON PARAMETER ${parameter} TO <admin>; before, or instead: a superuser gives both logins the same)`,
    });
  }
  for (const [other, { role }] of union(found?.memberships, wanted.memberships)) {
    const target = wanted.memberships.get(other);
    if (JSON.stringify(found?.memberships.get(other)) === JSON.stringify(target)) continue;
    statements.push({
      what: `membership in ${role}`,
      sql:
        target === undefined
          ? `REVOKE ${quoted(role)} FROM ${name}`
          : `GRANT ${quoted(role)} TO ${name}${membershipOptions(target, options)}`,
      needs: `ADMIN OPTION on ${role} (GRANT ${quoted(role)} TO <admin> WITH ADMIN OPTION)`,
    });
  }
  return statements;
}

function membershipOptions({ admin, inherit, set }: Membership, options: boolean): string {
  if (options) return ` WITH ADMIN ${admin}, INHERIT ${inherit}, SET ${set}`;
  return admin ? " WITH ADMIN OPTION" : "";
}

const union = <V>(some: ReadonlyMap<string, V> = new Map(), others: ReadonlyMap<string, V>): Map<string, V> =>
  new Map([...some, ...others].sort(([one], [other]) => (one < other ? -1 : 1)));

/** A moment as PostgreSQL reads it whatever its DateStyle, to the microsecond. */
function timeOf(epoch: string): string {
  const [seconds = "0", fraction = ""] = epoch.split(".");
  return `${new Date(Number(seconds) * 1_000).toISOString().slice(0, 19)}.${fraction.padEnd(6, "0").slice(0, 6)}+00`;
}

/**
 * Settings whose text is a list that PostgreSQL has quoted already; given as one text, they would be quoted once more.
 * `pg_dump` has the same list (`variable_is_guc_list_quote` in src/bin/pg_dump/dumputils.c).
 */
const LISTS: ReadonlySet<string> = new Set([
  "local_preload_libraries",
  "search_path",
  "session_preload_libraries",
  "shared_preload_libraries",
  "temp_tablespaces",
  "unix_socket_directories",
]);

function constantOf({ name, value }: Setting): string {
  if (!LISTS.has(name)) return literal(value);
  const entries = value.match(/"(?:[^"]|"")*"|[^,\s]+/g) ?? [];
  const plain = (entry: string): string =>
    entry.startsWith('"') ? entry.slice(1, -1).replaceAll('""', '"') : entry;
  return entries.length === 0 ? "''" : entries.map((entry) => literal(plain(entry))).join(", ");
}

/** A text constant whatever `standard_conforming_strings` says. */
const literal = (text: string): string =>
  `${text.includes("\\") ? "E" : ""}'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
