import { Command, CommanderError } from "commander";
import { type Registry, RegistryError, UnknownNameError } from "../model";
import { type AwsHostSettings, awsHost } from "./aws-host";
import { addAccessCommand } from "./commands/access";
import { addApproveCommand } from "./commands/approve";
import { addAuditCommands } from "./commands/audit";
import { addBlastRadiusCommand } from "./commands/blast-radius";
import { addBootstrapCommand } from "./commands/bootstrap";
import { addBreakGlassCommands } from "./commands/break-glass";
import { calendarDay, today } from "./commands/calendar-day";
import { addChangeCommands } from "./commands/change";
import type { CommandHost } from "./commands/command-host";
import { addDueCommand } from "./commands/due";
import { addFailoverCommand } from "./commands/failover";
import { addListCommand } from "./commands/list";
import { addLogCommands } from "./commands/log";
import { addPreflightCommand } from "./commands/preflight";
import { addPreviewCommand } from "./commands/preview";
import { addProveCommand } from "./commands/prove";
import { addRotateCommand } from "./commands/rotate";
import type { RotationCommandHost } from "./commands/rotation-command-host";
import { addScanCommand } from "./commands/scan";
import { addValidateCommand } from "./commands/validate";
import { addWhoseCommand } from "./commands/whose";
import { findRegistry, ownVersion } from "./registry/find-registry";
import { loadRegistry } from "./registry/load-registry";
import type { Terminal } from "./terminal/terminal";
import { FailedCheck, UserFault } from "./terminal/user-fault";

/** Exit codes, on which scripts can rely. */
export const EXIT = {
  ok: 0,
  /** A check ran and failed. */
  failedCheck: 1,
  /** The caller or the registry is at fault. */
  userFault: 2,
  /** This program is at fault. */
  internal: 70,
} as const;

export type { Terminal } from "./terminal/terminal";

/** Errors that the caller can fix, recognised by name: the registry may come from another copy of this package. */
const USER_ERRORS: readonly string[] = [RegistryError, UnknownNameError, UserFault].map(({ name }) => name);

/** Host of commands that are added from outside. */
export interface ProgramHost extends CommandHost {
  readonly terminal: Terminal;
}

/** Settings between the program and the world, beside its terminal; tests give their own. */
export interface ProgramSettings extends AwsHostSettings {
  /** Adds commands of a program that contains this one. @default none */
  readonly addCommands?: (program: Command, host: ProgramHost) => void;
}

/** Every command, in the order of the help. */
const COMMANDS: readonly ((program: Command, host: RotationCommandHost) => void)[] = [
  addValidateCommand,
  addListCommand,
  addAccessCommand,
  addBootstrapCommand,
  addRotateCommand,
  addFailoverCommand,
  addBlastRadiusCommand,
  addChangeCommands,
  addLogCommands,
  addApproveCommand,
  addDueCommand,
  addPreflightCommand,
  addPreviewCommand,
  addProveCommand,
  addScanCommand,
  addAuditCommands,
  addWhoseCommand,
  addBreakGlassCommands,
];

/** The program without its commands. */
function emptyProgram(terminal: Terminal): Command {
  return new Command("secrets-registry")
    .description(
      "Reads a secrets registry: what each environment holds, who can read what, and how a secret is changed; and rotates its secrets.",
    )
    .version(ownVersion())
    .option(
      "--registry <path>",
      "module that exports the registry (default: as package.json names it, or ./registry, here or above)",
    )
    .option("--on <day>", "day by which grants are held that end by themselves, in UTC (default: today)")
    .hook("preAction", (command) => {
      if (command.opts().registry === undefined)
        command.setOptionValue("registry", findRegistry(process.cwd()));
    })
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .addHelpText(
      "after",
      `
Examples:
  secrets-registry validate
  secrets-registry list --env prod
  secrets-registry access --env prod --format json
  secrets-registry blast-radius db/app-primary --env prod
  secrets-registry change new jwt/signing --reason "Quarterly rotation" --schedule dev=2026-12-01 prod=2026-12-08
  secrets-registry preview --base origin/main --fail-on broadened
  secrets-registry scan
  secrets-registry preflight --env dev
  secrets-registry bootstrap --env dev
  secrets-registry rotate db/app-primary --env dev
  secrets-registry rotate rollout jwt/signing --change security/change-requests/2026-12-01-jwt--signing.md
  secrets-registry --registry ./infra/registry.ts access --env dev --format md

Exit codes: 0 done, 1 a check failed, 2 the registry or the call is at fault, 70 this program is.`,
    );
}

/**
 * Runs the command line.
 *
 * @param args arguments after the program's name
 * @returns the exit code
 */
export async function run(
  args: readonly string[],
  terminal: Terminal,
  settings: ProgramSettings = {},
): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = emptyProgram(terminal);
  const load = (): Promise<Registry> => {
    const { registry, on } = program.opts<{ registry: string; on?: string }>();
    return loadRegistry(registry, on === undefined ? today() : calendarDay("--on", on));
  };
  const print = (text: string): void => terminal.out(`${text}\n`);

  const host: RotationCommandHost = {
    load,
    print,
    readInput: () => terminal.readInput(),
    failCheck: () => {
      exitCode = EXIT.failedCheck;
    },
    failRegistry: () => {
      exitCode = EXIT.userFault;
    },
    ...awsHost(terminal, settings),
  };
  for (const add of COMMANDS) add(program, host);
  settings.addCommands?.(program, { ...host, terminal });

  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    return exitOf(error, terminal);
  }
  return exitCode;
}

/** Exit code of what ended a command, after a person is told. */
function exitOf(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.userFault;
  if (error instanceof Error && USER_ERRORS.includes(error.name)) {
    terminal.err(`${error.message}\n`);
    return EXIT.userFault;
  }
  if (error instanceof FailedCheck) {
    terminal.err(`${error.message}\n`);
    return EXIT.failedCheck;
  }
  terminal.err(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return EXIT.internal;
}
