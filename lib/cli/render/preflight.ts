import { markdownTable, type TableData, textTable } from "../terminal/table";
import type { PreflightReport } from "../verbs/preflight";

/** An environment's needs of its surroundings, check by check. */
export function renderPreflight(report: PreflightReport, format: "text" | "json" | "md"): string {
  if (format === "json") return JSON.stringify(report, null, 2);
  const table: TableData = {
    head: ["CHECK", "STATE", "FOUND", "CHANGE"],
    rows: report.checks.map(({ check, state, found, change }) => [check, state, found, change]),
  };
  const body = format === "md" ? markdownTable(table) : textTable(table);
  const missing = report.checks.filter(({ state }) => state === "missing").length;
  const unknown = report.checks.filter(({ state }) => state === "unknown").length;
  const verdict = report.ready
    ? `${report.environment} has what it needs${unknown > 0 ? `, as far as could be asked (${unknown} unknown)` : ""}.`
    : `${report.environment} lacks ${missing} of what it needs.`;
  return `${body}\n\n${verdict}`;
}
