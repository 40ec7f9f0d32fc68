import { rmSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { BundleMissingError } from "../../../../lib/bundles";
import {
  formatOption,
  type ProgramHost,
  type Progress,
  progressOn,
  type Terminal,
  UserFault,
} from "../../../../lib/cli";
import type { Registry } from "../../../../lib/model";
import { Phases } from "../rehearse/phases";
import { rehearse } from "../rehearse/rehearse";
import type { RehearsalReport } from "../rehearse/report";
import { defaultCacheFolder, provision, ServerFault, ServerGroup } from "../servers";
import type { RehearsedWorld } from "../world";
import { Interruption } from "./interruption";
import { newLogFolder } from "./log-folder";
import { renderWays, waysInto } from "./reach";
import { renderRehearsal } from "./render-rehearsal";
import { synthesize } from "./synthesize";

interface RehearseFlags {
  readonly env: string;
  readonly keep: boolean;
  readonly format: "text" | "json";
}

/** Adds `rehearse` to the command line of a checkout. */
export function addRehearseCommand(program: Command, host: ProgramHost): void {
  program
    .command("rehearse")
    .description("Stands an environment up on this machine, rotates its secrets, and acts as its workloads")
    .option("--env <name>", "the environment", "dev")
    .option("--keep", "leaves the servers up, to look around", false)
    .addOption(formatOption("text", "json"))
    .addHelpText(
      "after",
      `
Examples:
  secrets-registry rehearse
  secrets-registry rehearse --env prod
  secrets-registry rehearse --env dev --keep
  secrets-registry --registry ./infra/registry.ts rehearse --format json

Everything runs on loopback ports of this machine and ends with the command. It needs Python 3.10 or later (Linux or macOS);
its servers are installed on first use. No cloud, cluster or vendor is called.

Exit codes: 0 all is as the registry says, 1 something differs, 2 it cannot run here, 70 this program is at fault.`,
    )
    .action(async ({ env, keep, format }: RehearseFlags, command: Command) => {
      // The SDK's word on Node's age is none on the rehearsal, and breaks what is drawn.
      process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
      const registry = await host.load();
      const { name: environment } = registry.environment(env);
      const { registry: module } = command.optsWithGlobals<{ registry: string }>();
      const progress = progressOn(host.terminal);
      const passed = await withRehearsalServers(host, async (group, logFolder, interruption) => {
        const seen = await run({
          registry,
          module: resolve(module),
          environment,
          group,
          logFolder,
          progress,
        });
        host.print(renderRehearsal(seen.report, format));
        if (keep) {
          host.terminal.err(`\n${renderWays(waysInto(seen.world, group.folder))}\n`);
          await interruption.awaited();
        }
        return seen.report.differences.length === 0;
      });
      if (!passed) host.failCheck();
    });
}

interface Run {
  readonly registry: Registry;
  /** Module of the registry. */
  readonly module: string;
  readonly environment: string;
  readonly group: ServerGroup;
  readonly logFolder: string;
  readonly progress: Progress;
}

async function run({
  module,
  ...options
}: Run): Promise<{ readonly report: RehearsalReport; readonly world: RehearsedWorld }> {
  const { group, progress } = options;
  const phases = new Phases(progress);
  await phases.run("Find the embedded servers, or install them", (onProgress) => provision({ onProgress }));
  const { report, world } = await rehearse({
    ...options,
    synthesize: () => synthesize(module, options.registry.day, group),
  });
  return { world, report: { ...report, phases: [...phases.times, ...report.phases] } };
}

/**
 * Runs work with a group of servers that ends with it, also when a person interrupts. Logs are kept unless all went well.
 *
 * @throws UserFault when the servers cannot be had here
 */
async function withRehearsalServers(
  { terminal }: ProgramHost,
  work: (group: ServerGroup, logFolder: string, interruption: Interruption) => Promise<boolean>,
): Promise<boolean> {
  // In the cache, which git ignores: nothing is left elsewhere whatever happens.
  const logFolder = newLogFolder(join(defaultCacheFolder(), "logs"));
  const removeLogs = (): void => rmSync(logFolder, { recursive: true, force: true });
  let keepsLogs = false;
  try {
    const group = ServerGroup.open({ logFolder });
    const interruption = new Interruption(async () => {
      tellAtOnce(terminal, "\nStopping the servers …\n");
      await group.stop();
      removeLogs();
    });
    try {
      const passed = await work(group, logFolder, interruption);
      keepsLogs = !passed;
      return passed;
    } catch (failure) {
      keepsLogs = !interruption.isUnderWay;
      throw failure;
    } finally {
      await group.stop();
      await interruption.over();
    }
  } catch (failure) {
    if (failure instanceof ServerFault || failure instanceof BundleMissingError) {
      keepsLogs = false;
      throw new UserFault(failure.message);
    }
    throw failure;
  } finally {
    if (keepsLogs) terminal.err(`Logs of the servers: ${logFolder}\n`);
    else removeLogs();
  }
}

/** Progress that is drawn anew holds back other lines, and hides the cursor: a terminal that we die in must have it back. */
function tellAtOnce(terminal: Terminal, text: string): void {
  if (terminal.live) writeSync(process.stderr.fd, `\u001b[?25h${text}`);
  else terminal.err(text);
}
