import { textTable } from "../../../../lib/cli";
import type { RehearsalDifference, RehearsalReport, RehearsedSecret } from "../rehearse/report";

/** Report of a rehearsal: one row for each secret, what differs, and where the time went. */
export function renderRehearsal(report: RehearsalReport, format: "text" | "json"): string {
  if (format === "json") return JSON.stringify(report, null, 2);
  const { environment, secrets, differences, notRun, phases } = report;
  const table = textTable({
    head: ["SECRET", "KIND", "STORE", "IN SYNC", "ROTATED", "VALUE", "OLD VALUE", "READ BY", "REFUSED", ""],
    rows: secrets.map((row) => [
      row.secret,
      row.kind,
      row.store,
      `${row.regionsInSync.length}/${row.regions.length}`,
      row.rotated,
      row.current,
      oldOf(row),
      `${row.readBy.length}/${row.consumers.length}`,
      String(row.refusedAttempts),
      differences.some(({ about }) => about === row.secret) ? "DIFFERS" : "ok",
    ]),
  });
  const total = phases.reduce((sum, { seconds }) => sum + seconds, 0);
  return [
    `${environment}: ${secrets.length} secrets rehearsed\n`,
    `${table}\n`,
    ...differences.map((difference) => `${renderDifference(difference)}\n`),
    ...notRun.map(
      ({ workload, command }) => `Not run here, as it is made for a container of ${workload}: ${command}\n`,
    ),
    ...phases.map(({ phase, seconds }) => `${seconds.toFixed(1).padStart(6)} s  ${phase}`),
    `${total.toFixed(1).padStart(6)} s  in all\n`,
    differences.length === 0
      ? `Everything in ${environment} is as the registry says.`
      : `${environment} is not as the registry says: ${differences.length} ${differences.length === 1 ? "difference" : "differences"}.`,
  ].join("\n");
}

const oldOf = ({ old }: RehearsedSecret): string =>
  typeof old === "string" ? old : `valid until ${old.validUntil}`;

const renderDifference = ({ about, expected, seen, log }: RehearsalDifference): string =>
  [
    about,
    `  expected: ${expected}`,
    `  seen:     ${seen}`,
    ...(log === undefined ? [] : [`  log:      ${log}`]),
  ].join("\n");
