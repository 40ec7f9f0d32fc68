import { RotationError } from "../protocol/rotation-error";
import type { SecretIdentity } from "../protocol/target";
import { permitted, quoted, type SqlSession } from "./sql";

/** A role as PostgreSQL's catalogue has it. */
export interface RoleRow {
  readonly name: string;
  readonly canLogin: boolean;
  /** `true` for a login with a power that no application's login should have. */
  readonly privileged: boolean;
  /** Comment of the role. */
  readonly comment: string | null;
}

/** Roles of these names that are there, by name. */
export async function rolesNamed(
  session: SqlSession,
  names: readonly string[],
): Promise<ReadonlyMap<string, RoleRow>> {
  const rows = await session.query<RoleRow>(
    `SELECT rolname::text AS name, rolcanlogin AS "canLogin", shobj_description(oid, 'pg_authid') AS comment,
       rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS privileged
     FROM pg_roles WHERE rolname = ANY($1)`,
    [names],
  );
  return new Map(rows.map((row) => [row.name, row]));
}

/** The comment on what was made for a secret. */
const markOf = ({ secretArn }: SecretIdentity): string => `Rotated by secrets-registry for ${secretArn}`;

const LOCKED = " (locked since ";

/** Content of a login's comment. */
export interface Mark {
  /** `none`: no comment of ours. */
  readonly owner: "this" | "other" | "none";
  /** Time at which the login was locked, its password kept. */
  readonly lockedSince: Date | undefined;
}

/** Reads a comment. */
export function readMark(comment: string | null, secret: SecretIdentity): Mark {
  const [text = "", rest] = (comment ?? "").split(LOCKED);
  const since = rest === undefined ? Number.NaN : Date.parse(rest.slice(0, -1));
  return {
    owner:
      text === markOf(secret)
        ? "this"
        : text.startsWith(markOf({ ...secret, secretArn: "" }))
          ? "other"
          : "none",
    lockedSince: Number.isNaN(since) ? undefined : new Date(since),
  };
}

/** The statement that marks a login; COMMENT takes no parameters. */
export function markStatement(login: string, secret: SecretIdentity, lockedSince?: Date): string {
  const text = `${markOf(secret)}${lockedSince === undefined ? "" : `${LOCKED}${lockedSince.toISOString()})`}`;
  return `COMMENT ON ROLE ${quoted(login)} IS '${text.replaceAll("'", "''")}'`;
}

/**
 * Refuses a login that was made for another secret, or by people.
 *
 * @param isOurs proves an unmarked login, by logging in with the secret's own value
 * @throws RotationError `not-marked`, `target-not-ours`
 */
export async function requireOurs(
  login: RoleRow,
  secret: SecretIdentity,
  isOurs: () => Promise<boolean>,
): Promise<void> {
  const { owner } = readMark(login.comment, secret);
  if (owner === "this" || (owner === "none" && (await isOurs()))) return;
  if (owner === "other") {
    throw new RotationError("target-not-ours", `${login.name} was made for another secret: ${login.comment}`);
  }
  throw new RotationError(
    "not-marked",
    `${login.name} is there already and nothing says that it is ${secret.secretName}'s; if it is: ${markStatement(login.name, secret)}`,
  );
}

/**
 * Makes the owner role where it is missing.
 *
 * @param owner what is there of it
 */
export async function prepareOwner(
  session: SqlSession,
  role: string,
  owner: RoleRow | undefined,
  adopt: boolean,
  secret: SecretIdentity,
): Promise<void> {
  if (owner === undefined) {
    await permitted("CREATEROLE", async () => {
      await session.query(`CREATE ROLE ${quoted(role)} NOLOGIN`);
      await session.query(markStatement(role, secret));
    });
  } else if (owner.privileged || (owner.canLogin && !adopt)) {
    throw new RotationError(
      "target-misconfigured",
      `role ${role} must be NOLOGIN and without SUPERUSER, CREATEROLE, CREATEDB, REPLICATION, BYPASSRLS (a login that is to become the owner: setting adopt)`,
    );
  }
}

/** One login of a pair, and what it is to be. */
export interface LoginPlan {
  readonly login: string;
  /** The role as it is there. */
  readonly found: RoleRow | undefined;
  readonly role: string;
  readonly verifier: string;
  readonly secret: SecretIdentity;
  /** See {@link requireOurs}. */
  readonly isOurs: () => Promise<boolean>;
  /** See {@link grantsHaveOptions}. */
  readonly options: boolean;
}

/** Makes a login, or gives it another password and opens it. */
export async function prepareLogin(
  session: SqlSession,
  { login, found, role, verifier, secret, isOurs, options }: LoginPlan,
): Promise<void> {
  if (found?.privileged) {
    throw new RotationError("user-mismatch", `${login} has powers of an administrator: it is not ours`);
  }
  if (found !== undefined) await requireOurs(found, secret, isOurs);
  // INHERIT: where a session loses its role, the login still has its rights. PostgreSQL before 14.14, 15.9, 16.5 and 17.1
  // takes it away by DISCARD ALL, which pools send, and those four do not give it at log-in (CVE-2024-10978 and its repair
  // in 14.15, 15.10, 16.6, 17.2). The verifier is base64, digits, `$` and `:`; ALTER ROLE takes no parameters.
  const attributes = `INHERIT LOGIN PASSWORD '${verifier}'`;
  if (found === undefined) {
    await permitted("CREATEROLE", () => session.query(`CREATE ROLE ${quoted(login)} ${attributes}`));
  } else {
    await permitted(`CREATEROLE, and from PostgreSQL 16 ADMIN OPTION on ${login}`, () =>
      session.query(`ALTER ROLE ${quoted(login)} ${attributes}`),
    );
  }
  await permitted(`ADMIN OPTION on ${role} (GRANT ${quoted(role)} TO <admin> WITH ADMIN OPTION)`, () =>
    session.query(
      `GRANT ${quoted(role)} TO ${quoted(login)}${options ? " WITH INHERIT TRUE, SET TRUE" : ""}`,
    ),
  );
  await permitted(`ADMIN OPTION on ${login}`, () =>
    session.query(`ALTER ROLE ${quoted(login)} SET role TO ${quoted(role)}; ${markStatement(login, secret)}`),
  );
}

/** `true` from PostgreSQL 16 on, where a grant of a role says itself whether it is inherited. */
export async function grantsHaveOptions(session: SqlSession): Promise<boolean> {
  const [row] = await session.query<{ readonly options: boolean }>(
    "SELECT current_setting('server_version_num')::int >= 160000 AS options",
  );
  return row?.options ?? false;
}

interface OwnedObjects {
  readonly login: string;
  readonly here: number;
  /** Other databases in which it owns something, quoted. */
  readonly elsewhere: string | null;
}

/**
 * Gives the owner role what its logins own: made in a session that had lost its role, it would be closed to the other login.
 */
export async function takeObjectsBack(
  session: SqlSession,
  logins: readonly string[],
  role: string,
  options: boolean,
): Promise<void> {
  const owners = await session.query<OwnedObjects>(
    `SELECT r.rolname::text AS login, count(*) FILTER (WHERE d.dbid IN (0, c.oid))::int AS here,
       string_agg(DISTINCT quote_ident(b.datname), ', ') FILTER (WHERE d.dbid NOT IN (0, c.oid)) AS elsewhere
     FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
       JOIN pg_database c ON c.datname = current_database() LEFT JOIN pg_database b ON b.oid = d.dbid
     WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o' AND d.classid <> 'pg_default_acl'::regclass
       AND r.rolname = ANY ($1)
     GROUP BY 1 ORDER BY 1`,
    [logins],
  );
  for (const { login, here, elsewhere } of owners) {
    const statement = `REASSIGN OWNED BY ${quoted(login)} TO ${quoted(role)}`;
    if (elsewhere !== null) {
      throw new RotationError(
        "target-misconfigured",
        `${login} owns objects in ${elsewhere}, which the other login could not use; there: ${statement}`,
      );
    }
    if (here === 0) continue;
    await permitted(`to give ${role} what ${login} owns (${statement})`, () =>
      asMember(session, [login, role], options, () => session.query(statement)),
    );
  }
}

/** Does something as a member of roles; memberships that were made for it go with the same transaction. */
async function asMember(
  session: SqlSession,
  roles: readonly string[],
  options: boolean,
  work: () => Promise<unknown>,
): Promise<void> {
  const how = options ? " WITH INHERIT TRUE, SET TRUE" : "";
  const lacking = await session.query<{ readonly name: string }>(
    `SELECT r.rolname::text AS name FROM pg_roles r WHERE r.rolname = ANY ($1)
       AND NOT (pg_has_role(r.oid, 'USAGE') AND pg_has_role(r.oid, ${options ? "'SET'" : "'MEMBER'"}))`,
    [roles],
  );
  for (const { name } of lacking) await session.query(`GRANT ${quoted(name)} TO CURRENT_USER${how}`);
  await work();
  for (const { name } of lacking) await session.query(`REVOKE ${quoted(name)} FROM CURRENT_USER`);
}
