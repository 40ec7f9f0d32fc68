import type { RetirementEvidence } from "../../contracts/procedure-events";
import type { Duration } from "../../model/duration";
import { RotationError } from "../protocol/rotation-error";
import type { Retirement } from "../protocol/target";
import { markStatement, readMark, requireOurs, rolesNamed } from "./postgresql-logins";
import { permitted, quoted, type SqlSession } from "./sql";

/** A login that is to end. */
export interface RetiredLogin {
  readonly login: string;
  readonly role: string;
  readonly retirement: Pick<Retirement<unknown>, "secret" | "refreshedBy" | "emergency">;
  /** Time for which it is locked before its password is taken away. */
  readonly grace: Duration;
  /** Proof that an unmarked login is the secret's. */
  readonly isOurs: () => Promise<boolean>;
  /** Does a piece of work in one transaction, as the admin, alone with this role. */
  readonly onWriter: <T>(work: (session: SqlSession) => Promise<T>) => Promise<T>;
  /** On the writer and the replica, where sessions are. */
  readonly onEachServer: (work: (session: SqlSession) => Promise<void>) => Promise<void>;
}

interface Found {
  readonly state: "gone" | "locked" | "opened" | "ended";
  /** Time at which it was locked; `undefined`: it was not. */
  readonly since?: Date;
}

/**
 * Ends a login. One look at who is logged in is an instant, and PostgreSQL shows no log-in that is over: a job that comes for
 * a moment each night passes it. So the login is locked first, with its password kept (`NOLOGIN`), and ended when nobody has
 * opened it again by the end of a grace; who opens it (`ALTER ROLE … LOGIN`, or a rollback) stops the retirement.
 *
 * @throws RotationError `lock-running` until the grace has passed; `still-presented`; `not-marked`, `target-not-ours`
 */
export async function retireLogin(plan: RetiredLogin): Promise<RetirementEvidence> {
  const { login, retirement, grace } = plan;
  const { refreshedBy, emergency } = retirement;
  if (refreshedBy !== undefined) {
    await plan.onEachServer((session) => refuseLateLogins(session, login, refreshedBy));
  }
  // What was never served, or has leaked, ends at once.
  const locks = !emergency && refreshedBy !== undefined && grace.seconds > 0;
  const { state, since } = await plan.onWriter((session) =>
    locks ? lockFirst(session, plan) : end(session, plan),
  );
  if (state === "locked" && since !== undefined) {
    const until = new Date(since.getTime() + grace.seconds * 1_000);
    throw new RotationError(
      "lock-running",
      `${login} is locked since ${since.toISOString()} and ends at ${until.toISOString()}; to open it again: ALTER ROLE ${quoted(login)} LOGIN`,
    );
  }
  if (state === "opened") {
    throw new RotationError(
      "still-presented",
      `somebody opened ${login} again after it was locked at ${since?.toISOString()}; when its consumers have the new value: ${markStatement(login, retirement.secret)}`,
    );
  }
  // Sessions that were opened in time may end by themselves: they belong to consumers, who would see a failure.
  if (emergency) await plan.onEachServer((session) => endSessions(session, login));
  if (refreshedBy === undefined) return { lookedBy: "not-looked" };
  return since === undefined ? { lookedBy: "sessions" } : { lookedBy: "lock", since: since.toISOString() };
}

/** Locks the login; ends it when it has been locked for the grace. */
async function lockFirst(session: SqlSession, plan: RetiredLogin): Promise<Found> {
  const { login, retirement, grace } = plan;
  const found = (await rolesNamed(session, [login])).get(login);
  if (found === undefined) return { state: "gone" };
  await requireOurs(found, retirement.secret, plan.isOurs);
  const { lockedSince: since } = readMark(found.comment, retirement.secret);
  // Closed without a mark of when: it was ended before, or people closed it.
  if (since === undefined && !found.canLogin) return end(session, plan);
  if (since !== undefined && found.canLogin) return { state: "opened", since };
  // The server's clock: functions' clocks differ.
  const [row] = await session.query<{ readonly now: Date }>("SELECT clock_timestamp() AS now");
  const now = row?.now ?? new Date();
  if (since !== undefined) {
    if (now.getTime() < since.getTime() + grace.seconds * 1_000) return { state: "locked", since };
    return { ...(await end(session, plan)), since };
  }
  await permitted(`ADMIN OPTION on ${login}`, async () => {
    await session.query(`ALTER ROLE ${quoted(login)} NOLOGIN`);
    await session.query(markStatement(login, retirement.secret, now));
  });
  return { state: "locked", since: now };
}

async function end(
  session: SqlSession,
  { login, retirement, isOurs }: Pick<RetiredLogin, "login" | "retirement" | "isOurs">,
): Promise<Found> {
  const found = (await rolesNamed(session, [login])).get(login);
  if (found === undefined) return { state: "gone" };
  await requireOurs(found, retirement.secret, isOurs);
  await permitted(`ADMIN OPTION on ${login}`, async () => {
    await session.query(`ALTER ROLE ${quoted(login)} NOLOGIN PASSWORD NULL`);
    await session.query(markStatement(login, retirement.secret));
  });
  return { state: "ended" };
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
