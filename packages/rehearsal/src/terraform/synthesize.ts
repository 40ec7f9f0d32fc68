import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerGroup } from "../servers";
import { StepFailure } from "./step-failure";

/** A program that synthesizes an app's stacks into the folder that `CDKTF_OUTDIR` names. */
export interface SynthProgram {
  /** Arguments for Node.js: a loader, the app, its arguments. */
  readonly args: readonly string[];
  /** Working folder. */
  readonly folder: string;
}

/**
 * Synthesizes in a process of its own: the engine and its constructs are no part of a rehearsal.
 *
 * @returns the stack's folder
 */
export async function synthesizeStack(
  group: ServerGroup,
  step: string,
  program: SynthProgram,
  stack: string,
): Promise<string> {
  const { folder: outdir, logFile } = group.placeFor("synth");
  const running = group.startProcess({
    name: "synth",
    command: process.execPath,
    args: program.args,
    environment: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? outdir, CDKTF_OUTDIR: outdir },
    folder: program.folder,
    logFile,
  });
  const code = await running.whenEnded();
  const folder = join(outdir, "stacks", stack);
  if (code === 0 && existsSync(folder)) return folder;
  const said = readFileSync(logFile, "utf8").trim().split("\n").at(-1) ?? "";
  const seen = code === 0 ? `no stack ${stack} in its output` : `exit code ${code}: ${said}`;
  throw new StepFailure(step, "a synthesized stack", seen, logFile);
}
