import type { Command } from "commander";
import type { ScanFormat } from "../render/scan";
import { calendarDay, today } from "./calendar-day";
import type { CommandHost } from "./command-host";
import { formatOption } from "./format-option";

interface ScanOptions {
  readonly settings?: string;
  readonly format: ScanFormat;
  readonly on?: string;
}

/** `scan`. */
export function addScanCommand(program: Command, host: CommandHost): void {
  program
    .command("scan")
    .description(
      "Looks for secrets in files, images' builds and synthesized stacks; ends with 1 for findings",
    )
    .argument("[paths...]", "files and folders; default: this folder")
    .option("--settings <file>", "suppressions and settings; default: guardrails.json, where there is one")
    .addOption(formatOption("text", "json", "sarif"))
    .addHelpText(
      "after",
      `
It needs no registry, no credentials and no network, and prints no secret that it finds. Files are those that git
tracks or would take, and cdktf.out/stacks/*/cdk.tf.json. Scanners: own rules, secretlint, and gitleaks where it is
on the PATH.

Examples:
  secrets-registry scan
  secrets-registry scan infra cdktf.out --format sarif`,
    )
    .action(async (paths: readonly string[], _: unknown, command: Command) => {
      const { settings, format, on } = command.optsWithGlobals<ScanOptions>();
      // Required here, so that other verbs start without the scanners.
      const { scan } = require("../verbs/scan") as typeof import("../verbs/scan");
      const { renderScan } = require("../render/scan") as typeof import("../render/scan");
      const report = await scan({
        cwd: process.cwd(),
        paths: paths.length > 0 ? paths : ["."],
        on: on === undefined ? today() : calendarDay("--on", on),
        ...(settings === undefined ? {} : { settings }),
      });
      host.print(renderScan(report, format));
      if (report.findings.some(({ severity }) => severity === "error")) host.failCheck();
    });
}
