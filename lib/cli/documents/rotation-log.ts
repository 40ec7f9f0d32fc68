import { type RotationRecord, recordDigest } from "../../contracts";
import { markdownTable } from "../terminal/table";
import { prose } from "./prose";

/**
 * The file of one day's rotations: a heading, and for each run a marker, its facts and a place for sign-offs. Facts
 * are written once; what people write below "Sign-off" is theirs.
 */
export interface RotationLog {
  /** Text before the first run. */
  readonly heading: string;
  /** Runs in the order of the file. */
  readonly runs: readonly ArchivedRun[];
}

/** One run as the file has it. */
export interface ArchivedRun {
  readonly id: string;
  /** Digest of the record that it was written from. */
  readonly digest: string;
  /** Marker and facts, to the line "### Sign-off". */
  readonly facts: string;
  readonly signOffs: readonly SignOff[];
  /** Lines that are meant to be sign-offs and are none. */
  readonly malformed: readonly string[];
}

/** One sign-off. */
export interface SignOff {
  readonly name: string;
  readonly email: string;
  readonly day: string;
}

const MARKER = /^<!-- run (\S+) (sha256:[0-9a-f]{64}) -->$/m;
const BEFORE_MARKER = /^(?=<!-- run \S+ sha256:[0-9a-f]{64} -->$)/m;
const SIGN_OFF_HEADING = "### Sign-off\n";
const SIGN_OFF = /^Signed-off-by: (\S[^<>]*) <([^<>\s@]+@[^<>\s@]+)> \((\d{4}-\d{2}-\d{2})\)$/;

/** Takes a day's file apart; whatever is in it. */
export function readLog(text: string): RotationLog {
  const [heading = "", ...runs] = text.replaceAll("\r\n", "\n").split(BEFORE_MARKER);
  return { heading, runs: runs.map(readRun) };
}

function readRun(text: string): ArchivedRun {
  const [, id = "", digest = ""] = MARKER.exec(text) ?? [];
  const end = text.indexOf(SIGN_OFF_HEADING);
  const facts = end === -1 ? text : text.slice(0, end + SIGN_OFF_HEADING.length);
  const lines = text
    .slice(facts.length)
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => /^\W*signed[- ]off[- ]by\b/i.test(line) && !line.startsWith("<!--"));
  const read = lines.map((line) => SIGN_OFF.exec(line));
  return {
    id,
    digest,
    facts,
    signOffs: read.flatMap((match) =>
      match ? [{ name: match[1] ?? "", email: match[2] ?? "", day: match[3] ?? "" }] : [],
    ),
    malformed: lines.filter((_, index) => read[index] === null),
  };
}

/** The beginning of a day's file. */
export const renderLogHeading = (day: string): string =>
  [
    `# Secret rotations of ${day}`,
    "Written by `secrets-registry log archive` from the runs' records; `secrets-registry log check` compares them. " +
      "Sign below each run, and change nothing else.\n",
  ].join("\n\n");

/** One run: marker, facts and the place for sign-offs. */
export const renderRun = (record: RotationRecord): string =>
  `${renderRunFacts(record)}\n<!-- Who was not at work in this run: Signed-off-by: Name <name@example.com> (2026-11-25) -->\n`;

/** Marker and facts, to the line "### Sign-off". */
export const renderRunFacts = (record: RotationRecord): string =>
  [
    `<!-- run ${record.id} ${recordDigest(record)} -->`,
    `## ${record.secret} in ${record.environment}: ${record.end.outcome}`,
    markdownTable({ head: ["", ""], rows: factsOf(record) }),
    "### Phases",
    markdownTable({
      head: ["PHASE", "STARTED", "ENDED", "OUTCOME"],
      rows: record.phases.map(({ phase, startedAt, endedAt, outcome, fault }) => [
        phase,
        startedAt,
        endedAt,
        withFault(outcome, fault),
      ]),
    }),
    "### Checks",
    record.checks.length === 0
      ? "None."
      : markdownTable({
          head: ["CHECK", "OF", "TYPE", "AT", "OUTCOME", "TRIES"],
          rows: record.checks.map(({ name, workload, type, at, outcome, tries, fault }) => [
            name,
            workload ?? "the kind",
            type,
            at,
            withFault(outcome, fault),
            String(tries),
          ]),
        }),
    SIGN_OFF_HEADING,
  ].join("\n\n");

const withFault = (outcome: string, fault: string | undefined): string =>
  fault === undefined ? outcome : `${outcome} (${fault})`;

const NONE = "none";

/**
 * Actor with the degree of its proof, because nobody's word stands as a fact: a name is proven, or as said. AWS's own
 * services say nothing of themselves.
 */
function actorOf(actors: RotationRecord["actors"], role: "started" | "approved"): string | undefined {
  const name = actors[role];
  if (name === undefined || !name.startsWith("arn:")) return name;
  return `${name} (${actors.proven?.includes(role) ? "proven" : "as said"})`;
}

function factsOf(record: RotationRecord): readonly (readonly [string, string])[] {
  const { change, actors, versions, fingerprints, end } = record;
  return [
    ["run", record.id],
    ["secret", record.secret],
    ["environment", record.environment],
    ["kind", record.kind],
    ["change request", typeof change === "string" ? `none: ${change}` : `${change.id} (${change.digest})`],
    ["started by", actorOf(actors, "started") ?? NONE],
    ["approved by", actorOf(actors, "approved") ?? NONE],
    ["started", record.startedAt],
    ["ended", record.endedAt],
    ["old version", versions.old ?? NONE],
    ["new version", versions.new],
    ["old fingerprint", fingerprints?.old ?? NONE],
    ["new fingerprint", fingerprints?.new ?? NONE],
    ["outcome", "at" in end ? `${end.outcome} at ${end.at}` : end.outcome],
    ...("reason" in end ? [["reason", prose(end.reason)] as const] : []),
    ["record", recordDigest(record)],
  ];
}
