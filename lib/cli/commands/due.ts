import type { Command } from "commander";
import { blueprint } from "../../blueprint";
import { publicationsTable } from "../../model/names";
import { requireAccount } from "../cloud/require-account";
import { renderDue } from "../render/due";
import { due } from "../verbs/due";
import { formatOption } from "./format-option";
import type { RotationCommandHost } from "./rotation-command-host";
import { withoutStack } from "./rotation-fault";

/** `due`. */
export function addDueCommand(program: Command, host: RotationCommandHost): void {
  program
    .command("due")
    .description(
      "Compares each secret's last rotation with its cadence; ends with 1 if one is overdue or stuck",
    )
    .requiredOption("--env <name>", "the environment")
    .addOption(formatOption("text", "json", "md"))
    .addHelpText(
      "after",
      `
Stuck: no value; a rotation, a replica or a Vault that stands still for an hour.

Examples:
  secrets-registry due --env prod
  secrets-registry due --env prod --format json`,
    )
    .action(async ({ env, format }: { env: string; format: "text" | "json" | "md" }) => {
      const registry = await host.load();
      const region = registry.environment(env).regions.primary;
      const { awsDueSources } =
        require("../cloud/aws-due-sources") as typeof import("../cloud/aws-due-sources");
      // Says what is wrong with credentials, before anything else is asked with them.
      await requireAccount(host.rotation().cloudIn(region, env), blueprint(registry, env));
      const sources = awsDueSources(region, publicationsTable(registry.id, env));
      const report = await withoutStack(() => due(registry, env, sources, new Date()));
      host.print(renderDue(report, format));
      if (!report.well) host.failCheck();
    });
}
