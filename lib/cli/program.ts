import { Command, CommanderError } from "commander";
import { type Registry, RegistryError, UnknownNameError } from "../model";
import { addAccessCommand } from "./commands/access";
import { addApproveCommand } from "./commands/approve";
import { addAuditCommands } from "./commands/audit";
import { addBlastRadiusCommand } from "./commands/blast-radius";
import { addBootstrapCommand } from "./commands/bootstrap";
import { addChangeCommands } from "./commands/change";
import type { CommandHost } from "./commands/command-host";
import { addDueCommand } from "./commands/due";
import { addFailoverCommand } from "./commands/failover";
import { formatOption } from "./commands/format-option";
import { addLogCommands } from "./commands/log";
import { addPreflightCommand } from "./commands/preflight";
import { addPreviewCommand } from "./commands/preview";
import { profileOf, profilesIn } from "./commands/profiles";
import { addProveCommand } from "./commands/prove";
import { addRotateCommand } from "./commands/rotate";
import type { RotationCommandHost } from "./commands/rotation-command-host";
import { addWhoseCommand } from "./commands/whose";
import type { Pace } from "./driver/pace";
import { findRegistry, ownVersion } from "./registry/find-registry";
import { loadRegistry } from "./registry/load-registry";
import { type Format, renderList, renderValidate } from "./render/results";
import type { Terminal } from "./terminal/terminal";
import { FailedCheck, UserFault } from "./terminal/user-fault";
import type { RotationHost } from "./verbs/direct-rotation";
import { list } from "./verbs/list";
import { invalid, validate } from "./verbs/validate";

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

function isRegistryError(error: unknown): error is RegistryError {
  return error instanceof Error && error.name === "RegistryError" && "faults" in error;
}

/** Host of commands that are added from outside. */
export interface ProgramHost extends CommandHost {
  readonly terminal: Terminal;
}

/** Settings between the program and the world, beside its terminal; tests give their own. */
export interface ProgramSettings {
  /** @default real time */
  readonly pace?: Pace;
  /** AWS as the verbs of rotation see it. @default by the SDK's own chain */
  readonly cloudIn?: RotationHost["cloudIn"];
  /** Adds commands of a program that contains this one. @default none */
  readonly addCommands?: (program: Command, host: ProgramHost) => void;
}

function withEnvironment(registry: Registry, name: string): string {
  return registry.environment(name).name;
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
  { pace, cloudIn, addCommands }: ProgramSettings = {},
): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = new Command("secrets-registry")
    .description(
      "Reads a secrets registry: what each environment holds, who can read what, and how a secret is changed; and rotates its secrets.",
    )
    .version(ownVersion())
    .option(
      "--registry <path>",
      "module that exports the registry (default: as package.json names it, or ./registry, here or above)",
    )
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
  secrets-registry preflight --env dev
  secrets-registry bootstrap --env dev
  secrets-registry rotate db/app-primary --env dev
  secrets-registry rotate rollout jwt/signing --change security/change-requests/2026-12-01-jwt--signing.md
  secrets-registry --registry ./infra/registry.ts access --env dev --format md

Exit codes: 0 done, 1 a check failed, 2 the registry or the call is at fault, 70 this program is.`,
    );
  const load = (): Promise<Registry> => loadRegistry(program.opts<{ registry: string }>().registry);
  const print = (text: string): void => terminal.out(`${text}\n`);

  program
    .command("validate")
    .description("Checks the registry, all faults at once")
    .addOption(formatOption("text", "json"))
    .action(async ({ format }: { format: Format }) => {
      let result: ReturnType<typeof validate>;
      try {
        result = validate(await load());
      } catch (error) {
        if (!isRegistryError(error)) throw error;
        result = invalid(error.faults);
      }
      print(renderValidate(result, format));
      if (!result.valid) exitCode = EXIT.userFault;
    });

  program
    .command("list")
    .description("Lists the secrets of each environment")
    .option("--env <name>", "one environment only")
    .addOption(formatOption("text", "json", "md"))
    .action(async ({ env, format }: { env?: string; format: Format }) => {
      const registry = await load();
      const environments = env === undefined ? registry.environmentNames : [withEnvironment(registry, env)];
      print(renderList(list(registry, environments, new Date()), format));
    });

  const host: RotationCommandHost = {
    load,
    print,
    readInput: () => terminal.readInput(),
    failCheck: () => {
      exitCode = EXIT.failedCheck;
    },
    // Required here, so that verbs that ask nobody start without AWS's SDK.
    rotation: (profiles = []) => {
      const given = profilesIn(profiles);
      const { AwsRotationCloud } =
        require("./cloud/aws-rotation-cloud") as typeof import("./cloud/aws-rotation-cloud");
      const { progressOn } = require("./render/progress") as typeof import("./render/progress");
      const { REAL_PACE } = require("./driver/pace") as typeof import("./driver/pace");
      return {
        terminal,
        progress: progressOn(terminal),
        pace: pace ?? REAL_PACE,
        cloudIn:
          cloudIn ??
          ((region, environment) => {
            const profile = profileOf(environment, given);
            return new AwsRotationCloud({ region, ...(profile === undefined ? {} : { profile }) });
          }),
      };
    },
    failover: () => {
      const { AwsFailoverCloud } =
        require("./cloud/aws-failover-cloud") as typeof import("./cloud/aws-failover-cloud");
      const { progressOn } = require("./render/progress") as typeof import("./render/progress");
      return {
        terminal,
        progress: progressOn(terminal),
        cloudIn: (region) => new AwsFailoverCloud({ region }),
      };
    },
    preflight: (region, tokenOf) => {
      const { AwsPreflightCloud } =
        require("./cloud/aws-preflight-cloud") as typeof import("./cloud/aws-preflight-cloud");
      const { vaultAudit } = require("./cloud/vault-audit") as typeof import("./cloud/vault-audit");
      return { cloud: new AwsPreflightCloud({ region }), audit: vaultAudit(tokenOf) };
    },
    auditTrail: (region) =>
      (require("./cloud/aws-audit-cloud") as typeof import("./cloud/aws-audit-cloud")).awsAuditCloud({
        region,
      }),
    places: () => (require("./cloud/https-places") as typeof import("./cloud/https-places")).httpsPlaces,
  };
  addAccessCommand(program, host);
  addBootstrapCommand(program, host);
  addRotateCommand(program, host);
  addFailoverCommand(program, host);
  addBlastRadiusCommand(program, host);
  addChangeCommands(program, host);
  addLogCommands(program, host);
  addApproveCommand(program, host);
  addDueCommand(program, host);
  addPreflightCommand(program, host);
  addPreviewCommand(program, host);
  addProveCommand(program, host);
  addAuditCommands(program, host);
  addWhoseCommand(program, host);
  addCommands?.(program, { ...host, terminal });

  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
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
  return exitCode;
}
