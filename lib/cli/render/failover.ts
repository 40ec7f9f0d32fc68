import { textTable } from "../terminal/table";
import type { FailoverReport, FailoverResult } from "../verbs/failover";
import type { Leftovers, TerraformImport } from "../verbs/failover-steps";
import type { RejoinReport, RejoinResult } from "../verbs/rejoin";
import type { Format } from "./results";

const DOES: Readonly<Record<FailoverResult["does"] | RejoinResult["does"], string>> = {
  promote: "would be promoted",
  promoted: "promoted",
  replicate: "would be replaced by a replica",
  replicated: "a replica again",
  nothing: "nothing to do",
  blocked: "cannot",
  failed: "failed",
};

/** Import blocks as a file of Terraform's JSON syntax. */
export const importsFile = (blocks: { readonly import: readonly TerraformImport[] }): string =>
  `${JSON.stringify(blocks, null, 2)}\n`;

/** Result of a failover. */
export function renderFailover(report: FailoverReport, format: Format): string {
  if (format === "json") return JSON.stringify(report, null, 2);
  const { environment, account, from, to, dryRun, answers, complete, secrets, next, terraform } = report;
  const table = textTable({
    head: ["SECRET", `IN ${to.toUpperCase()}`, "VERSION", "SINCE", "VERIFIED"],
    rows: secrets.map(({ secret, does, version, since, verified }) => [
      secret,
      DOES[does],
      version ?? "",
      since ?? "",
      verified ? "yes" : "no",
    ]),
  });
  const lag = answers
    ? `${from} answers: versions were compared.${dryRun ? " Without --dry-run this needs --planned." : ""}`
    : `${from} does not answer: whether its last version reached ${to} cannot be known; SINCE says how old each is.`;
  const end = dryRun
    ? `Dry run: nothing was changed.`
    : complete
      ? `Every secret of ${environment} (account ${account}) stands on its own in ${to}.`
      : `Not every secret stands on its own in ${to}. Fix what is said above, and run the same command again: it does what is left.`;
  return sections([
    table,
    ...notes(secrets),
    lag,
    end,
    numbered(next),
    `Import blocks (failover.tf.json):\n${importsFile(terraform).trimEnd()}`,
  ]);
}

/** Result of a region's return as a replica. */
export function renderRejoin(report: RejoinReport, format: Format): string {
  if (format === "json") return JSON.stringify(report, null, 2);
  const { environment, primary, region, dryRun, complete, secrets, next, terraform } = report;
  const table = textTable({
    head: ["SECRET", `IN ${region.toUpperCase()}`, "REPLACES", "ROTATION THERE"],
    rows: secrets.map(({ secret, does, stale, stopsRotation, ...rest }) => [
      secret,
      "status" in rest && rest.status === "InProgress" ? "under way" : DOES[does],
      stale ?? "",
      stopsRotation ? (dryRun ? "would be ended" : "ended") : "none",
    ]),
  });
  const end = dryRun
    ? "Dry run: nothing was changed."
    : complete
      ? `Every secret of ${environment} in ${region} follows ${primary}.`
      : `Not every secret in ${region} follows ${primary} yet. Run the same command again: it does what is left.`;
  return sections([
    table,
    ...notes(secrets),
    end,
    numbered(next),
    `Import blocks (failover.tf.json):\n${importsFile(terraform).trimEnd()}`,
    `Leftovers, where ${region} was the primary region:\n${leftoverLines(report.leftovers)}`,
  ]);
}

const sections = (parts: readonly string[]): string => parts.join("\n\n");

const notes = (
  rows: readonly {
    readonly secret: string;
    readonly fault?: string;
    readonly warnings?: readonly string[];
  }[],
): readonly string[] => {
  const lines = rows.flatMap(({ secret, fault, warnings = [] }) =>
    [...(fault === undefined ? [] : [fault]), ...warnings].map((text) => `${secret}: ${text}`),
  );
  return lines.length === 0 ? [] : [lines.join("\n")];
};

const numbered = (steps: readonly string[]): string =>
  `Next:\n${steps.map((step, index) => `${index + 1}. ${step}`).join("\n")}`;

function leftoverLines(left: Leftovers): string {
  const one = (what: string | undefined): readonly string[] => (what === undefined ? [] : [what]);
  const kinds: readonly (readonly [string, readonly string[]])[] = [
    ["functions", left.functions],
    ["log groups", left.logGroups],
    ["rules", left.rules],
    ["tables", left.tables],
    ["queues", [...one(left.queue), ...(left.auditQueues ?? [])]],
    ["topic", one(left.topic)],
    ["alarms", left.alarmPrefix === undefined ? [] : [`${left.alarmPrefix}*`]],
    ["key aliases", left.keyAliases],
  ];
  return kinds
    .flatMap(([kind, names]) => (names.length === 0 ? [] : [`  ${kind.padEnd(12)}${names.join(" ")}`]))
    .join("\n");
}
