import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { endDayOf, type RotationRecord, recordDigest } from "../../lib/contracts";
import { anyRecords, sampleRecord } from "../model/random-record";
import { type CliResult, cli, withFolder } from "./run-cli";

/** A place with records and, once archived, their log. */
class Place {
  readonly records: string;
  readonly log: string;

  constructor(folder: string) {
    this.records = join(folder, "records");
    this.log = join(folder, "log");
    mkdirSync(this.records);
  }

  put(...records: readonly RotationRecord[]): void {
    for (const record of records)
      writeFileSync(join(this.records, `${record.id}.json`), JSON.stringify(record));
  }

  #run(verb: string, since: string, more: readonly string[]): Promise<CliResult> {
    return cli("log", verb, "--from", this.records, "--out", this.log, "--since", since, ...more);
  }

  archive = (since = "2026-11-01", ...more: string[]): Promise<CliResult> =>
    this.#run("archive", since, more);

  check = (since = "2026-11-01", ...more: string[]): Promise<CliResult> => this.#run("check", since, more);

  files(): Readonly<Record<string, string>> {
    if (!existsSync(this.log)) return {};
    return Object.fromEntries(
      readdirSync(this.log)
        .sort()
        .map((name) => [name, readFileSync(join(this.log, name), "utf8")]),
    );
  }

  /** Changes all files of the log. */
  edit(change: (text: string) => string): void {
    for (const [name, text] of Object.entries(this.files()))
      writeFileSync(join(this.log, name), change(text));
  }
}

const withPlace = (act: (place: Place) => Promise<void>): Promise<void> =>
  withFolder((folder) => act(new Place(folder)));

const SIGNATURE = "Signed-off-by: Carol Doe <carol@example.com> (2026-11-30)";

/** Signs every run that is not signed, as a person would: below its heading. */
const sign = (text: string): string =>
  text.replace(/(### Sign-off\n\n<!--.*-->\n)(?!Signed)/g, `$1${SIGNATURE}\n`);

test("a run is archived with who, what, when, checks and digests, and the log holds once it is signed", async () => {
  await withPlace(async (place) => {
    const record = sampleRecord();
    place.put(record);
    const archived = await place.archive();
    const file = join(place.log, "2026-11-25.md");
    expect(archived).toEqual({ code: 0, out: `${file}: 1 run added, 0 there before\n`, err: "" });
    const text = readFileSync(file, "utf8");
    for (const line of [
      "# Secret rotations of 2026-11-25",
      `<!-- run 2026-11-25-run-1 ${recordDigest(record)} -->`,
      "## jwt/signing in prod: decommissioned",
      `| change request | 2026-11-20-jwt--signing (sha256:${"0123456789abcdef".repeat(4)}) |`,
      "| started by | arn:aws:sts::333333333333:assumed-role/secrets-operator/alice@example.com (as said) |",
      "| approved by | arn:aws:sts::333333333333:assumed-role/secrets-approver/bob@example.com (proven) |",
      "| old version | 11111111-2222-4333-8444-555555555555 |",
      `| old fingerprint | hmac-sha256:audit-1:${"0123456789abcdef".repeat(4)} |`,
      "| approve | 2026-11-25T03:01:10.000Z | 2026-11-25T09:12:00.000Z | done |",
      "| sign-in | backend | synthetic | 2026-11-25T03:01:09.000Z | passed (503) | 2 |",
      "| outcome | decommissioned at 2026-11-25T09:12:03.000Z |",
      "### Sign-off",
    ])
      expect(text.split("\n")).toContain(line);

    const unsigned = await place.check();
    expect(unsigned.code).toBe(1);
    expect(unsigned.out).toContain("0 of 1 run since 2026-11-01 archived and signed.");
    expect(unsigned.out).toContain("signOff\n  found:   nothing");
    place.edit(sign);
    expect(await place.check()).toEqual({
      code: 0,
      out: "1 of 1 run since 2026-11-01 archived and signed.\n",
      err: "",
    });
    expect(JSON.parse((await place.check("2026-11-01", "--format", "json")).out)).toMatchObject({
      valid: true,
      runs: [{ run: record.id, secret: "jwt/signing", file, signedBy: ["carol@example.com"], faults: [] }],
    });
  });
});

test("what is archived and signed holds; archiving again changes no byte, and more runs only extend", async () => {
  await fc.assert(
    fc.asyncProperty(anyRecords, fc.nat(), async (records, cut) => {
      await withPlace(async (place) => {
        const first = records.slice(0, cut % (records.length + 1));
        place.put(...first);
        await place.archive();
        place.edit(sign);
        const signed = place.files();

        place.put(...records);
        expect((await place.archive()).code).toBe(0);
        const all = place.files();
        expect(Object.keys(all)).toEqual(
          [...new Set(records.map(endDayOf))].map((day) => `${day}.md`).sort(),
        );
        for (const [name, text] of Object.entries(signed)) expect(all[name]?.startsWith(text)).toBe(true);
        expect((await place.check()).code).toBe(first.length === records.length ? 0 : 1);

        place.edit(sign);
        const final = place.files();
        expect((await place.check()).code).toBe(0);
        expect((await place.archive()).code).toBe(0);
        expect(place.files()).toEqual(final);
      });
    }),
    { numRuns: 40 },
  );
});

test("the same records make the same bytes, whatever their files are called", async () => {
  const records = fc.sample(anyRecords, { numRuns: 1, seed: 7 })[0] ?? [];
  const texts: unknown[] = [];
  for (const name of ["a", "z"]) {
    await withPlace(async (place) => {
      for (const [index, record] of records.entries()) {
        const number = name === "a" ? index : records.length - index;
        writeFileSync(join(place.records, `${name}${number}.json`), JSON.stringify(record, null, 2));
      }
      await place.archive();
      texts.push(place.files());
    });
  }
  expect(texts[0]).toEqual(texts[1]);
});

test("only runs that ended since the day count", async () => {
  await withPlace(async (place) => {
    place.put(sampleRecord());
    expect(await place.archive("2026-11-26")).toEqual({
      code: 0,
      out: "No run ended since then.\n",
      err: "",
    });
    expect(place.files()).toEqual({});
    expect((await place.check("2026-11-26")).code).toBe(0);
    expect((await place.check("2026-11-25")).code).toBe(1);
  });
});

test.each<[string, (text: string) => string, string]>([
  [
    "an outcome",
    (text) => text.replace("prod: decommissioned", "prod: replaced"),
    "facts\n  found:   ## jwt/signing in prod: replaced",
  ],
  [
    "an approver",
    (text) => text.replace(/approved by \| \S+ \(proven\)/, "approved by | none"),
    "facts\n  found:   | approved by | none |",
  ],
  ["a failed try", (text) => text.replace("passed (503) | 2", "passed | 1"), "facts\n  found:   | sign-in"],
  [
    "a line more",
    (text) => text.replace("### Phases", "All was well.\n\n### Phases"),
    "facts\n  found:   All was well.",
  ],
  [
    "the digest",
    (text) => text.replace(/sha256:[0-9a-f]{64} -->/, `sha256:${"0".repeat(64)} -->`),
    "digest\n  found:   sha256:000",
  ],
  ["the marker", (text) => text.replace("<!-- run", "<!--run"), "archive\n  found:   nothing"],
  [
    "the whole run, twice",
    (text) => `${text}\n${text.slice(text.indexOf("<!-- run"))}`,
    "archive\n  found:   the run a second time",
  ],
  [
    "an invented run",
    (text) => `${text}\n${text.slice(text.indexOf("<!-- run")).replaceAll("run-1", "run-2")}`,
    "a run that has no record of that day",
  ],
  [
    "a signature by who started it",
    (text) => text.replaceAll("carol@", "Alice@"),
    "signOff\n  found:   only Alice@example.com, who started the run",
  ],
  [
    "a signature without an address",
    (text) => text.replace(" <carol@example.com>", ""),
    'signOff\n  found:   "Signed-off-by: Carol Doe (2026-11-30)"',
  ],
  [
    "a signature before the end",
    (text) => text.replace("(2026-11-30)", "(2026-11-24)"),
    "signOff\n  found:   carol@example.com on 2026-11-24",
  ],
  [
    "a signature that is taken away",
    (text) => text.replace(/^Signed-off-by.*\n/m, ""),
    "signOff\n  found:   nothing",
  ],
  [
    "a signature in a comment",
    (text) => text.replace(SIGNATURE, `<!-- ${SIGNATURE} -->`),
    "signOff\n  found:   nothing",
  ],
])("check notices %s, and ends with 1", async (_name, change, message) => {
  await withPlace(async (place) => {
    place.put(sampleRecord());
    await place.archive();
    place.edit(sign);
    const before = place.files();
    place.edit(change);
    expect(place.files()).not.toEqual(before);
    const { code, out, err } = await place.check();
    expect([code, err]).toEqual([1, ""]);
    expect(out).toContain(message);
  });
});

test("a second signature, notes and Windows' line ends are free", async () => {
  await withPlace(async (place) => {
    place.put(sampleRecord());
    await place.archive();
    place.edit((text) =>
      `${sign(text)}Signed-off-by: Alice <alice@example.com> (2026-11-30)\n\nTook longer than planned: see the ticket.\n`.replaceAll(
        "\n",
        "\r\n",
      ),
    );
    expect((await place.check()).code).toBe(0);
  });
});

test("a record that changed after it was archived is told, and its text stays", async () => {
  await withPlace(async (place) => {
    place.put(sampleRecord());
    await place.archive();
    place.edit(sign);
    const before = place.files();
    place.put({ ...sampleRecord(), environment: "stage" });
    const archived = await place.archive();
    expect(archived.code).toBe(1);
    expect(archived.out).toContain("2026-11-25-run-1 is there with other facts than its record's");
    expect(place.files()).toEqual(before);
    expect((await place.check()).code).toBe(1);
  });
});

test("invalid and contradicting records are named; nothing is archived", async () => {
  await withPlace(async (place) => {
    place.put(sampleRecord());
    writeFileSync(join(place.records, "broken.json"), "{");
    mkdirSync(join(place.records, "copy"));
    writeFileSync(
      join(place.records, "copy", "other.json"),
      JSON.stringify({ ...sampleRecord(), environment: "dev" }),
    );
    const archived = await place.archive();
    expect(archived.code).toBe(2);
    expect(archived.err).toContain(
      `${join(place.records, "broken.json")}:\nrecord\n  found:   something else (not shown)`,
    );
    expect(archived.err).toMatch(/2026-11-25-run-1, which .* has too, with other facts/);
    expect(place.files()).toEqual({});
    expect((await place.check()).code).toBe(1);
  });
});

test.each([
  [["archive", "--from", "x"], "required option '--since <day>'"],
  [["check", "--from", "/nowhere", "--since", "2026-11-01"], "No records at /nowhere."],
  [
    ["check", "--from", "x", "--since", "yesterday"],
    '--since is "yesterday". Give a day such as 2026-11-25.',
  ],
  [["check", "--from", "x", "--since", "2026-11-01", "--format", "md"], "Allowed choices are text, json"],
])("log %j ends with 2 and says what to change", async (args, message) => {
  const { code, err } = await cli("log", ...args);
  expect(code).toBe(2);
  expect(err).toContain(message);
  expect(err).not.toContain("    at ");
});

test("help has examples", async () => {
  expect((await cli("log", "archive", "--help")).out).toMatch(
    /Examples:\n {2}secrets-registry log archive --since/,
  );
  expect((await cli("log", "check", "--help")).out).toMatch(
    /Examples:\n {2}secrets-registry log check --since/,
  );
});
