import { markdownTable, type TableData, textTable } from "../terminal/table";
import type { DueReport } from "../verbs/due";

/** Secrets that are due, overdue or stuck. */
export function renderDue(report: DueReport, format: "text" | "json" | "md"): string {
  if (format === "json") return JSON.stringify(report, null, 2);
  const render = format === "md" ? markdownTable : textTable;
  const tables = report.surroundings.length === 0 ? [tableOf(report)] : [tableOf(report), aroundOf(report)];
  return tables.map(render).join("\n\n");
}

const aroundOf = ({ surroundings }: DueReport): TableData => ({
  head: ["AROUND IT", "STATE", "FOUND", "TO DO"],
  rows: surroundings.map(({ check, state, found, change }) => [
    check,
    state === "unknown" ? "not checked" : state,
    found,
    change,
  ]),
});

const tableOf = ({ secrets }: DueReport): TableData => ({
  head: ["SECRET", "OWNER", "ROTATION", "ROTATED", "CADENCE ENDS", "NEXT", "CADENCE", "STUCK"],
  rows: secrets.map(({ key, owner, rotation, rotatedAt, dueAt, next, cadence, stuck }) => [
    key,
    owner,
    rotation,
    day(rotatedAt),
    day(dueAt),
    next?.toISOString().slice(0, 10) ?? "by people",
    cadence,
    stuck.join(", ") || "no",
  ]),
});

const day = (date: Date | undefined): string => date?.toISOString().slice(0, 10) ?? "never";
