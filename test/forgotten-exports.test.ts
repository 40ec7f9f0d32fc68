import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { forgottenExports } from "./forgotten-exports";

const FILES: Readonly<Record<string, string>> = {
  "index.d.ts": `export { type Outer, make } from "./parts"; export * from "./parts/more";`,
  "parts/index.d.ts": `
    import type { Far } from "../far";
    import type { Other } from "another-package";
    interface Hidden { readonly x: string }
    export interface Outer<T> extends Base { readonly far: Far; readonly other: Other; readonly t: T; readonly known: Known }
    interface Base { readonly y: string }
    type Known = import("./more").Shown;
    export declare const make: () => import("../far").Made;
    export interface NotExported { readonly hidden: Hidden }`,
  "parts/more.d.ts": `
    export interface Shown { readonly own: Shown }
    export declare class Thing { #secret: Inner; private inner: Inner; readonly open: Open }
    interface Inner {}
    interface Open {}`,
  "far.d.ts": "export interface Far {} export interface Made {}",
};

test("finds what exported declarations name and no entry exports; not private members, other packages or type parameters", () => {
  const folder = mkdtempSync(join(tmpdir(), "exports-"));
  try {
    for (const [name, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    expect(forgottenExports(folder, [join(folder, "index.d.ts")])).toEqual([
      "Outer names Base of parts/index.d.ts",
      "Outer names Far of far.d.ts",
      "Outer names Known of parts/index.d.ts",
      "Thing names Open of parts/more.d.ts",
      "make names Made of far.d.ts",
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
