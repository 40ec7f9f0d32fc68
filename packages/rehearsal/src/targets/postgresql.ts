import { randomBytes } from "node:crypto";
import { Client } from "pg";
import type { Blueprint, SecretPlan } from "../../../../lib/blueprint";
import type { KindSettings } from "../../../../lib/model";
import { quoted } from "../../../../lib/rotation/targets/sql";
import { type Postgres, type ServerGroup, startPostgres } from "../servers";
import {
  isOfKind,
  type LoginResult,
  type RehearsedTarget,
  type SecretOf,
  type SuppliedValues,
} from "./target-servers";

type Settings = KindSettings<"postgresql-user">;

/** One PostgreSQL for each host that the registry names; a replica stands on its writer's. */
export class PostgresqlServers {
  readonly #servers: ReadonlyMap<string, Postgres>;

  private constructor(servers: ReadonlyMap<string, Postgres>) {
    this.#servers = servers;
  }

  /** Starts a server for each host of a blueprint's database users, and of its checks by SQL. */
  static async start(blueprint: Blueprint, group: ServerGroup): Promise<PostgresqlServers> {
    const hosts = new Set(blueprint.secrets.flatMap((secret) => hostOf(secret) ?? []));
    const started = await Promise.all(
      [...hosts].map(async (host) => [host, await startPostgres({ group })] as const),
    );
    return new PostgresqlServers(new Map(started));
  }

  /** Servers with the hosts that they stand for, by host. */
  get byHost(): readonly (readonly [string, Postgres])[] {
    return [...this.#servers].sort(([one], [other]) => (one < other ? -1 : 1));
  }

  /** The server that stands for a secret's host. */
  serverOf(secret: SecretPlan): Postgres {
    const server = this.#servers.get(hostOf(secret) ?? "");
    if (server === undefined) throw new Error(`no PostgreSQL for ${secret.key}`);
    return server;
  }

  /** The logins of a database, which is made where there is none, as its administrator makes them by hand. */
  async loginsAt(host: string, database: string): Promise<DatabaseLogins> {
    const server = this.#servers.get(host);
    if (server === undefined) throw new Error(`no PostgreSQL for ${host}`);
    await withSuperuser(server, server.superuser.database, async (client) => {
      if (await isThere(client, "pg_database", "datname", database)) return;
      await client.query(`CREATE DATABASE ${quoted(database)}`);
    });
    return loginsOf(server, database);
  }

  /** Logins of the database that a secret opens, whoever makes them. */
  databaseOf(secret: SecretPlan): Pick<DatabaseLogins, "accepts"> {
    return loginsOf(this.serverOf(secret), (secret.settings as Settings).database);
  }

  /**
   * Prepares the database of a user that Secrets Manager rotates, as its administrator does: the database with a table, and
   * the admin login, whose credential people put into the admin secret.
   */
  async target(secret: SecretOf<"postgresql-user">, supplied: SuppliedValues): Promise<RehearsedTarget> {
    const server = this.serverOf(secret);
    const admin = adminCredential(secret, supplied);
    await prepareDatabase(server, secret.settings, admin);
    const settings = {
      ...secret.settings,
      ...placeOf(server),
      // No pooler stands before it, and its hours take no time.
      server: undefined,
      lockGrace: { seconds: 0 },
    };
    return { settings, attempt: (value) => logIn(server, settings, value) };
  }
}

/** A login of PostgreSQL with its password. */
export interface DatabaseLogin {
  readonly username: string;
  readonly password: string;
}

/** Logins of a database that a person makes and closes. */
export interface DatabaseLogins {
  /** Address of the server, for settings. */
  readonly place: { readonly host: string; readonly port: number; readonly caPem: string };
  accepts(login: DatabaseLogin): Promise<boolean>;
  /** Makes the login, or gives it another password. */
  set(login: DatabaseLogin): Promise<void>;
  close(login: DatabaseLogin): Promise<void>;
}

function loginsOf(server: Postgres, database: string): DatabaseLogins {
  const alter = ({ username }: DatabaseLogin, more: string): Promise<void> =>
    withSuperuser(server, database, async (client) => {
      if (!(await isThere(client, "pg_roles", "rolname", username))) {
        await client.query(`CREATE ROLE ${quoted(username)}`);
      }
      await client.query(`ALTER ROLE ${quoted(username)} ${more}`);
    });
  return {
    place: placeOf(server),
    accepts: async ({ username: user, password }) =>
      (await connected(server, { database, user, password }, async () => undefined)) === "accepted",
    set: (login) => alter(login, `LOGIN PASSWORD ${literal(login.password)}`),
    close: (login) => alter(login, "NOLOGIN"),
  };
}

/** Host on which a secret's users are made, or by whose logins it is checked. */
function hostOf(secret: SecretPlan): string | undefined {
  if (isOfKind(secret, "generic")) {
    const { check } = secret.settings;
    return check?.how === "sql" ? check.host : undefined;
  }
  if (secret.kind !== "postgresql-user") return undefined;
  const { host, writerHost, server } = secret.settings as Settings;
  return server?.host ?? writerHost ?? host;
}

const placeOf = ({ port, caPem }: Postgres) => ({ host: "localhost", port, caPem });

/** The same admin credential for all secrets that share an admin secret. */
function adminCredential(secret: SecretOf<"postgresql-user">, supplied: SuppliedValues): DatabaseLogin {
  if (secret.admin === undefined) throw new Error(`${secret.key} has no admin secret`);
  const known = supplied.get(secret.admin) as DatabaseLogin | undefined;
  const made = known ?? { username: "rotation_admin", password: randomBytes(24).toString("base64url") };
  supplied.set(secret.admin, { ...made });
  return made;
}

async function prepareDatabase(
  server: Postgres,
  { database, schemas }: Settings,
  { username, password }: DatabaseLogin,
): Promise<void> {
  await withSuperuser(server, server.superuser.database, async (client) => {
    if (!(await isThere(client, "pg_roles", "rolname", username))) {
      await client.query(`CREATE ROLE ${quoted(username)} LOGIN CREATEROLE PASSWORD ${literal(password)}`);
      await client.query(`GRANT pg_read_all_stats, pg_signal_backend TO ${quoted(username)}`);
    }
    if (!(await isThere(client, "pg_database", "datname", database))) {
      await client.query(`CREATE DATABASE ${quoted(database)} OWNER ${quoted(username)}`);
    }
  });
  await withSuperuser(server, database, async (client) => {
    for (const schema of schemas) {
      if (!(await isThere(client, "pg_namespace", "nspname", schema))) {
        await client.query(`CREATE SCHEMA ${quoted(schema)} AUTHORIZATION ${quoted(username)}`);
      }
      await client.query(`CREATE TABLE IF NOT EXISTS ${ordersIn(schema)} (id int PRIMARY KEY, note text)`);
      await client.query(`ALTER TABLE ${ordersIn(schema)} OWNER TO ${quoted(username)}`);
    }
  });
}

const ordersIn = (schema: string): string => `${quoted(schema)}.orders`;

async function withSuperuser(
  server: Postgres,
  database: string,
  work: (client: Client) => Promise<void>,
): Promise<void> {
  const client = new Client({ ...server.superuser, database });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

const isThere = async (client: Client, table: string, column: string, name: string): Promise<boolean> =>
  (await client.query(`SELECT FROM ${table} WHERE ${column} = $1`, [name])).rowCount !== 0;

/** Logs in and reads, as a consumer does at its start. */
async function logIn(
  server: Postgres,
  { database, schemas }: Settings,
  value: unknown,
): Promise<LoginResult> {
  const { username: user, password } = value as DatabaseLogin;
  return connected(server, { database, user, password }, async (client) => {
    for (const schema of schemas) await client.query(`SELECT count(*) FROM ${ordersIn(schema)}`);
  });
}

async function connected(
  server: Postgres,
  login: { readonly database: string; readonly user: string; readonly password: string },
  work: (client: Client) => Promise<void>,
): Promise<LoginResult> {
  const client = new Client({ ...server.superuser, ...login });
  // A server that ends the session while it is closed reports it here.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await work(client);
    return "accepted";
  } catch (failure) {
    const code = (failure as { readonly code?: unknown }).code;
    // Invalid password, role that may not log in, or no such role.
    if (code === "28P01" || code === "28000") return "refused";
    throw failure;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A text as SQL writes it. */
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
