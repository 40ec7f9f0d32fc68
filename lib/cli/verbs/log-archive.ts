import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endDayOf, type RotationRecord, recordDigest } from "../../contracts";
import { formatFault } from "../../model";
import type { RecordSource } from "../cloud/record-source";
import { readLog, renderLogHeading, renderRun } from "../documents/rotation-log";
import { UserFault } from "../terminal/user-fault";

/** Folder of the rotation log, from the repository's root. */
export const SECRET_ROTATIONS = "security/secret-rotations";

/** Result for one day's file. */
export interface ArchivedDay {
  readonly file: string;
  /** Ids of runs that were added. */
  readonly added: readonly string[];
  /** Ids of runs that were there. */
  readonly kept: readonly string[];
  /** Ids of runs that are there with another record's digest. Nothing is done about them. */
  readonly different: readonly string[];
}

/**
 * Writes the records of runs into one file for each day on which runs ended. What is in a file stays as it is, byte by
 * byte; new runs come below it.
 *
 * @throws UserFault when the source holds what is no valid record; then nothing is written
 */
export async function archiveLog(
  source: RecordSource,
  since: string,
  folder: string,
): Promise<readonly ArchivedDay[]> {
  const { records, faults } = await source.since(since);
  if (faults.length > 0) {
    throw new UserFault(
      faults.map((entry) => [`${entry.source}:`, ...entry.faults.map(formatFault)].join("\n")).join("\n\n"),
    );
  }
  const days = [...new Set(records.map(endDayOf))];
  return days.map((day) =>
    archiveDay(
      join(folder, `${day}.md`),
      day,
      records.filter((record) => endDayOf(record) === day),
    ),
  );
}

function archiveDay(file: string, day: string, records: readonly RotationRecord[]): ArchivedDay {
  const before = existsSync(file) ? readFileSync(file, "utf8") : renderLogHeading(day);
  const there = new Map(readLog(before).runs.map((run) => [run.id, run.digest]));
  const added = records.filter(({ id }) => !there.has(id));
  const kept = records.filter((record) => there.get(record.id) === recordDigest(record));
  if (added.length > 0) {
    mkdirSync(join(file, ".."), { recursive: true });
    const ended = before.endsWith("\n") ? before : `${before}\n`;
    writeFileSync(file, `${ended}\n${added.map(renderRun).join("\n")}`);
  }
  return {
    file,
    added: added.map(({ id }) => id),
    kept: kept.map(({ id }) => id),
    different: records
      .filter((record) => !added.includes(record) && !kept.includes(record))
      .map(({ id }) => id),
  };
}
