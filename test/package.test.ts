import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { deadLinks, linksOf } from "./docs/markdown";
import { smallRegistry } from "./fixtures/small-registry";
import { forgottenExports } from "./forgotten-exports";

const ROOT = join(__dirname, "..");

let folder: string;

/** Runs a program of this checkout in a folder. */
function run(cwd: string, command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

/** Tarballs by package. */
const tarballs = new Map<string, string>();

/** Packs a package of this checkout, and installs it in the folder as npm would. */
function install(name: string, ...args: readonly string[]): void {
  const [tarball] = JSON.parse(
    run(ROOT, "npm", "pack", "--json", "--pack-destination", folder, ...args),
  ) as readonly { filename: string }[];
  if (!tarball) throw new Error("npm pack made nothing");
  tarballs.set(name, join(folder, tarball.filename));
  const installed = join(folder, "node_modules", name);
  mkdirSync(installed, { recursive: true });
  run(folder, "tar", "-xzf", join(folder, tarball.filename), "--strip-components=1", "-C", installed);
}

/** The packed tarballs, installed beside the example as npm would, with the example's peers from this checkout. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "packed-"));
  cpSync(join(ROOT, "examples/one-construct"), folder, { recursive: true });
  install("cdktf-secrets-registry");
  install("cdktf-secrets-registry-rehearsal", "--workspace", "packages/rehearsal");
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const [own, rehearsal] = ["package.json", "packages/rehearsal/package.json"].map((file) =>
    JSON.parse(readFileSync(join(ROOT, file), "utf8")),
  );
  for (const name of Object.keys({
    ...dependencies,
    ...devDependencies,
    ...own.dependencies,
    ...rehearsal.dependencies,
  })) {
    if (name === "cdktf-secrets-registry") continue;
    mkdirSync(dirname(join(folder, "node_modules", name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  }
}, 240_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the package brings compiled code with types, and neither tests nor this organisation's registry", () => {
  const files = readdirSync(join(folder, "node_modules/cdktf-secrets-registry"), { recursive: true }).map(
    String,
  );
  expect(files).toEqual(
    expect.arrayContaining([
      "dist/lib/index.js",
      "dist/lib/index.d.ts",
      "dist/lib/constructs/index.js",
      "dist/stacks/index.d.ts",
      "dist/lib/cli/secrets-registry.js",
      "README.md",
      "examples/ci/preview.sh",
    ]),
  );
  expect(
    files.filter((file) => /^dist\/(registry|test|packages)|\.ts$/.test(file) && !file.endsWith(".d.ts")),
  ).toEqual(["examples/one-construct/main.ts"]);
});

test.each(["cdktf-secrets-registry", "cdktf-secrets-registry-rehearsal"])(
  "%s is found, with its types, by every module resolution",
  (name) => {
    const bin = join(ROOT, "node_modules/.bin");
    const tarball = tarballs.get(name) ?? "";
    for (const [command, ...args] of [
      ["publint", "run", tarball, "--strict"],
      ["attw", tarball, "--format", "ascii", "--no-color"],
    ] as const) {
      const { status, stdout } = spawnSync(join(bin, command), args, { encoding: "utf8" });
      expect([command, status, status === 0 ? "" : stdout]).toEqual([command, 0, ""]);
    }
  },
  60_000,
);

test.each([
  { name: "cdktf-secrets-registry", least: 200 },
  { name: "cdktf-secrets-registry-rehearsal", least: 0 },
])("pages of $name lead to nothing that the package does not bring", ({ name, least }) => {
  const installed = join(folder, "node_modules", name);
  const packed = readdirSync(installed, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((path) => ({ path, text: readFileSync(join(installed, path), "utf8") }));
  expect(packed.map(({ path }) => path)).toContain("README.md");
  expect(packed.flatMap(({ text }) => linksOf(text)).length).toBeGreaterThanOrEqual(least);
  const dead = packed.flatMap(({ path, text }) =>
    deadLinks(path, text, installed).map((target) => `${path}: ${target}`),
  );
  expect(dead).toEqual([]);
});

test("every type that its exports name is exported, so that authors can name it too", () => {
  const installed = join(folder, "node_modules/cdktf-secrets-registry/dist");
  const entries = [
    "lib/index.d.ts",
    "lib/constructs/index.d.ts",
    "lib/constructs/guardrails/index.d.ts",
    "stacks/index.d.ts",
  ];
  expect(
    forgottenExports(
      installed,
      entries.map((entry) => join(installed, entry)),
    ),
  ).toEqual([
    // The constructor, which is internal: registries are made by defineRegistry.
    "Registry names ParsedRegistry of lib/model/parse.d.ts",
    // Arithmetic on types, of which authors see the result.
    "mergeSecrets names UnionToIntersection of lib/model/fragments.d.ts",
  ]);
});

test("an app of another repository compiles against it, with old and new module resolution, and synthesizes", () => {
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  run(folder, tsc, "--noEmit", "--module", "node16", "--moduleResolution", "node16");
  run(folder, tsc);
  const reference = JSON.parse(run(folder, "node", "main.js"));
  expect(reference).toEqual({
    name: "prod/crypto/webhook",
    arnPattern: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/crypto/webhook-??????",
    vaultPath: "kv-prod/data/crypto/webhook",
  });
  const { resource } = JSON.parse(readFileSync(join(folder, "cdktf.out/stacks/theirs/cdk.tf.json"), "utf8"));
  expect(Object.keys(resource)).toEqual(["aws_kms_alias", "aws_kms_key", "aws_kms_replica_key"]);
  expect(Object.keys(resource.aws_kms_replica_key)).toEqual(["secrets-key_eu-west-1"]);
}, 120_000);

test("its command runs under plain Node.js on a registry in TypeScript", () => {
  const bin = join(folder, "node_modules/cdktf-secrets-registry/dist/lib/cli/secrets-registry.js");
  cpSync(join(ROOT, "registry"), join(folder, "registry"), { recursive: true });
  for (const file of readdirSync(join(folder, "registry"))) {
    run(folder, "sed", "-i", 's#"../lib/model"#"cdktf-secrets-registry"#', join(folder, "registry", file));
  }
  const rows = JSON.parse(run(folder, "node", bin, "access", "--env", "dev", "--format", "json"));
  expect(rows).toContainEqual(expect.objectContaining({ workload: "celery-email", secret: "smtp/sendgrid" }));
}, 60_000);

describe("the command line alone, for operators", () => {
  let alone: string;

  /** Its own dependencies, and no peer: npm leaves optional ones out. */
  beforeAll(() => {
    alone = mkdtempSync(join(tmpdir(), "operator-"));
    const modules = join(alone, "node_modules");
    cpSync(join(folder, "node_modules/cdktf-secrets-registry"), join(modules, "cdktf-secrets-registry"), {
      recursive: true,
    });
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    for (const name of Object.keys(dependencies)) {
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
    }
    writeFileSync(join(alone, "registry.ts"), smallRegistry("cdktf-secrets-registry"));
  });

  afterAll(() => rmSync(alone, { recursive: true, force: true }));

  test("asks for no provider and no engine", () => {
    const { peerDependencies, peerDependenciesMeta } = JSON.parse(
      readFileSync(join(alone, "node_modules/cdktf-secrets-registry/package.json"), "utf8"),
    );
    const optional = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional);
    expect(optional).toEqual(Object.keys(peerDependencies));
  });

  test.each(["validate", "list", "access --env dev", "preflight --help", "rotate --help", "preview --help"])(
    "runs %s without them",
    (command) => {
      const bin = join(alone, "node_modules/cdktf-secrets-registry/dist/lib/cli/secrets-registry.js");
      expect(run(alone, "node", bin, ...command.split(" "))).not.toBe("");
    },
    30_000,
  );

  test("reads a registry without them, and names the missing one where constructs are asked for", () => {
    const load = (entry: string) =>
      spawnSync("node", ["-e", `require("cdktf-secrets-registry${entry}")`], {
        cwd: alone,
        encoding: "utf8",
      });
    expect(load("").status).toBe(0);
    expect(load("/constructs").stderr).toMatch(/Cannot find module '(?:cdktf|constructs|@cdktf\/)/);
  });
});

describe("the rehearsal's package", () => {
  const bin = (): string =>
    join(folder, "node_modules/cdktf-secrets-registry/dist/lib/cli/secrets-registry.js");
  const home = (): string => join(folder, "node_modules/cdktf-secrets-registry-rehearsal");

  test("is small, and brings compiled code and the lists of its servers", () => {
    const files = readdirSync(home(), { recursive: true }).map(String);
    expect(files).toEqual(
      expect.arrayContaining([
        "README.md",
        "dist/index.js",
        "dist/index.d.ts",
        "dist/servers/requirements.txt",
      ]),
    );
    expect(files.filter((file) => /^(src|dist\/(lib|stacks|emitted))\b/.test(file))).toEqual([]);
  });

  test("rehearses a registry of another repository by the main package's command", () => {
    writeFileSync(join(folder, "small.ts"), smallRegistry("cdktf-secrets-registry"));
    const report = JSON.parse(
      run(folder, "node", bin(), "--registry", "small.ts", "rehearse", "--format", "json"),
    );
    expect(report).toMatchObject({ environment: "dev", differences: [] });
    expect(report.secrets).toHaveLength(1);
  }, 180_000);

  test("is asked for where it is not installed", () => {
    renameSync(home(), `${home()}-elsewhere`);
    try {
      const { status, stderr } = spawnSync("node", [bin(), "rehearse"], { cwd: folder, encoding: "utf8" });
      expect(status).toBe(2);
      expect(stderr).toContain("npm install --save-dev cdktf-secrets-registry-rehearsal");
    } finally {
      renameSync(`${home()}-elsewhere`, home());
    }
  }, 30_000);
});
