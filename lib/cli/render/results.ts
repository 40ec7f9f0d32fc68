import type { AccessRow, PrincipalAccess } from "../../blueprint";
import { formatFault } from "../../model";
import { markdownTable, type TableData, textTable } from "../terminal/table";
import type { AccessReason } from "../verbs/access";
import type { EnvironmentCost, EnvironmentListing } from "../verbs/list";
import type { ValidateResult } from "../verbs/validate";

/** Formats of a result. */
export type Format = "text" | "json" | "md";

const json = (value: unknown): string => JSON.stringify(value, null, 2);

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

/** The verdict on a registry. */
export function renderValidate(result: ValidateResult, format: Format): string {
  if (format === "json") return json(result);
  if (!result.valid) {
    return [
      `The registry has ${plural(result.faults.length, "fault")}:`,
      ...result.faults.map(formatFault),
    ].join("\n\n");
  }
  return [
    `Registry ${result.registry} is valid: ${plural(result.secrets, "secret")}, ${plural(result.workloads, "workload")}, ${plural(result.environments, "environment")}.`,
    ...result.advice,
    ...result.endings.map(({ environment, texts }) =>
      [`Grants that end in ${environment}:`, ...texts.map((text) => `- ${text.replaceAll("`", "")}`)].join(
        "\n",
      ),
    ),
  ].join("\n\n");
}

const consumersOf = ({ consumers, endings }: EnvironmentListing["secrets"][number]): string =>
  [
    ...consumers.map((workload) => {
      const ending = endings.find((grant) => grant.workload === workload);
      return ending ? `${workload} until ${ending.until}` : workload;
    }),
    ...endings.filter(({ held }) => !held).map(({ workload, until }) => `(${workload}: ended on ${until})`),
  ].join(",");

function listTable(listing: EnvironmentListing): TableData {
  return {
    head: [
      "SECRET",
      "KIND",
      "STORE",
      "REGIONS",
      "ROTATION",
      "CADENCE",
      "NEXT",
      "CONSUMERS",
      "HERE",
      ...(listing.cost ? ["A MONTH"] : []),
    ],
    rows: listing.secrets.map((row) => [
      row.secret,
      row.kind,
      row.store,
      row.regions.join(","),
      row.rotation,
      row.cadence,
      row.next[0]?.slice(0, 10) ?? "",
      consumersOf(row),
      Object.entries(row.differences)
        .map(([name, value]) => `${name}=${value}`)
        .join(" "),
      ...(row.cost ? [dollars(row.cost.month)] : []),
    ]),
  };
}

const dollars = (amount: number): string => `$${amount.toFixed(2)}`;

function costText(cost: EnvironmentCost): string {
  const parts = (["secrets", "keys", "alarms", "functions", "calls"] as const).map(
    (part) => `${part} ${dollars(cost[part])}`,
  );
  return [
    `A month costs ${dollars(cost.total)}: ${parts.join(", ")}.`,
    `List prices of ${cost.region} in ${cost.currency}, ${cost.date}: ${cost.pages.join(", ")}.`,
    ...(cost.otherPartition
      ? [`This environment is in ${cost.otherPartition}, which has price lists of its own: an estimate.`]
      : []),
    `Not counted: ${cost.without}.`,
  ].join(" ");
}

/** Secrets of each environment. */
export function renderList(listings: readonly EnvironmentListing[], format: Format): string {
  if (format === "json") return json(listings);
  return listings
    .map((listing) => {
      const heading = `${listing.environment} (account ${listing.account}): ${plural(listing.secrets.length, "secret")}`;
      const absent =
        listing.absent.length > 0 ? `\nNot in ${listing.environment}: ${listing.absent.join(", ")}` : "";
      const cost = listing.cost ? `\n\n${costText(listing.cost)}` : "";
      return format === "md"
        ? `## ${heading}\n\n${markdownTable(listTable(listing))}${absent && `\n${absent}`}${cost}`
        : `${heading}\n\n${textTable(listTable(listing))}${absent && `\n${absent}`}${cost}`;
    })
    .join("\n\n");
}

/** Access of every principal that gets near a secret. */
export function renderAllAccess(rows: readonly PrincipalAccess[], format: Format): string {
  if (format === "json") return json(rows);
  const table: TableData = {
    head: ["SECRET", "KIND", "PRINCIPAL", "STORE", "CAN", "GRANTED BY", "WHY"],
    rows: rows.map(({ secret, kind, name, store, can, grantedBy, why }) => [
      secret,
      kind,
      name,
      store,
      can.join(","),
      grantedBy,
      why,
    ]),
  };
  const note =
    "Whoever is not listed is denied each value by the secret's own policy. Not listed because no policy here can bind them: the account's root, whoever may change these policies (each change pages), and AWS.";
  return `${format === "md" ? markdownTable(table) : textTable(table)}\n\n${note}`;
}

/** Reasons for which a principal can, or cannot, reach a secret. */
export function renderWhy({ principal, secret, can, reasons }: AccessReason, format: Format): string {
  if (format === "json") return json({ principal, secret, can, reasons });
  const verdict =
    can.length > 0
      ? `${principal.kind} ${principal.name} can ${can.join(", ")} ${secret}:`
      : `${principal.kind} ${principal.name} cannot reach ${secret}:`;
  return [verdict, ...reasons.map((reason) => `- ${reason}`)].join("\n");
}

/** Table of workloads and the secrets that they read. */
export function renderAccess(rows: readonly AccessRow[], format: Format): string {
  if (format === "json") return json(rows);
  const isTemporary = rows.some(({ until }) => until !== undefined);
  const table: TableData = {
    head: [
      "WORKLOAD",
      "NAMESPACE",
      "SERVICE ACCOUNT",
      "SECRET",
      "STORE",
      "REGIONS",
      "ROLE",
      "VAULT PATH",
      ...(isTemporary ? ["UNTIL"] : []),
    ],
    rows: rows.map((row) => [
      row.workload,
      row.namespace,
      row.serviceAccount,
      row.secret,
      row.store,
      row.regions.join(","),
      row.role,
      row.vaultPath,
      ...(isTemporary ? [row.until ?? ""] : []),
    ]),
  };
  return format === "md" ? markdownTable(table) : textTable(table);
}
