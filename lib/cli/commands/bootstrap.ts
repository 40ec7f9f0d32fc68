import { type Command, Option } from "commander";
import type { RotationCommandHost } from "./rotation-command-host";

/** Adds `bootstrap`. What it needs of AWS is loaded when it runs. */
export function addBootstrapCommand(program: Command, host: RotationCommandHost): void {
  program
    .command("bootstrap")
    .description("Gives every secret of an environment its first value; run it again to do what is left")
    .requiredOption("--env <name>", "the environment")
    .addOption(
      new Option(
        "--values-from <where>",
        'source of the values that people supply: one JSON document, {"<key>": {…}}',
      ).choices(["stdin"]),
    )
    .addOption(
      new Option("--format <format>", "how the result is written").choices(["text", "json"]).default("text"),
    )
    .addHelpText(
      "after",
      `
Examples:
  secrets-registry bootstrap --env dev
  vault-of-yours read first-values | secrets-registry bootstrap --env prod --values-from stdin

First it looks at what is deployed, then at the values that people supply (asked for at a terminal, and not shown);
only when both are in order it begins. A JWT key that is in use already (settings.firstKey "supplied") is given as
{"privateKey": <JWK or PEM>, "kid": "…", "previous": <public JWK>}, the last where verifiers still take one. Admin secrets come first, then what is rotated by them; at the end everything
is mirrored into every Vault.

Exit codes: 0 every secret is proved and in every Vault, 1 not all are, 2 the call is at fault, 70 this program is.`,
    )
    .action(async ({ env: environment, valuesFrom, format }: BootstrapFlags) => {
      const registry = await host.load();
      const { bootstrap } = require("../verbs/bootstrap") as typeof import("../verbs/bootstrap");
      const { renderBootstrap } =
        require("../render/rotation-results") as typeof import("../render/rotation-results");
      const report = await bootstrap(registry, { environment, valuesFrom }, host.rotation(), host.places());
      host.print(renderBootstrap(report, format));
      if (!report.complete) host.failCheck();
    });
}

interface BootstrapFlags {
  readonly env: string;
  readonly valuesFrom?: "stdin";
  readonly format: "text" | "json";
}
