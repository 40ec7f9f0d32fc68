/// <reference path="./pg-client.d.ts" />
import Client from "pg/lib/client";
import { originOf } from "../../lambda/failure-origin";
import { RotationError } from "../protocol/rotation-error";
import type { SqlLogin, SqlServer, SqlSession } from "../targets/sql";
import { connectionFault } from "./connection-fault";
import { sqlFailure } from "./sql-failure";

const CONNECT_TIMEOUT_MS = 10_000;
/** A little longer than the server's own limit (`inTransaction`), which ends the statement there. */
const QUERY_TIMEOUT_MS = 35_000;

/**
 * {@link SqlServer} with `pg`. TLS always, host name verified, no fallback. The startup packet has no parameter that
 * PgBouncer does not know: it refuses others, `statement_timeout` and `options` among them, unless its operator has it ignore
 * them (https://www.pgbouncer.org/config.html#ignore_startup_parameters).
 */
export const pgServer: SqlServer = {
  async open(login) {
    const client = new Client({
      host: login.host,
      port: login.port,
      database: login.database,
      user: login.username,
      password: login.password,
      ssl: { rejectUnauthorized: true, ...(login.caPem === undefined ? {} : { ca: login.caPem }) },
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      application_name: "secrets-registry-rotation",
    });
    // A connection that breaks between two statements would otherwise end the process; the next statement reports it.
    client.on("error", () => undefined);
    try {
      await client.connect();
    } catch (failure) {
      await client.end().catch(() => undefined);
      throw pgFault(failure, login);
    }
    return new PgSession(client, login);
  },
};

class PgSession implements SqlSession {
  readonly #client: Client;
  readonly #login: SqlLogin;

  constructor(client: Client, login: SqlLogin) {
    this.#client = client;
    this.#login = login;
  }

  async query<Row extends object>(
    statement: string,
    parameters: readonly unknown[] = [],
  ): Promise<readonly Row[]> {
    try {
      const { rows } = await this.#client.query<Row>(statement, [...parameters]);
      return rows;
    } catch (failure) {
      throw pgFault(failure, this.#login);
    }
  }

  async close(): Promise<void> {
    await this.#client.end();
  }
}

/** pg's failure as ours: SQLSTATE only, because PostgreSQL's texts quote names and values. */
function pgFault(failure: unknown, { host, port, username }: SqlLogin): RotationError {
  const where = `${username} at ${host}:${port}`;
  // pg gives this failure no code; its text is fixed (pg/lib/connection.js).
  if (failure instanceof Error && failure.message === "The server does not support SSL connections") {
    return new RotationError("target-without-tls", where);
  }
  return (
    sqlFailure(failure, where) ??
    connectionFault(failure, where) ??
    new RotationError("unexpected", where, originOf(failure))
  );
}
