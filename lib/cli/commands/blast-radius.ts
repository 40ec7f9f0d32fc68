import type { Command } from "commander";
import { type RadiusFormat, renderBlastRadius } from "../render/blast-radius";
import { blastRadiusOf } from "../verbs/blast-radius";
import type { CommandHost } from "./command-host";
import { formatOption } from "./format-option";

/** `blast-radius <key>`. */
export function addBlastRadiusCommand(program: Command, host: CommandHost): void {
  program
    .command("blast-radius")
    .description(
      "Shows what a change of a secret touches: consumers, regions, dependents, checks, the way back",
    )
    .argument("<key>", "the secret's key, such as db/app-primary")
    .option("--env <name>", "one environment only; default: every environment that has the secret")
    .addOption(formatOption("text", "json", "md", "mermaid"))
    .addHelpText(
      "after",
      `
JSON is one object with --env, and a list of them without.

Examples:
  secrets-registry blast-radius db/app-primary --env prod
  secrets-registry blast-radius jwt/signing --format md
  secrets-registry blast-radius admin/postgresql --env prod --format mermaid > radius.mmd`,
    )
    .action(async (key: string, { env, format }: { env?: string; format: RadiusFormat }) => {
      host.print(renderBlastRadius(blastRadiusOf(await host.load(), key, env), format));
    });
}
