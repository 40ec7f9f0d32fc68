import { Command, Option } from "commander";
import { markdownTable, textTable } from "../lib/cli/terminal/table";
import { bundleSizes } from "./bundle-sizes";
import { rotationCalls } from "./calls/rotation-calls";
import { coldStarts } from "./cold-start";
import { previewCost } from "./preview-cost";
import type { Report } from "./report";
import { synthCost } from "./synth-cost";

type Format = "text" | "json" | "md";

const MEASUREMENTS: Readonly<Record<string, (full: boolean) => Report | Promise<Report>>> = {
  bundles: () => bundleSizes(),
  "cold-start": coldStarts,
  calls: rotationCalls,
  preview: () => previewCost(),
  synth: (full) => synthCost([10, 100, 1_000, ...(full ? [10_000] : [])]),
};

const RENDER: Readonly<Record<Format, (report: Report) => string>> = {
  text: (report) =>
    [report.title, "", textTable(report.table), "", ...report.notes, ...missed(report), "", ""].join("\n"),
  md: (report) =>
    [`### ${report.title}`, "", markdownTable(report.table), "", ...report.notes, "", ""].join("\n"),
  json: ({ title, figures, misses }) => `${JSON.stringify({ title, figures, misses })}\n`,
};

const missed = ({ misses }: Report): readonly string[] => misses.map((miss) => `Aim missed: ${miss}`);

new Command("bench")
  .description("Measures the functions and synth. Times are ratios to a floor of the same run.")
  .addOption(new Option("--only <measurement>", "one of them").choices(Object.keys(MEASUREMENTS)))
  .addOption(
    new Option("--format <format>", "one line a measurement as json")
      .choices(["text", "md", "json"])
      .default("text"),
  )
  .option("--full", "synth 10,000 secrets as well", false)
  .action(async ({ only, format, full }: { only?: string; format: Format; full: boolean }) => {
    for (const [name, measure] of Object.entries(MEASUREMENTS)) {
      if (only !== undefined && only !== name) continue;
      const report = await measure(full);
      process.stdout.write(RENDER[format](report));
      if (report.binding && report.misses.length > 0) process.exitCode = 1;
    }
  })
  .parseAsync()
  .catch((failure: unknown) => {
    process.stderr.write(`${failure instanceof Error ? failure.stack : String(failure)}\n`);
    process.exitCode = 70;
  });
