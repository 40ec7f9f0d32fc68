import type { Argument, Command, Option } from "commander";
import { EXIT } from "../../lib/cli/program";
import { commandTree } from "./command-tree";
import { code, page, parts, table } from "./page";

const EXIT_MEANING: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "done",
  failedCheck: "a check ran and failed; or not all is done yet",
  userFault: "the registry, or the call, is at fault",
  internal: "the program is at fault",
};

/** Page of all commands. */
export async function commandPage(): Promise<string> {
  const program = await commandTree();
  return page("Command line", [
    "In a checkout `npm run secrets-registry -- <command>`; with the package installed `npx secrets-registry <command>`. `rehearse` is there in a checkout, and beside the package `cdktf-secrets-registry-rehearsal`.",
    table({
      head: ["exit code", "means"],
      rows: Object.entries(EXIT).map(([name, value]) => [
        String(value),
        EXIT_MEANING[name as keyof typeof EXIT],
      ]),
    }),
    "Exit codes, and what `--format json` prints, are an API: see the [versioning policy](../../CONTRIBUTING.md#versions).",
    "## Options of every command",
    optionTable(program.options),
    ...program.commands.flatMap((command) => sectionsOf(command, program.name())),
  ]);
}

/** Sections of a command and of those below it. */
function sectionsOf(command: Command, above: string): readonly string[] {
  const name = `${above} ${command.name()}`;
  // `rotate <key>` is a hidden command that `rotate` stands for.
  const hidden = command.commands.find((child) => isHidden(child));
  const shown = hidden ?? command;
  const usage = hidden ? `${name} ${hidden.usage()}` : `${name} ${command.usage()}`;
  const children = command.commands.filter((child) => child !== hidden && child.name() !== "help");
  return [
    ...parts(
      `## ${name}`,
      `${command.description()}.`,
      children.length > 0 && hidden === undefined ? "" : `\`${usage}\``,
      table({
        head: ["argument", "means"],
        rows: shown.registeredArguments.map((argument) => [
          code(argumentName(argument)),
          argument.description,
        ]),
      }),
      optionTable(shown.options),
      afterHelp(command),
    ),
    ...children.flatMap((child) => sectionsOf(child, name)),
  ];
}

/** Commander keeps it private; its help leaves such commands out. */
const isHidden = (command: Command): boolean => (command as unknown as { _hidden: boolean })._hidden;

const argumentName = (argument: Argument): string => {
  const name = `${argument.name()}${argument.variadic ? "…" : ""}`;
  return argument.required ? `<${name}>` : `[${name}]`;
};

const optionTable = (options: readonly Option[]): string =>
  table({
    head: ["option", "means", "values", "default"],
    rows: options
      .filter((option) => !option.hidden)
      .map((option) => [
        code(option.flags),
        `${option.description}${option.mandatory ? " (needed)" : ""}`,
        (option.argChoices ?? []).map(code).join(", "),
        defaultOf(option),
      ]),
  });

/** Default as people read it. Dates are those of the day on which the page is written. */
function defaultOf({ defaultValue }: Option): string {
  if (defaultValue === undefined || defaultValue === false) return "";
  return /^\d{4}-\d\d-\d\d$/.test(String(defaultValue)) ? "today (UTC)" : code(String(defaultValue));
}

/** Text that `--help` prints below the options: examples, exit codes. */
function afterHelp(command: Command): string {
  let printed = "";
  command.configureOutput({
    writeOut: (text) => {
      printed += text;
    },
  });
  command.outputHelp();
  const help = command.helpInformation();
  const text = printed.slice(printed.indexOf(help) + help.length).trim();
  return text === "" ? "" : `\`\`\`text\n${text}\n\`\`\``;
}
