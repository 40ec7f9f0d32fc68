import type { Command } from "commander";
import type { Registry } from "../../model";
import { policiesOfOutput } from "../../preview";
import { type EnvironmentPolicies, prove } from "../../proof";
import { readOutput } from "../registry/preview-side";
import { type ProofFormat, renderProof } from "../render/proof";
import { UserFault } from "../terminal/user-fault";
import type { CommandHost } from "./command-host";
import { formatOption } from "./format-option";

interface ProveOptions {
  readonly env: string;
  readonly synthesized?: string;
  readonly format: ProofFormat;
}

/** `prove`. */
export function addProveCommand(program: Command, host: CommandHost): void {
  program
    .command("prove")
    .description(
      "Proves that an environment's finished policies allow what the registry says, and no other request",
    )
    .requiredOption("--env <name>", "the environment")
    .option(
      "--synthesized <folder>",
      "prove the policies of this synthesized output in place of the registry's: cdktf.out, whoever changed it since",
    )
    .addOption(formatOption("text", "json", "md"))
    .addHelpText(
      "after",
      `
It needs no credentials and no network. Each request that is possible beyond the registry is printed, and
so is what is not decided; either ends with 1.

Examples:
  secrets-registry prove --env prod
  secrets-registry prove --env prod --synthesized cdktf.out
  secrets-registry prove --env prod --format json`,
    )
    .action(async ({ env, format, synthesized }: ProveOptions) => {
      const registry = await host.load();
      const { name } = registry.environment(env);
      const written = synthesized === undefined ? [] : policiesIn(synthesized, registry, name);
      const proof = prove(registry, name, written);
      host.print(renderProof(proof, format));
      if (proof.beyond.length + proof.missing.length > 0) host.failCheck();
    });
}

/** Policies of the registry's environments in a synthesized output, whose stacks are named after them. */
function policiesIn(folder: string, registry: Registry, environment: string): readonly EnvironmentPolicies[] {
  const stacks = readOutput(folder);
  if (!stacks.has(environment)) {
    throw new UserFault(
      `${folder} has no stack ${environment}; it has ${[...stacks.keys()].join(", ") || "none"}. Synthesize ${environment} as well.`,
    );
  }
  return [...stacks]
    .filter(([name]) => registry.environmentNames.includes(name))
    .map(([name, stack]) => policiesOfOutput(name, stack));
}
