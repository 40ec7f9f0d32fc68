import type { Command } from "commander";
import { blueprint } from "../../blueprint";
import { renderPreflight } from "../render/preflight";
import { preflight } from "../verbs/preflight";
import { formatOption } from "./format-option";
import type { RotationCommandHost } from "./rotation-command-host";
import { vaultTokens } from "./vault-tokens";

/** `preflight`. */
export function addPreflightCommand(program: Command, host: RotationCommandHost): void {
  program
    .command("preflight")
    .description(
      "Checks what an environment needs of its account and its Vaults: trail, audit devices, principals, quotas; ends with 1 if something is missing",
    )
    .requiredOption("--env <name>", "the environment")
    .addOption(formatOption("text", "json", "md"))
    .addHelpText(
      "after",
      `
It reads only; policies/preflight.json has the rights. States: ok, missing, advice (it works, and less is seen than could be),
unknown (the credentials may not ask). A Vault is asked with TF_VAR_vault_token__<vault>, else VAULT_TOKEN.

Examples:
  secrets-registry preflight --env prod
  secrets-registry preflight --env prod --format json

Exit codes: 0 ready, 1 something is missing, 2 the call is at fault, 70 this program is.`,
    )
    .action(async ({ env, format }: { env: string; format: "text" | "json" | "md" }) => {
      const registry = await host.load();
      const plan = blueprint(registry, registry.environment(env).name);
      const { cloud, audit } = host.preflight(plan.regions.primary, vaultTokens(plan));
      const report = await preflight(registry, env, cloud, audit);
      host.print(renderPreflight(report, format));
      if (!report.ready) host.failCheck();
    });
}
