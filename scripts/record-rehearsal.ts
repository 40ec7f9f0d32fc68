import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Runs the rehearsal of dev and draws what a terminal shows at its end into `docs/rehearsal.svg`: the phases that were done,
 * and the result, as they were printed. Details that come and go while a phase runs are left out, as a terminal leaves them.
 */
const root = join(__dirname, "..");

/** Of the drawing, in pixels: a character's width is that of the monospaced fonts that are named. */
const CHARACTER = { width: 7.3, height: 17, fontSize: 12 };
const MARGIN = 16;
const FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const COLOURS = { background: "#0d1117", text: "#c9d1d9", quiet: "#8b949e", good: "#3fb950", bad: "#f85149" };

async function main(): Promise<void> {
  const { code, out, err } = await rehearsal();
  if (code !== 0) throw new Error(`the rehearsal ended with ${code}:\n${err}\n${out}`);
  const done = err.split("\n").filter((line) => line.endsWith(": done"));
  const lines = ["$ npm start", ...done, "", ...out.trimEnd().split("\n")];
  writeFileSync(join(root, "docs/rehearsal.svg"), drawing(lines));
}

function rehearsal(): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn("npm", ["run", "--silent", "start"], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
    process.stderr.write(text);
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, err })));
}

function drawing(lines: readonly string[]): string {
  const columns = Math.max(...lines.map(({ length }) => length));
  const width = Math.ceil(columns * CHARACTER.width + 2 * MARGIN);
  const height = Math.ceil(lines.length * CHARACTER.height + 2 * MARGIN);
  const texts = lines.flatMap((line, index) => {
    const y = MARGIN + (index + 0.8) * CHARACTER.height;
    return line === ""
      ? []
      : [`<text x="${MARGIN}" y="${y.toFixed(1)}" xml:space="preserve">${coloured(line)}</text>`];
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Output of npm start">
<rect width="${width}" height="${height}" rx="8" fill="${COLOURS.background}"/>
<g font-family="${FONTS}" font-size="${CHARACTER.fontSize}" fill="${COLOURS.text}">
${texts.join("\n")}
</g>
</svg>
`;
}

/** A line of the output, its verdict in colour. */
function coloured(line: string): string {
  const [, before = line, verdict = ""] = /^(.*?)(ok|DIFFERS|: done)?$/s.exec(line) ?? [];
  const isQuiet = /^(\$|SECRET|\s+[\d.]+ s )/.test(line) || verdict === ": done";
  const colour = verdict === "DIFFERS" ? COLOURS.bad : COLOURS.good;
  return [
    isQuiet ? span(COLOURS.quiet, before) : escaped(before),
    verdict === "" ? "" : span(colour, verdict),
  ].join("");
}

const span = (colour: string, text: string): string => `<tspan fill="${colour}">${escaped(text)}</tspan>`;

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

main().catch((failure: unknown) => {
  process.stderr.write(`${failure instanceof Error ? failure.message : String(failure)}\n`);
  process.exitCode = 1;
});
