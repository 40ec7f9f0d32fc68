import type { SilentChangesReport } from "../verbs/silent-changes";

/** A comparison with the archive in the form that was asked for. */
export function renderSilentChanges(report: SilentChangesReport, format: "text" | "json"): string {
  if (format === "json") return JSON.stringify(report, null, 2);
  const { changes, secrets, from, until, silent } = report;
  return [
    `${changes} changes of ${secrets} secrets between ${from} and ${until}: ${silent.length} without an event.`,
    ...silent.map(({ key, version, at }) =>
      version === undefined
        ? `Silent change of ${key} at ${at}: a label, its policy, key or replicas`
        : `Silent change of ${key} at ${at}: version ${version}`,
    ),
    ...(silent.length > 0
      ? [
          "Somebody stopped the trail, or took its events: audit check, then CloudTrail's own record of that time.",
        ]
      : []),
  ].join("\n");
}
