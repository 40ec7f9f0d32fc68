import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { renderPreview } from "../../lib/cli/render/preview";
import { defineRegistry, type Registry } from "../../lib/model";
import { compare, type RegistryState, stateOfRegistry, word } from "../../lib/preview";
import { draft } from "../model/sample";

/** HTML as GitHub makes it of a comment, without its sanitizer: what would be active shows. */
const html = (markdown: string): string =>
  execFileSync(process.execPath, [join(__dirname, "render-gfm.mjs")], {
    input: markdown,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });

/** Text of a page without its code spans: GitHub looks for mentions and references there. */
const outsideOfCode = (page: string): string => page.replace(/<code>[^<]*<\/code>/g, "");

const HOSTILE = [
  "@octocat please approve",
  "#1 GH-2 owner/repo#3",
  "[click](https://evil.example.com)",
  "![image](https://evil.example.com/pixel.png)",
  "https://evil.example.com www.evil.example.com a@evil.example.com",
  "<img src=x onerror=alert(1)> <!-- --> </details></td>",
  "a | b | c",
  "a \\| b",
  "` @octocat `",
  "``` @octocat ```",
  "line\n\n# heading\n\n- [ ] task @octocat",
  "\u202eright to left\u202c \u200bzero",
  ":tada: **bold** ~~gone~~ $x$ [^1]",
  "",
  "\\",
  "`",
];

const state = (text: string): RegistryState => {
  const registry = defineRegistry(draft() as never) as unknown as Registry;
  const plain = stateOfRegistry(registry, new Date("2026-12-01T00:00:00Z"));
  // Names of a registry have a grammar; a synthesized output of others has none, so every text is made hostile here.
  const replaced = (value: unknown, key = ""): unknown => {
    if (typeof value === "string")
      return ["kind", "store", "can", "may"].includes(key) ? value : `${value}${text}`;
    if (Array.isArray(value)) return value.map((entry) => replaced(entry, key));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, entry]) => [
        ["facts", "guards", "handedOut", "vaults", "target"].includes(key) ? `${name}${text}` : name,
        replaced(entry, name),
      ]),
    );
  };
  return {
    source: "registry",
    environments: replaced(plain.environments) as RegistryState["environments"],
  };
};

test.each(HOSTILE.filter((text) => text !== ""))(
  "no text of a registry is active in a comment: %j",
  (text) => {
    const shown = renderPreview(compare(state(""), state(text)), "md", 0);
    const page = html(shown);
    expect(page).toContain("<code>");
    expect(page).not.toMatch(/<(a|img|input|script|h1|del|sup|section)\b/);
    const outside = outsideOfCode(page);
    expect(outside).not.toMatch(/@octocat|evil\.example\.com|#1|GH-2|onerror|:tada:|heading|\u202e/);
    // Each row has as many cells as its table: nothing ended one.
    for (const table of page.match(/<table>[\s\S]*?<\/table>/g) ?? []) {
      const widths = (table.match(/<tr>[\s\S]*?<\/tr>/g) ?? []).map(
        (row) => (row.match(/<t[hd]\b/g) ?? []).length,
      );
      expect(new Set(widths).size).toBe(1);
    }
    expect((page.match(/<details>/g) ?? []).length).toBe((page.match(/<\/details>/g) ?? []).length);
  },
);

test("a word is one code span, whatever it holds", () => {
  for (const text of [...HOSTILE, "x".repeat(5_000)]) {
    const page = html(`before ${word(text)} after`);
    expect(page).toMatch(/^<p>before <code>[^<]*<\/code> after<\/p>$/);
    expect(page.length).toBeLessThan(1_000);
  }
});

/** A registry with many secrets, each of which changes. */
function wide(count: number, cadence: number, consumers: readonly string[]): Registry {
  const definition = draft();
  for (let n = 0; n < count; n += 1) {
    definition.secrets[`area-${n}/a-key-with-a-long-name-that-fills-comments-${n}`] = {
      ...definition.secrets["crypto/webhook"],
      rotateEvery: { seconds: cadence * 86_400 },
      consumers,
    };
  }
  return defineRegistry(definition) as unknown as Registry;
}

test("a thousand changes fit into a comment, and say what is left out", () => {
  const now = new Date("2026-12-01T00:00:00Z");
  const preview = compare(
    stateOfRegistry(wide(250, 60, ["backend"]), now),
    stateOfRegistry(wide(250, 90, ["payments"]), now),
  );
  const changes = preview.environments.flatMap(({ changed }) =>
    changed.flatMap((entry) => entry.differences),
  );
  expect(changes.length).toBeGreaterThanOrEqual(1_000);
  const comment = renderPreview(preview, "md", 60_000);
  expect(comment.length).toBeLessThanOrEqual(60_000);
  expect(comment).toContain("the whole preview is in the artifact");
  expect(comment).toMatch(/… and \d+ more\./);
  expect(comment).toContain("**Access is broadened in `dev`, `prod`.");
  expect(renderPreview(preview, "md", 0).length).toBeGreaterThan(65_536);
  for (const limit of [3_000, 800, 200]) {
    expect(renderPreview(preview, "md", limit).length).toBeLessThanOrEqual(limit);
  }
});
