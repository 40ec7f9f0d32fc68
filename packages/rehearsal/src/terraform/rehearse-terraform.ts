import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blueprint } from "../../../../lib/blueprint";
import type { Registry } from "../../../../lib/model";
import type { ServerGroup } from "../servers";
import { kubeconfigProviders } from "./kubeconfig";
import { backendOverride, loosened, type OverrideJson, serversOverride } from "./override-file";
import { parseStack, resourceCount, type StackJson, withoutProviders } from "./stack-json";
import { type RehearsedParts, type StackServers, startStackServers } from "./stack-servers";
import { StepFailure } from "./step-failure";
import { type SynthProgram, synthesizeStack } from "./synthesize";
import { type ResourceChange, Terraform, type Variables } from "./terraform";

/** Subject of a rehearsal by Terraform. */
export interface TerraformRehearsal {
  readonly registry: Registry;
  readonly environment: string;
  /** Synthesizes the registry's stacks. */
  readonly program: SynthProgram;
  readonly parts: RehearsedParts;
  /** Called when a step has ended as it should. */
  readonly onStep: (step: TerraformStep) => void;
  /** Looks around before all is destroyed. @default nobody does */
  readonly onDeployed?: (deployed: DeployedStack) => Promise<void>;
}

/** A step that ended as it should. */
export interface TerraformStep {
  /** `second plan`. */
  readonly name: string;
  readonly milliseconds: number;
  /** Findings, in one line each. */
  readonly seen: readonly string[];
}

/** The deployed stack, for people. */
export interface DeployedStack {
  /** Folder in which Terraform runs. */
  readonly folder: string;
  /** A file for the shell's `.` that has Terraform's credentials and the servers' addresses; it goes with the servers. */
  readonly environmentFile: string;
}

const STACK_FILE = "cdk.tf.json";

/**
 * Deploys a synthesized stack to embedded servers with Terraform itself, and shows that nothing is left to do after it, nor
 * after a rotation, and that all of it can be destroyed.
 *
 * @param group the servers and Terraform end with it
 * @throws NoProviders when Terraform or a provider cannot be had here
 * @throws StepFailure at the first step that ends otherwise than it should
 */
export async function rehearseTerraform(group: ServerGroup, rehearsal: TerraformRehearsal): Promise<void> {
  const { registry, environment, parts, onStep } = rehearsal;
  const plan = blueprint(registry, environment);
  const step = async <T>(
    name: string,
    work: (name: string) => Promise<T>,
    describe: (result: T) => readonly string[],
  ): Promise<T> => {
    const start = performance.now();
    const result = await work(name);
    onStep({ name, milliseconds: performance.now() - start, seen: describe(result) });
    return result;
  };

  const { folder, stack } = await step(
    "synth",
    async (name) => {
      const folder = await synthesizeStack(group, name, rehearsal.program, environment);
      return { folder, ...copyOf(folder, parts) };
    },
    ({ stack, leftOut }) => [`${resourceCount(stack)} resources`, ...leftOut],
  );
  const terraform = new Terraform(group, folder);
  await step(
    "init",
    async (name) => {
      const version = await terraform.version();
      writeOverride(folder, "backend", backendOverride());
      await terraform.init(name);
      return version;
    },
    (version) => [`Terraform ${version}`, ...providersOf(stack)],
  );
  const stackServers = await step(
    "servers",
    async () => {
      const started = await startStackServers(group, plan, parts);
      writeOverride(folder, "servers", serversOverride(stack, started.servers));
      terraform.use(started.credentials);
      return started;
    },
    ({ names }) => [names.join(", "), ...loosened(stack)],
  );
  const { firstPasswords } = stackServers;
  await step(
    "plan",
    (name) => terraform.plan(name, "first.tfplan", firstPasswords).then(onlyCreates(name)),
    (changes) => [`${changes.length} to add`],
  );
  await step(
    "apply",
    async (name) => {
      await terraform.apply(name, "first.tfplan", firstPasswords);
      knowsNoPassword(name, folder, firstPasswords);
      return terraform.addresses(name);
    },
    (addresses) => [
      `${addresses.length} made`,
      ...(Object.keys(firstPasswords).length > 0 ? ["no password in state"] : []),
    ],
  );
  const emptyPlan = (name: string, file: string) =>
    step(
      name,
      () => terraform.plan(name, file).then(nothingToDo(name)),
      () => ["nothing to do"],
    );
  await emptyPlan("second plan", "second.tfplan");
  const rotated = await step(
    "rotation",
    (name) => stackServers.rotate(name),
    (names) =>
      names.length > 0 ? names : ["nothing in these parts rotates without a system outside of them"],
  );
  if (rotated.length > 0) await emptyPlan("plan after rotation", "third.tfplan");
  if (rehearsal.onDeployed) {
    await rehearsal.onDeployed({ folder, environmentFile: writeEnvironment(folder, stackServers) });
  }
  await step(
    "destroy",
    async (name) => {
      await terraform.destroy(name);
      return nothingLeft(name, await terraform.addresses(name));
    },
    () => ["nothing left in state"],
  );
}

interface StackCopy {
  readonly stack: StackJson;
  readonly leftOut: readonly string[];
}

/** Takes the parts that are not rehearsed out of the synthesized stack. */
function copyOf(folder: string, parts: RehearsedParts): StackCopy {
  const file = join(folder, STACK_FILE);
  const whole = parseStack(readFileSync(file, "utf8"));
  const leftOut = (["aws", "kubernetes"] as const).filter((part) => !parts[part]);
  const without = withoutProviders(whole, leftOut);
  const stack = parts.kubernetes ? kubeconfigProviders(without) : without;
  writeFileSync(file, JSON.stringify(stack));
  const count = (provider: string) =>
    resourceCount(whole) - resourceCount(withoutProviders(whole, [provider]));
  return { stack, leftOut: leftOut.map((provider) => `left out: ${provider} (${count(provider)})`) };
}

const providersOf = ({ terraform }: StackJson): readonly string[] =>
  Object.values(terraform.required_providers).map(({ source, version }) => `${source} ${version}`);

function writeOverride(folder: string, name: string, override: OverrideJson): void {
  writeFileSync(join(folder, `${name}_override.tf.json`), JSON.stringify(override, null, 2));
}

const described = (changes: readonly ResourceChange[]): string =>
  changes
    .map(
      ({ address, actions, attributes }) => `${actions.join(" and ")} ${address} (${attributes.join(", ")})`,
    )
    .join("; ");

const onlyCreates =
  (step: string) =>
  (changes: readonly ResourceChange[]): readonly ResourceChange[] => {
    const others = changes.filter(({ actions }) => actions.join() !== "create");
    if (changes.length > 0 && others.length === 0) return changes;
    throw new StepFailure(step, "only what is to be made", described(others) || "nothing");
  };

const nothingToDo =
  (step: string) =>
  (changes: readonly ResourceChange[]): void => {
    if (changes.length > 0) throw new StepFailure(step, "nothing to do", described(changes));
  };

function nothingLeft(step: string, addresses: readonly string[]): void {
  if (addresses.length > 0) throw new StepFailure(step, "nothing left in state", addresses.join(", "));
}

function knowsNoPassword(step: string, folder: string, passwords: Variables): void {
  const state = readFileSync(join(folder, "terraform.tfstate"), "utf8");
  const known = Object.entries(passwords).filter(([, password]) => state.includes(password));
  if (known.length === 0) return;
  const names = known.map(([name]) => name.replace(/^TF_VAR_/, "")).join(", ");
  throw new StepFailure(step, "no password in the state", `the value of ${names}`);
}

function writeEnvironment(folder: string, { credentials, lookAround }: StackServers): string {
  const file = join(folder, "environment.sh");
  const lines = Object.entries({ ...credentials, ...lookAround }).map(
    ([name, value]) => `export ${name}='${value}'\n`,
  );
  writeFileSync(file, lines.join(""), { mode: 0o600 });
  return file;
}
