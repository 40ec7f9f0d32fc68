import type { Command } from "commander";
import { approve } from "../verbs/approve";
import type { CommandHost } from "./command-host";
import { formatOption } from "./format-option";
import { withoutStack } from "./rotation-fault";

/** `approve <run>`. */
export function addApproveCommand(program: Command, host: CommandHost): void {
  program
    .command("approve")
    .description(
      "Answers a request: may the old credential be retired? The request is read from standard input",
    )
    .argument("<run>", "the run, as the request names it")
    .requiredOption("--env <name>", "the environment")
    .option("--reject", "says no: the run is rolled back while the old credential works", false)
    .addOption(formatOption("text", "json"))
    .addHelpText(
      "after",
      `
Needs a role of the environment's approvers. Who asked for the change, or started the run, cannot approve it:
the command signs who you are, and the approval gate has AWS confirm it.

Examples:
  secrets-registry approve 5e0c6f1e-… --env prod < request.json
  secrets-registry approve 5e0c6f1e-… --env prod --reject < request.json`,
    )
    .action(async (run: string, { env, reject, format }: ApproveOptions) => {
      const registry = await host.load();
      const { regions } = registry.environment(env);
      const message = await host.readInput();
      const { awsApprovalCloud } =
        require("../cloud/aws-approval-cloud") as typeof import("../cloud/aws-approval-cloud");
      const cloud = awsApprovalCloud({ region: regions.primary });
      const result = await withoutStack(() =>
        approve(registry, { environment: env, run, message, approves: !reject }, cloud),
      );
      host.print(
        format === "json"
          ? JSON.stringify(result, null, 2)
          : `${result.answer}: run ${result.run} of ${result.secret} in ${result.environment}, by ${result.approver}`,
      );
    });
}

interface ApproveOptions {
  readonly env: string;
  readonly reject: boolean;
  readonly format: "text" | "json";
}
