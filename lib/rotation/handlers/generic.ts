import { httpCheck } from "../adapters/http-check";
import { pgServer } from "../adapters/pg-server";
import { lambdaHandler } from "../rotation-handler";
import { genericTarget } from "../targets/generic";

/** Lambda's entry point for generic secrets. */
export const handler = lambdaHandler("generic", (props) =>
  genericTarget({ ...props, servers: { http: httpCheck(), sql: pgServer } }),
);
