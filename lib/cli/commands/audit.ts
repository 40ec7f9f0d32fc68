import type { Command } from "commander";
import { renderPreflight } from "../render/preflight";
import { renderSilentChanges } from "../render/silent-changes";
import { UserFault } from "../terminal/user-fault";
import { auditCheck, auditReplay } from "../verbs/audit-trail";
import { silentChanges } from "../verbs/silent-changes";
import { formatOption } from "./format-option";
import type { RotationCommandHost } from "./rotation-command-host";

/** A month: the archive's hours are read one by one. */
const MOST_HOURS = 744;

/** `audit check`, `audit compare` and `audit replay`. */
export function addAuditCommands(program: Command, host: RotationCommandHost): void {
  const audit = program
    .command("audit")
    .description("The audit trail: every change and read of a secret, in the archive and at SIEMs");

  audit
    .command("check")
    .description(
      "Checks that an environment has an audit trail, a SIEM, and a trail of CloudTrail that logs reads too; ends with 1 if not",
    )
    .requiredOption("--env <name>", "the environment")
    .addOption(formatOption("text", "json", "md"))
    .addHelpText(
      "after",
      `
It reads only; policies/audit-reviewer.json has the rights.

Examples:
  secrets-registry audit check --env prod
  secrets-registry audit check --env prod --format json`,
    )
    .action(async ({ env, format }: { env: string; format: "text" | "json" | "md" }) => {
      const registry = await host.load();
      const { cloud } = host.preflight(registry.environment(env).regions.primary, () => undefined);
      const report = await auditCheck(registry, env, cloud);
      host.print(renderPreflight(report, format));
      if (!report.ready) host.failCheck();
    });

  audit
    .command("compare")
    .description(
      "Compares versions and last changes in Secrets Manager with the archive; ends with 1 where a change has no event",
    )
    .requiredOption("--env <name>", "the environment")
    .option("--hours <count>", "hours to look back", "24")
    .addOption(formatOption("text", "json"))
    .addHelpText(
      "after",
      `
A change of the last half hour may still be on its way and is left out. It reads no value; policies/audit-reviewer.json has the
rights. Run it by a schedule, more often than the hours that it looks back.

Examples:
  secrets-registry audit compare --env prod
  secrets-registry audit compare --env prod --hours 3 --format json`,
    )
    .action(async (options: { env: string; hours: string; format: "text" | "json" }) => {
      const registry = await host.load();
      const report = await silentChanges(
        registry,
        options.env,
        { hours: hoursBack(options.hours), now: new Date() },
        host.auditTrail(registry.environment(options.env).regions.primary),
      );
      host.print(renderSilentChanges(report, options.format));
      if (report.silent.length > 0) host.failCheck();
    });

  audit
    .command("replay")
    .description(
      "Puts events of the archive into the queues of SIEMs again, by their time; ids stay the same",
    )
    .requiredOption("--env <name>", "the environment")
    .requiredOption("--from <time>", "first moment, such as 2026-12-01T09:00:00Z")
    .requiredOption("--until <time>", "first moment that is not replayed")
    .option("--sink <name>", "one sink; default: all")
    .addOption(formatOption("text", "json"))
    .addHelpText(
      "after",
      `
Ends with 1 when an object of those hours is no event. policies/audit-reviewer.json has the rights.

Examples:
  secrets-registry audit replay --env prod --from 2026-12-01T00:00:00Z --until 2026-12-02T00:00:00Z --sink splunk
  secrets-registry audit replay --env prod --from 2026-12-01T09:00:00Z --until 2026-12-01T10:00:00Z --format json`,
    )
    .action(
      async (options: {
        env: string;
        from: string;
        until: string;
        sink?: string;
        format: "text" | "json";
      }) => {
        const registry = await host.load();
        const report = await auditReplay(
          registry,
          {
            environment: options.env,
            from: moment("--from", options.from),
            until: moment("--until", options.until),
            sink: options.sink,
          },
          host.auditTrail(registry.environment(options.env).regions.primary),
        );
        host.print(
          options.format === "json"
            ? JSON.stringify(report, null, 2)
            : [
                `${report.replayed} of ${report.read} events of those hours go to ${report.sinks.join(", ")} again.`,
                ...report.unreadable.map((key) => `No event: ${key}`),
              ].join("\n"),
        );
        if (report.unreadable.length > 0) host.failCheck();
      },
    );
}

function hoursBack(text: string): number {
  const hours = Number(text);
  if (/^\d+$/.test(text) && hours >= 1 && hours <= MOST_HOURS) return hours;
  throw new UserFault(`--hours is ${JSON.stringify(text)}. Give a whole number from 1 to ${MOST_HOURS}.`);
}

function moment(option: string, text: string): Date {
  const time = new Date(text);
  if (/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new UserFault(
    `${option} is ${JSON.stringify(text)}. Give a time in UTC such as 2026-12-01T09:00:00Z.`,
  );
}
