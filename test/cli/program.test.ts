import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { accessOf } from "../../lib/blueprint";
import { findRegistry } from "../../lib/cli/registry/find-registry";
import { registry } from "../../registry";
import { cli, MODEL, withFolder, withModule } from "./run-cli";

test("validate says that a valid registry is valid", async () => {
  expect(await cli("validate")).toEqual({
    code: 0,
    out: "Registry acme is valid: 13 secrets, 6 workloads, 3 environments.\n",
    err: "",
  });
  const { out } = await cli("validate", "--format", "json");
  expect(JSON.parse(out)).toMatchObject({ valid: true, registry: "acme", secrets: 13, faults: [] });
});

test("validate lists all faults of a broken one and ends with 2", async () => {
  const source = `
    const { defineRegistry } = require(${JSON.stringify(MODEL)});
    exports.registry = defineRegistry({ environments: {}, workloads: { Backend: { namespace: "x" } }, secrets: { "DB": {} } });`;
  await withModule(source, async (file) => {
    const text = await cli("--registry", file, "validate");
    expect(text.code).toBe(2);
    expect(text.out).toContain('workloads.Backend\n  found:   "Backend"\n  allowed: lower-case letters');
    const { code, out } = await cli("--registry", file, "validate", "--format", "json");
    expect(code).toBe(2);
    expect(JSON.parse(out).faults).toContainEqual({
      path: "secrets.DB",
      found: '"DB"',
      allowed:
        "lower-case letters, digits, single hyphens inside words, and / between words, at most 200 characters",
      change: "rename the key, such as db/app-primary",
    });
    expect((await cli("--registry", file, "list")).code).toBe(2);
  });
});

test("list shows each environment, development first, and what it does not have", async () => {
  const { code, out } = await cli("list");
  expect(code).toBe(0);
  expect(out.match(/^(dev|stage|prod) \(account \d{12}\): \d+ secrets$/gm)).toEqual([
    "dev (account 111111111111): 11 secrets",
    "stage (account 222222222222): 13 secrets",
    "prod (account 333333333333): 13 secrets",
  ]);
  expect(out).toContain("Not in dev: crypto/webhook, db/reporting-ro");
  expect((await cli("list", "--env", "stage", "--format", "md")).out).toMatch(
    /^## stage \(account 222222222222\): 13 secrets\n\n\| SECRET \|/,
  );
  expect(JSON.parse((await cli("list", "--env", "dev", "--format", "json")).out)[0].secrets).toHaveLength(11);
});

test("access is the blueprint's access, with the fields that scripts rely on", async () => {
  const { code, out } = await cli("access", "--env", "prod", "--format", "json");
  expect(code).toBe(0);
  const rows = JSON.parse(out);
  expect(rows).toEqual(accessOf(registry, "prod"));
  expect(rows).toHaveLength(14);
  expect(rows[0]).toEqual({
    workload: "backend",
    namespace: "backend",
    serviceAccount: "backend",
    secret: "crypto/webhook",
    store: "aws",
    regions: ["eu-central-1", "eu-west-1", "us-east-1"],
    role: "arn:aws:iam::333333333333:role/acme/prod/acme-prod-backend",
    vaultPath: "kv-prod/data/crypto/webhook",
  });
  expect((await cli("access", "--env", "prod")).out).toMatch(/^WORKLOAD +NAMESPACE +SERVICE ACCOUNT +SECRET/);
  expect((await cli("access", "--env", "prod", "--format", "md")).out.split("\n")).toHaveLength(17);
});

test.each([
  [["access"], 2, "error: required option '--env <name>' not specified\n"],
  [["access", "--env", "qa"], 2, 'Unknown environment "qa". The registry has: dev, stage, prod.\n'],
  [["access", "--env", "prod", "--format", "xml"], 2, "Allowed choices are text, json, md"],
  [["acess"], 2, "(Did you mean access?)"],
  [
    ["--registry", "/nowhere/registry", "list"],
    2,
    "No registry at /nowhere/registry. Give the module with --registry",
  ],
])("%j ends with %i and says what to change", async (args, code, message) => {
  const result = await cli(...args);
  expect(result.code).toBe(code);
  expect(result.err).toContain(message);
  expect(result.err).not.toContain("    at ");
});

test("a module that exports no registry is named", async () => {
  await withModule("exports.other = 1;", async (file) => {
    expect(await cli("--registry", file, "list")).toMatchObject({
      code: 2,
      err: expect.stringContaining(`${file} exports no registry`),
    });
  });
});

test("a fault of this program ends with 70 and shows its stack", async () => {
  const broken =
    'exports.registry = { environmentNames: ["dev"], secretsIn: 1, environment() { throw new TypeError("broken on purpose"); } };';
  await withModule(broken, async (file) => {
    const { code, err } = await cli("--registry", file, "list");
    expect(code).toBe(70);
    expect(err).toMatch(/TypeError: broken on purpose\n {4}at /);
  });
});

test.each([
  {
    what: "imports what is not there",
    text: 'require("./missing");',
    line: 1,
    says: "Cannot find module './missing'",
  },
  {
    what: "does not parse",
    text: "exports.a = 1;\nexports.registry = {{;\n",
    line: 2,
    says: "Expected identifier|Unexpected token",
  },
  {
    what: "fails",
    text: "const a = undefined;\n\nexports.b = a.c;\n",
    line: 3,
    says: "Cannot read properties of undefined",
  },
])(
  "a registry that $what is said in one line with file and line",
  async ({ text, line, says }) => {
    await withModule(text, async (file) => {
      // In a process of its own: jest loads modules in its own way.
      const { status, stderr } = spawnSync(
        process.execPath,
        ["--import", "tsx", "lib/cli/secrets-registry.ts", "--registry", file, "validate"],
        { cwd: join(__dirname, "../.."), encoding: "utf8" },
      );
      expect({ status, lines: stderr.trim().split("\n").length }).toEqual({ status: 2, lines: 1 });
      expect(stderr).toMatch(new RegExp(`^\\S*${basename(file)}:${line}(:\\d+)?: .*(${says})`));
    });
  },
  60_000,
);

test.each([
  {
    what: "does not parse",
    text: "export const a = 1;\nexport const registry = {{;\n",
    at: "2",
    says: "Unexpected token",
  },
  {
    what: "fails",
    text: "const a = undefined;\n\nexport const b = a.c;\n",
    at: "3:\\d+",
    says: "Cannot read",
  },
  {
    what: "imports what is not there",
    text: 'export const a = 1;\nimport "./missing.mjs";\n',
    at: "2",
    says: "Cannot find module",
  },
])(
  "a registry in an ES module that $what is said in one line with file and line",
  ({ text, at, says }) => {
    const folder = mkdtempSync(join(tmpdir(), "registry-"));
    try {
      const file = join(folder, "registry.mjs");
      writeFileSync(file, text);
      const { status, stderr } = spawnSync(
        process.execPath,
        ["--import", "tsx", "lib/cli/secrets-registry.ts", "--registry", file, "validate"],
        { cwd: join(__dirname, "../.."), encoding: "utf8" },
      );
      expect({ status, lines: stderr.trim().split("\n").length }).toEqual({ status: 2, lines: 1 });
      expect(stderr).toMatch(new RegExp(`^${file}:${at}: .*(${says})`));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  60_000,
);

test("a registry in JSON is none", async () => {
  const { code, err } = await cli("--registry", join(__dirname, "../../package.json"), "validate");
  expect({ code, err }).toEqual({
    code: 2,
    err: expect.stringMatching(/package\.json is no module of TypeScript or JavaScript/),
  });
});

test("help has examples and exit codes", async () => {
  const { code, out } = await cli("--help");
  expect(code).toBe(0);
  expect(out).toMatch(/Examples:[\s\S]*access --env prod --format json[\s\S]*Exit codes/);
});

test("--version is that of the package", async () => {
  const { version } = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8"));
  expect(await cli("--version")).toEqual({ code: 0, out: `${version}\n`, err: "" });
});

describe("the registry that is meant where nobody names one", () => {
  const CASES = [
    { what: "stands beside", files: { "registry.js": "" }, from: ".", found: "registry" },
    { what: "stands above", files: { "registry/index.ts": "", "a/b/x": "" }, from: "a/b", found: "registry" },
    {
      what: "is named by the nearest package.json",
      files: {
        "registry.ts": "",
        "app/package.json": '{ "secrets-registry": { "registry": "./infra/secrets" } }',
        "app/src/x": "",
      },
      from: "app/src",
      found: "app/infra/secrets",
    },
    {
      what: "is nearer than one that a package.json further above names",
      files: { "package.json": '{ "secrets-registry": { "registry": "./far" } }', "app/registry.mjs": "" },
      from: "app",
      found: "app/registry",
    },
    {
      what: "is not to be had from a package.json that does not parse",
      files: { "package.json": "{", "registry.ts": "" },
      from: ".",
      found: "registry",
    },
  ];

  test.each(CASES)("$what", async ({ files, from, found }) => {
    await withFolder(async (folder) => {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text as string);
      }
      expect(findRegistry(join(folder, from))).toBe(join(folder, found));
    });
  });
});
