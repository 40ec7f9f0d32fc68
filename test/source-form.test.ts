import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { namesOfSeveral, type Sources } from "./source-form";

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
