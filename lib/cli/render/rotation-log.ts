import { formatFault } from "../../model";
import type { ArchivedDay } from "../verbs/log-archive";
import type { CheckedRun, LogCheck } from "../verbs/log-check";

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

/** Runs that were archived, and those that differ. */
export function renderArchive(days: readonly ArchivedDay[], format: "text" | "json"): string {
  if (format === "json") return JSON.stringify(days, null, 2);
  if (days.length === 0) return "No run ended since then.";
  return days
    .map(({ file, added, kept, different }) =>
      [
        `${file}: ${plural(added.length, "run")} added, ${kept.length} there before`,
        ...different.map(
          (id) => `  ${id} is there with other facts than its record's: see secrets-registry log check`,
        ),
      ].join("\n"),
    )
    .join("\n");
}

/** The verdict on the log. */
export function renderLogCheck(result: LogCheck, format: "text" | "json"): string {
  if (format === "json") return JSON.stringify(result, null, 2);
  const valid = result.runs.filter(({ faults }) => faults.length === 0).length;
  return [
    `${valid} of ${plural(result.runs.length, "run")} since ${result.since} archived and signed.`,
    ...result.runs.filter(({ faults }) => faults.length > 0).map(verdict),
    ...result.faults.map(formatFault),
  ].join("\n\n");
}

const verdict = ({ run, secret, environment, file, faults }: CheckedRun): string =>
  [`${file}: run ${run}, ${secret} in ${environment}`, ...faults.map(formatFault)].join("\n");
