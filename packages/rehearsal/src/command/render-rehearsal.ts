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
    ...renderAudit(report),
    differences.length === 0
      ? `Everything in ${environment} is as the registry says.`
      : `${environment} is not as the registry says: ${differences.length} ${differences.length === 1 ? "difference" : "differences"}.`,
  ].join("\n");
}

/** Stand-ins are named where the figures are: what they bring is no proof of CloudTrail. */
function renderAudit({ audit, environment }: RehearsalReport): readonly string[] {
  if (audit === undefined) return [`No audit trail: the registry sets none for ${environment}.\n`];
  return [
    `${audit.changes} changes, ${audit.reads} reads, ${audit.events} events, ${audit.missing.length} missing`,
    "  Secrets Manager's own events come by EventBridge. CloudTrail's records are made by a stand-in from the calls that passed the",
    "  rehearsal's proxy, for the embedded AWS brings none; left out are calls that only describe or list, and the rehearsal's own as",
    "  the account's root. The SIEM is the built-in receiver.",
    ...audit.leftOut.map((sink) => `  Not run here: the sink ${sink}, which is Firehose's.`),
    "",
  ];
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
