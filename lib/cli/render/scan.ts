import { GUARDRAILS, type GuardrailFinding, guardrailText } from "../../guardrails";
import type { ScanReport } from "../verbs/scan";

/** Format of a scan's result. */
export type ScanFormat = "text" | "json" | "sarif";

/** A scan for people, programs, or services that show SARIF. */
export function renderScan(report: ScanReport, format: ScanFormat): string {
  if (format === "json") return JSON.stringify(report, null, 2);
  if (format === "sarif") return JSON.stringify(sarif(report), null, 2);
  const { findings, suppressed, files, skipped, scanners } = report;
  return [
    ...findings.map((finding) => `${finding.file ? `${finding.file}: ` : ""}${guardrailText(finding)}`),
    ...suppressed.map(
      ({ finding: { rule, address }, by }) => `accepted until ${by.until}: ${rule} ${address}: ${by.reason}`,
    ),
    `${files} files by ${scanners.join(", ")}: ${findings.length} findings, ${suppressed.length} accepted, ${skipped.length} files not read.`,
  ].join("\n");
}

/** https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
const sarif = ({ findings, suppressed }: ScanReport): object => ({
  $schema: "https://json.schemastore.org/sarif-2.1.0.json",
  version: "2.1.0",
  runs: [
    {
      tool: {
        driver: {
          name: "secrets-registry",
          rules: Object.entries(GUARDRAILS).map(([id, { title }]) => ({
            id,
            shortDescription: { text: title },
          })),
        },
      },
      results: [
        ...findings.map((finding) => result(finding)),
        ...suppressed.map(({ finding, by }) => ({
          ...result(finding),
          suppressions: [{ kind: "external", justification: `${by.reason} (until ${by.until})` }],
        })),
      ],
    },
  ],
});

function result({ rule, severity, address, at, found, change, file }: GuardrailFinding): object {
  const line = /^line (\d+)$/.exec(at)?.[1];
  return {
    ruleId: rule,
    level: severity,
    message: { text: file ? `${address} ${at}: ${found}. ${change}` : `${found}. ${change}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: file ?? address },
          ...(line === undefined ? {} : { region: { startLine: Number(line) } }),
        },
      },
    ],
  };
}
