import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { anchorsOf, deadLinks, linksOf, pages, proseOf, ROOT, textOf } from "./markdown";

/** TypeScript files below a folder. */
const sources = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));

test.each(pages())("%s: every relative link and anchor leads somewhere", (path) => {
  expect(deadLinks(path, textOf(path))).toEqual([]);
});

/** Links of a page to what the package does not bring; `test/package.test.ts` follows all links of the packed pages. */
function unpackedLinks(path: string, markdown: string): readonly string[] {
  const { files } = JSON.parse(textOf("package.json")) as { readonly files: readonly string[] };
  return linksOf(markdown).filter((target) => {
    if (/^(?:[a-z]+:|#)/.test(target)) return false;
    const [top = ""] = join(dirname(path), target.replace(/#.*/, "")).split("/");
    return !files.includes(top);
  });
}

test.each(pages())("%s: what its links reach is in the package too, else it is named as code", (path) => {
  expect(unpackedLinks(path, textOf(path))).toEqual([]);
});

test("links that leave the package are found", () => {
  const page =
    "[a](../../lib/model) [b](../../CONTRIBUTING.md#release) [c](figures.md) [d](#one) [e](../../.ci/run)";
  expect(unpackedLinks("docs/reference/page.md", page)).toEqual(["../../lib/model", "../../.ci/run"]);
});

test("dead links are found: a missing file, a missing anchor here and elsewhere, a way out of the repository", () => {
  const page =
    "# One\n\n[a](gone.md) [b](#one) [c](#two) [d](architecture.md#decision-99) [e](../../../x.md) `[f](no.md)`";
  expect(deadLinks("docs/explanation/page.md", page)).toEqual([
    "gone.md",
    "#two",
    "architecture.md#decision-99",
    "../../../x.md",
  ]);
});

/** Paths of this repository in code spans; placeholders and patterns are none. Pages about tests name them from `test/` on. */
const pathsIn = (markdown: string): readonly string[] =>
  [
    ...proseOf(markdown).matchAll(
      /`((?:lib|test|packages|scripts|registry|stacks|bench|docs|examples|\.ci|\.github)\/[^`\s<>*{…:]+)`/g,
    ),
  ].flatMap(([, path]) => path ?? []);

const isThere = (path: string): boolean =>
  // TypeDoc's output, which git does not have.
  path === "docs/api" || existsSync(join(ROOT, path)) || existsSync(join(ROOT, "test", path));

test.each(pages())("%s: files that it names are there", (path) => {
  expect(pathsIn(textOf(path)).filter((named) => !isThere(named))).toEqual([]);
});

test("files that are gone are found, placeholders are not", () => {
  expect(
    pathsIn("`lib/model/gone.ts` `lib/model/kinds/<kind>.ts` `test/**/x.ts`").filter(
      (named) => !isThere(named),
    ),
  ).toEqual(["lib/model/gone.ts"]);
});

test("files that comments name are there", () => {
  const named = ["lib", "packages/rehearsal/src", "stacks", "registry"].flatMap((folder) =>
    sources(folder).flatMap((path) =>
      [...textOf(path).matchAll(/(?<![./"\w])(?:lib|test|packages|stacks|docs)\/[\w./-]+\.(?:ts|md)\b/g)].map(
        ([file]) => ({
          path,
          file,
        }),
      ),
    ),
  );
  expect(named.length).toBeGreaterThan(20);
  // Every deployed state machine says where it was made at first; a move of the file changes no definition.
  const kept = "lib/blueprint/state-machine.ts";
  expect(named.filter(({ file = "" }) => file !== kept && !existsSync(join(ROOT, file)))).toEqual([]);
});

test("the index of the documents names every page but records, which their folder lists", () => {
  const named = linksOf(textOf("docs/README.md")).map((target) => join("docs", target));
  const missing = pages().filter(
    (path) => /^docs\/(guides|reference|explanation)\//.test(path) && !named.includes(path),
  );
  expect(missing).toEqual([]);
});

test("the README stays an entrance: under 8 KB", () => {
  expect(Buffer.byteLength(textOf("README.md"))).toBeLessThan(8_192);
});

test("decisions that comments cite are there, and nothing is cited that readers cannot see", () => {
  const anchors = anchorsOf(textOf("docs/explanation/architecture.md"));
  const cited = sources("lib").flatMap((path) => {
    // A comment may be wrapped between any two words.
    const text = textOf(path).replace(/\n\s*(?:\*|\/\/) ?/g, " ");
    return [...text.matchAll(/\bdecision (\d+)\b/gi)].map(([, number]) => ({
      path,
      number: Number(number),
      text,
    }));
  });
  expect(cited.length).toBeGreaterThan(10);
  for (const { path, number, text } of cited) {
    expect(anchors).toContain(`decision-${number}`);
    expect({ path, names: text.includes("docs/explanation/architecture.md") }).toEqual({ path, names: true });
  }
});

test.each(pages().filter((path) => /^docs\/adr\/\d/.test(path)))(
  "%s has the form of a decision record: Status, Context, Decision, Consequences",
  (path) => {
    const headings = [...proseOf(textOf(path)).matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(["Status", "Context", "Decision", "Consequences"]);
  },
);

test("decision records are numbered without a gap, and no number is there twice", () => {
  const numbers = pages().flatMap((path) => /^docs\/adr\/(\d{4})-/.exec(path)?.[1] ?? []);
  expect(numbers).toEqual(numbers.map((_, index) => String(index + 1).padStart(4, "0")));
});
