import { type Command, Option } from "commander";
import type { Registry } from "../../model";
import type { RotationCommandHost } from "./rotation-command-host";

/** Adds `rotate`. What it needs of AWS is loaded when it runs, so that other verbs start as fast without it. */
export function addRotateCommand(program: Command, host: RotationCommandHost): void {
  program
    .command("rotate")
    .description(
      "Rotates a secret, or takes one phase of its rotation; run it again to go on after an interruption",
    )
    .argument("<key>", "the secret, such as db/app-primary")
    .requiredOption("--env <name>", "the environment")
    .addOption(
      new Option("--phase <phase>", "one phase only").choices([
        "publish",
        "promote",
        "verify",
        "decommission",
        "rollback",
      ]),
    )
    .addOption(
      new Option(
        "--value-from <where>",
        "where the value of an operator-assisted secret comes from, as JSON",
      ).choices(["stdin"]),
    )
    .option(
      "--version <id>",
      "the version that the phase is about; the secret's labels say which, if left out",
    )
    .option("--emergency", "for a leak: skips the waits of the phase", false)
    .addOption(
      new Option("--format <format>", "how the result is written").choices(["text", "json"]).default("text"),
    )
    .addHelpText(
      "after",
      `
Examples:
  secrets-registry rotate db/app-primary --env prod
  secrets-registry rotate jwt/signing --env prod --phase publish
  secrets-registry rotate jwt/signing --env prod --phase promote
  secrets-registry rotate db/app-primary --env prod --phase decommission
  vault-of-yours read stripe | secrets-registry rotate payments/stripe --env prod --value-from stdin

At a terminal, values that people supply are asked for and not shown. They are never arguments.
Credentials come from AWS's own chain (AWS_PROFILE, a role, …) and must belong to the environment's account.

Exit codes: 0 done, 1 too early or failed, 2 the call is at fault, 70 this program is.`,
    )
    .action(async (key: string, options: RotateFlags) => {
      const registry: Registry = await host.load();
      const { rotate, succeeded } = require("../verbs/rotate") as typeof import("../verbs/rotate");
      const { renderRotation } =
        require("../render/rotation-results") as typeof import("../render/rotation-results");
      const { env: environment, format, ...rest } = options;
      const report = await rotate(registry, key, { environment, ...rest }, host.rotation());
      host.print(renderRotation(report, format));
      if (!succeeded(report)) host.failCheck();
    });
}

interface RotateFlags {
  readonly env: string;
  readonly phase?: "publish" | "promote" | "verify" | "decommission" | "rollback";
  readonly valueFrom?: "stdin";
  readonly version?: string;
  readonly emergency: boolean;
  readonly format: "text" | "json";
}
