import type { Command } from "commander";
import type { Registry } from "../../model";
import { recordsBucket } from "../../model/names";
import { folderRecords, type RecordSource } from "../cloud/record-source";
import { renderArchive, renderLogCheck } from "../render/rotation-log";
import { archiveLog, SECRET_ROTATIONS } from "../verbs/log-archive";
import { checkLog } from "../verbs/log-check";
import { calendarDay } from "./calendar-day";
import type { CommandHost } from "./command-host";
import { formatOption } from "./format-option";
import { profileSetting, profilesIn } from "./profiles";

interface LogOptions {
  readonly from: string;
  readonly env?: readonly string[];
  readonly profile?: readonly string[];
  readonly since: string;
  readonly out: string;
  readonly format: "text" | "json";
}

/** `log archive` and `log check`. */
export function addLogCommands(program: Command, host: CommandHost): void {
  const sourceOf = async ({ from, env, profile }: LogOptions): Promise<RecordSource> =>
    from === "s3" ? bucketRecords(await host.load(), env, profile) : folderRecords(from);

  const log = program
    .command("log")
    .description("The rotation log: who changed which secret when, and who has seen it");

  const withOptions = (command: Command): Command =>
    command
      .option("--from <where>", "s3: the environments' buckets; or a folder of JSON files, or one file", "s3")
      .option("--env <name...>", "environments whose buckets are read; default: all")
      .option("--profile <environment=profile...>", "AWS profile of each environment")
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
  secrets-registry log archive --since 2026-11-01 --profile dev=acme-dev stage=acme-stage prod=acme-prod
  secrets-registry log archive --from records --since 2026-11-01
  secrets-registry log archive --from records/one-run.json --since 2026-11-25 --format json`,
    )
    .action(async (options: LogOptions) => {
      const { since, out, format } = options;
      const days = await archiveLog(await sourceOf(options), calendarDay("--since", since), out);
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
  secrets-registry log check --since 2026-11-01
  secrets-registry log check --from records --since 2026-11-01 --format json`,
    )
    .action(async (options: LogOptions) => {
      const { since, out, format } = options;
      const result = await checkLog(await sourceOf(options), calendarDay("--since", since), out);
      host.print(renderLogCheck(result, format));
      if (!result.valid) host.failCheck();
    });
}

/** The buckets of environments, each with its own credentials. */
function bucketRecords(
  registry: Registry,
  wanted: readonly string[] = registry.environmentNames,
  profiles: readonly string[] = [],
): RecordSource {
  const { allRecords, s3Records } =
    require("../cloud/s3-record-source") as typeof import("../cloud/s3-record-source");
  const given = profilesIn(profiles);
  return allRecords(
    wanted.map((name) => {
      const { account, regions } = registry.environment(name);
      return s3Records(
        { region: regions.primary, ...profileSetting(name, given) },
        recordsBucket(registry.id, name, account, regions.primary),
      );
    }),
  );
}
