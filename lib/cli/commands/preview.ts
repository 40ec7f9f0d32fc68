import { type Command, InvalidArgumentError, Option } from "commander";
import { renderPreview } from "../render/preview";
import { FAIL_ON, fails, preview } from "../verbs/preview";
import { calendarDay } from "./calendar-day";
import type { CommandHost } from "./command-host";
import { formatOption } from "./format-option";

interface PreviewFlags {
  readonly base: string;
  readonly head: string;
  readonly plan: readonly string[];
  readonly failOn: readonly string[];
  readonly limit: number;
  readonly format: "text" | "json" | "md";
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** GitHub takes 65,536 characters in a comment; the workflow adds a heading. */
const COMMENT_LIMIT = 60_000;

/** `preview`. */
export function addPreviewCommand(program: Command, host: CommandHost): void {
  program
    .command("preview")
    .description(
      "Shows what a change does to secrets: access gained and lost, what is destroyed, weakened or restarted, what people must do, and the cost",
    )
    .requiredOption("--base <place>", "registry or synthesized folder before the change, or a commit")
    .option("--head <place>", "the same after it", ".")
    .option(
      "--plan <file>",
      "output of `terraform show -json` for an environment's plan, as <environment>=<file>; repeatable",
      collect,
      [],
    )
    .addOption(
      new Option("--fail-on <what>", "end with 1 if the preview has it; repeatable")
        .argParser((value: string, before: readonly string[] = []) => {
          if (!FAIL_ON.some((name) => name === value)) {
            throw new InvalidArgumentError(`Allowed choices are ${FAIL_ON.join(", ")}.`);
          }
          return [...before, value];
        })
        .default([], "nothing"),
    )
    .option("--limit <characters>", "longest Markdown; 0: none", Number, COMMENT_LIMIT)
    .addOption(formatOption("text", "json", "md"))
    .addHelpText(
      "after",
      `
It needs no credentials and no network. A commit is read from the present repository. --fail-on takes
broadened (somebody can do something new), destroy (something is lost for good or made anew),
lapsed (a protection is weaker) and any (one of them).
JSON has the schema docs/reference/preview.schema.json.

Examples:
  secrets-registry preview --base origin/main
  secrets-registry preview --base origin/main --format md --fail-on broadened --fail-on destroy
  secrets-registry preview --base ../base/cdktf.out --head cdktf.out --plan prod=prod-plan.json`,
    )
    .action(async ({ base, head, plan, failOn, limit, format }: PreviewFlags) => {
      const { registry, on } = program.opts<{ registry: string; on?: string }>();
      const now = on === undefined ? new Date() : new Date(`${calendarDay("--on", on)}T00:00:00Z`);
      const result = await preview({ base, head, plans: plan, now }, { folder: process.cwd(), registry });
      host.print(renderPreview(result, format, limit));
      if (fails(result, failOn)) host.failCheck();
    });
}
