import { textTable } from "../terminal/table";
import type { ProcedureReport } from "../verbs/procedure-work";
import type { RolloutReport } from "../verbs/rollout";
import type { StatusReport } from "../verbs/rotation-status";
import type { Format } from "./results";

const HEADLINES: Readonly<Record<ProcedureReport["outcome"], string>> = {
  done: "rotated, and its procedure has ended",
  "already-done": "this change is done already",
  "awaiting-operator": "waits for you",
  "rolled-back": "rolled back",
  "too-early": "too early",
  failed: "failed",
};

const LEFTOVERS: Readonly<Record<"adopted" | "cleared", (version: string) => string>> = {
  adopted: (version) => `Version ${version} was pending without a run; this run took it up.`,
  cleared: (version) => `Version ${version} was pending without a run; it was given up first.`,
};

/** Progress of a rotation through the procedure. */
export function renderProcedure(report: ProcedureReport, format: Format): string {
  if (format === "json") return JSON.stringify(report, null, 2);
  return [
    `${report.secret} in ${report.environment}: ${HEADLINES[report.outcome]}.`,
    ...report.runs.flatMap(({ kind, run, status, endedAt, leftover }) => [
      `  ${kind} ${run}: ${status} ${endedAt ?? ""}`,
      ...(leftover === undefined ? [] : [`  ${LEFTOVERS[leftover.became](leftover.version)}`]),
    ]),
    ...(report.fault ? [`  ${report.fault.message}`] : []),
    ...(report.next === undefined ? [] : [report.next]),
  ].join("\n");
}

/** Progress of a rollout. */
export function renderRollout(report: RolloutReport, format: Format): string {
  if (format === "json") return JSON.stringify(report, null, 2);
  return [
    ...report.environments.map((entry) => renderProcedure(entry, format)),
    ...(report.left.length > 0 ? [`Not begun: ${report.left.join(", ")}.`] : []),
  ].join("\n");
}

/** State of a secret's rotation. */
export function renderStatus(report: StatusReport, format: Format): string {
  if (format === "json") return JSON.stringify(report, null, 2);
  const table = textTable({
    head: ["RUN", "KIND", "STATUS", "STARTED", "BY", "CHANGE"],
    rows: report.latest.map(({ run, kind, status, startedAt, startedBy, change }) => [
      run,
      kind,
      status,
      startedAt,
      startedBy.slice(startedBy.lastIndexOf("/") + 1),
      change?.id ?? "",
    ]),
  });
  return [
    `${report.secret} in ${report.environment}`,
    ...(report.latest.length > 0 ? [table] : []),
    report.next,
  ].join("\n");
}
