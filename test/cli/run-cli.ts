import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../lib/cli/program";
import { FakeTerminal } from "./fake-terminal";

const ROOT = join(__dirname, "../..");

/** Module of the model, for registries that tests write themselves. */
export const MODEL = join(ROOT, "lib/model");

/** Result of a call, as a shell would see it. */
export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line in this process, on this organisation's registry unless the arguments name another. */
export async function cli(...args: string[]): Promise<CliResult> {
  const terminal = new FakeTerminal();
  const code = await run(["--registry", join(ROOT, "registry"), ...args], terminal);
  return { code, out: terminal.printed, err: terminal.told };
}

/** A new folder, gone afterwards. */
export async function withFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "registry-"));
  try {
    return await act(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs something on a registry module of the test's own. */
export const withModule = <T>(source: string, act: (file: string) => Promise<T>): Promise<T> =>
  withFolder((folder) => {
    const file = join(folder, "registry.js");
    writeFileSync(file, source);
    return act(file);
  });
