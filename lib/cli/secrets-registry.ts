#!/usr/bin/env node
import { rehearsalCommand } from "./commands/rehearse";
import { run } from "./program";
import { processTerminal } from "./terminal/process-terminal";

// A reader that has seen enough (`| head`) closes the pipe; that is no fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

const args = process.argv.slice(2);
run(args, processTerminal(process), { addCommands: rehearsalCommand(args) }).then((code) => {
  process.exitCode = code;
});
