import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** Folder of the workflows. */
export const WORKFLOWS = join(__dirname, "../../.github/workflows");

/** A step, as far as tests look at it. */
export interface Step {
  readonly name?: string;
  readonly id?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** A job. */
export interface Job {
  readonly if?: string;
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly steps?: readonly Step[];
}

/** A workflow. */
export interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** Reads a workflow by its file's name. */
export const workflow = (file: string): Workflow =>
  parse(readFileSync(join(WORKFLOWS, file), "utf8")) as Workflow;

/** A step of a job by its name. */
export function stepOf(file: string, job: string, name: string): Step {
  const step = workflow(file).jobs[job]?.steps?.find((candidate) => candidate.name === name);
  if (step?.run === undefined) throw new Error(`${file} has no step ${name} in ${job}`);
  return step;
}

/** Result of a step. */
export interface StepResult {
  readonly code: number | null;
  readonly out: string;
}

/**
 * Runs a step's script in the shell that a runner gives it. Values of its own variables are the test's, each of them; what a
 * runner sets is in `runner`.
 *
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
 */
export function runStep(
  step: Step,
  cwd: string,
  values: Readonly<Record<string, string>>,
  runner: Readonly<Record<string, string>> = {},
): StepResult {
  expect(Object.keys(values).sort()).toEqual(Object.keys(step.env ?? {}).sort());
  const { status, stdout, stderr } = spawnSync(
    "bash",
    ["--noprofile", "--norc", "-eo", "pipefail", "-c", step.run ?? ""],
    {
      cwd,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_NO_WARNINGS: "1", ...runner, ...values },
      encoding: "utf8",
    },
  );
  return { code: status, out: stdout + stderr };
}
