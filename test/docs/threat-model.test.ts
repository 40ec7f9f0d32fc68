import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The last column of each table of the threat model, and of the security reviews, names the tests that show the row: a file below `test/` and, after a colon, words of
 * a test's title, with … for what stands between. Each file is there and has these words; a row without a test says so.
 */
const ROOT = join(__dirname, "../..");
const pageOf = (name: string): string => readFileSync(join(ROOT, "docs/explanation", name), "utf8");
const page = pageOf("threat-model.md");

const files: readonly string[] = readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" })
  .filter((file) => /\.(test|proof)\.ts$/.test(file))
  .map((file) => file.replaceAll("\\", "/"));

const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/\s+/g, " ")
    .replace(/["'`*_]/g, "");

interface Row {
  readonly section: string;
  readonly what: string;
  readonly says: string;
  readonly tests: string;
}

/** Rows of all tables, with the heading that they stand under. */
function rowsOf(text: string): readonly Row[] {
  const rows: Row[] = [];
  let section = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("## ")) section = line.slice(3);
    if (!line.startsWith("|") || /^\|[\s|:-]+$/.test(line)) continue;
    const cells = line
      .slice(1, line.lastIndexOf("|"))
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim());
    if (/^test/.test(cells.at(-1) ?? "") || cells[0] === "function") continue;
    rows.push({
      section,
      what: cells[0] ?? "",
      says: cells.slice(1, -1).join(" "),
      tests: cells.at(-1) ?? "",
    });
  }
  return rows;
}

/** Tests that a cell names; `the same` is the file that was named last. */
function namedTests(
  cell: string,
  last: string,
): readonly { readonly file: string; readonly title: string }[] {
  let file = last;
  return cell.split(/;\s+/).flatMap((piece) => {
    const [, named, title = ""] =
      /^(?:and )?(`[^`]+\.(?:test|proof)\.ts`|the same)(?:\s*\([^)]*\))?(?::\s*(.*?))?(?:\s*\((?:enforced|evaluated|refused)[^)]*\))?$/.exec(
        piece.trim(),
      ) ?? [];
    if (named === undefined) return [];
    if (named !== "the same") file = named.replaceAll("`", "");
    return [{ file, title }];
  });
}

const NO_TEST = /^(none|by design|as said)\b/;

/** The rows of a page with the tests that they name. */
function namedRows(text: string) {
  let last = "";
  return rowsOf(text).map((row) => {
    const tests = namedTests(row.tests, last);
    last = tests.at(-1)?.file ?? last;
    return { ...row, named: tests };
  });
}

describe.each([
  ["the threat model", "threat-model.md", 60],
  ["the security reviews", "security-review.md", 30],
  ["the cases of another organisation", "strangers-cases.md", 40],
])("%s", (_, file, least) => {
  const text = pageOf(file);
  const named = namedRows(text);

  test("names for each row a test, or says that there is none", () => {
    const without = named
      // Its table has another column: what stays safe, or shows it.
      .filter(({ section }) => section !== "Each function of the procedure")
      .filter(({ named: tests, tests: cell }) => tests.length === 0 && !NO_TEST.test(cell))
      .map(({ section, what, tests }) => `${section} / ${what}: ${tests}`);
    expect(without).toEqual([]);
  });

  test("each named file is there, once, and has the words of the title", () => {
    const wrong = named.flatMap(({ section, what, named: tests }) =>
      tests.flatMap(({ file, title }) => {
        const found = files.filter((candidate) => candidate === file || candidate.endsWith(`/${file}`));
        const [only] = found;
        if (found.length !== 1 || only === undefined)
          return [`${section} / ${what}: ${file} is there ${found.length} times`];
        const path = join(ROOT, "test", only);
        const source = existsSync(path) ? plain(readFileSync(path, "utf8")) : "";
        const missing = plain(title)
          .split("…")
          .map((words) => words.trim().replace(/[,.:]$/, ""))
          .filter((words) => words !== "" && !source.includes(words));
        return missing.map((words) => `${section} / ${what}: ${file} has no test "${words}"`);
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("every test that the page names anywhere is there", () => {
    const all = [...text.matchAll(/`([\w/-]+\.(?:test|proof)\.ts)`/g)].map(([, file = ""]) => file);
    expect(
      all.filter((file) => !files.some((known) => known === file || known.endsWith(`/${file}`))),
    ).toEqual([]);
    expect(all.length).toBeGreaterThan(least);
  });
});

test.each([
  ["the security reviews", "security-review.md", 18],
  ["the cases of another organisation", "strangers-cases.md", 17],
])("%s have a row for each number", (_, file, count) => {
  const numbers = rowsOf(pageOf(file)).flatMap(({ what }) => /^(\d+)\. /.exec(what)?.[1] ?? []);
  expect([...new Set(numbers)]).toEqual(Array.from({ length: count }, (_unused, index) => String(index + 1)));
});

describe("the threat model", () => {
  const named = namedRows(page);

  /** Principals of whom a reviewer asked what they can read, change and hide. */
  test.each([
    ["a workload", "A workload"],
    ["an operator", "The operator"],
    ["an approver", "The approver"],
    ["CI", "CI"],
    ["the deployer, in AWS", "The deployer, in AWS"],
    ["the deployer, in Vault", "The deployer, in Vault"],
    ["break-glass", "Break-glass"],
    ["rotation functions and the mirror", "A rotation function, and the mirror"],
    ["whoever creates pods", "Whoever can create pods in a namespace"],
    [
      "whoever has lambda:* and iam:PassRole",
      "Whoever has broad `lambda:*` and `iam:PassRole` in the account",
    ],
    ["whoever has states:*", "Whoever has broad `states:*` in the account"],
    ["a hostile Vault", "A hostile Vault"],
    ["a poisoned dependency", "A poisoned dependency in a function"],
  ])("says of %s what it reads, changes and hides", (_who, section) => {
    const words = named.filter((row) => row.section === section).map(({ what }) => what.replaceAll("*", ""));
    expect(words.some((what) => /read/.test(what))).toBe(true);
    expect(words.some((what) => /change|write|take|gives/.test(what))).toBe(true);
    expect(words.some((what) => /hide/.test(what))).toBe(true);
  });

  test("says of each function of the procedure the same", () => {
    expect(page).toMatch(/\| function +\| reads +\| could change +\| what stays safe, or shows it +\|/);
  });
});
