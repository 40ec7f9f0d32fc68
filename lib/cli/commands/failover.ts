import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { UserFault } from "../terminal/user-fault";
import { formatOption } from "./format-option";
import type { RotationCommandHost } from "./rotation-command-host";

/** Adds `failover`. What it needs of AWS is loaded when it runs. */
export function addFailoverCommand(program: Command, host: RotationCommandHost): void {
  program
    .command("failover")
    .description(
      "Moves an environment away from a primary region that is lost, and takes the region in again",
    )
    .requiredOption("--env <name>", "the environment")
    .option("--to <region>", "promote the replicas of this region; it becomes the primary region")
    .option("--rejoin <region>", "the way back: make this region a replica of the primary region again")
    .option("--dry-run", "show everything, change nothing", false)
    .option("--yes", "do not ask", false)
    .option("--planned", "with --to: the primary region answers, and is left on purpose", false)
    .option(
      "--overwrite-diverged",
      "with --rejoin: replace values, too, that the primary region never saw",
      false,
    )
    .option("--imports <file>", "write Terraform's import blocks there, as .tf.json")
    .option("--addresses <ids>", "ids of your constructs in Terraform addresses", "secrets")
    .addOption(formatOption("text", "json"))
    .addHelpText(
      "after",
      `
Examples:
  secrets-registry failover --env prod --to eu-west-1 --dry-run
  secrets-registry failover --env prod --to eu-west-1 --imports cdktf.out/stacks/prod/failover.tf.json
  secrets-registry failover --env prod --rejoin eu-central-1

Readers go on in every region that is left, before, meanwhile and afterwards; no value is read or changed. Interrupted, or run
again, it does what is left. Then it says what the registry and Terraform need.

Exit codes: 0 done, 1 not all secrets are, 2 the call is at fault, 70 this program is.`,
    )
    .action(async (flags: FailoverFlags) => {
      const registry = await host.load();
      const { importsFile, renderFailover, renderRejoin } =
        require("../render/failover") as typeof import("../render/failover");
      const { env: environment, to, rejoin: region, imports, format, ...rest } = flags;
      const common = { environment, ...rest };
      if (to !== undefined && region === undefined && !rest.overwriteDiverged) {
        const { failover } = require("../verbs/failover") as typeof import("../verbs/failover");
        const report = await failover(registry, { ...common, to }, host.failover());
        if (imports !== undefined) writeFileSync(imports, importsFile(report.terraform));
        host.print(renderFailover(report, format));
        if (!report.dryRun && !report.complete) host.failCheck();
      } else if (region !== undefined && to === undefined && !rest.planned) {
        const { rejoin } = require("../verbs/rejoin") as typeof import("../verbs/rejoin");
        const report = await rejoin(registry, { ...common, region }, host.failover());
        if (imports !== undefined) writeFileSync(imports, importsFile(report.terraform));
        host.print(renderRejoin(report, format));
        if (!report.dryRun && !report.complete) host.failCheck();
      } else {
        throw new UserFault(
          "failover takes --to <region> (with --planned, if need be) or --rejoin <region> (with --overwrite-diverged), one of the two.",
        );
      }
    });
}

interface FailoverFlags {
  readonly env: string;
  readonly to?: string;
  readonly rejoin?: string;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly planned: boolean;
  readonly overwriteDiverged: boolean;
  readonly imports?: string;
  readonly addresses: string;
  readonly format: "text" | "json";
}
