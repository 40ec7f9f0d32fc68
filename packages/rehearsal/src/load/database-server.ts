import { randomBytes } from "node:crypto";
import { Client } from "pg";
import type { Blueprint, DatabaseConnectionPlan, SecretPlan, VaultPlan } from "../../../../lib/blueprint";
import type { KindSettings } from "../../../../lib/model";
import { quoted } from "../../../../lib/rotation/targets/sql";
import type { PostgresConnection } from "../servers";

/** Real address of a connection's database in a rehearsal, and Vault's first login. */
export interface RehearsedDatabase {
  readonly host: string;
  readonly port: number;
  /** File with the CA of its certificate, on the Vault's disk. */
  readonly caFile: string;
  /** First password of the connection's login. */
  readonly password: string;
}

/** The URL of a connection, at the server that stands for its database's. */
export function rehearsedUrl(url: string, { host, port, caFile }: RehearsedDatabase): string {
  const [server = "", query = ""] = url.split("?");
  const parameters = new URLSearchParams(query);
  parameters.set("sslrootcert", caFile);
  return `${server.replace(/@[^/]+/, `@${host}:${port}`)}?${parameters}`;
}

/** A PostgreSQL that stands for the database servers of an environment. */
export interface DatabaseServer {
  readonly superuser: PostgresConnection;
  readonly caFile: string;
}

/**
 * Does what a database administrator does before a Vault is deployed: makes the databases, the roles of the
 * secrets that the Vault owns, and the logins of its connections with the rights that they need and no others.
 *
 * @returns settings for the Vault, by the connection's name
 */
export async function loadDatabaseServer(
  server: DatabaseServer,
  blueprint: Blueprint,
  vault: VaultPlan,
): Promise<Readonly<Record<string, RehearsedDatabase>>> {
  const { host, port } = server.superuser;
  const rehearsed: Record<string, RehearsedDatabase> = {};
  for (const connection of vault.databases.flatMap(({ connections }) => connections)) {
    const password = randomBytes(24).toString("hex");
    await makeLogin(server, connection, settingsOf(blueprint.secrets, connection), password);
    rehearsed[connection.name] = { host, port, caFile: server.caFile, password };
  }
  return rehearsed;
}

type Settings = KindSettings<"postgresql-user">;

function settingsOf(secrets: readonly SecretPlan[], connection: DatabaseConnectionPlan): Settings {
  const secret = secrets.find(({ key }) => key === connection.secret);
  if (secret?.kind !== "postgresql-user") throw new Error(`no database user ${connection.secret}`);
  return secret.settings as Settings;
}

async function makeLogin(
  { superuser }: DatabaseServer,
  { username }: DatabaseConnectionPlan,
  { database, role, login }: Settings,
  password: string,
): Promise<void> {
  const client = new Client({ ...superuser });
  // A server that is stopped meanwhile reports it here; the query that waits fails all the same.
  client.on("error", () => undefined);
  await client.connect();
  try {
    const isThere = async (catalogue: "database" | "role", name: string): Promise<boolean> => {
      const [table, column] = catalogue === "database" ? ["pg_database", "datname"] : ["pg_roles", "rolname"];
      return (await client.query(`SELECT FROM ${table} WHERE ${column} = $1`, [name])).rowCount !== 0;
    };
    // Environments may share a server, and Vaults always do.
    if (!(await isThere("database", database))) await client.query(`CREATE DATABASE ${quoted(database)}`);
    if (!(await isThere("role", role)))
      await client.query(`CREATE ROLE ${quoted(role)} ${login === "static" ? "LOGIN" : "NOLOGIN"}`);
    if (!(await isThere("role", username))) await client.query(`CREATE ROLE ${quoted(username)}`);
    await client.query(`ALTER ROLE ${quoted(username)} LOGIN CREATEROLE PASSWORD '${password}'`);
    await client.query(`GRANT ${quoted(role)} TO ${quoted(username)} WITH ADMIN OPTION`);
  } finally {
    await client.end();
  }
}
