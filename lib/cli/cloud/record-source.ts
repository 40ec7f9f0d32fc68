import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { endDayOf, type RotationRecord, readRotationRecord, recordDigest } from "../../contracts";
import type { Fault } from "../../model";
import { fault } from "../../model/faults";
import { UserFault } from "../terminal/user-fault";

/** Place in which records of rotation runs are kept. */
export interface RecordSource {
  /**
   * Every record of a run that ended on a day (UTC) or later, in the order in which they ended; and what was found that
   * is no valid record. Objects that cannot be read count from whatever day they may be.
   */
  since(day: string): Promise<RecordReading>;
}

/** Result of reading a source. */
export interface RecordReading {
  readonly records: readonly RotationRecord[];
  readonly faults: readonly SourceFault[];
}

/** Something in a source that is no valid record. */
export interface SourceFault {
  /** File or object. */
  readonly source: string;
  readonly faults: readonly Fault[];
}

/** One text of a source. */
export interface RecordText {
  readonly source: string;
  readonly text: string;
}

/** Records as JSON files, one in each: a folder with everything below it, or a single file. */
export function folderRecords(path: string): RecordSource {
  return {
    since: async (day) => {
      if (!existsSync(path)) throw new UserFault(`No records at ${path}. Give a folder with --from.`);
      const files = statSync(path).isFile()
        ? [path]
        : readdirSync(path, { recursive: true, encoding: "utf8" })
            .filter((name) => name.endsWith(".json"))
            .sort()
            .map((name) => join(path, name));
      return readRecords(
        files.map((file) => ({ source: file, text: readFileSync(file, "utf8") })),
        day,
      );
    },
  };
}

/** The records that texts hold. The same record twice is one; two records of one run contradict each other. */
export function readRecords(texts: readonly RecordText[], day: string): RecordReading {
  const found = new Map<string, { readonly source: string; readonly record: RotationRecord }>();
  const faults: SourceFault[] = [];
  for (const { source, text } of texts) {
    const { record, faults: own } = readRotationRecord(text);
    if (record === undefined) {
      faults.push({ source, faults: own });
      continue;
    }
    const other = found.get(record.id);
    if (other === undefined) found.set(record.id, { source, record });
    else if (recordDigest(other.record) !== recordDigest(record)) {
      faults.push({
        source,
        faults: [
          fault(
            ["record", "id"],
            `${record.id}, which ${other.source} has too, with other facts`,
            "one record for each run",
            "find out which one was written by the run: records never change",
          ),
        ],
      });
    }
  }
  return {
    records: [...found.values()]
      .map(({ record }) => record)
      .filter((record) => endDayOf(record) >= day)
      .sort(byEnd),
    faults,
  };
}

const byEnd = (a: RotationRecord, b: RotationRecord): number =>
  a.endedAt === b.endedAt ? (a.id < b.id ? -1 : 1) : a.endedAt < b.endedAt ? -1 : 1;
