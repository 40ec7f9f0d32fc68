import type { Preview } from "../../preview";
import { word } from "../../preview";
import { markdownTable, textTable } from "../terminal/table";
import { type EnvironmentSections, sectionsOf } from "./preview-sections";

/** A preview in the form that was asked for. @param limit longest Markdown in characters; 0: any length */
export function renderPreview(preview: Preview, format: "text" | "json" | "md", limit: number): string {
  if (format === "json") return JSON.stringify(preview, undefined, 2);
  return format === "text" ? textOf(preview) : markdownWithin(preview, limit);
}

/** Texts are Markdown; a terminal does without its code spans. */
const plain = (text: string): string => text.replaceAll("`", "");

function textOf(preview: Preview): string {
  const lines = [plain(preview.verdict.text)];
  for (const { name, summary, sections } of sectionsOf(preview, Number.POSITIVE_INFINITY)) {
    lines.push("", `${name}: ${summary}`);
    for (const { title, lines: entries = [], table } of sections) {
      lines.push("", `  ${title}`);
      const shown = table
        ? textTable({ head: table.head, rows: table.rows.map((row) => row.map(plain)) }).split("\n")
        : entries.map((entry) => `- ${plain(entry)}`);
      lines.push(...shown.map((line) => `  ${line}`.trimEnd()));
    }
  }
  return lines.join("\n");
}

/** Entries of each list that are tried, until the whole is short enough. */
const MOST = [Number.POSITIVE_INFINITY, 500, 200, 100, 50, 20, 10, 5, 2];

const REST = "This is not all: the whole preview is in the artifact of this run (`--limit 0`).";

function markdownWithin(preview: Preview, limit: number): string {
  const most = limit === 0 ? MOST.slice(0, 1) : MOST;
  let shortest = "";
  for (const entries of most) {
    const environments = sectionsOf(preview, entries);
    const isWhole = entries === Number.POSITIVE_INFINITY;
    shortest = markdownOf(preview, environments, isWhole ? undefined : REST);
    if (limit === 0 || shortest.length <= limit) return shortest;
  }
  // So many environments that two entries of each list are too long: those that come first, and the names of the others.
  const environments = sectionsOf(preview, 2);
  for (let kept = environments.length; kept > 0; kept = Math.floor(kept / 2)) {
    const dropped = environments.length - kept;
    const text = markdownOf(
      preview,
      environments.slice(0, kept),
      `${REST} ${dropped} environments are left out.`,
    );
    if (text.length <= limit) return text;
  }
  return [`**${preview.verdict.text.slice(0, Math.max(0, limit - REST.length - 10))}**`, "", REST].join("\n");
}

function markdownOf(
  preview: Preview,
  environments: readonly EnvironmentSections[],
  rest: string | undefined,
): string {
  const parts = [`**${preview.verdict.text}**`];
  if (rest !== undefined) parts.push(rest);
  for (const { name, summary, sections } of environments) {
    parts.push(`### ${word(name)}`, `${summary}.`);
    for (const { title, lines = [], table } of sections) {
      const body = table ? markdownTable(table) : lines.map((line) => `- ${line}`).join("\n");
      const isFolded = title === "Settings" || title === "Blast radius";
      parts.push(
        isFolded
          ? `<details><summary>${title}</summary>\n\n${body}\n\n</details>`
          : `**${title}**\n\n${body}`,
      );
    }
  }
  return parts.join("\n\n");
}
