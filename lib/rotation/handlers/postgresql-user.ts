import { pgServer } from "../adapters/pg-server";
import { lambdaHandler } from "../rotation-handler";
import { postgresqlUserTarget } from "../targets/postgresql-user";

/** Lambda's entry point for PostgreSQL users. */
export const handler = lambdaHandler("postgresql-user", ({ settings, caPem, readAdmin, random }) =>
  postgresqlUserTarget({ settings, caPem, admin: readAdmin, server: pgServer, random }),
);
