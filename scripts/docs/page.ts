import { markdownTable, type TableData } from "../../lib/cli/terminal/table";

const NOTE = "<!-- Written by `npm run docs` from the code. Change the code, not this page. -->";

/** A generated page: title, note for whoever would edit it, parts with a blank line between. */
export const page = (title: string, parts: readonly string[]): string =>
  `${[`# ${title}`, NOTE, ...parts].join("\n\n")}\n`;

/** Text as code in a table's cell; empty for nothing. */
export const code = (text: string | undefined): string =>
  text === undefined || text === "" ? "" : `\`${text}\``;

/** A table in Markdown; the empty text for no rows. */
export const table = (data: TableData): string => (data.rows.length === 0 ? "" : markdownTable(data));

/** Parts that are not empty. */
export const parts = (...texts: readonly string[]): readonly string[] => texts.filter((text) => text !== "");
