import { markdownTable, type TableData, textTable } from "../terminal/table";
import type { DueReport } from "../verbs/due";

/** Secrets that are due, overdue or stuck. */
export function renderDue(report: DueReport, format: "text" | "json" | "md"): string {
  if (format === "json") return JSON.stringify(report, null, 2);
  const table = tableOf(report);
  return format === "md" ? markdownTable(table) : textTable(table);
}

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
