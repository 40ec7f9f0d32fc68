import { pgServer } from "../adapters/pg-server";
import { lambdaHandler } from "../entries/rotation-handler";
import { postgresqlUserTarget } from "../targets/postgresql-user";
import { adminValueSchema } from "../values/value-schemas";

/** Lambda's entry point for PostgreSQL users. */
export const handler = lambdaHandler("postgresql-user", ({ settings, readAdmin, random }) =>
  postgresqlUserTarget({
    settings,
    admin: () => readAdmin(adminValueSchema),
    server: pgServer,
    random,
  }),
);
