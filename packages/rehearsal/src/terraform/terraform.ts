import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerGroup } from "../servers";
import { NoProviders, StepFailure } from "./step-failure";

/** Environment variables by name. */
export type Variables = Readonly<Record<string, string>>;

/** Result of a command of Terraform. */
interface Ended {
  readonly code: number | undefined;
  readonly output: string;
  /** Its errors, and its warnings about its own configuration. */
  readonly errors: string;
  /** Has both. */
  readonly logFile: string;
}

/** Variables of the caller's environment that Terraform sees: how it gets providers, and nothing that opens a real system. */
const INHERITED =
  /^(PATH|HOME|LANG|LC_.*|TMPDIR|https?_proxy|no_proxy|SSL_CERT_(FILE|DIR)|TF_CLI_CONFIG_FILE|TF_PLUGIN_CACHE_.*|TF_REGISTRY_.*|TF_TOKEN_.*)$/i;

const OWN: Variables = {
  CHECKPOINT_DISABLE: "1",
  TF_IN_AUTOMATION: "1",
  TF_INPUT: "0",
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  AWS_EC2_METADATA_DISABLED: "true",
};

/** Messages by which Terraform reports that a provider cannot be had. */
const NO_PROVIDER =
  /Failed to (query available provider packages|install provider|resolve provider packages)/;

/** The change that a plan has for one resource. */
export interface ResourceChange {
  readonly address: string;
  /** `create`, `update`, `delete`. */
  readonly actions: readonly string[];
  /** Names of the attributes that would change. */
  readonly attributes: readonly string[];
}

/** Terraform in the folder of one stack. Its processes end with the group. */
export class Terraform {
  readonly #group: ServerGroup;
  readonly #folder: string;
  readonly #variables: Record<string, string>;

  /** @param folder of the stack */
  constructor(group: ServerGroup, folder: string) {
    this.#group = group;
    this.#folder = folder;
    this.#variables = { ...inherited(process.env), ...OWN };
  }

  /** Gives every further command these variables. */
  use(variables: Variables): void {
    Object.assign(this.#variables, variables);
  }

  /**
   * Terraform's version.
   *
   * @throws NoProviders when there is no Terraform
   */
  async version(): Promise<string> {
    const { code, output } = await this.#run(["version", "-json"]);
    if (code === 0) return String(JSON.parse(output).terraform_version);
    throw new NoProviders(
      "There is no Terraform here: nothing was rehearsed. Put terraform, 1.11 or later, on PATH.",
    );
  }

  /**
   * Gets the providers.
   *
   * @throws NoProviders when they cannot be had
   */
  async init(step: string): Promise<void> {
    const ended = await this.#run(["init", "-no-color"]);
    if (ended.code === 0) return;
    if (!NO_PROVIDER.test(ended.errors)) throw failed(step, ended);
    throw new NoProviders(
      `Terraform cannot get ${missingProviders(ended.errors)}. Nothing was rehearsed: name the place of providers (TF_CLI_CONFIG_FILE, a mirror, the registry).`,
    );
  }

  /** Plans into a file and reports what would change; nothing: the stack is as it was planned. */
  async plan(step: string, file: string, variables: Variables = {}): Promise<readonly ResourceChange[]> {
    const args = ["plan", "-no-color", "-detailed-exitcode", `-out=${file}`];
    const planned = await this.#run(args, variables);
    if (planned.code === 0) return [];
    if (planned.code !== 2) throw failed(step, planned);
    const shown = await this.#run(["show", "-json", "-no-color", file]);
    if (shown.code !== 0) throw failed(step, shown);
    return plannedChanges(JSON.parse(shown.output));
  }

  /** Carries out a planned file. */
  async apply(step: string, file: string, variables: Variables = {}): Promise<void> {
    const ended = await this.#run(["apply", "-no-color", file], variables);
    if (ended.code !== 0) throw failed(step, ended);
  }

  /** Destroys all that the state has. */
  async destroy(step: string): Promise<void> {
    const ended = await this.#run(["destroy", "-no-color", "-auto-approve"]);
    if (ended.code !== 0) throw failed(step, ended);
  }

  /** Addresses of all that the state has. */
  async addresses(step: string): Promise<readonly string[]> {
    const ended = await this.#run(["state", "list"]);
    if (ended.code !== 0) throw failed(step, ended);
    const { output } = ended;
    return output.split("\n").filter((line) => line !== "");
  }

  async #run(args: readonly string[], variables: Variables = {}): Promise<Ended> {
    const { folder, logFile } = this.#group.placeFor(`terraform-${args[0]}`);
    const errorFile = join(folder, "errors");
    const running = this.#group.startProcess({
      name: "Terraform",
      command: "terraform",
      args,
      environment: { ...this.#variables, ...variables },
      folder: this.#folder,
      logFile,
      errorFile,
      // It lets go of its state and ends its providers.
      stopSignal: "SIGINT",
    });
    const code = await running.whenEnded();
    const output = readFileSync(logFile, "utf8");
    const errors = readFileSync(errorFile, "utf8");
    appendFileSync(logFile, errors);
    return { code, output, errors, logFile };
  }
}

const inherited = (environment: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && INHERITED.test(name) ? [[name, value]] : [],
    ),
  );

/** Providers that Terraform did not get, and its reason for the first of them. */
function missingProviders(output: string): string {
  // Terraform wraps its lines and may frame them.
  const text = output.replace(/[\s│╷╵]+/g, " ");
  const found = [
    ...text.matchAll(/ for provider ([\w./-]+): (.+?)(?= To see which | - |[. ]*Error: |[. ]*$)/g),
  ];
  const [first] = found;
  if (!first) return "its providers";
  return `${[...new Set(found.map(([, name]) => name))].sort().join(", ")} (${first[2]})`;
}

function failed(step: string, { code, errors, logFile }: Ended): StepFailure {
  const named = [...errors.matchAll(/^(?:│ )?Error: (.*)$/gm)].map(([, text]) => text);
  const ended = code === undefined ? "Terraform was ended" : `Terraform ended with ${code}`;
  return new StepFailure(step, "Terraform to succeed", [ended, ...named].join("; "), logFile);
}

interface ShownPlan {
  readonly resource_changes?: readonly {
    readonly address: string;
    readonly change: {
      readonly actions: readonly string[];
      readonly before: Readonly<Record<string, unknown>> | null;
      readonly after: Readonly<Record<string, unknown>> | null;
      readonly after_unknown: Readonly<Record<string, unknown>>;
    };
  }[];
  readonly output_changes?: Readonly<Record<string, { readonly actions: readonly string[] }>>;
}

/** https://developer.hashicorp.com/terraform/internals/json-format */
function plannedChanges({
  resource_changes = [],
  output_changes = {},
}: ShownPlan): readonly ResourceChange[] {
  const resources = resource_changes.map(({ address, change }) => ({
    address,
    actions: change.actions,
    attributes: changedAttributes(change.before ?? {}, change.after ?? {}, change.after_unknown),
  }));
  const outputs = Object.entries(output_changes).map(([name, { actions }]) => ({
    address: `output.${name}`,
    actions,
    attributes: [],
  }));
  return [...resources, ...outputs].filter(
    ({ actions }) => !actions.every((action) => ["no-op", "read"].includes(action)),
  );
}

const changedAttributes = (
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  unknown: Readonly<Record<string, unknown>>,
): readonly string[] =>
  [...new Set([before, after, unknown].flatMap(Object.keys))]
    .filter((name) => unknown[name] === true || JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .sort();
