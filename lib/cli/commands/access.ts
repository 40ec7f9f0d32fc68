import type { Command } from "commander";
import { type Format, renderAccess, renderAllAccess, renderWhy } from "../render/results";
import { UserFault } from "../terminal/user-fault";
import { access, accessOfPrincipal, allAccess, whyAccess } from "../verbs/access";
import type { CommandHost } from "./command-host";
import { formatOption } from "./format-option";

interface AccessFlags {
  readonly env: string;
  readonly all: boolean;
  readonly format: Format;
}

/** `access`. */
export function addAccessCommand(program: Command, host: CommandHost): void {
  program
    .command("access")
    .description("Lists who can read what in an environment")
    .argument("[question]", "principal: all that one can do; why: the reason for one secret")
    .argument("[name]", "workload, function or role, by its name or ARN")
    .argument("[key]", "key of a secret, for why")
    .requiredOption("--env <name>", "the environment")
    .option("--all", "people, functions and the mirror as well, and what each can do", false)
    .addOption(formatOption("text", "json", "md"))
    .addHelpText(
      "after",
      `
Without --all it lists workloads alone.

Examples:
  secrets-registry access --env prod
  secrets-registry access --env prod --all --format md
  secrets-registry access principal backend --env prod
  secrets-registry access principal arn:aws:iam::333333333333:role/break-glass --env prod
  secrets-registry access why backend payments/stripe --env prod`,
    )
    .action(
      async (
        question: string | undefined,
        name: string | undefined,
        key: string | undefined,
        { env, all, format }: AccessFlags,
      ) => {
        const registry = await host.load();
        const environment = registry.environment(env).name;
        if (question === undefined) {
          host.print(
            all
              ? renderAllAccess(allAccess(registry, environment), format)
              : renderAccess(access(registry, environment), format),
          );
        } else if (question === "principal" && name !== undefined && key === undefined) {
          host.print(renderAllAccess(accessOfPrincipal(registry, environment, name).rows, format));
        } else if (question === "why" && name !== undefined && key !== undefined) {
          host.print(renderWhy(whyAccess(registry, environment, name, key), format));
        } else {
          throw new UserFault(
            "access takes nothing, `principal <name>` or `why <name> <key>`, each with --env <environment>.",
          );
        }
      },
    );
}
