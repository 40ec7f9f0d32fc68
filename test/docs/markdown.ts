import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export const ROOT = join(__dirname, "../..");

/** Pages that people read: of the root, and below `docs`; paths in the repository. */
export function pages(): readonly string[] {
  const inRoot = readdirSync(ROOT).filter((name) => name.endsWith(".md"));
  const below = readdirSync(join(ROOT, "docs"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    // TypeDoc's own output, which git does not have.
    .filter((path) => !path.startsWith("docs/api/"));
  return [...inRoot, ...below].sort();
}

export const textOf = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** A fenced block: its info string, such as `sh cloud`, and its lines. */
export interface Block {
  readonly info: string;
  readonly text: string;
}

const FENCE = /^([ \t]*)```([^\n`]*)\n([\s\S]*?)^[ \t]*```[ \t]*$/gm;

/** The fenced blocks of a page, without the indentation of a list. */
export const blocksOf = (markdown: string): readonly Block[] =>
  [...markdown.matchAll(FENCE)].map(([, indent = "", info = "", text = ""]) => ({
    info: info.trim(),
    text: text
      .split("\n")
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
      .join("\n"),
  }));

/** A page without its fenced blocks. */
export const proseOf = (markdown: string): string => markdown.replace(FENCE, "");

/** Anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, heading = ""] of proseOf(markdown).matchAll(/^#{1,6} +(.+?)\s*#*$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replace(/[`*_]/g, "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s-]/gu, "")
      .trim()
      .replace(/\s/g, "-");
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    anchors.add(times === 0 ? slug : `${slug}-${times}`);
  }
  return anchors;
}

/** Targets of a page's links and images, without those in code. */
export const linksOf = (markdown: string): readonly string[] =>
  [
    ...proseOf(markdown)
      .replace(/`[^`\n]*`/g, "`")
      .matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g),
  ].flatMap(([, target]) => (target === undefined ? [] : [target]));

/** Relative links of a page that lead nowhere: a missing file, a missing anchor, a way out of the root. */
export function deadLinks(path: string, markdown: string, root = ROOT): readonly string[] {
  return linksOf(markdown).filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [file = "", anchor] = target.split("#");
    const reached = file === "" ? path : join(dirname(path), file);
    if (file !== "" && (reached.startsWith("..") || !existsSync(join(root, reached)))) return true;
    if (anchor === undefined) return false;
    if (!reached.endsWith(".md")) return true;
    return !anchorsOf(file === "" ? markdown : readFileSync(join(root, reached), "utf8")).has(anchor);
  });
}
