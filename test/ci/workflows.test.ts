import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Job, WORKFLOWS, workflow } from "./workflow";

const FILES = readdirSync(WORKFLOWS).filter((name) => name.endsWith(".yml"));
const jobsOf = (file: string): readonly (readonly [string, Job])[] => Object.entries(workflow(file).jobs);
const steps = FILES.flatMap((file) =>
  jobsOf(file).flatMap(([job, { steps: list = [] }]) => list.map((step) => ({ file, job, step }))),
);

test("there are workflows for previews, their comments, deployments, vouching and checks", () => {
  expect(FILES).toEqual([
    "checks.yml",
    "deploy-environment.yml",
    "deploy.yml",
    "preview-comment.yml",
    "preview.yml",
    "vouch.yml",
  ]);
  for (const file of [
    "checks.yml",
    "deploy-environment.yml",
    "preview-comment.yml",
    "preview.yml",
    "vouch.yml",
  ]) {
    expect(workflow(file).on).toHaveProperty("workflow_call");
  }
});

test("every action is pinned by its commit, with its version beside it, and the same one everywhere", () => {
  const pins = new Map<string, Set<string>>();
  for (const file of FILES) {
    for (const [, used = ""] of readFileSync(join(WORKFLOWS, file), "utf8").matchAll(/uses: (.*)$/gm)) {
      // Another workflow of this repository, and examples in comments.
      if (used.startsWith("./") || used.startsWith("<")) continue;
      const [, action = "", pin = ""] = /^([\w-]+\/[\w-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(used) ?? [];
      expect({ file, used, pin }).toMatchObject({ pin: expect.stringMatching(/./) });
      pins.set(action, (pins.get(action) ?? new Set()).add(pin));
    }
  }
  expect(pins.size).toBeGreaterThan(4);
  for (const [action, versions] of pins) expect([action, versions.size]).toEqual([action, 1]);
});

test("rights are given job by job, the least that each needs", () => {
  const rights = Object.fromEntries(
    FILES.flatMap((file) => jobsOf(file).map(([job, { permissions }]) => [`${file} ${job}`, permissions])),
  );
  for (const file of FILES) expect([file, workflow(file).permissions]).toEqual([file, {}]);
  const read = { contents: "read" };
  const cloud = { contents: "read", "id-token": "write" };
  expect(rights).toEqual({
    "checks.yml files": read,
    "checks.yml environment": cloud,
    "deploy-environment.yml synth": read,
    "deploy-environment.yml plan": cloud,
    "deploy-environment.yml apply": cloud,
    "deploy.yml dev": cloud,
    "deploy.yml stage": cloud,
    "deploy.yml prod": cloud,
    "preview-comment.yml render": { contents: "read", actions: "read", "pull-requests": "read" },
    "preview-comment.yml comment": { "pull-requests": "write" },
    "preview.yml synth": read,
    "preview.yml plan": cloud,
    "preview.yml preview": read,
    "vouch.yml vouch": cloud,
  });
});

test("a fork's code meets neither a secret, a token of the cloud, nor a right to write", () => {
  for (const file of FILES) {
    expect(workflow(file).on).not.toHaveProperty("pull_request_target");
    expect(readFileSync(join(WORKFLOWS, file), "utf8")).not.toMatch(/\bsecrets\.[A-Z]/);
  }
  // What may take a role runs for branches of the repository alone.
  expect(workflow("preview.yml").jobs.plan?.if).toContain(
    "github.event.pull_request.head.repo.full_name == github.repository",
  );
  // What may write runs no code of anybody: it holds one action and one script.
  const [download, script, ...rest] = workflow("preview-comment.yml").jobs.comment?.steps ?? [];
  expect(download?.uses).toMatch(/^actions\/download-artifact@/);
  expect(script?.run).toBeDefined();
  expect(rest).toEqual([]);
});

test("no text of an event gets into a script but as a variable, and no token stays in a checkout", () => {
  for (const { file, job, step } of steps) {
    expect([file, job, step.name, step.run ?? ""]).toEqual([
      file,
      job,
      step.name,
      expect.not.stringContaining("${{"),
    ]);
    if (step.uses?.startsWith("actions/checkout@")) {
      expect([file, job, step.with?.["persist-credentials"]]).toEqual([file, job, false]);
    }
    for (const name of Object.keys(step.env ?? {})) {
      expect(`${file} ${step.name}: ${step.run}`).toMatch(new RegExp(`\\$\\{?${name}\\b`));
    }
  }
});

test("production waits for staging, staging for development, and each for the reviewers of its environment", () => {
  const { dev, stage, prod } = workflow("deploy.yml").jobs as Record<string, Job & { needs?: string }>;
  expect([dev?.needs, stage?.needs, prod?.needs]).toEqual([undefined, "dev", "stage"]);
  const { plan, apply } = workflow("deploy-environment.yml").jobs;
  expect(apply?.environment).toContain("inputs.environment");
  expect(plan?.environment).toBeUndefined();
});

const ACTIONLINT = process.env.ACTIONLINT ?? "actionlint";
const hasActionlint = spawnSync(ACTIONLINT, ["-version"]).status === 0;
if (!hasActionlint) {
  process.stderr.write(
    "actionlint is not on the PATH: workflows are not linted. go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12\n",
  );
}

(hasActionlint ? test : test.skip)("actionlint finds nothing", () => {
  const { status, stdout, stderr } = spawnSync(
    ACTIONLINT,
    ["-no-color", ...FILES.map((file) => join(WORKFLOWS, file))],
    {
      encoding: "utf8",
    },
  );
  expect([status, stdout + stderr]).toEqual([0, ""]);
});
