import type { Command } from "commander";
import { type Format, renderList } from "../render/results";
import { list } from "../verbs/list";
import type { CommandHost } from "./command-host";
import { formatOption } from "./format-option";

/** `list`. */
export function addListCommand(program: Command, host: CommandHost): void {
  program
    .command("list")
    .description("Lists the secrets of each environment")
    .option("--env <name>", "one environment only")
    .option("--cost", "a month's cost as well, by a dated table of AWS's list prices")
    .addOption(formatOption("text", "json", "md"))
    .action(async ({ env, cost, format }: { env?: string; cost?: true; format: Format }) => {
      const registry = await host.load();
      const environments = env === undefined ? registry.environmentNames : [registry.environment(env).name];
      host.print(renderList(list(registry, environments, new Date(), { cost }), format));
    });
}
