import { spawn } from "node:child_process";

/** Result of a command. */
export interface CommandResult {
  /** Exit code; absent when the command could not be started or was killed. */
  readonly code: number | undefined;
  readonly stdout: string;
  /** Standard error, or why the command could not be started. */
  readonly stderr: string;
}

/** Options of a command's run. */
export interface CommandOptions {
  /** The whole environment. */
  readonly environment: NodeJS.ProcessEnv;
  readonly folder?: string;
  readonly identity?: { readonly uid: number; readonly gid: number };
}

/** Runs a command to its end. Never throws: what a failure means is the caller's knowledge. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const output = { stdout: "", stderr: "" };
    const child = spawn(command, [...args], {
      env: options.environment,
      stdio: ["ignore", "pipe", "pipe"],
      ...(options.folder === undefined ? {} : { cwd: options.folder }),
      ...options.identity,
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output.stderr += text;
    });
    child.once("error", (error) => resolve({ ...output, code: undefined, stderr: error.message }));
    child.once("close", (code) => resolve({ ...output, code: code ?? undefined }));
  });
}
