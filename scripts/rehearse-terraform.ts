import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Command } from "commander";
import { loadRegistry } from "../lib/cli/registry/load-registry";
import { defaultCacheFolder, withServers } from "../packages/rehearsal/src/servers";
import {
  type DeployedStack,
  NoProviders,
  rehearseTerraform,
  StepFailure,
} from "../packages/rehearsal/src/terraform";

/** Exit codes, on which scripts can rely. */
const EXIT = { failed: 1, userFault: 2, noProviders: 3, internal: 70 } as const;

const ROOT = join(__dirname, "..");
const USER_ERRORS = ["RegistryError", "UnknownNameError", "UserFault", "ServerFault"];

interface Options {
  readonly env: string;
  readonly registry?: string;
  readonly aws: boolean;
  readonly kubernetes: boolean;
  readonly keep?: true;
}

const print = (text: string): boolean => process.stdout.write(`${text}\n`);
const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(1)} s`;

async function rehearse({ env, registry: path, aws, kubernetes, keep }: Options): Promise<void> {
  const registry = await loadRegistry(path ?? join(ROOT, "registry"), new Date().toISOString().slice(0, 10));
  const { name: environment } = registry.environment(env);
  const app =
    path === undefined ? ["main.ts"] : ["packages/rehearsal/src/synthesis/program.ts", resolve(path)];
  const start = performance.now();
  print(`Rehearses ${environment} of ${registry.id} with Terraform on embedded servers`);
  await withServers(async (group) => {
    try {
      await rehearseTerraform(group, {
        registry,
        environment,
        program: { args: [require.resolve("tsx/cli"), ...app], folder: ROOT },
        parts: { aws, kubernetes },
        onStep: ({ name, milliseconds, seen }) =>
          print(`  ${name.padEnd(20)} ${seconds(milliseconds).padStart(7)}  ${seen.join("; ")}`),
        ...(keep ? { onDeployed: waitForInterrupt } : {}),
      });
    } catch (failure) {
      if (failure instanceof StepFailure) showFailure(failure, environment);
      throw failure;
    }
  });
  print(`All as expected, ${seconds(performance.now() - start)}`);
}

/** The log outlives the servers' folder. */
function showFailure({ step, expected, seen, logFile }: StepFailure, environment: string): void {
  print(`  ${step} failed\n    expected: ${expected}\n    seen:     ${seen}`);
  if (logFile === undefined) return;
  const kept = join(defaultCacheFolder(), "logs", `terraform-${environment}.log`);
  mkdirSync(dirname(kept), { recursive: true });
  copyFileSync(logFile, kept);
  print(`    log:      ${kept}`);
}

async function waitForInterrupt({ folder, environmentFile }: DeployedStack): Promise<void> {
  print(`\nDeployed and kept. To look around in another shell:\n  cd ${folder} && . ${environmentFile}`);
  print(
    "  terraform plan; aws secretsmanager list-secrets; bao policy list; psql app\nCtrl-C destroys it.\n",
  );
  // Signals alone keep no process alive.
  const alive = setInterval(() => undefined, 60_000);
  await new Promise<void>((done) => {
    process.once("SIGINT", () => done());
    process.once("SIGTERM", () => done());
  });
  clearInterval(alive);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof StepFailure) return EXIT.failed;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof NoProviders) {
    process.stderr.write(`${message}\n`);
    return EXIT.noProviders;
  }
  const isUserFault = error instanceof Error && USER_ERRORS.includes(error.name);
  process.stderr.write(`${isUserFault ? message : error instanceof Error ? error.stack : message}\n`);
  return isUserFault ? EXIT.userFault : EXIT.internal;
}

new Command("rehearse:terraform")
  .description("Deploys an environment to embedded servers with Terraform, rotates, and destroys it again.")
  .option("--env <name>", "the environment", "dev")
  .option("--registry <path>", "another registry than this project's")
  .option("--without-aws", "leave AWS resources out")
  .option("--without-kubernetes", "leave Kubernetes resources out; else they go to the kubeconfig's cluster")
  .option("--keep", "leave all deployed until Ctrl-C")
  .action(({ withoutAws, withoutKubernetes, ...options }) =>
    rehearse({ ...options, aws: !withoutAws, kubernetes: !withoutKubernetes }),
  )
  .parseAsync()
  .catch((error: unknown) => {
    process.exitCode = exitCodeOf(error);
  });
