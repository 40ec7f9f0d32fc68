import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { blueprint, type FunctionPlan } from "../../lib/blueprint";
import { functionZip } from "../../lib/bundles";
import type { Registry } from "../../lib/model";
import {
  loadAwsAccount,
  loadOperations,
  loadProcedure,
  loadSchedules,
} from "../../packages/rehearsal/src/load";
import { withServers } from "../../packages/rehearsal/src/servers";
import { rehearseTerraform } from "../../packages/rehearsal/src/terraform";
import { serversOverride } from "../../packages/rehearsal/src/terraform/override-file";
import {
  parseStack,
  type StackJson,
  withoutProviders,
} from "../../packages/rehearsal/src/terraform/stack-json";
import { startStackServers } from "../../packages/rehearsal/src/terraform/stack-servers";
import { registry } from "../../registry";
import { synthesize, type TerraformJson } from "../stacks/synthesized";

const ROOT = join(__dirname, "../..");
const own = registry as unknown as Registry;
const environments = registry.environmentNames;

const stackOf = (environment: string): StackJson =>
  synthesize({ registry: own, environment }, (_json, _folder, text) => parseStack(text));

describe.each(environments)("the override file of %s", (environment) => {
  const stack = stackOf(environment);
  const plan = blueprint(own, environment);
  const database = { host: "127.0.0.1", port: 5432, caFile: "/ca.pem", password: "" };
  const vaults = Object.fromEntries(
    plan.vaults.map(({ name, databases }, index) => [
      name,
      {
        address: `https://127.0.0.1:${8200 + index}`,
        caFile: `/${name}.pem`,
        databases: Object.fromEntries(
          databases.flatMap(({ connections }) =>
            connections.map((connection) => [connection.name, database]),
          ),
        ),
      },
    ]),
  );
  const override: TerraformJson = serversOverride(stack, {
    awsEndpoint: "http://127.0.0.1:4566",
    vaults,
    issuer: { url: "https://127.0.0.1:6443", caPem: "PEM" },
  });

  test("gives every service that the stack uses the one endpoint, under a key that the provider has", () => {
    const [{ endpoints }] = override.provider.aws;
    expect(new Set(Object.values(endpoints[0]))).toEqual(new Set(["http://127.0.0.1:4566"]));
    const declared = readFileSync(
      join(ROOT, "node_modules/@cdktf/provider-aws/lib/provider/index.d.ts"),
      "utf8",
    ).split("interface AwsProviderEndpoints")[1];
    for (const name of Object.keys(endpoints[0])) expect(declared).toContain(` AwsProvider#${name}}`);
    expect(endpoints[0]).toHaveProperty("s3control");
  });

  test("takes AWS's provider to hosts that no name server knows by the one endpoint, whatever proxies there are", () => {
    expect(override.provider.aws).toEqual([
      expect.objectContaining({
        http_proxy: "http://127.0.0.1:4566",
        https_proxy: "http://127.0.0.1:4566",
        // Something, or the provider would take the environment's.
        no_proxy: expect.stringMatching(/./),
      }),
    ]);
  });

  test("sends each Vault's provider to its own server", () => {
    expect(override.provider.vault).toEqual(
      plan.vaults.map(({ name }, index) => ({
        alias: name,
        address: `https://127.0.0.1:${8200 + index}`,
        ca_cert_file: `/${name}.pem`,
      })),
    );
  });

  test("leaves no address of the real systems where something is asked at deployment", () => {
    const merged = JSON.stringify(override);
    for (const { address } of plan.vaults) expect(merged).not.toContain(address);
    expect(merged).not.toMatch(/example\.com|amazonaws\.com|\.api\.aws/);
    for (const [name, real] of Object.entries<TerraformJson>(
      stack.resource.vault_database_secret_backend_connection ?? {},
    )) {
      const [block] = override.resource.vault_database_secret_backend_connection[name].postgresql;
      expect(block).toEqual({
        ...real.postgresql,
        connection_url: expect.stringMatching(
          /^postgresql:\/\/\{\{username\}\}:\{\{password\}\}@127\.0\.0\.1:5432\/app\?sslmode=verify-full&sslrootcert=/,
        ),
      });
    }
  });

  test("lifts prevent_destroy from exactly what has it", () => {
    const lifted = Object.entries<TerraformJson>(override.resource).flatMap(([type, resources]) =>
      Object.entries<TerraformJson>(resources).flatMap(([name, { lifecycle }]) =>
        lifecycle ? [`${type}.${name} ${lifecycle.prevent_destroy}`] : [],
      ),
    );
    const held = Object.entries(stack.resource).flatMap(([type, resources]) =>
      Object.entries(resources).flatMap(([name, { lifecycle }]) =>
        lifecycle?.prevent_destroy === true ? [`${type}.${name} false`] : [],
      ),
    );
    expect(lifted.sort()).toEqual(held.sort());
    expect(held.length > 0).toBe(environment === "prod");
  });

  test("lets buckets and their locked records be destroyed, and keeps how long they are locked", () => {
    for (const name of Object.keys(stack.resource.aws_s3_bucket ?? {})) {
      expect(override.resource.aws_s3_bucket[name].force_destroy).toBe(true);
    }
    const locks = Object.entries<TerraformJson>(stack.resource.aws_s3_bucket_object_lock_configuration ?? {});
    expect(locks.length).toBeGreaterThan(0);
    for (const [name, { rule }] of locks) {
      const { days } = rule.default_retention;
      expect(override.resource.aws_s3_bucket_object_lock_configuration[name].rule).toEqual([
        { default_retention: [{ days, mode: "GOVERNANCE" }] },
      ]);
    }
  });

  test.each(["aws", "vault", "kubernetes"])(
    "without %s has nothing of it, and all else as it was",
    (name) => {
      const rest = withoutProviders(stack, [name]);
      const reference = new RegExp(`("|\\$\\{)${name}_[a-z0-9_]+\\.`);
      expect(reference.test(JSON.stringify(rest))).toBe(false);
      expect(rest.provider[name]).toBeUndefined();
      expect(rest.terraform.required_providers[name]).toBeUndefined();
      const kept = Object.keys(stack.resource).filter((type) => !type.startsWith(`${name}_`));
      expect(Object.keys(rest.resource)).toEqual(kept);
      for (const type of kept) expect(rest.resource[type]).toEqual(stack.resource[type]);
    },
  );
});

interface Run {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rehearse-terraform-"));
  chmodSync(folder, 0o711);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A new folder in which the command makes its own. PostgreSQL, which may be another user, passes through it. */
function scratch(): string {
  const place = mkdtempSync(join(folder, "tmp-"));
  chmodSync(place, 0o711);
  return place;
}

const SCRIPT = ["--import", "tsx", "scripts/rehearse-terraform.ts"];

function start(args: readonly string[], variables: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [...SCRIPT, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function rehearse(args: readonly string[], variables: NodeJS.ProcessEnv = {}): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...SCRIPT, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...variables },
    encoding: "utf8",
  });
  return { status, out: stdout, err: stderr };
}

/** A CLI configuration that looks for providers in an empty folder alone. */
function noProviders(): string {
  const mirror = join(folder, "mirror");
  mkdirSync(mirror, { recursive: true });
  const file = join(folder, "offline.tfrc");
  writeFileSync(
    file,
    `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n}\n`,
  );
  return file;
}

/** Folders of PATH without those that have a `terraform`. */
const pathWithoutTerraform = (): string =>
  (process.env.PATH ?? "")
    .split(delimiter)
    .filter((entry) => entry === dirname(process.execPath) || !hasTerraform(entry))
    .join(delimiter);

function hasTerraform(entry: string): boolean {
  try {
    return readdirSync(entry).includes("terraform");
  } catch {
    return false;
  }
}

const terraformIsHere = spawnSync("terraform", ["version"], {
  env: { ...process.env, CHECKPOINT_DISABLE: "1" },
});

/** Reason for which Terraform does not get Vault's provider; `undefined` when it does. */
function whyNoVaultProvider(): string | undefined {
  if (terraformIsHere.error) return "there is no terraform";
  const place = mkdtempSync(join(tmpdir(), "providers-"));
  try {
    const { vault } = stackOf("dev").terraform.required_providers;
    const needs = { terraform: { required_providers: { vault } } };
    writeFileSync(join(place, "main.tf.json"), JSON.stringify(needs));
    const { status } = spawnSync("terraform", ["init", "-no-color", "-input=false"], {
      cwd: place,
      env: { ...process.env, CHECKPOINT_DISABLE: "1" },
      timeout: 120_000,
    });
    return status === 0 ? undefined : "Terraform cannot get Vault's provider here (see TF_CLI_CONFIG_FILE)";
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

const reason = whyNoVaultProvider();
if (reason !== undefined) process.stderr.write(`skipped: Terraform with Vault's provider; ${reason}\n`);
const withProvider = reason === undefined ? test : test.skip;

describe("the command", () => {
  test("without Terraform says so in one line, exits 3 and leaves nothing", () => {
    const TMPDIR = scratch();
    const PATH = pathWithoutTerraform();
    const { status, err } = rehearse(["--without-kubernetes"], { PATH, TMPDIR });
    expect([status, err.trim().split("\n")]).toEqual([
      3,
      [expect.stringMatching(/^There is no Terraform here/)],
    ]);
    expect(readdirSync(TMPDIR).filter((name) => name.startsWith("secrets-registry-"))).toEqual([]);
  }, 120_000);

  (terraformIsHere.error ? test.skip : test)(
    "without providers says so in one line, exits 3 and leaves nothing",
    () => {
      const TMPDIR = scratch();
      const { status, err, out } = rehearse(["--without-kubernetes"], {
        TF_CLI_CONFIG_FILE: noProviders(),
        TMPDIR,
      });
      expect([status, err.trim().split("\n")]).toEqual([
        3,
        [expect.stringMatching(/^Terraform cannot get hashicorp\/aws, hashicorp\/vault \(.*not found/)],
      ]);
      expect(stepsOf(out)).toEqual(["synth"]);
      expect(readdirSync(TMPDIR).filter((name) => name.startsWith("secrets-registry-"))).toEqual([]);
    },
    120_000,
  );

  test.each([
    ["an environment that is not", ["--env", "nowhere"], /^Unknown environment "nowhere"/],
    ["a registry that is not", ["--registry", "/nowhere"], /^No registry at \/nowhere/],
    ["a kubeconfig that is not", ["--env", "dev"], /^No kubeconfig at .*--without-kubernetes/],
  ])(
    "with %s tells the caller and exits 2",
    (_what, args, message) => {
      const { status, err } = rehearse(args, { KUBECONFIG: "/nowhere/config", TMPDIR: scratch() });
      expect([status, err]).toEqual([2, expect.stringMatching(message)]);
    },
    120_000,
  );
});

const VAULT_HALF = ["--without-aws", "--without-kubernetes"];

/** Names of the steps that were printed. */
const stepsOf = (out: string): string[] =>
  [...out.matchAll(/^ {2}(\S.*?) +[\d.]+ s {2}/gm)].map(([, name]) => String(name));

const ALL_STEPS = [
  "synth",
  "init",
  "servers",
  "plan",
  "apply",
  "second plan",
  "rotation",
  "plan after rotation",
  "destroy",
];

/** Leftovers of a run: its folders, and processes that work in them. */
function remains(TMPDIR: string): string[] {
  const folders = readdirSync(TMPDIR).filter((name) => name.startsWith("secrets-registry-"));
  const { stdout } = spawnSync("ps", ["-eo", "args="], { encoding: "utf8" });
  return [...folders, ...stdout.split("\n").filter((line) => line.includes(TMPDIR))];
}

/** Synthesizes as the app does, and gives each mount of Vault a description that is another at every look. */
const RESTLESS = `
  const { execFileSync } = require("node:child_process");
  const { readFileSync, writeFileSync } = require("node:fs");
  execFileSync(process.execPath, ["--import", "tsx", "main.ts"]);
  const file = process.env.CDKTF_OUTDIR + "/stacks/stage/cdk.tf.json";
  const stack = JSON.parse(readFileSync(file, "utf8"));
  for (const mount of Object.values(stack.resource.vault_mount)) mount.description = "\${timestamp()}";
  writeFileSync(file, JSON.stringify(stack));
`;

describe("the servers of a stack, loaded without Terraform", () => {
  test("let the deployer make its AWS half, whose secret the rotation step then rotates by its real function", async () => {
    await withServers(async (group) => {
      const plan = blueprint(own, "dev");
      const { credentials, rotate, servers } = await startStackServers(group, plan, {
        aws: true,
        kubernetes: false,
      });
      const deployer = {
        endpoint: servers.awsEndpoint ?? "",
        credentials: {
          accessKeyId: credentials.AWS_ACCESS_KEY_ID ?? "",
          secretAccessKey: credentials.AWS_SECRET_ACCESS_KEY ?? "",
          sessionToken: credentials.AWS_SESSION_TOKEN ?? "",
        },
      };
      await loadAwsAccount(deployer, plan);
      await expect(rotate("rotation")).rejects.toThrow();
      const zipOf = ({ bundle, settings }: FunctionPlan) => functionZip(bundle, settings).bytes;
      await loadSchedules(deployer, plan, await loadOperations(deployer, plan, zipOf));
      await loadProcedure(deployer, plan);
      expect(await rotate("rotation")).toEqual(["dev/jwt/signing by its function"]);
    });
  }, 240_000);
});

describe("Terraform with Vault's provider, on OpenBao", () => {
  withProvider.each([
    ["stage", ["reporting_vault_stage by Vault stage"]],
    ["prod", ["reporting_vault_eu_central by Vault eu-central", "reporting_vault_eu_west by Vault eu-west"]],
  ])(
    "applies %s, has nothing to do, rotates, has nothing to do again, and destroys",
    (environment, rotated) => {
      const TMPDIR = scratch();
      const { status, out, err } = rehearse([...VAULT_HALF, "--env", environment], { TMPDIR });
      expect([status, err]).toEqual([0, ""]);
      expect(stepsOf(out)).toEqual(ALL_STEPS);
      for (const one of ["no password in state", ...rotated]) expect(out).toContain(one);
      expect(remains(TMPDIR)).toEqual([]);
    },
    120_000,
  );

  withProvider(
    "fails at the second plan, and names what would change, where a resource never comes to rest",
    async () => {
      const steps: string[] = [];
      const rehearsal = withServers((group) =>
        rehearseTerraform(group, {
          registry: own,
          environment: "stage",
          program: { args: ["-e", RESTLESS], folder: ROOT },
          parts: { aws: false, kubernetes: false },
          onStep: ({ name }) => steps.push(name),
        }),
      );
      await expect(rehearsal).rejects.toMatchObject({
        name: "StepFailure",
        step: "second plan",
        expected: "nothing to do",
        seen: expect.stringMatching(
          /^update vault_mount\.\S+ \(description\)(; update vault_mount\S+ \(description\))*$/,
        ),
      });
      expect(steps).toEqual(ALL_STEPS.slice(0, 5));
    },
    120_000,
  );

  withProvider(
    "leaves neither process nor file when it is killed half-way",
    async () => {
      const TMPDIR = scratch();
      const running = start([...VAULT_HALF, "--env", "stage"], { TMPDIR });
      let out = "";
      running.stdout?.on("data", (chunk) => {
        out += chunk;
        if (stepsOf(out).includes("servers")) running.kill("SIGKILL");
      });
      await new Promise((resolve) => running.once("close", resolve));
      expect(stepsOf(out)).toEqual(expect.arrayContaining(["servers"]));
      for (let tries = 0; tries < 200 && remains(TMPDIR).length > 0; tries += 1) await sleep(100);
      expect(remains(TMPDIR)).toEqual([]);
    },
    120_000,
  );
});
