import type { Command } from "commander";
import { blueprint } from "../../blueprint";
import { publicationsTable } from "../../model/names";
import { requireAccount } from "../cloud/require-account";
import { renderDue } from "../render/due";
import { askedProofs } from "../verbs/asked-proofs";
import { due } from "../verbs/due";
import { surroundings } from "../verbs/preflight";
import { formatOption } from "./format-option";
import type { RotationCommandHost } from "./rotation-command-host";
import { withoutStack } from "./rotation-fault";
import { vaultTokens } from "./vault-tokens";

/** `due`. */
export function addDueCommand(program: Command, host: RotationCommandHost): void {
  program
    .command("due")
    .description(
      "Compares each secret's last rotation with its cadence; ends with 1 if one is overdue or stuck, or if a trail, an audit device, quota or right of the deployer is missing",
    )
    .requiredOption("--env <name>", "the environment")
    .addOption(formatOption("text", "json", "md"))
    .addHelpText(
      "after",
      `
Stuck: no value; a rotation, a replica or a Vault that stands still for an hour; a current value that nothing proves, as the
dispatcher says, which asks KMS. What preflight would say of trails, data events, audit devices, quotas and the deployer's rights
follows, where it is not well; "not checked" where the credentials may not ask (policies/preflight.json has the rights).

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
      const plan = blueprint(registry, env);
      const rotations = host.rotation().cloudIn(region, env);
      await requireAccount(rotations, plan);
      const asked = askedProofs(awsDueSources(region, publicationsTable(registry.id, env)), plan, rotations);
      const { cloud, audit } = host.preflight(region, vaultTokens(plan));
      const report = await withoutStack(async () => {
        const around = await surroundings(registry, env, cloud, audit);
        return due(registry, env, asked, new Date(), around);
      });
      host.print(renderDue(report, format));
      if (!report.well) host.failCheck();
    });
}
