import { existsSync } from "node:fs";
import { join } from "node:path";
import { KIND_NAMES } from "../../lib/model/kinds";
import { proseOf, ROOT, textOf } from "./markdown";

/** The guide's table of kinds is the one place from which all parts of a kind are found. */

const rows = new Map(
  proseOf(textOf("docs/guides/add-a-kind.md"))
    .split("\n")
    .flatMap((line) => {
      const [, kind] = /^\| `([\w-]+)` +\| .*`(?:targets|adapters)\//.exec(line) ?? [];
      return kind === undefined ? [] : [[kind, line] as const];
    }),
);

test("every kind has a row", () => {
  expect([...rows.keys()].sort()).toEqual([...KIND_NAMES].sort());
});

test.each([...KIND_NAMES])(
  "%s: its files are there, and the row names what its function rests on",
  (kind) => {
    const handler = `lib/rotation/handlers/${kind}.ts`;
    expect([handler, `lib/model/kinds/${kind}.ts`].filter((path) => !existsSync(join(ROOT, path)))).toEqual(
      [],
    );
    const imported = [
      ...textOf(handler).matchAll(
        /^import \{.*"\.\.\/((?:targets|adapters)\/[\w-]+)"|import\("\.\.\/((?:targets|adapters)\/[\w-]+)\.js"\)/gm,
      ),
    ]
      .map(([, first, later]) => `${first ?? later}.ts`)
      .sort();
    const named = [...(rows.get(kind) ?? "").matchAll(/`((?:targets|adapters)\/[\w-]+\.ts)`/g)]
      .map(([, path = ""]) => path)
      .sort();
    expect(named).toEqual(imported);
  },
);
