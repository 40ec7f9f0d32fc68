import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { endDayOf, type RotationRecord, recordDigest } from "../../contracts";
import type { Fault } from "../../model";
import { fault } from "../../model/faults";
import { calendarDate } from "../../model/grammar";
import type { RecordSource } from "../cloud/record-source";
import { type ArchivedRun, readLog, renderRunFacts, type SignOff } from "../documents/rotation-log";

/** The verdict on the rotation log. */
export interface LogCheck {
  readonly valid: boolean;
  readonly since: string;
  /** Every run since then, in the order in which they ended. */
  readonly runs: readonly CheckedRun[];
  /** Faults beyond the runs: invalid records, archived runs that have none. */
  readonly faults: readonly Fault[];
}

/** The verdict on one run. */
export interface CheckedRun {
  readonly run: string;
  readonly secret: string;
  readonly environment: string;
  readonly outcome: RotationRecord["end"]["outcome"];
  /** File in which it is, or should be, archived. */
  readonly file: string;
  readonly signedBy: readonly string[];
  readonly faults: readonly Fault[];
}

/** Checks that every run that ended since a day is archived as its record says, and signed by somebody else. */
export async function checkLog(source: RecordSource, since: string, folder: string): Promise<LogCheck> {
  const { records, faults: invalid } = await source.since(since);
  const archive = readArchive(folder, since);
  const runs = records.map((record) => {
    const file = join(folder, `${endDayOf(record)}.md`);
    const archived = (archive.get(file) ?? []).filter(({ id }) => id === record.id);
    return {
      run: record.id,
      secret: record.secret,
      environment: record.environment,
      outcome: record.end.outcome,
      file,
      signedBy: archived.flatMap(({ signOffs }) => signOffs.map(({ email }) => email)),
      faults: runFaults(record, archived),
    };
  });
  const known = new Set(runs.map(({ run, file }) => `${file} ${run}`));
  const faults = [
    ...invalid.flatMap((entry) =>
      entry.faults.map((own) => ({ ...own, path: `${entry.source}: ${own.path}` })),
    ),
    ...[...archive].flatMap(([file, archived]) =>
      archived
        .filter(({ id }) => !known.has(`${file} ${id}`))
        .map(({ id }) =>
          fault(
            [file, id],
            "a run that has no record of that day",
            "runs that have a record",
            "find out where it comes from, and remove it",
          ),
        ),
    ),
  ];
  return {
    valid: faults.length === 0 && runs.every((run) => run.faults.length === 0),
    since,
    runs,
    faults,
  };
}

/** The archived runs by file, of the days that count. */
function readArchive(folder: string, since: string): ReadonlyMap<string, readonly ArchivedRun[]> {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const days = names
    .filter((name) => name.endsWith(".md") && calendarDate.safeParse(name.slice(0, -3)).success)
    .filter((name) => name.slice(0, -3) >= since)
    .sort();
  return new Map(
    days.map((name) => [join(folder, name), readLog(readFileSync(join(folder, name), "utf8")).runs]),
  );
}

const SIGN =
  'let somebody who was not at work in this run sign it: "Signed-off-by: Name <name@example.com> (day)"';

function runFaults(record: RotationRecord, archived: readonly ArchivedRun[]): readonly Fault[] {
  const [run, ...more] = archived;
  if (run === undefined) {
    return [
      fault(["archive"], "nothing", "every run in the file of its day", "run secrets-registry log archive"),
    ];
  }
  return [
    ...more.map(() => fault(["archive"], "the run a second time", "each run once", "remove one of the two")),
    ...factFaults(record, run),
    ...signOffFaults(record, run),
  ];
}

function factFaults(record: RotationRecord, run: ArchivedRun): readonly Fault[] {
  const change = "undo the change of the file: facts are written once";
  if (run.digest !== recordDigest(record))
    return [fault(["digest"], run.digest, `${recordDigest(record)}, the record's`, change)];
  const wanted = renderRunFacts(record).split("\n");
  const found = run.facts.split("\n");
  const different = wanted.findIndex((line, index) => line !== found[index]);
  if (different === -1 && wanted.length === found.length) return [];
  return [fault(["facts"], found[different] ?? "nothing", wanted[different] ?? "nothing more", change)];
}

function signOffFaults(record: RotationRecord, { signOffs, malformed }: ArchivedRun): readonly Fault[] {
  const wrong = malformed.map((line) =>
    fault(
      ["signOff"],
      JSON.stringify(line),
      "Signed-off-by: Name <name@example.com> (2026-11-25)",
      "write it so",
    ),
  );
  if (signOffs.length === 0) return [...wrong, fault(["signOff"], "nothing", "a sign-off", SIGN)];
  const early = signOffs
    .filter(({ day }) => !calendarDate.safeParse(day).success || day < endDayOf(record))
    .map(({ email, day }) =>
      fault(
        ["signOff"],
        `${email} on ${day}`,
        `a day from ${endDayOf(record)}, when the run ended`,
        "correct the day",
      ),
    );
  const others = signOffs.filter((signOff) => !isActor(signOff, record.actors.started));
  return [
    ...wrong,
    ...early,
    ...(others.length > 0
      ? []
      : [
          fault(
            ["signOff"],
            `only ${signOffs.map(({ email }) => email).join(", ")}, who started the run`,
            "a sign-off by somebody else",
            SIGN,
          ),
        ]),
  ];
}

/**
 * `true` when a sign-off is by who started the run. People's sessions bear their e-mail address, or its first part, as
 * their name; a session whose name says nothing cannot be assigned to a person.
 */
function isActor({ email }: SignOff, actor: string): boolean {
  const name = actor.slice(actor.lastIndexOf("/") + 1).toLowerCase();
  const address = email.toLowerCase();
  return address === name || address.split("@")[0] === name;
}
