import { execFile, execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GitHubApi, startGitHubApi } from "./github-api";
import { CLI, git, pullRequest, replacedKey } from "./pull-request";
import { runStep, stepOf } from "./workflow";

jest.setTimeout(120_000);

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "workflow-"));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** Runs the job `synth` of both sides and hands their outputs over as artifacts do. */
function sidesOf(
  name: string,
  options: Parameters<typeof pullRequest>[1] = {},
): { checkout: string; sides: string } {
  const checkout = pullRequest(join(place, name), options);
  const sides = join(place, `${name}-sides`);
  for (const side of ["base", "head"]) {
    const job = join(place, `${name}-${side}`);
    cpSync(checkout, job, { recursive: true });
    expect(runStep(stepOf("preview.yml", "synth", "Take the side"), job, { SIDE: side })).toMatchObject({
      code: 0,
    });
    const made = runStep(stepOf("preview.yml", "synth", "Synthesize"), job, {
      INSTALL: "echo installed",
      SYNTH: "cp -R rendered cdktf.out",
    });
    expect(made).toMatchObject({ code: 0 });
    cpSync(join(job, "cdktf.out"), join(sides, `synthesized-${side}`), { recursive: true });
  }
  return { checkout, sides };
}

/** Runs the job `preview`. */
function preview({ checkout, sides }: { checkout: string; sides: string }, failOn = "") {
  const summary = join(sides, "summary.md");
  const { code, out } = runStep(
    stepOf("preview.yml", "preview", "Preview"),
    checkout,
    { INSTALL: "true", CLI, FAIL_ON: failOn, SIDES: sides },
    { GITHUB_STEP_SUMMARY: summary },
  );
  return { code, out, summary: existsSync(summary) ? readFileSync(summary, "utf8") : "" };
}

describe("a preview", () => {
  test("compares what base and head synthesize, and fails where it is asked to", () => {
    const both = sidesOf("wider");
    const seen = preview(both);
    expect(seen).toMatchObject({
      code: 0,
      summary: expect.stringContaining("**Access is broadened in `prod`."),
    });
    expect(JSON.parse(readFileSync(join(both.sides, "preview.json"), "utf8"))).toMatchObject({
      schema: 1,
      source: "output",
      verdict: { access: "broadened" },
    });
    expect(preview(both, "destroy").code).toBe(0);
    expect(preview(both, "destroy broadened").code).toBe(1);
    rmSync(join(both.sides, "synthesized-head/manifest.json"));
    expect(preview(both).code).toBe(2);
  });

  test("takes the base's tool, and the change's own where the base has none", () => {
    const take = (folder: string, where: string) =>
      runStep(stepOf("preview.yml", "preview", "Take the base's tool"), folder, { FOLDER: where });
    const known = pullRequest(join(place, "tool"));
    expect(take(known, ".").code).toBe(0);
    expect(git(known, "log", "-1", "--format=%s")).toBe("base");
    const first = pullRequest(join(place, "first-tool"), { baseHasPackage: false });
    expect(take(first, ".").code).toBe(0);
    expect(git(first, "log", "-1", "--format=%s")).toBe("merge");
  });

  test("of the first registry shows all of it as new", () => {
    const { code, summary } = preview(sidesOf("first", { baseHasPackage: false, change: () => undefined }));
    expect(code).toBe(0);
    expect(summary).toContain("crypto/webhook");
    expect(summary).not.toContain("broadened in");
  });

  test("uses plans from which everything but places and actions was taken away", () => {
    const both = sidesOf("planned", { change: () => undefined });
    const job = join(place, "plan-job");
    mkdirSync(job);
    const CANARY = "canary-7f3a9c";
    const fn = (after: object) => ({
      address: "aws_lambda_function.rotate",
      mode: "managed",
      type: "aws_lambda_function",
      change: { actions: ["update"], before: { source_code_hash: "a", environment: CANARY }, after },
    });
    writeFileSync(
      join(job, "whole.json"),
      JSON.stringify({
        format_version: "1.2",
        variables: { token: { value: CANARY } },
        planned_values: { outputs: { value: CANARY } },
        prior_state: { values: CANARY },
        resource_changes: [fn({ source_code_hash: "b", environment: CANARY }), replacedKey(CANARY)],
      }),
    );
    const reduce = stepOf("preview.yml", "plan", "Keep places and actions");
    expect(runStep(reduce, job, { ENVIRONMENT: "prod" })).toEqual({ code: 0, out: "" });
    const reduced = readFileSync(join(job, "reduced/prod.json"), "utf8");
    expect(reduced).not.toContain(CANARY);
    expect(existsSync(join(job, "whole.json"))).toBe(false);
    cpSync(join(job, "reduced"), join(both.sides, "plan-prod"), { recursive: true });
    const { code, summary } = preview(both);
    expect(code).toBe(0);
    expect(summary).toMatch(/2 .*1 of them functions' code alone|1 of them functions' code alone/);
    expect(summary).toContain("aws_kms_key");
  });
});

describe("a comment", () => {
  let api: GitHubApi;
  beforeAll(async () => {
    api = await startGitHubApi("job-token", "acme/secrets");
  });
  afterAll(() => api.stop());

  const runner = () => ({
    GITHUB_API_URL: api.url,
    GITHUB_REPOSITORY: "acme/secrets",
    GITHUB_OUTPUT: join(place, "output"),
  });
  const render = (sides: string, comment: string) =>
    runStep(
      stepOf("preview-comment.yml", "render", "Render"),
      place,
      {
        INSTALL: "true",
        CLI,
        SIDES: sides,
        COMMENT: comment,
        RUN: "https://github.com/acme/secrets/actions/runs/1",
      },
      {},
    );

  /** Asynchronous, so that the server of this process can answer. */
  const write = async (text: string) => {
    const folder = mkdtempSync(join(place, "write-"));
    mkdirSync(join(folder, "comment"));
    writeFileSync(join(folder, "comment/comment.md"), text);
    return runStepAside("preview-comment.yml", "comment", "Write the one comment", folder, {
      GH_TOKEN: "job-token",
      NUMBER: "7",
    });
  };
  const runStepAside = async (
    file: string,
    job: string,
    name: string,
    cwd: string,
    values: Readonly<Record<string, string>>,
  ) => {
    const step = stepOf(file, job, name);
    expect(Object.keys(step.env ?? {}).sort()).toEqual(Object.keys(values).sort());
    return new Promise<{ code: number; out: string }>((resolve) => {
      execFile(
        "bash",
        ["--noprofile", "--norc", "-eo", "pipefail", "-c", step.run ?? ""],
        { cwd, env: { PATH: process.env.PATH, ...runner(), ...values } },
        (failure, stdout, stderr) =>
          resolve({ code: failure === null ? 0 : Number(failure.code), out: stdout + stderr }),
      );
    });
  };

  test("is of the open pull request whose head the run had", async () => {
    api.pulls.push({ number: 7, head: { sha: "abc", label: "stranger:patch-1" } });
    const find = (sha: string) => {
      rmSync(join(place, "output"), { force: true });
      return runStepAside("preview-comment.yml", "render", "Find the pull request", place, {
        GH_TOKEN: "job-token",
        HEAD_OWNER: "stranger",
        HEAD_BRANCH: "patch-1",
        HEAD_SHA: sha,
      });
    };
    expect(await find("abc")).toMatchObject({ code: 0 });
    expect(readFileSync(join(place, "output"), "utf8")).toBe("number=7\n");
    // A newer commit has come meanwhile: its own run comments.
    expect(await find("old")).toMatchObject({ code: 0 });
    expect(readFileSync(join(place, "output"), "utf8")).toBe("number=\n");
  });

  test("is rendered from what was synthesized, by this branch's tool, and says so where there is nothing", () => {
    const { sides } = sidesOf("commented");
    const made = render(sides, join(place, "comment"));
    expect(made.code).toBe(0);
    const text = readFileSync(join(place, "comment/comment.md"), "utf8");
    expect(text.split("\n")[0]).toBe("<!-- secrets-registry preview -->");
    expect(text).toContain("**Access is broadened in `prod`.");
    expect(text).toContain("[The run](https://github.com/acme/secrets/actions/runs/1) has all of it.");
    writeFileSync(join(sides, "synthesized-head/stacks/prod/cdk.tf.json"), "@octocat <img>");
    expect(render(sides, join(place, "broken")).code).toBe(0);
    const broken = readFileSync(join(place, "broken/comment.md"), "utf8");
    expect(broken).toContain("cannot be compared");
    expect(broken).not.toContain("octocat");
    expect(render(join(place, "nowhere"), join(place, "none")).code).toBe(0);
    expect(readFileSync(join(place, "none/comment.md"), "utf8")).toContain("was not synthesized");
  });

  test("is one, written anew, and never another's", async () => {
    const MARK = "<!-- secrets-registry preview -->";
    for (let n = 0; n < 120; n += 1) {
      api.comments.push({
        id: n,
        user: { type: "User" },
        body: n === 5 ? `${MARK}\nquoted by a person` : "text",
      });
    }
    expect(await write(`${MARK}\nfirst "quoted" \`$(id)\` \\n`)).toMatchObject({ code: 0 });
    expect(await write(`${MARK}\nsecond`)).toMatchObject({ code: 0 });
    expect(api.comments).toHaveLength(121);
    expect(api.comments.at(-1)?.body).toBe(`${MARK}\nsecond`);
    expect(api.comments[5]?.body).toContain("quoted by a person");
    expect((await write("x".repeat(70_000))).code).not.toBe(0);
  });
});

const hasTerraform = spawnSync("terraform", ["version"]).status === 0;
if (!hasTerraform)
  process.stderr.write("terraform is not on the PATH: the scripts of deployments are not run.\n");

(hasTerraform ? describe : describe.skip)("a deployment", () => {
  const terraform = (name: string, input: string): string => {
    const folder = join(place, name);
    mkdirSync(join(folder, "cdktf.out/stacks/prod"), { recursive: true });
    writeFileSync(
      join(folder, "cdktf.out/stacks/prod/cdk.tf.json"),
      JSON.stringify({ resource: { terraform_data: { one: { input }, two: { input: "canary-9d1" } } } }),
    );
    return folder;
  };
  const runner = (folder: string) => ({
    GITHUB_STEP_SUMMARY: join(folder, "summary.md"),
    GITHUB_OUTPUT: join(folder, "output"),
  });
  const values = { ENVIRONMENT: "prod", CREDENTIALS: "export FROM_VAULT=1" };

  test("shows places and actions before the approval, and applies what was seen", () => {
    const folder = terraform("deployed", "first");
    const plan = runStep(stepOf("deploy-environment.yml", "plan", "Plan"), folder, values, runner(folder));
    expect(plan).toMatchObject({ code: 0 });
    const summary = readFileSync(join(folder, "summary.md"), "utf8");
    expect(summary).toContain("create terraform_data.one\ncreate terraform_data.two");
    expect(summary + plan.out).not.toContain("canary");
    const [, digest = ""] =
      /^digest=([0-9a-f]{64})$/m.exec(readFileSync(join(folder, "output"), "utf8")) ?? [];
    const apply = (seen: string) =>
      runStep(
        stepOf("deploy-environment.yml", "apply", "Apply"),
        folder,
        { ...values, SEEN: seen },
        runner(folder),
      );
    const other = apply("0".repeat(64));
    expect(other.code).toBe(1);
    expect(other.out).toContain("has other changes than the one that was approved");
    expect(existsSync(join(folder, "cdktf.out/stacks/prod/terraform.tfstate"))).toBe(false);
    expect(apply(digest).code).toBe(0);
    expect(existsSync(join(folder, "cdktf.out/stacks/prod/terraform.tfstate"))).toBe(true);
  });

  test("holds to the lock file, where the repository has one", () => {
    const folder = terraform("locked", "first");
    // A provider of which the lock file knows nothing, from a mirror: without the lock it is taken.
    const { platform } = JSON.parse(execFileSync("terraform", ["version", "-json"], { encoding: "utf8" }));
    const mirror = join(folder, "mirror");
    const provider = join(mirror, "registry.terraform.io/hashicorp/null/3.2.4", platform);
    mkdirSync(provider, { recursive: true });
    writeFileSync(join(provider, "terraform-provider-null_v3.2.4"), "", { mode: 0o755 });
    const config = join(folder, "terraformrc");
    writeFileSync(config, `provider_installation { filesystem_mirror { path = "${mirror}" } }`);
    const stack = join(folder, "cdktf.out/stacks/prod");
    writeFileSync(
      join(stack, "provider.tf.json"),
      JSON.stringify({
        terraform: { required_providers: { null: { source: "hashicorp/null", version: "3.2.4" } } },
      }),
    );
    writeFileSync(join(stack, "providers.lock.hcl"), "");
    const plan = runStep(stepOf("deploy-environment.yml", "plan", "Plan"), folder, values, {
      ...runner(folder),
      TF_CLI_CONFIG_FILE: config,
      NO_COLOR: "1",
    });
    expect(plan.code).toBe(1);
    expect(plan.out).toContain("-lockfile=readonly");
    expect(readFileSync(join(stack, ".terraform.lock.hcl"), "utf8")).toBe("");
  });
});

test("checks of files run each, whatever the one before found, and prove every environment", () => {
  const log = join(place, "calls");
  const cli = join(place, "cli");
  writeFileSync(
    cli,
    `#!/usr/bin/env bash
echo "$*" >> "${log}"
if [ "$1" = list ]; then echo '[{ "environment": "dev" }, { "environment": "prod" }]'; fi
if [ "$1 $2" = "change check" ]; then exit 1; fi\n`,
    { mode: 0o755 },
  );
  const step = stepOf("checks.yml", "files", "Check files");
  expect(runStep(step, place, { INSTALL: "true", CLI: cli }).code).toBe(1);
  expect(readFileSync(log, "utf8").split("\n")).toEqual([
    "change check",
    "list --format json",
    "prove --env dev",
    "prove --env prod",
    "",
  ]);
  rmSync(log);
  const summary = join(place, "checked.md");
  const environment = runStep(
    stepOf("checks.yml", "environment", "Check the environment"),
    place,
    { CLI: cli, ENVIRONMENT: "prod", SINCE_DAYS: "35" },
    { GITHUB_STEP_SUMMARY: summary },
  );
  expect(environment.code).toBe(0);
  expect(readFileSync(log, "utf8")).toMatch(
    /^due --env prod --format md\nlog check --env prod --since 2\d{3}-\d{2}-\d{2}\n$/,
  );
  const vouched = runStep(stepOf("vouch.yml", "vouch", "Vouch"), place, { CLI: cli, ENVIRONMENT: "prod" });
  expect(vouched.code).toBe(0);
  expect(readFileSync(log, "utf8")).toContain("change vouch --env prod\n");
});
