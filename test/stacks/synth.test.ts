import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(__dirname, "../..");

let folder: string;

/** The project's own files in a folder of their own, so that its output is not this checkout's. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "synth app "));
  for (const name of [
    "lib",
    "stacks",
    "registry",
    "scripts",
    "main.ts",
    "cdktf.json",
    "package.json",
    "tsconfig.json",
  ]) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** All files below `cdktf.out/stacks`, by path. */
function outputs(): Record<string, string> {
  const stacks = join(folder, "cdktf.out/stacks");
  return Object.fromEntries(
    readdirSync(stacks, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .sort()
      .map((file) => [file.slice(stacks.length + 1), readFileSync(file, "utf8")]),
  );
}

/** No credentials, no network settings: only what a shell needs. */
const environment = { PATH: process.env.PATH, HOME: tmpdir(), CHECKPOINT_DISABLE: "1", CI: "1" };

function synth(): string {
  return execFileSync("npm", ["run", "--silent", "synth"], {
    cwd: folder,
    env: environment,
    encoding: "utf8",
  });
}

test("npm run synth writes the three stacks and says what it made, the same each time; stale stacks go", () => {
  const table = synth();
  expect(table.match(/^(dev|stage|prod) \(account/gm)).toHaveLength(3);
  const first = outputs();
  expect(Object.keys(first).filter((file) => file.endsWith("cdk.tf.json"))).toEqual([
    "dev/cdk.tf.json",
    "prod/cdk.tf.json",
    "stage/cdk.tf.json",
  ]);
  for (const text of Object.values(first)) expect(text).not.toContain(folder);

  mkdirSync(join(folder, "cdktf.out/stacks/gone"));
  const manifestFile = join(folder, "cdktf.out/manifest.json");
  const manifest = JSON.parse(readFileSync(manifestFile, "utf8"));
  manifest.stacks.gone = { ...manifest.stacks.dev, name: "gone", workingDirectory: "stacks/gone" };
  writeFileSync(manifestFile, JSON.stringify(manifest));
  mkdirSync(join(folder, "cdktf.out/stacks/kept"));
  synth();
  expect(existsSync(join(folder, "cdktf.out/stacks/gone"))).toBe(false);
  expect(existsSync(join(folder, "cdktf.out/stacks/kept"))).toBe(true);
  rmSync(join(folder, "cdktf.out/stacks/kept"), { recursive: true });
  expect(outputs()).toEqual(first);
}, 120_000);

/** The cdktf CLI's terminal part is built for Node.js up to 22; later ones cannot start it. */
const cliStarts = Number(process.versions.node.split(".")[0]) <= 22;
const name = "cdktf synth writes the same bytes";
if (!cliStarts) {
  process.stdout.write(
    `skipped: ${name}; the cdktf CLI starts on Node.js up to 22, this is ${process.versions.node}\n`,
  );
}

(cliStarts ? test : test.skip)(
  name,
  () => {
    synth();
    const first = outputs();
    execFileSync("npx", ["cdktf", "synth"], { cwd: folder, env: environment, stdio: "pipe" });
    expect(outputs()).toEqual(first);
  },
  120_000,
);

test("synth of a registry with faults shows them all, without a stack, and ends with 2", () => {
  const file = join(folder, "registry/index.ts");
  const valid = readFileSync(file, "utf8");
  writeFileSync(
    file,
    valid.replace("rotateEvery: days(30)", "rotateEvery: days(0.5)").replace('id: "acme"', 'id: "Acme"'),
  );
  const { status, stderr } = spawnSync("npx", ["tsx", "main.ts"], {
    cwd: folder,
    env: environment,
    encoding: "utf8",
  });
  writeFileSync(file, valid);
  expect(status).toBe(2);
  expect(stderr).toMatch(
    /The registry has 2 faults:\n\nid\n {2}found: {3}"Acme"[\s\S]*secrets\["db\/app-primary"\]\.rotateEvery\n {2}found: {3}12 hours/,
  );
  expect(stderr).not.toContain("    at ");
}, 60_000);
