import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../lib/cli/program";
import { checkSealings } from "../../lib/cli/verbs/break-glass";
import { FakeTerminal } from "./fake-terminal";

let root: string;
let folder: string;
let sheets: string;
const credential = `canary-${randomBytes(18).toString("base64url")}`;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "break glass-"));
  folder = join(root, "security", "break-glass");
  sheets = join(root, "sheets");
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

async function breakGlass(input: string, ...args: readonly string[]) {
  const terminal = new FakeTerminal({ input });
  const code = await run(["break-glass", ...args, "--folder", folder], terminal);
  return { code, out: terminal.printed, err: terminal.told };
}

const seal = (input = credential, holders = ["ana", "ben", "cleo"], threshold = "2", to = sheets) =>
  breakGlass(
    input,
    "seal",
    "aws-prod-root",
    "--holders",
    ...holders,
    "--threshold",
    threshold,
    "--sheets",
    to,
  );
const sheetTexts = (): string[] =>
  readdirSync(sheets)
    .sort()
    .map((file) => /^BG1-\S+$/m.exec(readFileSync(join(sheets, file), "utf8"))?.[0] ?? "");

test("seals, opens and drills: the credential is in no file and no message until --show", async () => {
  const sealed = await seal(`${credential}\n`);
  expect(sealed).toMatchObject({ code: 0, err: "" });
  expect(sealed.out).toContain("aws-prod-root is sealed: 2 of 3 holders open it together.");
  const files = readdirSync(sheets).sort();
  expect(files).toEqual(["aws-prod-root-1-ana.txt", "aws-prod-root-2-ben.txt", "aws-prod-root-3-cleo.txt"]);
  const [first = "", second = "", third = ""] = sheetTexts();
  for (const file of files) {
    expect(statSync(join(sheets, file)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(sheets, file), "utf8")).toMatch(/█/);
  }

  const open = await breakGlass(`${first}\n${third}\n`, "open", "aws-prod-root");
  expect(open).toEqual({
    code: 0,
    err: "",
    out: "aws-prod-root opens by the shares of ana, cleo. Add --show to print it.\n",
  });
  const drill = await breakGlass(`${second}\n${third}`, "drill", "aws-prod-root");
  expect(drill).toMatchObject({
    code: 0,
    out: expect.stringContaining("opens by the shares of ben, cleo. Commit "),
  });
  const file = readFileSync(join(folder, "aws-prod-root.json"), "utf8");
  expect(JSON.parse(file).drills).toEqual([
    { day: expect.stringMatching(/^2\d{3}-/), holders: ["ben", "cleo"] },
  ]);
  for (const text of [
    sealed.out,
    open.out,
    drill.out,
    file,
    ...files.map((one) => readFileSync(join(sheets, one), "utf8")),
  ]) {
    expect(text).not.toContain(credential);
  }
  expect(sealed.out + open.out + drill.out + file).not.toContain(first);

  expect(await breakGlass(`${third}\n${second}`, "open", "aws-prod-root", "--show")).toEqual({
    code: 0,
    err: "",
    out: `${credential}\n`,
  });
  expect(await breakGlass("", "check")).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^ok {2}aws-prod-root: sealed .* last drill/),
  });
});

test("wrong shares are named, all at once, and nothing opens", async () => {
  await seal();
  const [first = ""] = sheetTexts();
  const { code, out, err } = await breakGlass(`${first}X\nhello\n`, "open", "aws-prod-root", "--show");
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain("share 1 is mistyped, or incomplete");
  expect(err).toContain("no share: one begins with BG1-");
  expect(err).toContain("Give 2 of its 3 shares, one in a line.");
});

test("a call that cannot be sealed says everything that is wrong with it, and writes nothing", async () => {
  mkdirSync(join(root, ".git"));
  const { code, err } = await seal("", ["ana", "Ben", "ana"], "4");
  expect(code).toBe(2);
  for (const part of [
    'the holder "Ben" has no name of that form',
    "a holder is named twice",
    "the threshold is 4, and 2 to 3 of these holders can open it",
    "standard input has 0 characters",
    "is in a git repository: name a folder outside of it",
  ]) {
    expect(err).toContain(part);
  }
  expect([folder, sheets].map((one) => existsSync(one))).toEqual([false, false]);
});

test("a sheet that lies there is not overwritten, and the sealing before it stays", async () => {
  await seal();
  const before = readFileSync(join(folder, "aws-prod-root.json"), "utf8");
  const again = await seal();
  expect(again).toMatchObject({
    code: 2,
    err: expect.stringContaining("lies there already: print it, or delete it"),
  });
  expect(readFileSync(join(folder, "aws-prod-root.json"), "utf8")).toBe(before);
});

test("what was never sealed, and a file that is no sealing", async () => {
  expect(await breakGlass("", "open", "nothing")).toMatchObject({
    code: 2,
    err: expect.stringContaining("Nothing is sealed there"),
  });
  await seal();
  expect(await breakGlass("", "open", "nothing")).toMatchObject({
    code: 2,
    err: expect.stringContaining("Sealed there: aws-prod-root."),
  });
  writeFileSync(join(folder, "aws-prod-root.json"), '{"version":2}');
  expect(await breakGlass("", "check")).toMatchObject({
    code: 2,
    err: expect.stringContaining("is no sealing:\n- sealing"),
  });
});

test.each<[string, string, readonly string[], boolean, RegExp | undefined]>([
  ["a sealing of this quarter", "2026-12-01", [], true, undefined],
  ["one that nobody tried for a quarter", "2026-08-01", [], false, /no drill for 92 days/],
  ["one that was tried since", "2026-08-01", ["2026-09-15"], true, undefined],
  [
    "one of the year before, tried or not",
    "2025-11-01",
    ["2026-11-01"],
    false,
    /sealed more than 365 days ago/,
  ],
  ["a drill of a day to come", "2026-11-01", ["2027-11-01"], false, /2027-11-01 is yet to come/],
])("check: %s", async (_, sealed, drills, ready, fault) => {
  await seal();
  const file = join(folder, "aws-prod-root.json");
  const json = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(
    file,
    JSON.stringify({ ...json, sealed, drills: drills.map((day) => ({ day, holders: ["ana", "ben"] })) }),
  );
  const report = checkSealings(folder, "2026-12-15");
  expect(report.ready).toBe(ready);
  expect(report.sealings[0]?.faults).toEqual(fault === undefined ? [] : [expect.stringMatching(fault)]);
});

test("check: nothing sealed is a failed check", async () => {
  expect(await breakGlass("", "check")).toMatchObject({
    code: 1,
    out: expect.stringContaining("Nothing is sealed in"),
  });
});
