import { textTable } from "../terminal/table";
import type { WhoseMatch, WhoseReport } from "../verbs/whose";

/** Answer of `whose`, in words or as JSON. */
export function renderWhose(report: WhoseReport, format: "text" | "json"): string {
  if (format === "json") return JSON.stringify(report, null, 2);
  const { matches, looked, without, unreadable } = report;
  const scope = `${looked.texts} texts of ${looked.versions} versions of ${looked.secrets} secrets were compared`;
  return [
    ...(matches.length === 0 ? [`Unknown: ${scope}, and it is none of them.`] : matches.map(matchText)),
    ...(matches.length === 0 ? [] : [`${sentence(scope)}.`]),
    ...(without.length === 0
      ? []
      : [`Without a fingerprint, so never found (${without.length}): ${without.join(", ")}.`]),
    ...unreadable.map((object) => `No fingerprints: ${object}`),
  ].join("\n\n");
}

const sentence = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

const STANDING: Readonly<Record<WhoseMatch["standing"], string>> = {
  current: "in use now",
  next: "published, in use after the next promotion",
  previous: "of the value before; it may still be accepted",
  former: "of a former value, which no label names any more",
};

const matchText = (match: WhoseMatch): string =>
  textTable({
    head: [match.secret, `in ${match.environment}`],
    rows: [
      ["text", `${match.place}: ${STANDING[match.standing]}`],
      ["kind", match.kind],
      ["owner", match.owner ?? "not in the registry any more"],
      ["version", match.version],
      ["confirmed", match.since === match.last ? match.since : `${match.since} to ${match.last}`],
      ["read by", match.consumers.join(", ") || "no workload"],
      ["do next", match.next],
    ],
  });
