import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ScanReport } from "../../lib/cli/verbs/scan";
import { type CliResult, cli, withFolder } from "./run-cli";

/** Values of this run, so that the suite holds none itself; no output may have one of them. */
const password = randomBytes(18).toString("base64url");
const stripe = `sk_${"live"}_${randomBytes(16).toString("hex")}`;
const dsn = `postgres://app:${password}@db.example.org/shop`;

const DOCKERFILE = `FROM node:20
ARG NPM_TOKEN
ARG NPM_TOKEN_SECRET_ID
ENV DB_PASSWORD=${password} PORT=80
RUN --mount=type=secret,id=npm npm ci
`;
const COMPOSE = `services:
  app:
    build:
      context: .
      args:
        VERSION: "1.2"
        API_KEY: \${API_KEY}
`;
const WORKFLOW = `jobs:
  image:
    steps:
      - uses: docker/build-push-action@v6
        with:
          build-args: |
            VERSION=1.2
            SENTRY_AUTH_TOKEN=\${{ secrets.SENTRY }}
`;
const STACK = {
  resource: { aws_cloudwatch_log_group: { app: { name: "/app" } } },
  variable: { db_password: { default: password } },
};

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** Scans a folder of the test's own, as a shell there would. */
async function scanned(
  files: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  prepare: (folder: string) => void = () => {},
): Promise<CliResult> {
  const before = process.cwd();
  return withFolder(async (folder) => {
    write(folder, files);
    prepare(folder);
    process.chdir(folder);
    try {
      return await cli("scan", ...args);
    } finally {
      process.chdir(before);
    }
  });
}

const report = ({ out }: CliResult): ScanReport => JSON.parse(out);
const rows = (result: CliResult): readonly string[] =>
  report(result)
    .findings.map(({ rule, address, at }) => `${rule} ${address} ${at}`.trim())
    .sort();

test("finds credentials in files, secrets in builds, and breaches in synthesized stacks, and prints no secret", async () => {
  const files = {
    "app.env": `STRIPE=${stripe}\nDSN=${dsn}\n`,
    Dockerfile: DOCKERFILE,
    "compose.yaml": COMPOSE,
    ".github/workflows/image.yml": WORKFLOW,
    "build.sh": `docker build ${"--build"}-arg NPM_TOKEN=$NPM_TOKEN ${"--build"}-arg VERSION=1 .\n`,
    "cdktf.out/stacks/prod/cdk.tf.json": JSON.stringify(STACK),
  };
  for (const format of ["text", "json", "sarif"]) {
    const result = await scanned(files, ["--format", format]);
    expect(result.code).toBe(1);
    expect(result.out + result.err).not.toContain(password);
    expect(result.out + result.err).not.toContain(stripe);
  }
  const found = rows(await scanned(files, ["--format", "json"]));
  expect(found).toEqual(
    expect.arrayContaining([
      "SR001 var.db_password default",
      "SR003 .github/workflows/image.yml line 8",
      "SR003 Dockerfile line 2",
      "SR003 Dockerfile line 4",
      "SR003 build.sh line 1",
      "SR003 compose.yaml line 7",
      "SR050 aws_cloudwatch_log_group.app retention_in_days",
      "SR060 app.env line 1",
      "SR060 app.env line 2",
    ]),
  );
  expect(found.filter((row) => row.startsWith("SR003"))).toHaveLength(5);
}, 60_000);

test("is content with ids in place of secrets", async () => {
  const result = await scanned({
    Dockerfile: "FROM node:20\nARG NPM_TOKEN_SECRET_ID=ci/npm\nENV DB_SECRET_ARN=arn:aws:x\n",
    "compose.yaml": "services: {app: {build: {args: {VERSION: '1'}}}}\n",
    "cdk.tf.json": "{}",
  });
  expect(result).toMatchObject({ code: 0, err: "" });
  expect(result.out).toMatch(
    /^3 files by guardrails, secretlint(?:, gitleaks)?: 0 findings, 0 accepted, 0 files not read\.$/m,
  );
});

test("reads what git tracks or would take, and a synthesized stack that it ignores", async () => {
  const result = await scanned(
    {
      ".gitignore": "ignored.env\ncdktf.out\n",
      "ignored.env": `A=${stripe}`,
      "new.env": `A=${stripe}`,
      "cdktf.out/stacks/prod/cdk.tf.json": JSON.stringify(STACK),
    },
    ["--format", "json"],
    (folder) => execFileSync("git", ["init", "--quiet"], { cwd: folder }),
  );
  const found = rows(result);
  expect(found).toContain("SR060 new.env line 1");
  expect(found).toContain("SR050 aws_cloudwatch_log_group.app retention_in_days");
  expect(found.join()).not.toContain("ignored.env");
});

test("accepts what guardrails.json gives a reason and a day for, and no longer", async () => {
  const files = {
    "new.env": `A=${stripe}`,
    "guardrails.json": JSON.stringify({
      suppressions: [
        { rule: "SR060", address: "*.env", reason: "A vendor's public example key", until: "2026-12-31" },
      ],
    }),
  };
  const accepted = await scanned(files, ["--on", "2026-12-31"]);
  expect(accepted.code).toBe(0);
  expect(accepted.out).toContain("A vendor's public example key");
  expect((await scanned(files, ["--on", "2027-01-01"])).code).toBe(1);
});

test("tells faults of its settings and of the call", async () => {
  const bad = await scanned({ "guardrails.json": '{"suppressions":[{"rule":"SR060"}],"else":1}' });
  expect(bad.code).toBe(2);
  expect(bad.err).toContain("suppressions.0");
  expect(await scanned({ "guardrails.json": "{" })).toMatchObject({ code: 2 });
  expect(await scanned({}, ["nowhere"])).toMatchObject({ code: 2, err: "No such file or folder: nowhere\n" });
  expect(await scanned({}, ["--settings", "none.json"])).toMatchObject({ code: 2 });
});

test("leaves binary files out, and says so", async () => {
  const { skipped } = report(await scanned({ "a.bin": "\0\0", "b.txt": "text" }, ["--format", "json"]));
  expect(skipped).toEqual(["a.bin"]);
});

test("writes SARIF with a rule, a place and the reason of what is accepted", async () => {
  const { out } = await scanned({ "new.env": `A=${stripe}` }, ["--format", "sarif"]);
  const { version, runs } = JSON.parse(out);
  expect(version).toBe("2.1.0");
  expect(runs[0].results[0]).toMatchObject({
    ruleId: "SR060",
    level: "error",
    locations: [{ physicalLocation: { artifactLocation: { uri: "new.env" }, region: { startLine: 1 } } }],
  });
});

const gitleaks = spawnSync("gitleaks", ["version"]).error === undefined;
(gitleaks ? test : test.skip)("asks gitleaks where it is on the PATH", async () => {
  const result = await scanned({ "new.env": `STRIPE_KEY=${stripe}\n` }, ["--format", "json"]);
  expect(report(result).scanners).toContain("gitleaks");
  expect(report(result).findings.map(({ found }) => found)).toContainEqual(
    expect.stringContaining("gitleaks stripe-access-token"),
  );
  expect(result.out).not.toContain(stripe);
});

test("what ships of this repository has no finding that nobody gave a reason for", async () => {
  const { suppressions } = JSON.parse(readFileSync(join(__dirname, "../../guardrails.json"), "utf8"));
  expect(suppressions.length).toBeGreaterThan(0);
  // Tests hold values that are made to look like credentials; a pipeline scans them too.
  const result = await cli(
    "scan",
    "lib",
    "registry",
    "stacks",
    "examples",
    "main.ts",
    "--on",
    "2026-12-01",
    "--format",
    "json",
  );
  expect(rows(result)).toEqual([]);
}, 120_000);
