import { type Command, Option } from "commander";
import type { Registry } from "../../model";
import { UserFault } from "../terminal/user-fault";
import type { ProcedureReport } from "../verbs/procedure-work";
import type { RotationCommandHost } from "./rotation-command-host";

/** Adds `rotate`. What it needs of AWS is loaded when it runs, so that other verbs start as fast without it. */
export function addRotateCommand(program: Command, host: RotationCommandHost): void {
  const rotate = program
    .command("rotate")
    .usage("<key> --env <name> [options]")
    .description(
      "Rotates a secret by its environment's procedure; run it again to go on after an interruption",
    )
    .addHelpText(
      "after",
      `
Examples:
  secrets-registry rotate db/app-primary --env prod --change security/change-requests/2026-12-01-db--app-primary.md
  secrets-registry rotate jwt/signing --env prod --change … --phase publish
  secrets-registry rotate status jwt/signing --env prod
  secrets-registry rotate rollback jwt/signing --env prod
  secrets-registry rotate rollout jwt/signing --change … --profile dev=acme-dev stage=acme-stage prod=acme-prod
  secrets-registry rotate db/app-primary --env prod --change … --emergency
  vault-of-yours read stripe | secrets-registry rotate payments/stripe --env prod --change … --value-from stdin

After a leak, --emergency waits for nothing: it says which workloads fail until they have the new credential, and asks
for the secret's key to be typed (without a terminal: --yes).

The dispatcher begins each run; the state machine proves it, asks approvers, and retires the old credential.
At a terminal, values that people supply are asked for and not shown. They are never arguments.
Credentials come from AWS's own chain (AWS_PROFILE, a role, …), or from --profile and SECRETS_REGISTRY_PROFILE_<ENV>,
and must belong to the environment's account.

Options of "rotate <key>": secrets-registry rotate secret --help

Exit codes: 0 done, or waiting for you to act, 1 too early, rolled back or failed, 2 the call is at fault, 70 this program is.`,
    );
  addSecretCommand(rotate, host);
  addStatusCommand(rotate, host);
  addRollbackCommand(rotate, host);
  addRolloutCommand(rotate, host);
}

const ENVIRONMENT = ["--env <name>", "the environment"] as const;
const PROFILE = ["--profile <environment=profile...>", "AWS profile of each environment"] as const;
const CHANGE = ["--change <file>", "the approved change request, where one is needed"] as const;
const VALUE_FROM = [
  "--value-from <where>",
  "source of the value of an operator-assisted secret, as JSON",
] as const;
const EMERGENCY = [
  "--emergency",
  "for a leak: nothing waits, every key of the value goes, and a run under way gives way; approvals stay",
  false,
] as const;
const YES = ["--yes", "with --emergency: go on without a question", false] as const;
const format = () =>
  new Option("--format <format>", "how the result is written").choices(["text", "json"]).default("text");

/** Adds what `rotate <key>` is without another word. */
function addSecretCommand(rotate: Command, host: RotationCommandHost): void {
  rotate
    .command("secret", { isDefault: true, hidden: true })
    .description("Rotates a secret, or takes one phase of its rotation")
    .argument("<key>", "the secret, such as db/app-primary")
    .requiredOption(...ENVIRONMENT)
    .option(...CHANGE)
    .addOption(
      new Option("--phase <phase>", "one phase only").choices([
        "publish",
        "promote",
        "verify",
        "decommission",
        "rollback",
      ]),
    )
    .addOption(new Option(...VALUE_FROM).choices(["stdin"]))
    .option(
      "--direct",
      "calls the secret's function past the dispatcher, where no change request is needed: for first values, and for rotations of Secrets Manager's own; phases need a run that is open",
      false,
    )
    .option(
      "--version-id <id>",
      "with --direct: the version that the phase is about; else the labels say which",
    )
    .option(...EMERGENCY)
    .option(...YES)
    .option(...PROFILE)
    .addOption(format())
    .action(async (key: string, options: RotateFlags) => {
      const registry: Registry = await host.load();
      const { env: environment, format, direct, change, profile, ...rest } = options;
      const own = host.rotation(profile);
      if (direct) {
        refuseDirect(registry, environment, change);
        const { rotate, succeeded } =
          require("../verbs/direct-rotation") as typeof import("../verbs/direct-rotation");
        const { renderRotation } =
          require("../render/rotation-results") as typeof import("../render/rotation-results");
        const report = await rotate(registry, key, { environment, ...rest }, own);
        host.print(renderRotation(report, format));
        if (!succeeded(report)) host.failCheck();
        return;
      }
      if (rest.versionId !== undefined)
        throw new UserFault("--version-id goes with --direct only: runs know theirs.");
      const { rotateByProcedure } =
        require("../verbs/procedure-rotation") as typeof import("../verbs/procedure-rotation");
      const { rollBackRun } = require("../verbs/roll-back-run") as typeof import("../verbs/roll-back-run");
      const report =
        rest.phase === "rollback"
          ? await rollBackRun(registry, key, environment, own)
          : await rotateByProcedure(registry, key, { environment, change, ...rest }, own);
      const { renderProcedure } =
        require("../render/procedure-results") as typeof import("../render/procedure-results");
      host.print(renderProcedure(report, format));
      if (!isGood(report, rest.phase)) host.failCheck();
    });
}

/** @throws UserFault where operators' roles may not call functions */
function refuseDirect(registry: Registry, environment: string, change: string | undefined): void {
  if (change !== undefined)
    throw new UserFault("--direct takes no change request. Leave one of the two out.");
  if (registry.environment(environment).changeRequest === "none") return;
  throw new UserFault(
    `${environment} takes rotations through its dispatcher only. Leave --direct out, and give --change <file>.`,
  );
}

function addStatusCommand(rotate: Command, host: RotationCommandHost): void {
  rotate
    .command("status")
    .description("Says which run of a secret is under way, what comes next, and from when")
    .argument("<key>", "the secret")
    .requiredOption(...ENVIRONMENT)
    .option(...PROFILE)
    .addOption(format())
    .action(async (key: string, { env, format, profile }: RotateFlags) => {
      const { rotationStatus } =
        require("../verbs/rotation-status") as typeof import("../verbs/rotation-status");
      const report = await rotationStatus(await host.load(), key, env, host.rotation(profile));
      const { renderStatus } =
        require("../render/procedure-results") as typeof import("../render/procedure-results");
      host.print(renderStatus(report, format));
    });
}

function addRollbackCommand(rotate: Command, host: RotationCommandHost): void {
  rotate
    .command("rollback")
    .description("Has the run that is under way taken back while the old credential works")
    .argument("<key>", "the secret")
    .requiredOption(...ENVIRONMENT)
    .option(...PROFILE)
    .addOption(format())
    .action(async (key: string, { env, format, profile }: RotateFlags) => {
      const { rollBackRun } = require("../verbs/roll-back-run") as typeof import("../verbs/roll-back-run");
      const report = await rollBackRun(await host.load(), key, env, host.rotation(profile));
      const { renderProcedure } =
        require("../render/procedure-results") as typeof import("../render/procedure-results");
      host.print(renderProcedure(report, format));
      if (report.outcome !== "rolled-back") host.failCheck();
    });
}

function addRolloutCommand(rotate: Command, host: RotationCommandHost): void {
  rotate
    .command("rollout")
    .description("Rotates a secret in dev, stage, prod, and stops at the first that does not verify")
    .argument("<key>", "the secret")
    .option(...CHANGE)
    .option("--env <name...>", "these environments only; default: all that have the secret")
    .addOption(new Option(...VALUE_FROM).choices(["stdin"]))
    .option(...EMERGENCY)
    .option(...YES)
    .option(...PROFILE)
    .addOption(format())
    .action(async (key: string, options: Omit<RotateFlags, "env"> & { readonly env?: readonly string[] }) => {
      const { rollout, isThrough } = require("../verbs/rollout") as typeof import("../verbs/rollout");
      const { env: environments, format, profile, ...rest } = options;
      const report = await rollout(await host.load(), key, { environments, ...rest }, host.rotation(profile));
      const { renderRollout } =
        require("../render/procedure-results") as typeof import("../render/procedure-results");
      host.print(renderRollout(report, format));
      if (!report.environments.every(isThrough)) host.failCheck();
    });
}

const isGood = ({ outcome }: ProcedureReport, phase: RotateFlags["phase"]): boolean =>
  ["done", "already-done", "awaiting-operator"].includes(outcome) ||
  (phase === "rollback" && outcome === "rolled-back");

interface RotateFlags {
  readonly env: string;
  readonly change?: string;
  readonly phase?: "publish" | "promote" | "verify" | "decommission" | "rollback";
  readonly valueFrom?: "stdin";
  readonly versionId?: string;
  readonly direct: boolean;
  readonly emergency: boolean;
  readonly yes: boolean;
  readonly profile?: readonly string[];
  readonly format: "text" | "json";
}
