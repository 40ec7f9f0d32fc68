import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { linksOf } from "./docs/markdown";
import { forgottenExports } from "./forgotten-exports";

const ROOT = join(__dirname, "..");

let folder: string;

/** Runs a program of this checkout in a folder. */
function run(cwd: string, command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

/** The packed tarball, installed beside the example as npm would, with the example's peers from this checkout. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "packed-"));
  const [tarball] = JSON.parse(run(ROOT, "npm", "pack", "--json", "--pack-destination", folder)) as {
    filename: string;
  }[];
  if (!tarball) throw new Error("npm pack made nothing");
  cpSync(join(ROOT, "examples/one-construct"), folder, { recursive: true });
  const installed = join(folder, "node_modules/cdktf-secrets-registry");
  mkdirSync(installed, { recursive: true });
  run(folder, "tar", "-xzf", join(folder, tarball.filename), "--strip-components=1", "-C", installed);
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const own = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  for (const name of Object.keys({ ...dependencies, ...devDependencies, ...own.dependencies })) {
    if (name === "cdktf-secrets-registry") continue;
    mkdirSync(dirname(join(folder, "node_modules", name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  }
}, 120_000);

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
    ]),
  );
  expect(
    files.filter(
      (file) => /^dist\/(registry|test|lib\/rehearsal)|\.ts$/.test(file) && !file.endsWith(".d.ts"),
    ),
  ).toEqual([]);
});

test("its README leads nowhere that the package does not bring", () => {
  const installed = join(folder, "node_modules/cdktf-secrets-registry");
  const links = linksOf(readFileSync(join(installed, "README.md"), "utf8"));
  const relative = links.filter((target) => !/^[a-z]+:/.test(target));
  expect(relative.length).toBeGreaterThan(10);
  expect(relative.filter((target) => !existsSync(join(installed, target.replace(/#.*/, ""))))).toEqual([]);
});

test("every type that its exports name is exported, so that authors can name it too", () => {
  const installed = join(folder, "node_modules/cdktf-secrets-registry/dist");
  const entries = ["lib/index.d.ts", "lib/constructs/index.d.ts", "stacks/index.d.ts"];
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
