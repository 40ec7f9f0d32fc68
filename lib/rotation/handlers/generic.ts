import { httpCheck } from "../adapters/http-check";
import { lambdaHandler } from "../entries/rotation-handler";
import { genericTarget } from "../targets/generic";
import type { SqlServer } from "../targets/sql";

/** Loaded at the first SQL check: most generic secrets have none. */
const sql: SqlServer = {
  open: async (login) => (await import("../adapters/pg-server.js")).pgServer.open(login),
};

/** Lambda's entry point for generic secrets. */
export const handler = lambdaHandler("generic", (props) =>
  genericTarget({ ...props, servers: { http: httpCheck(), sql } }),
);
