import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { smallRegistry } from "./fixtures/small-registry";

const ROOT = join(__dirname, "..");

const APP = `
const { App } = require("cdktf");
const { createJiti } = require("jiti");
const { SecretsStack } = require("cdktf-secrets-registry/stacks");
createJiti(__filename).import("./registry.ts").then(({ registry }) => {
  const app = new App({ outdir: "cdktf.out" });
  new SecretsStack(app, "small-dev", { registry, environment: "dev" });
  app.synth();
});
`;

let folder: string;
let tarball: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "cdktn-"));
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--pack-destination", folder], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    }),
  ) as readonly { readonly filename: string }[];
  tarball = join(folder, packed?.filename ?? "");
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The guide's `package.json` of an app, with this checkout's package. */
function recipe(): object {
  const guide = readFileSync(join(ROOT, "docs/guides/import-the-constructs.md"), "utf8");
  const [, text = ""] = /```json cdktn\n([\s\S]*?)```/.exec(guide) ?? [];
  const { dependencies, overrides } = JSON.parse(text);
  return {
    private: true,
    dependencies: { ...dependencies, "cdktf-secrets-registry": `file:${tarball}` },
    overrides,
  };
}

/** Files that an app in a folder synthesizes, by path; JSON without the engine's version and way of writing. */
function synthesized(app: string): Readonly<Record<string, unknown>> {
  writeFileSync(join(app, "registry.ts"), smallRegistry("cdktf-secrets-registry"));
  writeFileSync(join(app, "main.js"), APP);
  execFileSync(process.execPath, ["main.js"], { cwd: app, stdio: "inherit" });
  const out = join(app, "cdktf.out");
  return Object.fromEntries(
    readdirSync(out, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const file = join(entry.parentPath, entry.name);
        const bytes = readFileSync(file);
        return [
          file.slice(out.length),
          file.endsWith(".json") ? withoutVersion(JSON.parse(bytes.toString())) : bytes,
        ];
      }),
  );
}

function withoutVersion(json: Record<string, unknown>): object {
  const about = json["//"] as { readonly metadata?: object } | undefined;
  if (about === undefined) return { ...json, version: undefined };
  return { ...json, "//": { ...about, metadata: { ...about.metadata, version: undefined } } };
}

test("an app with cdktn in cdktf's place installs by the guide without force, and synthesizes the same", () => {
  const theirs = join(folder, "theirs");
  mkdirSync(theirs);
  writeFileSync(join(theirs, "package.json"), JSON.stringify(recipe()));
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd: theirs,
    stdio: "inherit",
  });
  const engine = JSON.parse(readFileSync(join(theirs, "node_modules/cdktf/package.json"), "utf8"));
  expect(engine.name).toBe("cdktn");

  const ours = join(folder, "ours");
  const modules = join(ours, "node_modules");
  cpSync(join(theirs, "node_modules/cdktf-secrets-registry"), join(modules, "cdktf-secrets-registry"), {
    recursive: true,
  });
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }
  const expected = synthesized(ours);
  expect(Object.keys(expected).length).toBeGreaterThan(20);
  expect(synthesized(theirs)).toEqual(expected);
}, 600_000);
