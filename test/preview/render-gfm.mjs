/** Renders Markdown of standard input as GitHub does: HTML on standard output. A process of its own, because Jest loads no ES modules. */
import { readFileSync } from "node:fs";
import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";

process.stdout.write(
  micromark(readFileSync(0, "utf8"), {
    allowDangerousHtml: true,
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
  }),
);
