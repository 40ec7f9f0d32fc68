import type { KindSettings } from "../../model/kinds";
import type { Random } from "../ports";
import { randomText } from "../random-text";
import { RotationError, type RotationFaultCode } from "../rotation-error";
import type { AcceptingTarget, Retirement } from "../target";
import { type AdminValue, type KindValue, VALUE_SCHEMAS } from "../value-schemas";
import { grantPrivileges, provePrivileges } from "./postgresql-privileges";
import { SCRAM_SALT_BYTES, scramVerifier } from "./scram-verifier";
import { inTransaction, permitted, quoted, type SqlServer, type SqlSession, withSql } from "./sql";

/** The value of `postgresql-user`. */
export type PostgresqlValue = KindValue<"postgresql-user">;

/** What the postgresql-user target needs. */
export interface PostgresqlTargetProps {
  readonly settings: KindSettings<"postgresql-user">;
  /** Reads the admin secret. */
  readonly admin: () => Promise<AdminValue>;
  readonly server: SqlServer;
  readonly random: Random;
}

/** `NAMEDATALEN` - 1: PostgreSQL cuts longer names silently, and two logins would become one. */
const LONGEST_NAME = 63;
const PASSWORD_LENGTH = 48;

/**
 * Two logins that take turns, `<role>_a` and `<role>_b`, both members of the NOLOGIN role `<role>` and both
 * turning into it when they log in. Whatever they make belongs to the role, so a switch of login changes
 * nobody's objects.
 */
export function postgresqlUserTarget(props: PostgresqlTargetProps): AcceptingTarget<PostgresqlValue> {
  const { settings, server, random } = props;
  const { host, port, database, role } = settings;
  const [first, second] = loginsOf(settings);
  const writer = settings.writerHost ?? host;

  const asAdmin = async <T>(at: string, work: (session: SqlSession) => Promise<T>): Promise<T> => {
    const { username, password, host: adminHost } = await props.admin();
    // A secret that names its own host belongs to that server; sending its password elsewhere gives it away.
    if (adminHost !== undefined && adminHost !== host && adminHost !== writer) {
      throw new RotationError("host-mismatch", `the admin secret is for ${adminHost}, the target is ${at}`);
    }
    if (username === role || username === first || username === second) {
      throw new RotationError("user-mismatch", `the admin ${username} is a login that rotates`);
    }
    const login = { host: at, port, database, username, password, caPem: settings.caPem };
    return recoded("target-refused", "admin-refused", () => withSql(server, login, work));
  };

  const checkUser = (username: string): void => {
    if (username !== first && username !== second) {
      throw new RotationError("user-mismatch", `the value's user is not ${first} or ${second}`);
    }
  };

  return {
    acceptedBy: "target",
    schema: VALUE_SCHEMAS["postgresql-user"],

    async generate(predecessor) {
      if (predecessor !== undefined) checkUser(predecessor.username);
      return {
        username: predecessor?.username === first ? second : first,
        password: randomText(random, PASSWORD_LENGTH),
      };
    },

    checkSuccession(pending, predecessor) {
      checkUser(pending.username);
      if (pending.username === predecessor?.username) {
        throw new RotationError(
          "stale-version",
          `${pending.username} is the login in use: a new password would end it for its consumers`,
        );
      }
    },

    async install(pending) {
      const verifier = await scramVerifier(pending.password, random.bytes(SCRAM_SALT_BYTES));
      await asAdmin(writer, (session) =>
        inTransaction(session, async () => {
          await lock(session, role);
          await prepareOwner(session, role);
          await prepareLogin(session, pending.username, role, verifier);
          await grantPrivileges(session, settings);
        }),
      );
    },

    async test(value) {
      checkUser(value.username);
      const login = { host, port, database, ...value, caPem: settings.caPem };
      await withSql(server, login, async (session) => {
        const [identity] = await session.query<Identity>(
          "SELECT session_user::text AS login, current_user::text AS role, current_database()::text AS database",
        );
        if (identity?.login !== value.username || identity.role !== role || identity.database !== database) {
          throw new RotationError(
            "target-misconfigured",
            `a login as ${value.username} must become ${role} in ${database}; it became ${identity?.role}`,
          );
        }
        await provePrivileges(session, settings);
      });
    },

    async retire({ retired, kept, refreshedBy, emergency }: Retirement<PostgresqlValue>) {
      checkUser(retired.username);
      // A newer rotation has taken the login over, so the retired password is gone already.
      if (kept.some(({ username }) => username === retired.username)) return;
      const hosts = [...new Set([writer, host])];
      if (refreshedBy !== undefined) {
        for (const at of hosts) {
          await asAdmin(at, (session) => refuseLateLogins(session, retired.username, refreshedBy));
        }
      }
      await asAdmin(writer, (session) =>
        inTransaction(session, async () => {
          await lock(session, role);
          if ((await rolesNamed(session, [retired.username])).length === 0) return;
          await permitted(`ADMIN OPTION on ${retired.username}`, () =>
            session.query(`ALTER ROLE ${quoted(retired.username)} NOLOGIN PASSWORD NULL`),
          );
        }),
      );
      // Sessions that were opened in time may end by themselves: they belong to consumers, who would see a failure.
      if (emergency) {
        for (const at of hosts) await asAdmin(at, (session) => endSessions(session, retired.username));
      }
    },
  };
}

interface Identity {
  readonly login: string;
  readonly role: string;
  readonly database: string;
}

interface RoleRow {
  readonly name: string;
  readonly canLogin: boolean;
  /** Has a power that no application's login should have. */
  readonly privileged: boolean;
}

/** The two logins of a role. */
function loginsOf({ role, login }: KindSettings<"postgresql-user">): readonly [string, string] {
  if (login !== undefined && login !== "alternating") {
    throw new RotationError("settings-malformed", `a ${login} login is Vault's to rotate`);
  }
  const logins = [`${role}_a`, `${role}_b`] as const;
  if (Buffer.byteLength(logins[0]) > LONGEST_NAME) {
    throw new RotationError("name-too-long", `${logins[0]} has more than ${LONGEST_NAME} bytes`);
  }
  return logins;
}

/** Two rotations of one role at a time would meet in PostgreSQL's catalogue ("tuple concurrently updated"). */
async function lock(session: SqlSession, role: string): Promise<void> {
  await session.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`secrets-registry ${role}`]);
}

const rolesNamed = (session: SqlSession, names: readonly string[]): Promise<readonly RoleRow[]> =>
  session.query<RoleRow>(
    `SELECT rolname::text AS name, rolcanlogin AS "canLogin",
       rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS privileged
     FROM pg_roles WHERE rolname = ANY($1)`,
    [names],
  );

async function prepareOwner(session: SqlSession, role: string): Promise<void> {
  const [owner] = await rolesNamed(session, [role]);
  if (owner === undefined) {
    await permitted("CREATEROLE", () => session.query(`CREATE ROLE ${quoted(role)} NOLOGIN`));
  } else if (owner.canLogin || owner.privileged) {
    throw new RotationError(
      "target-misconfigured",
      `role ${role} must be NOLOGIN and without SUPERUSER, CREATEROLE, CREATEDB, REPLICATION, BYPASSRLS`,
    );
  }
}

async function prepareLogin(
  session: SqlSession,
  login: string,
  role: string,
  verifier: string,
): Promise<void> {
  const [found] = await rolesNamed(session, [login]);
  if (found?.privileged) {
    throw new RotationError("user-mismatch", `${login} has powers of an administrator: it is not ours`);
  }
  // The verifier is base64, digits, `$` and `:`, so that quotes are enough; ALTER ROLE takes no parameters.
  const credential = `LOGIN PASSWORD '${verifier}'`;
  if (found === undefined) {
    // NOINHERIT: a session that has not turned into the role has no rights, so a slip shows at once.
    await permitted("CREATEROLE", () =>
      session.query(`CREATE ROLE ${quoted(login)} NOINHERIT ${credential}`),
    );
  } else {
    await permitted(`CREATEROLE, and from PostgreSQL 16 ADMIN OPTION on ${login}`, () =>
      session.query(`ALTER ROLE ${quoted(login)} ${credential}`),
    );
  }
  await permitted(`ADMIN OPTION on ${role} (GRANT ${role} TO <admin> WITH ADMIN OPTION)`, () =>
    session.query(`GRANT ${quoted(role)} TO ${quoted(login)}`),
  );
  await permitted(`ADMIN OPTION on ${login}`, () =>
    session.query(`ALTER ROLE ${quoted(login)} SET role TO ${quoted(role)}`),
  );
}

/** A login after everybody should have had the new value shows a consumer that did not take it up. */
async function refuseLateLogins(session: SqlSession, login: string, refreshedBy: Date): Promise<void> {
  const [sessions] = await session.query<{ readonly late: number; readonly hidden: number }>(
    `SELECT count(*) FILTER (WHERE backend_start > $2)::int AS late,
       count(*) FILTER (WHERE backend_start IS NULL)::int AS hidden
     FROM pg_stat_activity WHERE usename = $1`,
    [login, refreshedBy],
  );
  if (sessions === undefined || sessions.hidden > 0) {
    throw new RotationError("right-missing", "the admin needs pg_read_all_stats to see who is logged in");
  }
  if (sessions.late > 0) {
    throw new RotationError(
      "still-presented",
      `${sessions.late} session(s) of ${login} began after ${refreshedBy.toISOString()}`,
    );
  }
}

async function endSessions(session: SqlSession, login: string): Promise<void> {
  await permitted("pg_signal_backend", () =>
    session.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", [login]),
  );
}

/** Does something in whose course one fault means another. */
async function recoded<T>(
  from: RotationFaultCode,
  to: RotationFaultCode,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (failure) {
    if (failure instanceof RotationError && failure.code === from) {
      throw new RotationError(to, "the target does not accept the admin's login", failure.origin);
    }
    throw failure;
  }
}
