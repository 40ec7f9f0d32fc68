import type { Command } from "commander";
import { calendarDay } from "../calendar-day";
import type { CommandHost } from "../command-host";
import { formatOption } from "../format-option";
import { folderRecords } from "../record-source";
import { renderArchive, renderLogCheck } from "../render/rotation-log";
import { archiveLog, SECRET_ROTATIONS } from "../verbs/log-archive";
import { checkLog } from "../verbs/log-check";

interface LogOptions {
  readonly from: string;
  readonly since: string;
  readonly out: string;
  readonly format: "text" | "json";
}

/** `log archive` and `log check`. */
export function addLogCommands(program: Command, host: CommandHost): void {
  const log = program
    .command("log")
    .description("The rotation log: who changed which secret when, and who has seen it");

  const withOptions = (command: Command): Command =>
    command
      .requiredOption("--from <path>", "records of the runs: a folder of JSON files, or one file")
      .requiredOption("--since <day>", "runs that ended on this day (UTC) or later")
      .option("--out <folder>", "folder of the log", SECRET_ROTATIONS)
      .addOption(formatOption("text", "json"));

  withOptions(log.command("archive"))
    .description("Writes the records of runs into a file for each day; what is there stays as it is")
    .addHelpText(
      "after",
      `
Ends with 1 when a run is there with other facts than its record's.

Examples:
  secrets-registry log archive --from records --since 2026-11-01
  secrets-registry log archive --from records/one-run.json --since 2026-11-25 --format json`,
    )
    .action(async ({ from, since, out, format }: LogOptions) => {
      const days = await archiveLog(folderRecords(from), calendarDay("--since", since), out);
      host.print(renderArchive(days, format));
      if (days.some(({ different }) => different.length > 0)) host.failCheck();
    });

  withOptions(log.command("check"))
    .description(
      "Checks that every run is archived as its record says, and signed by somebody else; ends with 1 if not",
    )
    .addHelpText(
      "after",
      `
Examples:
  secrets-registry log check --from records --since 2026-11-01
  secrets-registry log check --from records --since 2026-11-01 --format json`,
    )
    .action(async ({ from, since, out, format }: LogOptions) => {
      const result = await checkLog(folderRecords(from), calendarDay("--since", since), out);
      host.print(renderLogCheck(result, format));
      if (!result.valid) host.failCheck();
    });
}
