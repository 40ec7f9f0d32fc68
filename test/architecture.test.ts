import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const ROOT = join(__dirname, "..");

/** Files for the breaches to import, and what stands in them. */
const OTHERS: readonly (readonly [string, string])[] = [
  ["lib/blueprint/index.ts", ""],
  ["lib/cli/index.ts", ""],
  ["lib/cli/inner.ts", ""],
  ["lib/rotation/index.ts", ""],
  ["lib/rotation/inner.ts", ""],
  ["lib/constructs/aws/index.ts", ""],
  ["packages/rehearsal/src/synthesis/program.ts", ""],
  // The way back between two folders, by files that import in a line.
  ["lib/blueprint/lower/back.ts", 'import "../upper/top";'],
  ["lib/blueprint/lower/ground.ts", ""],
  ["lib/blueprint/upper/top.ts", ""],
  // The other half of a circle, which is told once.
  ["lib/model/second.ts", 'import "./first";'],
];

/** One breach of each rule: the rule, the file, what stands in it. */
const BREACHES: readonly (readonly [string, string, string])[] = [
  ["module-lib-model", "lib/model/breach.ts", 'import "../blueprint";'],
  ["module-lib-contracts", "lib/contracts/breach.ts", 'import "../blueprint";'],
  ["module-lib-blueprint", "lib/blueprint/breach.ts", 'import "../cli";'],
  ["module-lib-guardrails", "lib/guardrails/breach.ts", 'import "../blueprint";'],
  ["module-lib-bundles", "lib/bundles/breach.ts", 'import "../blueprint";'],
  ["module-lib-constructs", "lib/constructs/breach.ts", 'import type { found } from "../rotation";'],
  ["module-lib-lambda", "lib/lambda/breach.ts", 'import "../blueprint";'],
  ["module-lib-rotation", "lib/rotation/breach.ts", 'import "../blueprint";'],
  ["module-lib-audit", "lib/audit/breach.ts", 'import "../rotation";'],
  ["module-lib-break-glass", "lib/break-glass/breach.ts", 'import "../blueprint";'],
  ["module-lib-proof", "lib/proof/breach.ts", 'import "../cli";'],
  ["module-lib-preview", "lib/preview/breach.ts", 'import "../cli";'],
  ["module-lib-cli", "lib/cli/breach.ts", 'import "../rotation/inner";'],
  ["module-packages-rehearsal", "packages/rehearsal/src/breach.ts", 'import "../../../lib/constructs/aws";'],
  ["module-packages-rehearsal", "packages/rehearsal/src/deep.ts", 'import "../../../lib/cli/inner";'],
  ["module-registry", "registry/breach.ts", 'import "../lib/blueprint";'],
  ["module-stacks", "stacks/breach.ts", 'import "../lib/cli";'],
  ["providers-apart", "lib/constructs/vault/breach.ts", 'import "../aws";'],
  ["engine-in-its-modules", "lib/model/engine.ts", 'import type { App } from "cdktf";'],
  ["synthesis-apart", "packages/rehearsal/src/apart.ts", 'import "./synthesis/program";'],
  ["provider-sub-modules", "lib/constructs/aws/whole.ts", 'import "@cdktf/provider-aws";'],
  ["no-circular", "lib/model/first.ts", 'import "./second";'],
  ["no-folder-cycles", "lib/blueprint/upper/breach.ts", 'import "../lower/ground";'],
  ["no-orphans", "lib/model/lonely.ts", ""],
  ["not-to-dev-dependency", "lib/model/development.ts", 'import "fast-check";'],
];

interface Cruise {
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string }[] };
  };
}

let folder: string;
let cruise: Cruise;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "architecture-"));
  for (const name of [".dependency-cruiser.js", "tsconfig.json", "package.json"]) {
    copyFileSync(join(ROOT, name), join(folder, name));
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const files = [...OTHERS, ...BREACHES.map(([, ...file]) => file)];
  for (const [file, source] of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), `${source}\nexport const found = 1;\n`);
  }
  const depcruise = join(ROOT, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
  const modules = ["lib", "packages", "registry", "stacks"];
  cruise = JSON.parse(
    execFileSync(
      process.execPath,
      [depcruise, "--config", ".dependency-cruiser.js", "--output-type", "json", ...modules],
      { cwd: folder, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
    ),
  );
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(BREACHES)("%s is broken by %s", (rule, file) => {
  // Cycles of folders are reported with the folder.
  const from = rule === "no-folder-cycles" ? dirname(file) : file;
  expect(cruise.summary.violations).toContainEqual(
    expect.objectContaining({ from, rule: expect.objectContaining({ name: rule }) }),
  );
});

test("no import rule is without a breach that it catches", () => {
  expect([...new Set(BREACHES.map(([rule]) => rule))].sort()).toEqual(
    cruise.summary.ruleSetUsed.forbidden.map(({ name }) => name).sort(),
  );
});
