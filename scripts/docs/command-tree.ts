import type { Command } from "commander";
import { run } from "../../lib/cli/program";
import type { Terminal } from "../../lib/cli/terminal/terminal";
import { addRehearseCommand } from "../../packages/rehearsal/src/command";

const SILENT: Terminal = {
  live: false,
  out: () => {},
  err: () => {},
  readInput: () => Promise.reject(new Error("nothing is read here")),
  ask: () => Promise.reject(new Error("nobody is asked here")),
} as unknown as Terminal;

/** The command line's program with all its commands, without running any. */
export async function commandTree(): Promise<Command> {
  let found: Command | undefined;
  await run(["--help"], SILENT, {
    addCommands: (program, host) => {
      addRehearseCommand(program, host);
      found = program;
    },
  });
  if (found === undefined) throw new Error("the program took no further commands");
  return found;
}
