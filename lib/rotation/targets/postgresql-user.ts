import type { KindSettings } from "../../model/kinds";
import type { Random } from "../protocol/ports";
import { RotationError, type RotationFaultCode } from "../protocol/rotation-error";
import type { AcceptingTarget, Retirement } from "../protocol/target";
import { randomText } from "../values/random-text";
import { type AdminValue, type KindValue, VALUE_SCHEMAS } from "../values/value-schemas";
import {
  grantsHaveOptions,
  prepareLogin,
  prepareOwner,
  rolesNamed,
  takeObjectsBack,
} from "./postgresql-logins";
import { grantPrivileges, provePrivileges } from "./postgresql-privileges";
import { retireLogin } from "./postgresql-retirement";
import { likenLogin } from "./postgresql-twins";
import { SCRAM_SALT_BYTES, scramVerifier } from "./scram-verifier";
import { inTransaction, type SqlLogin, type SqlServer, type SqlSession, withSql } from "./sql";

/** The value of `postgresql-user`. */
export type PostgresqlValue = KindValue<"postgresql-user">;

/** Ports and settings of the postgresql-user target. */
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

interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * Two logins that take turns, `<role>_a` and `<role>_b`, both members of the NOLOGIN role `<role>` and both
 * turning into it when they log in. Whatever they make belongs to the role, so a switch of login changes
 * nobody's objects.
 */
export function postgresqlUserTarget(props: PostgresqlTargetProps): AcceptingTarget<PostgresqlValue> {
  const { settings, server, random } = props;
  const { host, port, database, role, caPem } = settings;
  const [first, second] = loginsOf(settings);
  const front: Place = { host, port };
  /** Place at which logins are made: the server behind a pooler, or the writer of a replica. */
  const writer: Place = settings.server ?? { host: settings.writerHost ?? host, port };
  /** Servers whose sessions count; a pooler has none of its own. */
  const servers: readonly Place[] =
    settings.server !== undefined || samePlace(front, writer) ? [writer] : [writer, front];

  const asAdmin = async <T>(at: Place, work: (session: SqlSession) => Promise<T>): Promise<T> => {
    const { username, password, host: adminHost } = await props.admin();
    // A secret that names its own host belongs to that server; sending its password elsewhere gives it away.
    if (adminHost !== undefined && adminHost !== host && adminHost !== writer.host) {
      throw new RotationError(
        "host-mismatch",
        `the admin secret is for ${adminHost}, the target is ${at.host}`,
      );
    }
    if (username === role || username === first || username === second) {
      throw new RotationError("user-mismatch", `the admin ${username} is a login that rotates`);
    }
    return recoded("target-refused", "admin-refused", () =>
      withSql(server, { ...at, database, username, password, caPem }, (session) =>
        inTransaction(session, () => work(session)),
      ),
    );
  };

  const loginOf = (at: Place, { username, password }: PostgresqlValue): SqlLogin => ({
    ...at,
    database,
    username,
    password,
    caPem,
  });

  /** A login that takes the secret's own value is the secret's. */
  const isTaken = (value: PostgresqlValue) => async (): Promise<boolean> => {
    try {
      await withSql(server, loginOf(writer, value), async () => undefined);
      return true;
    } catch (failure) {
      if (failure instanceof RotationError && failure.code === "target-refused") return false;
      throw failure;
    }
  };

  const checkUser = (username: string): void => {
    if (username !== first && username !== second) {
      throw new RotationError("user-mismatch", `the value's user is not ${first} or ${second}`);
    }
  };

  const prove = (at: Place, value: PostgresqlValue): Promise<void> =>
    withSql(server, loginOf(at, value), (session) =>
      inTransaction(session, async () => {
        await proveIdentity(session, value.username, settings);
        await provePrivileges(session, settings);
      }),
    );

  return {
    acceptedBy: "target",
    schema: VALUE_SCHEMAS["postgresql-user"],

    async generate(predecessor, _attempt, _staged, elsewhere) {
      if (predecessor !== undefined) checkUser(predecessor.username);
      const inUse = predecessor ?? elsewhere;
      return {
        username: inUse?.username === first ? second : first,
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

    async install(value, other, attempt) {
      const verifier = await scramVerifier(value.password, random.bytes(SCRAM_SALT_BYTES));
      const login = value.username;
      await asAdmin(writer, async (session) => {
        await lock(session, role);
        const found = await rolesNamed(session, [role, first, second]);
        const options = await grantsHaveOptions(session);
        await prepareOwner(session, role, found.get(role), settings.adopt === true, attempt);
        await takeObjectsBack(session, [first, second], role, options);
        await prepareLogin(session, {
          login,
          found: found.get(login),
          role,
          verifier,
          secret: attempt,
          isOurs: isTaken(value),
          options,
        });
        const model = other?.username;
        if (model !== undefined && model !== login) {
          await likenLogin(session, login, model, role, options);
        }
        await grantPrivileges(session, settings);
      });
    },

    async test(value) {
      checkUser(value.username);
      if (settings.server === undefined) return prove(front, value);
      await prove(writer, value);
      await recoded(
        "target-refused",
        "target-misconfigured",
        () => prove(front, value),
        `${writer.host} accepts ${value.username}, and the pooler ${host}:${port} does not: it must know both logins of the pair. PgBouncer: auth_query; RDS Proxy knows the secret's current value only: let consumers connect to the server itself, or use the proxy's IAM authentication`,
      );
    },

    async retire(retirement: Retirement<PostgresqlValue>) {
      const { retired, kept, elsewhere = [] } = retirement;
      checkUser(retired.username);
      // A login has one password: where another value has taken it over, the retired one is gone already.
      const shared = [...kept, ...elsewhere].filter(({ username }) => username === retired.username);
      if (shared.some(({ password }) => password === retired.password)) return undefined;
      if (shared.length > 0 && !(await isTaken(retired)())) return undefined;
      return retireLogin({
        login: retired.username,
        role,
        retirement,
        grace: settings.lockGrace,
        isOurs: isTaken(retired),
        onWriter: (work) =>
          asAdmin(writer, async (session) => {
            await lock(session, role);
            return work(session);
          }),
        onEachServer: async (work) => {
          for (const at of servers) await asAdmin(at, work);
        },
      });
    },
  };
}

const samePlace = (one: Place, other: Place): boolean => one.host === other.host && one.port === other.port;

interface Identity {
  readonly login: string;
  readonly database: string;
  readonly isMember: boolean | null;
}

/**
 * The session may have become the role, or not: what counts is that it has the role's rights, which it also has after
 * `DISCARD ALL` on an old server.
 */
async function proveIdentity(
  session: SqlSession,
  login: string,
  { role, database }: KindSettings<"postgresql-user">,
): Promise<void> {
  const [identity] = await session.query<Identity>(
    `SELECT session_user::text AS login, current_database()::text AS database,
       (SELECT pg_has_role(session_user, oid, 'USAGE') FROM pg_roles WHERE rolname = $1) AS "isMember"`,
    [role],
  );
  if (identity?.login !== login || identity.isMember !== true || identity.database !== database) {
    throw new RotationError(
      "target-misconfigured",
      `a login as ${login} must have the rights of ${role} in ${database}; it is ${identity?.login} in ${identity?.database}${identity?.isMember ? "" : `, without them: GRANT ${role} TO ${login}`}`,
    );
  }
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

/** Does something in whose course one fault means another. */
async function recoded<T>(
  from: RotationFaultCode,
  to: RotationFaultCode,
  work: () => Promise<T>,
  words = "the target does not accept the admin's login",
): Promise<T> {
  try {
    return await work();
  } catch (failure) {
    if (failure instanceof RotationError && failure.code === from) {
      throw new RotationError(to, words, failure.origin);
    }
    throw failure;
  }
}
