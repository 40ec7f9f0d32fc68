import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { CHANGE_REQUESTS, changeDigest } from "../../contracts";
import { jobTokensOf } from "../cloud/job-tokens";
import { renderChangeCheck } from "../render/change-check";
import { renderVouch } from "../render/vouch";
import { UserFault } from "../terminal/user-fault";
import { changeFiles, checkChanges } from "../verbs/change-check";
import { newChange } from "../verbs/change-request";
import { vouch } from "../verbs/vouch";
import { calendarDay, today } from "./calendar-day";
import { formatOption } from "./format-option";
import type { RotationCommandHost } from "./rotation-command-host";

interface NewOptions {
  readonly reason: string;
  readonly schedule: readonly string[];
  readonly requester?: string;
  readonly approver?: readonly string[];
  readonly date: string;
  readonly out: string;
  readonly format: "text" | "json";
}

interface CheckOptions {
  readonly folder: string;
  readonly date: string;
  readonly format: "text" | "json";
}

interface VouchOptions {
  readonly env: string;
  readonly folder: string;
  readonly tokenVariable?: string;
  readonly tokenCommand?: string;
  readonly format: "text" | "json";
}

/** `change new <key>`, `change check [file…]` and `change vouch [file…]`. */
export function addChangeCommands(program: Command, host: RotationCommandHost): void {
  const change = program
    .command("change")
    .description("Change requests: what people ask for before a rotation");

  change
    .command("new")
    .description("Writes a change request with the blast radius, for a pull request")
    .argument("<key>", "the secret's key, such as jwt/signing")
    .requiredOption("--reason <text>", "reason, in one line")
    .requiredOption("--schedule <environment=day...>", "day of the rotation in each environment")
    .option("--requester <person>", "requester; default: git's user.email")
    .option("--approver <person...>", "approvers; default: the approvers' roles of the environments")
    .option("--date <day>", "day of the request", today())
    .option("--out <folder>", "folder of the change requests", CHANGE_REQUESTS)
    .addOption(formatOption("text", "json"))
    .addHelpText(
      "after",
      `
The same input and registry give the same bytes. A file that is there is never written over.

Examples:
  secrets-registry change new jwt/signing --reason "Quarterly rotation" \\
    --schedule dev=2026-12-01 stage=2026-12-03 prod=2026-12-08
  secrets-registry change new payments/stripe --reason "A laptop was lost" --schedule prod=2026-11-25 \\
    --requester alice@example.com --approver bob@example.com`,
    )
    .action(async (key: string, options: NewOptions) => {
      const registry = await host.load();
      const { change: request, text } = newChange(registry, {
        key,
        date: calendarDay("--date", options.date),
        requester: options.requester ?? gitUser(),
        reason: options.reason,
        schedule: scheduleOf(options.schedule),
        ...(options.approver ? { approvers: options.approver } : {}),
      });
      const file = join(options.out, `${request.id}.md`);
      writeNew(file, options.out, text);
      const digest = changeDigest(text);
      host.print(
        options.format === "json"
          ? JSON.stringify({ file, id: request.id, digest }, null, 2)
          : `Wrote ${file}\n  ${digest}\nNext: commit it, and let somebody other than ${request.requester} approve the pull request.`,
      );
    });

  change
    .command("check")
    .description("Checks change requests, all faults at once; ends with 1 when there is one")
    .argument("[file...]", "files; default: all of the folder")
    .option("--folder <folder>", "folder of the change requests", CHANGE_REQUESTS)
    .option("--date <day>", "the day that counts as today", today())
    .addOption(formatOption("text", "json"))
    .addHelpText(
      "after",
      `
A change is open until 30 days after its last scheduled day: until then the registry must say what the file says.
Of what is older only the form is checked.

Examples:
  secrets-registry change check
  secrets-registry change check security/change-requests/2026-11-25-jwt--signing.md --format json`,
    )
    .action(async (files: readonly string[], { folder, date, format }: CheckOptions) => {
      const registry = await host.load();
      const result = checkChanges(
        registry,
        files.length > 0 ? files : changeFiles(folder),
        calendarDay("--date", date),
      );
      host.print(renderChangeCheck(result, format));
      if (!result.valid) host.failCheck();
    });

  change
    .command("vouch")
    .description(
      "CI's word that change requests were approved, for the change gate of an environment; ends with 1 when one is refused",
    )
    .argument("[file...]", "files; default: all of the folder")
    .requiredOption("--env <name>", "the environment")
    .option("--folder <folder>", "folder of the change requests", CHANGE_REQUESTS)
    .option("--token-variable <name>", "variable that holds the job's token; for one file")
    .option("--token-command <command>", "shell command that prints a token for the audience $AUDIENCE")
    .addOption(formatOption("text", "json"))
    .addHelpText(
      "after",
      `
A step of a job of the protected branch, with the role principals.ci of the environment. The job's identity token is asked
for with an audience that names the change request, so that it vouches for nothing else: from GitHub Actions
(permissions: id-token: write), from a variable (GitLab's id_tokens), or from a command.
Change requests that are closed, or of other environments, are skipped. To vouch again changes nothing.

Examples:
  secrets-registry change vouch --env prod
  secrets-registry change vouch --env prod --format json security/change-requests/2026-11-25-jwt--signing.md
  secrets-registry change vouch --env prod --token-variable PROD_TOKEN security/change-requests/2026-11-25-jwt--signing.md
  secrets-registry change vouch --env prod --token-command ./job-token.sh`,
    )
    .action(async (files: readonly string[], options: VouchOptions) => {
      const { env, folder, tokenVariable, tokenCommand, format } = options;
      if (tokenVariable !== undefined && (tokenCommand !== undefined || files.length !== 1)) {
        throw new UserFault(
          "A token in a variable is good for one change request: give one file, and no --token-command.",
        );
      }
      const registry = await host.load();
      const { regions } = registry.environment(env);
      const result = await vouch(
        registry,
        { environment: env, files: files.length > 0 ? files : changeFiles(folder), today: today() },
        {
          cloud: host.rotation().cloudIn(regions.primary, env),
          tokenFor: jobTokensOf({
            variable: tokenVariable,
            command: tokenCommand,
            environment: process.env,
          }),
        },
      );
      host.print(renderVouch(result, format));
      if (!result.complete) host.failCheck();
    });
}

/** `dev=2026-12-01`, several of them, or several in one with commas. */
function scheduleOf(entries: readonly string[]): Record<string, string> {
  const schedule: Record<string, string> = {};
  for (const entry of entries.flatMap((text) => text.split(","))) {
    const [environment = "", day, ...rest] = entry.split("=");
    if (environment === "" || day === undefined || rest.length > 0) {
      throw new UserFault(
        `--schedule is ${JSON.stringify(entry)}. Give environment=day, such as dev=2026-12-01.`,
      );
    }
    if (environment in schedule) throw new UserFault(`--schedule names ${environment} twice. Give one day.`);
    schedule[environment] = calendarDay(`--schedule ${environment}`, day);
  }
  return schedule;
}

function gitUser(): string {
  const { stdout } = spawnSync("git", ["config", "user.email"], { encoding: "utf8" });
  const email = stdout?.trim();
  if (email) return email;
  throw new UserFault("Git knows no user.email. Say who asks with --requester, such as alice@example.com.");
}

function writeNew(file: string, folder: string, text: string): void {
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(file, text, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new UserFault(`${file} is there already. Remove it to write it again, or give another --date.`);
  }
}
