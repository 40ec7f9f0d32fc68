/// <reference path="./pg-client.d.ts" />
import Client from "pg/lib/client";
import { originOf, RotationError, type RotationFaultCode } from "../rotation-error";
import type { SqlLogin, SqlServer, SqlSession } from "../targets/sql";
import { connectionFault } from "./connection-fault";

const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 30_000;

/** SQLSTATE codes that mean something to rotation (PostgreSQL's appendix A). */
const BY_SQLSTATE: Readonly<Record<string, RotationFaultCode>> = {
  "28000": "target-refused",
  "28P01": "target-refused",
  "3D000": "target-misconfigured",
  "42501": "right-missing",
  "53300": "target-busy",
  "57P03": "target-busy",
};

/** {@link SqlServer} with `pg`. TLS always, host name verified, no fallback. */
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
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS,
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
  const origin = originOf(failure);
  const where = `${username} at ${host}:${port}`;
  const code = BY_SQLSTATE[origin];
  if (code !== undefined) return new RotationError(code, where, origin);
  // pg gives this failure no code; its text is fixed (pg/lib/connection.js).
  if (failure instanceof Error && failure.message === "The server does not support SSL connections") {
    return new RotationError("target-without-tls", where);
  }
  return connectionFault(failure, where) ?? new RotationError("unexpected", where, origin);
}
