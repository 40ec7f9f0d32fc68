import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { linksOf, pages, ROOT, textOf } from "./markdown";

/** A newcomer's walk: README, the guide for the task, the reference; every other page is on some way from the README. */

/** Pages to which links lead from a text; a folder leads to those in it. */
const reached = (path: string, markdown = textOf(path)): readonly string[] =>
  linksOf(markdown).flatMap((target) => {
    if (/^(?:[a-z]+:|#)/.test(target)) return [];
    const file = join(dirname(path), target.replace(/#.*/, ""));
    if (!existsSync(join(ROOT, file))) return [];
    return statSync(join(ROOT, file)).isDirectory()
      ? pages().filter((page) => dirname(page) === file)
      : [file].filter((page) => page.endsWith(".md"));
  });

/** Clicks from the README to each page. */
function clicks(): ReadonlyMap<string, number> {
  const found = new Map([["README.md", 0]]);
  for (const [page, far] of found) {
    for (const next of reached(page)) if (!found.has(next)) found.set(next, far + 1);
  }
  return found;
}

const guides = pages().filter((path) => path.startsWith("docs/guides/"));

test("every page is on a way from the README; guides, reference and explanations in two clicks", () => {
  const far = clicks();
  expect(pages().filter((page) => !far.has(page))).toEqual([]);
  const entrances = pages().filter((page) => /^docs\/(?:guides|reference|explanation)\//.test(page));
  expect(entrances.length).toBeGreaterThan(20);
  expect(entrances.filter((page) => (far.get(page) ?? 9) > 2)).toEqual([]);
});

test("each task that the README names leads to a page", () => {
  const rows = textOf("README.md")
    .split("\n")
    .filter((line) => /^\| (?!to |-)/.test(line));
  expect(rows.length).toBeGreaterThan(8);
  expect(rows.filter((row) => reached("README.md", row).length === 0)).toEqual([]);
});

test.each(guides)("%s leads on to the reference", (guide) => {
  expect(reached(guide).filter((page) => page.startsWith("docs/reference/"))).not.toEqual([]);
});

test("a page that nobody links to, and a guide without a reference, are found", () => {
  expect(
    reached("docs/guides/page.md", "[a](deploy.md) [b](../../SECURITY.md) [c](https://example.com)"),
  ).toEqual(["docs/guides/deploy.md", "SECURITY.md"]);
  expect(reached("README.md", "[records](docs/adr)").length).toBeGreaterThan(30);
});
