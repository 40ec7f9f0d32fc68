#!/usr/bin/env node
import { rehearsalCommand } from "./commands/rehearse";
import { run } from "./program";
import { processTerminal } from "./terminal/process-terminal";

const args = process.argv.slice(2);
run(args, processTerminal(process), { addCommands: rehearsalCommand(args) }).then((code) => {
  process.exitCode = code;
});
