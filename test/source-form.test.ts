import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pages, textOf } from "./docs/markdown";
import { longFiles, namesOfSeveral, type Sources, saidOtherwise, unnamedThings } from "./source-form";

const ROOT = join(__dirname, "..");

const sourcesIn = (...folders: readonly string[]): Sources =>
  new Map(
    folders.flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts"))
        .map((file): [string, string] => [
          join(folder, file),
          readFileSync(join(ROOT, folder, file), "utf8"),
        ]),
    ),
  );

const sources = sourcesIn("lib", "packages/rehearsal/src");

describe("a name is exported by one module", () => {
  test("in lib and the rehearsal", () => {
    expect(sources.size).toBeGreaterThan(500);
    expect(namesOfSeveral(sources)).toEqual([]);
  });

  test.each([
    ["export interface Fault {}", "export type Fault = string;"],
    ["export const Fault = 1, other = 2;", "export class Fault {}"],
    ["export async function Fault() {}", "export abstract class Fault {}"],
    ["export declare const Fault: 1;", "export enum Fault {}"],
  ])("%s and %s are two", (first, second) => {
    const both = new Map([
      ["a.ts", first],
      ["b.ts", second],
    ]);
    expect(namesOfSeveral(both)).toEqual(["Fault: a.ts, b.ts"]);
  });

  test.each([
    ["an index that passes it on", "export { Fault } from './b'; export type { Fault as Other } from './b';"],
    ["a name of the module's own", "interface Fault {}"],
  ])("%s is no second one", (_, first) => {
    const both = new Map([
      ["a.ts", first],
      ["b.ts", "export interface Fault {}\nexport const Fault = {};"],
    ]);
    expect(namesOfSeveral(both)).toEqual([]);
  });
});

describe("a doc comment names its thing", () => {
  test("everywhere", () => {
    const all = new Map(
      sourcesIn("lib", "packages/rehearsal/src", "stacks", "registry", "test", "bench", "scripts"),
    );
    all.delete("test/source-form.test.ts");
    expect(unnamedThings(all)).toEqual([]);
  });

  test.each([
    ["/** What a call came to. */", "a.ts:1: What"],
    ["\n  /** Whether it has ended. */", "a.ts:2: Whether"],
    ["/**\n * How long it takes,\n * in seconds.\n */", "a.ts:1: How"],
    ["{ /** Whose it is. */ owner }", "a.ts:1: Whose"],
  ])("%j does not", (text, breach) => {
    expect(unnamedThings(new Map([["a.ts", text]]))).toEqual([breach]);
  });

  test.each([
    "/** Result of a call. */",
    "/** `true` when it has ended. */",
    "// What comes now is slow.",
    "/* Why: see above. */",
    "/** Whole days. */",
    'const files = "lib/**/What.ts";',
  ])("%j does, or is no doc comment", (text) => {
    expect(unnamedThings(new Map([["a.ts", text]]))).toEqual([]);
  });
});

describe("plain words", () => {
  test("everywhere in lib, packages, stacks and registry", () => {
    expect(
      saidOtherwise(sourcesIn("lib", "packages/rehearsal/src", "stacks", "registry", "scripts", "bench")),
    ).toEqual([]);
  });

  // The changelog names the words that were there before.
  test.each(pages().filter((path) => path !== "CHANGELOG.md"))("%s", (path) => {
    expect(saidOtherwise(new Map([[path, textOf(path)]]))).toEqual([]);
  });

  test.each([
    ["until it is mended", "mended"],
    ["\n// Blots out every value.", "Blots out"],
    ["const sound = true;", "sound"],
    ["/** Aim (issue 4). */", "issue 4"],
  ])("%j are found", (text, word) => {
    expect(saidOtherwise(new Map([["a.ts", text]]))).toEqual([`a.ts:${text.split("\n").length}: ${word}`]);
  });
});

describe("a file has at most 400 lines, or says why", () => {
  test("in lib and the rehearsal", () => {
    expect(longFiles(sources)).toEqual([]);
  });

  test.each([
    ["401 lines", "x;\n".repeat(401), ["a.ts: 401 lines"]],
    ["400 lines", "x;\n".repeat(400), []],
    ["401 lines with a reason", `// One file: a table.\n${"x;\n".repeat(400)}`, []],
  ])("%s", (_, text, breach) => {
    expect(longFiles(new Map([["a.ts", text]]))).toEqual(breach);
  });
});
