import { type Command, InvalidArgumentError } from "commander";
import type { Terminal } from "../terminal/terminal";
import { UserFault } from "../terminal/user-fault";
import { today } from "./calendar-day";
import { formatOption } from "./format-option";
import type { RotationCommandHost } from "./rotation-command-host";

/** Folder of sealings in the repository. */
const BREAK_GLASS_FOLDER = "security/break-glass";

interface Where {
  readonly folder: string;
  readonly format: "text" | "json";
}

/** `break-glass seal`, `open`, `drill` and `check`. */
export function addBreakGlassCommands(program: Command, host: RotationCommandHost): void {
  const breakGlass = program
    .command("break-glass")
    .description("Credentials of last resort, kept offline: sealed, and opened by several holders together");
  const command = (words: string, description: string): Command =>
    breakGlass
      .command(words)
      .description(description)
      .option("--folder <folder>", "folder of the sealings", BREAK_GLASS_FOLDER)
      .addOption(formatOption("text", "json"));

  command(
    "seal <name>",
    "Seals a credential from standard input, so that several of its holders open it together",
  )
    .requiredOption("--holders <name...>", "who keep a share, each one")
    .requiredOption("--threshold <number>", "shares that open it", wholeNumber)
    .requiredOption("--sheets <folder>", "folder outside of the repository for the sheets that are printed")
    .addHelpText(
      "after",
      `
Nothing in the cloud can open it, and no network is used: do it on a machine that is offline. Each holder gets a sheet with a share as text
and as a QR code; fewer shares than the threshold say nothing. A sealing of the same name is replaced.

Examples:
  secrets-registry break-glass seal aws-prod-root --holders ana ben cleo --threshold 2 --sheets /dev/shm/sheets
  generate-password | secrets-registry break-glass seal vault-prod-root --holders ana ben cleo dan eva --threshold 3 --sheets /media/usb`,
    )
    .action(
      async (
        name: string,
        options: Where & {
          readonly holders: readonly string[];
          readonly threshold: number;
          readonly sheets: string;
        },
      ) => {
        // Required where they are needed: other verbs start without encryption.
        const { sealInto } = require("../verbs/break-glass") as typeof import("../verbs/break-glass");
        const { renderSeal } = require("../render/break-glass") as typeof import("../render/break-glass");
        const { terminal } = host.rotation();
        const credential = terminal.interactive
          ? await terminal.ask("The credential (not shown): ", { hidden: true })
          : (await terminal.readInput()).replace(/\r?\n$/, "");
        const { holders, threshold } = options;
        const report = await sealInto(options.folder, options.sheets, {
          name,
          credential,
          holders,
          threshold,
          day: today(),
        });
        host.print(renderSeal(report, options.format));
      },
    );

  command("open <name>", "Opens a sealed credential by its holders' shares")
    .option("--show", "print the credential; without it, only say that it opens")
    .addHelpText(
      "after",
      `
Shares come from standard input, one in a line, or are asked for and not shown. Each wrong one is named.
After it was used the credential is made anew and sealed again, and every secret that was read is rotated.

Examples:
  secrets-registry break-glass open aws-prod-root
  secrets-registry break-glass open aws-prod-root --show < shares.txt`,
    )
    .action(async (name: string, { folder, format, show = false }: Where & { readonly show?: boolean }) => {
      const { openSealing, readSealing } =
        require("../verbs/break-glass") as typeof import("../verbs/break-glass");
      const sealed = readSealing(folder, name);
      const shares = await sharesFrom(host.rotation().terminal, sealed.threshold);
      const { credential, holders } = await openSealing(sealed, shares);
      const who = holders.join(", ");
      if (format === "json") {
        host.print(
          JSON.stringify({ name, opens: true, holders, ...(show ? { credential } : {}) }, undefined, 2),
        );
      } else host.print(show ? credential : `${name} opens by the shares of ${who}. Add --show to print it.`);
    });

  command(
    "drill <name>",
    "Lets holders try that their shares open a sealing, shows nothing, and writes down the day",
  )
    .addHelpText(
      "after",
      `
Examples:
  secrets-registry break-glass drill aws-prod-root
  git add security/break-glass && git commit -m "Drill of aws-prod-root"`,
    )
    .action(async (name: string, { folder, format }: Where) => {
      const { drillSealing, readSealing, sealingFile } =
        require("../verbs/break-glass") as typeof import("../verbs/break-glass");
      const { threshold } = readSealing(folder, name);
      const shares = await sharesFrom(host.rotation().terminal, threshold);
      const { drills } = await drillSealing(folder, name, shares, today());
      const last = drills.at(-1);
      host.print(
        format === "json"
          ? JSON.stringify({ name, opens: true, ...last }, undefined, 2)
          : `${name} opens by the shares of ${last?.holders.join(", ")}. Commit ${sealingFile(folder, name)}.`,
      );
    });

  command(
    "check",
    "Checks that sealings are no older than a year, and tried in a drill each quarter; ends with 1 if not",
  )
    .addHelpText(
      "after",
      `
Examples:
  secrets-registry break-glass check
  secrets-registry break-glass check --format json`,
    )
    .action(({ folder, format }: Where) => {
      const { checkSealings } = require("../verbs/break-glass") as typeof import("../verbs/break-glass");
      const { renderSealings } = require("../render/break-glass") as typeof import("../render/break-glass");
      const report = checkSealings(folder, today());
      host.print(renderSealings(report, folder, format));
      if (!report.ready) host.failCheck();
    });
}

function wholeNumber(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give a whole number.");
}

async function sharesFrom(terminal: Terminal, threshold: number): Promise<readonly string[]> {
  if (!terminal.interactive) return (await terminal.readInput()).split(/\r?\n/);
  const shares: string[] = [];
  while (shares.length < threshold) {
    const share = await terminal.ask(`Share ${shares.length + 1} of ${threshold} (not shown): `, {
      hidden: true,
    });
    if (share.trim() === "") throw new UserFault("No share was given. Nothing is opened.");
    shares.push(share);
  }
  return shares;
}
