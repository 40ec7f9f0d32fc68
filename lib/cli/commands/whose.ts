import type { Command } from "commander";
import { renderWhose } from "../render/whose";
import { whose } from "../verbs/whose";
import { formatOption } from "./format-option";
import { profileSetting, profilesIn } from "./profiles";
import type { RotationCommandHost } from "./rotation-command-host";

interface WhoseOptions {
  readonly env?: readonly string[];
  readonly profile?: readonly string[];
  readonly format: "text" | "json";
}

/** `whose`. */
export function addWhoseCommand(program: Command, host: RotationCommandHost): void {
  program
    .command("whose")
    .description(
      "Says which secret a leaked text belongs to, whether it is in use, and what to do; ends with 1 for one that is unknown",
    )
    .option("--env <name...>", "environments that are looked through; default: all")
    .option("--profile <environment=profile...>", "AWS profile of each environment")
    .addOption(formatOption("text", "json"))
    .addHelpText(
      "after",
      `
The text comes from standard input, or is asked for and not shown. It may be the value, one of its fields, a line that
holds it (NAME=…, a URL, a header), JSON or base64. It stays on this machine: KMS gets a digest.
Texts are found from the moment their version was confirmed by every Vault. A role of principals.breakGlass may ask.

Examples:
  secrets-registry whose --env prod < found.txt
  pbpaste | secrets-registry whose --profile prod=acme-prod-break-glass --format json`,
    )
    .action(async ({ env, profile, format }: WhoseOptions) => {
      const registry = await host.load();
      const environments = (env ?? registry.environmentNames).map((name) => registry.environment(name).name);
      const { terminal, progress } = host.rotation(profile);
      const given = profilesIn(profile ?? []);
      const leaked = terminal.interactive
        ? await terminal.ask("The text that leaked (not shown): ", { hidden: true })
        : await terminal.readInput();
      // Required here, so that other verbs start without AWS's SDK.
      const { awsWhoseCloud } =
        require("../cloud/aws-whose-cloud") as typeof import("../cloud/aws-whose-cloud");
      const report = await whose(registry, {
        leaked,
        environments,
        progress,
        cloudIn: (region, environment) => awsWhoseCloud({ region, ...profileSetting(environment, given) }),
      });
      host.print(renderWhose(report, format));
      if (report.matches.length === 0) host.failCheck();
    });
}
