import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blueprint } from "../../lib/blueprint";
import { run } from "../../lib/cli/program";
import { defineRegistry, type Registry } from "../../lib/model";
import { compare, stateOfOutput, stateOfRegistry, TerraformJson } from "../../lib/preview";
import { FakeTerminal } from "../cli/fake-terminal";
import { MODEL, withFolder } from "../cli/run-cli";
import { draft, vaultDatabase } from "../model/sample";
import { synthesize } from "../stacks/synthesized";

const NOW = new Date("2026-12-01T00:00:00Z");

async function preview(...args: string[]) {
  const terminal = new FakeTerminal();
  const code = await run(["preview", ...args], terminal);
  return { code, out: terminal.printed, err: terminal.told };
}

const git = (folder: string, ...args: string[]) =>
  execFileSync("git", ["-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();

const moduleOf = (definition: object): string =>
  `const { defineRegistry } = require(${JSON.stringify(MODEL)});
exports.registry = defineRegistry(${JSON.stringify(definition)});`;

describe("commits", () => {
  test("of a real repository: two of them, one and the present folder, a registry below the root", async () => {
    await withFolder(async (folder) => {
      const infra = join(folder, "infra");
      mkdirSync(infra);
      git(folder, "init", "-q", "-b", "main");
      const [first, second] = [draft(), draft()];
      second.secrets["crypto/webhook"].consumers = ["backend", "payments"];
      for (const [definition, message] of [
        [first, "first"],
        [second, "second"],
      ] as const) {
        writeFileSync(join(infra, "registry.js"), moduleOf(definition));
        git(folder, "add", "-A");
        git(folder, "commit", "-q", "-m", message);
      }
      const former = process.cwd();
      process.chdir(infra);
      try {
        const both = await preview("--base", "HEAD~1", "--head", "HEAD", "--fail-on", "broadened");
        expect(both).toMatchObject({ code: 1, err: "" });
        expect(both.out).toContain("Access is broadened in dev, prod.");
        const present = await preview("--base", "main");
        expect(present).toMatchObject({ code: 0, err: "" });
        expect(present.out).toBe("Nothing changes.\n");
        // Nothing of it stays in the repository.
        expect(git(folder, "status", "--porcelain")).toBe("");
        expect(git(folder, "worktree", "list").split("\n")).toHaveLength(1);
        const unknown = await preview("--base", "nowhere");
        expect(unknown.code).toBe(2);
        expect(unknown.err).toContain("neither a file or folder nor a commit");
        const elsewhere = await run(
          ["--registry", "../../elsewhere/registry", "preview", "--base", "main"],
          new FakeTerminal(),
        );
        expect(elsewhere).toBe(2);
        const option = await preview("--base=--output=/tmp/x");
        expect(option.code).toBe(2);
      } finally {
        process.chdir(former);
      }
    });
  });

  test("a folder without a registry is not searched for above", async () => {
    await withFolder(async (folder) => {
      writeFileSync(join(folder, "registry.js"), moduleOf(draft()));
      mkdirSync(join(folder, "empty"));
      const { code, err } = await preview("--base", join(folder, "empty"), "--head", folder);
      expect(code).toBe(2);
      expect(err).toContain("holds neither a registry");
    });
  });
});

describe("a tree that holds the library itself", () => {
  const ROOT = join(__dirname, "../..");

  /** The library as it was before a setting came: its registries do not have it, nor always what they were made of. */
  function olderLibrary(folder: string, keepsDefinition: boolean): void {
    writeFileSync(join(folder, "package.json"), '{ "name": "cdktf-secrets-registry" }');
    cpSync(join(ROOT, "lib/model"), join(folder, "lib/model"), { recursive: true });
    const file = join(folder, "lib/model/workload-definition.ts");
    const setting = "  secretVolumePath: z._default(containerFolder, SECRETS_FOLDER),\n";
    const model = readFileSync(file, "utf8");
    expect(model).toContain(setting);
    writeFileSync(file, model.replace(setting, ""));
    if (keepsDefinition) return;
    const registry = join(folder, "lib/model/registry.ts");
    const keeps = "    this.definition = definition;\n";
    expect(readFileSync(registry, "utf8")).toContain(keeps);
    writeFileSync(registry, readFileSync(registry, "utf8").replace(keeps, ""));
  }

  const ownModule = (definition: object): string =>
    `const { defineRegistry } = require("../lib/model");
exports.registry = defineRegistry(${JSON.stringify(definition)});`;

  const LIBRARY = /The library itself is another one too.*only a preview of two synthesized outputs shows/;

  async function withOlder(
    act: (folder: string) => Promise<void>,
    { keepsDefinition } = { keepsDefinition: false },
  ): Promise<void> {
    await withFolder(async (folder) => {
      olderLibrary(folder, keepsDefinition);
      symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
      writeFileSync(join(folder, ".gitignore"), "node_modules\n");
      mkdirSync(join(folder, "registry"));
      writeFileSync(join(folder, "registry/index.js"), ownModule(draft()));
      const former = process.cwd();
      process.chdir(folder);
      try {
        await act(folder);
      } finally {
        process.chdir(former);
      }
    });
  }

  test("is read by the present one as a commit, says that the library differs, and proves nothing", async () => {
    await withOlder(async (folder) => {
      git(folder, "init", "-q", "-b", "main");
      git(folder, "add", "-A");
      git(folder, "commit", "-q", "-m", "with the older library");
      const same = await preview("--base", "HEAD", "--head", "HEAD", "--fail-on", "any");
      expect(same).toEqual({ code: 0, out: "Nothing changes.\n", err: "" });
      cpSync(join(ROOT, "lib/model"), join(folder, "lib/model"), { recursive: true });
      const { code, out, err } = await preview(
        "--base",
        "HEAD",
        "--fail-on",
        "broadened",
        "--format",
        "json",
      );
      expect({ code, err }).toEqual({ code: 1, err: "" });
      expect(JSON.parse(out)).toMatchObject({
        libraryDiffers: true,
        verdict: { access: "undecided", text: expect.stringMatching(LIBRARY) },
      });
      const changed = draft();
      changed.secrets["crypto/webhook"].consumers = ["backend", "payments"];
      writeFileSync(join(folder, "registry/index.js"), ownModule(changed));
      git(folder, "commit", "-qam", "wider, with the present library");
      const wider = await preview("--base", "HEAD~1", "--head", "HEAD");
      expect(wider.out).toContain("Access is broadened in dev, prod.");
      expect(wider.out).toMatch(LIBRARY);
    });
  });

  test("is read by the present one as a folder, where its registry says what it was made of", async () => {
    const both = (registry: string) => preview("--base", registry, "--head", registry);
    await withOlder(
      async (folder) => {
        const same = await both(join(folder, "registry/index.js"));
        expect(same).toEqual({ code: 0, out: "Nothing changes.\n", err: "" });
      },
      { keepsDefinition: true },
    );
    await withOlder(async (folder) => {
      const { code, err } = await both(join(folder, "registry/index.js"));
      expect(code).toBe(2);
      expect(err).toContain("earlier version of this library");
    });
  });

  test("is a fault of the caller where the present one cannot read it", async () => {
    await withOlder(async (folder) => {
      const registry = join(folder, "registry/index.js");
      const refused = { ...draft(), settingOfAnotherTime: true };
      writeFileSync(registry, ownModule(refused).replace("../lib/model", MODEL));
      git(folder, "init", "-q", "-b", "main");
      git(folder, "add", "-A");
      git(folder, "commit", "-q", "-m", "refused");
      const commit = await preview("--base", "HEAD", "--head", "HEAD");
      expect(commit.code).toBe(2);
      expect(commit.err).toMatch(/HEAD cannot be read by this version.*synthesize base and head/);
      expect(commit.err).toContain("settingOfAnotherTime");
    });
  });

  test("the version that a repository asks for is its library", async () => {
    await withFolder(async (folder) => {
      const place = (name: string, version: string) => {
        mkdirSync(join(folder, name));
        writeFileSync(
          join(folder, name, "package.json"),
          JSON.stringify({ dependencies: { "cdktf-secrets-registry": version } }),
        );
        writeFileSync(join(folder, name, "registry.js"), moduleOf(draft()));
        return join(folder, name);
      };
      const [first, same, next] = [place("a", "0.1.0"), place("b", "0.1.0"), place("c", "0.2.0")];
      expect((await preview("--base", first, "--head", same)).out).toBe("Nothing changes.\n");
      expect((await preview("--base", first, "--head", next)).out).toMatch(LIBRARY);
    });
  });
});

describe("synthesized outputs", () => {
  const definition = () => {
    const made = draft();
    made.secrets["db/reporting"] = {
      ...vaultDatabase(),
      environments: { dev: { presence: "absent" } },
    };
    return made;
  };

  test("say the same of secrets, workloads' access and their tokens as the registry", () => {
    const registry = defineRegistry(definition()) as unknown as Registry;
    synthesize({ registry, environment: "prod" }, (_, __, text) => {
      const [output] = stateOfOutput(new Map([["prod", new TerraformJson(text)]])).environments;
      const own = stateOfRegistry(registry, NOW).environments.find(({ name }) => name === "prod");
      const ofWorkloads = (state: typeof own) =>
        (state?.access ?? [])
          .filter(({ kind, store }) => kind === "workload" && store === "aws")
          .map(({ name, arn, secret, can }) => `${name} ${arn} ${secret} ${can}`)
          .sort();
      expect(ofWorkloads(output)).toEqual(ofWorkloads(own));
      expect(ofWorkloads(output).length).toBeGreaterThan(2);
      const inSecretsManager = (state: typeof own) =>
        (state?.access ?? [])
          .filter(({ store }) => store === "aws")
          .map(({ arn, secret, can }) => `${arn} ${secret} ${can}`)
          .sort();
      expect(inSecretsManager(output)).toEqual(inSecretsManager(own));
      expect(
        (output?.access ?? [])
          .filter(({ store }) => store === "vault")
          .map(({ name, secret }) => [name, secret]),
      ).toEqual([["backend", "db/reporting"]]);
      const basics = (state: typeof own) =>
        state?.secrets.map(({ key, store, place, kind, consumers, cadenceSeconds, preventDestroy }) =>
          store === "aws"
            ? { key, place, kind, consumers, cadenceSeconds, preventDestroy }
            : { key, place, kind, consumers },
        );
      expect(basics(output)).toEqual(basics(own));
      const tokens = (state: typeof own) =>
        (state?.takers ?? [])
          .filter(
            ({ name, at }) =>
              at === "aws" && blueprint(registry, "prod").workloads.some((w) => w.name === name),
          )
          .map(({ name, taker }) => `${name} ${taker}`)
          .sort();
      expect(tokens(output)).toEqual(tokens(own));
      expect(output?.cost.secrets).toBe(own?.cost.secrets);
      expect(output?.cost.keys).toBe(own?.cost.keys);
      expect(output?.cost.alarms).toBe(own?.cost.alarms);
    });
  });

  test("are compared as they stand, a resource that somebody added included", async () => {
    const registry = defineRegistry(definition()) as unknown as Registry;
    await withFolder(async (both) => {
      const [outdir, folder] = [join(both, "base"), join(both, "head")];
      for (const place of [outdir, folder]) {
        mkdirSync(join(place, "stacks"), { recursive: true });
        writeFileSync(join(place, "manifest.json"), "{}");
      }
      synthesize({ registry, environment: "prod" }, (_, stack) => {
        cpSync(stack, join(outdir, "stacks/prod"), { recursive: true });
      });
      const file = join(folder, "stacks/prod/cdk.tf.json");
      cpSync(join(outdir, "stacks/prod"), join(folder, "stacks/prod"), { recursive: true });
      const json = JSON.parse(readFileSync(file, "utf8"));
      const [fn] = Object.values(json.resource.aws_lambda_function) as { source_code_hash: string }[];
      if (fn) fn.source_code_hash = "another";
      delete json.resource.aws_secretsmanager_secret["secrets_crypto--webhook"];
      const role = json.resource.aws_iam_role.secrets_payments;
      role.assume_role_policy = role.assume_role_policy.replace("payments:payments", "*:payments");
      writeFileSync(file, JSON.stringify(json));
      const same = await preview("--base", outdir, "--head", outdir);
      expect(same).toEqual({ code: 0, out: "Nothing changes.\n", err: "" });
      const { code, out } = await preview("--base", outdir, "--head", folder, "--fail-on", "broadened");
      expect(code).toBe(1);
      expect(out).toContain("crypto/webhook is destroyed.");
      expect(out).toMatch(/gains +payments +aws +system:serviceaccount:\*:payments of oidc/);
      expect(out).toContain("Functions: 1 with other settings or code");
      expect(out).toContain("1 of them functions' code alone");
      const mixed = await preview("--base", outdir, "--head", join(__dirname, "../../registry"));
      expect(mixed.code).toBe(2);
      expect(mixed.err).toContain("compare two of a kind");
      writeFileSync(file, '{"resource": "canary');
      const broken = await preview("--base", outdir, "--head", folder);
      expect(broken.code).toBe(2);
      expect(broken.err).toMatch(/cdk\.tf\.json is not JSON/);
      expect(broken.err).not.toContain("canary");
    });
  });

  test("an empty output is everything destroyed", () => {
    const state = stateOfRegistry(defineRegistry(draft()) as unknown as Registry, NOW);
    const { verdict } = compare(state, { source: "registry", environments: [] });
    expect(verdict).toMatchObject({ access: "narrowed", destroys: true });
  });
});
