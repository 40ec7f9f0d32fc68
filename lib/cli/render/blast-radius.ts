import type { AffectedConsumer, BlastRadius, ConsumerReload } from "../../blueprint";
import { checkTable } from "../documents/check-table";
import { markdownTable, type TableData, textTable } from "../terminal/table";

/** Formats of a blast radius. */
export type RadiusFormat = "text" | "json" | "md" | "mermaid";

/** Blast radius of a secret, in one environment or in several. */
export function renderBlastRadius(
  result: BlastRadius | readonly BlastRadius[],
  format: RadiusFormat,
): string {
  if (format === "json") return JSON.stringify(result, null, 2);
  const radii = "secret" in result ? [result] : result;
  if (format === "mermaid") return mermaidFlowchart(radii);
  return radii.map(format === "md" ? markdown : text).join("\n\n");
}

/** A consumer's way to take up a new value, in words. */
function reloadInWords(reload: ConsumerReload): string {
  switch (reload.how) {
    case "next-run":
      return "the next run has it";
    case "file-watch":
      return "reads the sidecar's file again, no redeploy";
    case "command":
      return "sidecar runs a command, no redeploy";
    case "redeploy":
      return `redeploy of ${[{ kind: reload.controller, name: reload.deployment }, ...(reload.further ?? [])]
        .map(({ kind, name }) => `${kind} ${name}`)
        .join(", ")}`;
  }
}

const hours = (count: number): string => `${count} hour${count === 1 ? "" : "s"}`;

const heading = (radius: BlastRadius): string => `${radius.secret} in ${radius.environment}`;

/** Acceptors of a new value, in words. */
const ACCEPTED_BY: Record<BlastRadius["acceptedBy"], string> = {
  target: "the target, old and new one at once",
  "own-workloads": "its consumers: they verify what the key signed",
  "single-slot": "the target, one at a time",
};

function factsOf(radius: BlastRadius): readonly (readonly [string, string])[] {
  const target = Object.entries(radius.target).map(([name, value]) => `${name}=${value}`);
  return [
    ["what", `${radius.description} (${radius.kind}, ${radius.classification}, store ${radius.store})`],
    ["owner", radius.owner],
    ["rotation", `${radius.rotation}, every ${radius.cadence}`],
    ["regions", radius.regions.join(", ")],
    [
      "vaults",
      radius.vaults.map(({ name, regions }) => `${name} (${regions.join(", ")})`).join(", ") || "none",
    ],
    ["accepted by", ACCEPTED_BY[radius.acceptedBy]],
    ["target", target.join(" ") || "none"],
    ["in pods", radius.consumers.length === 0 ? "of nobody" : `within ${hours(radius.refreshHours)}`],
    ["publish lead", radius.publishLeadHours === 0 ? "none" : hours(radius.publishLeadHours)],
    ["overlap", radius.overlapHours === 0 ? "none: single slot" : hours(radius.overlapHours)],
    ["change request", radius.changeRequest],
    ["approval", radius.approval],
    ["unwatched", radius.unwatched.join(", ") || "none"],
    ["if it goes wrong", radius.breaks],
    ["roll-back", radius.rollback],
  ];
}

function consumerTable(radius: BlastRadius): TableData {
  const reloadOf = ({ workload }: AffectedConsumer): string => {
    const reload = radius.reload.find((candidate) => candidate.workload === workload);
    return reload === undefined ? "" : reloadInWords(reload);
  };
  return {
    head: ["CONSUMER", "NAMESPACE", "SERVICE ACCOUNT", "CLUSTERS", "FILES", "RELOAD"],
    rows: radius.consumers.map((consumer) => [
      consumer.workload,
      consumer.namespace,
      consumer.serviceAccount,
      consumer.clusters.map(({ name, region }) => `${name} (${region})`).join(", "),
      consumer.files.map(({ path }) => path).join(", "),
      reloadOf(consumer),
    ]),
  };
}

const dependentTable = (radius: BlastRadius): TableData => ({
  head: ["DEPENDENT", "CHAIN", "CONSUMERS"],
  rows: radius.dependents.map(({ secret, chain, consumers }) => [
    secret,
    chain.join(" → "),
    consumers.join(", "),
  ]),
});

/** The tables that have rows, each with what people see when it has none. */
const tablesOf = (radius: BlastRadius): readonly (readonly [TableData, string])[] => [
  [consumerTable(radius), "No workload reads it."],
  [dependentTable(radius), "No other secret depends on it."],
  [checkTable(radius.checks), "No check watches it."],
];

function text(radius: BlastRadius): string {
  const facts = factsOf(radius);
  const width = Math.max(...facts.map(([name]) => name.length));
  return [
    heading(radius),
    facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n"),
    ...tablesOf(radius).map(([table, none]) => (table.rows.length === 0 ? none : textTable(table))),
  ].join("\n\n");
}

function markdown(radius: BlastRadius): string {
  return [
    `## ${heading(radius)}`,
    markdownTable({ head: ["", ""], rows: factsOf(radius) }),
    ...tablesOf(radius).map(([table, none]) => (table.rows.length === 0 ? none : markdownTable(table))),
  ].join("\n\n");
}

/**
 * Text inside a quoted Mermaid label: entity codes for whatever Mermaid or a browser would read as markup
 * (https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters).
 */
const label = (content: string): string =>
  `"${content.replace(/[^A-Za-z0-9 ,.:/()=→_-]/gu, (character) => `#${character.codePointAt(0)};`)}"`;

/** A flowchart: from the secret to regions, Vaults, consumers and dependents, one part for each environment. */
function mermaidFlowchart(radii: readonly BlastRadius[]): string {
  return ["flowchart LR", ...radii.flatMap(environmentChart)].join("\n");
}

function environmentChart(radius: BlastRadius, index: number): readonly string[] {
  // Identifiers are numbered: names may be words of Mermaid's own, such as `end`.
  const id = (part: string, number: number): string => `e${index}${part}${number}`;
  const secret = id("secret", 0);
  const keys = [radius.secret, ...radius.dependents.map((dependent) => dependent.secret)];
  const secretId = (key: string): string => id("secret", keys.indexOf(key));
  const workloads = [
    ...new Set([
      ...radius.consumers.map(({ workload }) => workload),
      ...radius.dependents.flatMap(({ consumers }) => consumers),
    ]),
  ];
  const workloadId = (workload: string): string => id("workload", workloads.indexOf(workload));
  return [
    `  subgraph ${id("environment", 0)} [${label(radius.environment)}]`,
    `    ${secret}[(${label(`${radius.secret} (${radius.kind})`)})]`,
    ...radius.regions.flatMap((region, number) => [
      `    ${id("region", number)}([${label(region)}])`,
      `    ${secret} --> ${id("region", number)}`,
    ]),
    ...radius.vaults.flatMap(({ name }, number) => [
      `    ${id("vault", number)}[[${label(`Vault ${name}`)}]]`,
      `    ${secret} --> ${id("vault", number)}`,
    ]),
    ...workloads.map((workload) => `    ${workloadId(workload)}[${label(workload)}]`),
    ...radius.consumers.flatMap(({ workload, clusters }) =>
      [...new Set(clusters.map(({ vault }) => vault))].map((vault) => {
        const number = radius.vaults.findIndex(({ name }) => name === vault);
        const places = clusters.filter((cluster) => cluster.vault === vault).map(({ name }) => name);
        const from = vault === undefined ? secret : id("vault", number);
        return `    ${from} -->|${label(places.join(", "))}| ${workloadId(workload)}`;
      }),
    ),
    ...radius.dependents.flatMap(({ secret: key, chain, consumers }) => [
      `    ${secretId(key)}[(${label(key)})]`,
      `    ${secretId(chain.at(-2) ?? radius.secret)} ==>|${label("rotates")}| ${secretId(key)}`,
      ...consumers.map((workload) => `    ${secretId(key)} -.-> ${workloadId(workload)}`),
    ]),
    "  end",
  ];
}
