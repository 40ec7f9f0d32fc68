import type { Command } from "commander";
import { prove } from "../../proof";
import { type ProofFormat, renderProof } from "../render/proof";
import type { CommandHost } from "./command-host";
import { formatOption } from "./format-option";

/** `prove`. */
export function addProveCommand(program: Command, host: CommandHost): void {
  program
    .command("prove")
    .description(
      "Proves that an environment's finished policies allow what the registry says, and no other request",
    )
    .requiredOption("--env <name>", "the environment")
    .addOption(formatOption("text", "json", "md"))
    .addHelpText(
      "after",
      `
It needs no credentials and no network. Each request that is possible beyond the registry is printed, and
so is what is not decided; either ends with 1.

Examples:
  secrets-registry prove --env prod
  secrets-registry prove --env prod --format json`,
    )
    .action(async ({ env, format }: { readonly env: string; readonly format: ProofFormat }) => {
      const registry = await host.load();
      const proof = prove(registry, registry.environment(env).name);
      host.print(renderProof(proof, format));
      if (proof.beyond.length + proof.missing.length > 0) host.failCheck();
    });
}
