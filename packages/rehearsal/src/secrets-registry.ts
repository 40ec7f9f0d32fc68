#!/usr/bin/env node
import { processTerminal, run } from "../../../lib/cli";
import { addRehearseCommand } from "./command";

// A reader that has seen enough (`| head`) closes the pipe; that is no fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

// The command line of a checkout: the package's own, and the rehearsal, whose servers the package does not bring.
run(process.argv.slice(2), processTerminal(process), { addCommands: addRehearseCommand }).then((code) => {
  process.exitCode = code;
});
