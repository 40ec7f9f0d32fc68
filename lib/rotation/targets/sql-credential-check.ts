import type { SqlCheck } from "../../model/generic-settings";
import { RotationError } from "../protocol/rotation-error";
import { type CredentialCheck, type GenericConfig, type GenericValue, textNamed } from "./credential-check";
import { type SqlLogin, type SqlServer, type SqlSession, withSql } from "./sql";

/** Tries a value by a login at PostgreSQL and one query. */
export function sqlCredentialCheck(
  check: SqlCheck,
  config: GenericConfig,
  server: SqlServer,
): CredentialCheck {
  const { host, port, database, caPem, statement, expect } = check;
  const loginOf = (value: GenericValue): SqlLogin => ({
    host,
    port,
    database,
    caPem,
    username: textNamed(check.usernameFrom, value, config),
    password: textNamed(check.passwordField, value),
  });

  return {
    credentialOf: (value) => {
      const { username, password } = loginOf(value);
      return JSON.stringify([username, password]);
    },
    // PostgreSQL keeps one password for a login.
    slotOf: (value) => loginOf(value).username,

    prove: (value) =>
      withSql(server, loginOf(value), async (session) => {
        const [row] = await inReadOnlyTransaction(session, firstColumnOf(statement));
        if (row === undefined || (expect !== undefined && row.answer !== expect.firstColumn)) {
          throw new RotationError(
            "target-misconfigured",
            `the check's statement at ${host}:${port} gives ${row === undefined ? "no row" : "another first column"}`,
          );
        }
      }),

    async accepts(value) {
      try {
        // A login is enough: what it may do has no part in whether it is dead.
        await withSql(server, loginOf(value), async () => undefined);
        return true;
      } catch (failure) {
        if (failure instanceof RotationError && failure.code === "target-refused") return false;
        throw failure;
      }
    },
  };
}

interface Answer {
  /** The first column as text; `null`: SQL's NULL. */
  readonly answer: string | null;
}

/**
 * The first column of the first row, as PostgreSQL writes it. By a name of ours, because a driver's rows keep one of
 * several columns with the same name. The statement has a line of its own, so that a comment in it ends there.
 */
const firstColumnOf = (statement: string): string =>
  `SELECT check_answer::text AS answer FROM (\n${statement}\n) AS checked (check_answer) LIMIT 1`;

/** The session is closed afterwards, and the transaction with it. */
async function inReadOnlyTransaction(session: SqlSession, statement: string): Promise<readonly Answer[]> {
  await session.query("BEGIN READ ONLY");
  try {
    return await session.query<Answer>(statement);
  } catch (failure) {
    if (failure instanceof RotationError && failure.code === "right-missing") {
      throw new RotationError(
        "right-missing",
        "the login lacks a right that the check's statement needs",
        failure.origin,
      );
    }
    // Classes 22, 25, 42 of SQLSTATE: the statement itself is wrong, and stays so.
    if (failure instanceof RotationError && /^(22|25|42)\w{3}$/.test(failure.origin ?? "")) {
      throw new RotationError("target-misconfigured", "the check's statement fails", failure.origin);
    }
    throw failure;
  }
}
