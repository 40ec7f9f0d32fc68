import { RotationError } from "../protocol/rotation-error";

/** Address of a SQL server, and the login there. TLS with a verified host name always. */
export interface SqlLogin {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  /** CA of the server's certificate in PEM; `undefined`: the public ones. */
  readonly caPem: string | undefined;
}

/** A session of a SQL server. */
export interface SqlSession {
  /** @throws RotationError `right-missing` where the user lacks a right */
  query<Row extends object>(statement: string, parameters?: readonly unknown[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** A SQL server. */
export interface SqlServer {
  /** @throws RotationError `target-refused`, `target-unreachable`, `target-not-trusted`, `target-without-tls` */
  open(login: SqlLogin): Promise<SqlSession>;
}

/** Opens a session for a piece of work and closes it in any case. */
export async function withSql<T>(
  server: SqlServer,
  login: SqlLogin,
  work: (session: SqlSession) => Promise<T>,
): Promise<T> {
  const session = await server.open(login);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/**
 * Does a piece of work in one transaction. Its limits are set for the transaction alone: they are no parameters of the
 * startup, which poolers refuse, and none is left behind in a session that a pooler gives to the next client.
 */
export async function inTransaction<T>(session: SqlSession, work: () => Promise<T>): Promise<T> {
  await session.query("BEGIN; SET LOCAL statement_timeout = '30s'; SET LOCAL lock_timeout = '10s'");
  try {
    const result = await work();
    await session.query("COMMIT");
    return result;
  } catch (failure) {
    // A broken connection cannot roll back, and need not: the server does when it goes.
    await session.query("ROLLBACK").catch(() => undefined);
    throw failure;
  }
}

/** A name as SQL quotes it. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Does what needs a right, and names the right when it is missing. */
export async function permitted<T>(right: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (failure) {
    if (failure instanceof RotationError && failure.code === "right-missing") {
      throw new RotationError("right-missing", `the admin needs ${right}`, failure.origin);
    }
    throw failure;
  }
}
