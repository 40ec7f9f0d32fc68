import { Client } from "pg";
import { type KindSettings, settingsSchema } from "../../../lib/model/kinds";
import { pgServer } from "../../../lib/rotation/adapters/pg-server";
import {
  type PostgresqlTargetProps,
  type PostgresqlValue,
  postgresqlUserTarget,
} from "../../../lib/rotation/targets/postgresql-user";
import { quoted } from "../../../lib/rotation/targets/sql";
import { type Postgres, startPostgres } from "../../../packages/rehearsal/src/servers";
import type { PostgresVersion } from "../../../packages/rehearsal/src/servers/postgres-versions";
import { RehearsedSecret, testRandom } from "./rehearsed-secret";

export type PostgresqlSettings = KindSettings<"postgresql-user">;

export const ADMIN = { username: "rotator", password: "rotator-password-0001" };

/** A PostgreSQL with an admin that is no superuser, and a role `migrator` that owns the application's database. */
export class PostgresqlWorld {
  private constructor(readonly postgres: Postgres) {}

  static async start(
    version?: PostgresVersion,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<PostgresqlWorld> {
    const world = new PostgresqlWorld(await startPostgres({ settings, ...(version && { version }) }));
    await world.sql("postgres", [
      `CREATE ROLE rotator LOGIN CREATEROLE PASSWORD '${ADMIN.password}'`,
      "GRANT pg_read_all_stats, pg_signal_backend TO rotator",
      "CREATE ROLE migrator NOLOGIN",
      "GRANT migrator TO rotator",
      "CREATE DATABASE app OWNER migrator",
    ]);
    await world.sql("app", [
      "GRANT CREATE ON SCHEMA public TO migrator",
      "SET ROLE migrator",
      "CREATE TABLE public.orders (id serial PRIMARY KEY, note text)",
    ]);
    return world;
  }

  stop = (): Promise<void> => this.postgres.stop();

  /** Runs statements as the superuser, in one session. */
  sql = (database: string, statements: readonly string[]): Promise<readonly Record<string, unknown>[]> =>
    this.connected({ ...this.postgres.superuser, database }, statements);

  /** Runs statements as a consumer. */
  as = (
    { username, password }: PostgresqlValue,
    statements: readonly string[],
    database = "app",
  ): Promise<readonly Record<string, unknown>[]> =>
    this.connected({ ...this.postgres.superuser, database, user: username, password }, statements);

  async connected(
    config: ConstructorParameters<typeof Client>[0],
    statements: readonly string[],
  ): Promise<readonly Record<string, unknown>[]> {
    const client = new Client(config);
    client.on("error", () => undefined);
    await client.connect();
    try {
      let rows: readonly Record<string, unknown>[] = [];
      for (const statement of statements) rows = (await client.query(statement)).rows;
      return rows;
    } finally {
      await client.end();
    }
  }

  works = (value: PostgresqlValue | undefined, statement = "SELECT 1", database = "app"): Promise<boolean> =>
    value === undefined
      ? Promise.resolve(false)
      : this.as(value, [statement], database).then(
          () => true,
          () => false,
        );

  settings(role: string, more: Readonly<Record<string, unknown>> = {}): PostgresqlSettings {
    const parsed = settingsSchema("postgresql-user").parse({
      host: "localhost",
      port: this.postgres.port,
      caPem: this.postgres.caPem,
      database: "app",
      role,
      lockGrace: { seconds: 0 },
      ...more,
    });
    return parsed as PostgresqlSettings;
  }

  props(role: string, more: Readonly<Record<string, unknown>> = {}): PostgresqlTargetProps {
    return {
      settings: this.settings(role, more),
      admin: async () => ADMIN,
      server: pgServer,
      random: testRandom,
    };
  }

  target = (role: string, more: Readonly<Record<string, unknown>> = {}) =>
    postgresqlUserTarget(this.props(role, more));

  secret(role: string, more: Readonly<Record<string, unknown>> = {}): RehearsedSecret<PostgresqlValue> {
    const props = this.props(role, more);
    const secret = new RehearsedSecret<PostgresqlValue>({
      target: (plan) => postgresqlUserTarget({ ...props, server: plan.wrap(pgServer) }),
      overlap: 3_600,
    });
    // Sessions begin in real time, and none of them shall look late.
    secret.clock.advance((Date.now() - secret.clock.now().getTime()) / 1_000);
    return secret;
  }

  commentOf = async (login: string): Promise<unknown> =>
    (
      await this.sql("postgres", [
        `SELECT shobj_description(${textOf(login)}::regrole, 'pg_authid') AS comment`,
      ])
    )[0]?.comment;
}

const textOf = (login: string): string => `'${quoted(login).replaceAll("'", "''")}'`;

/** Every Vault has the value, and the overlap has passed. */
export function overlapPassed(secret: RehearsedSecret<PostgresqlValue>): void {
  secret.confirm();
  secret.clock.advance(2 * 3_600);
}
