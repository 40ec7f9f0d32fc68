import type { ChangeFacts } from "../../contracts";
import type { TableData } from "../terminal/table";

/** Checks that watch a change: one row each. */
export const checkTable = (checks: readonly ChangeFacts["checks"][number][]): TableData => ({
  head: ["CHECK", "OF", "TYPE", "URL", "EXPECTS"],
  rows: checks.map(({ name, workload, type, url, status, contains }) => [
    name,
    workload,
    type,
    url,
    contains === undefined ? String(status) : `${status}, ${JSON.stringify(contains)}`,
  ]),
});
