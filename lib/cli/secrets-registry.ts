#!/usr/bin/env node
import { run } from "./program";
import { processTerminal } from "./terminal/process-terminal";

// A reader that has seen enough (`| head`) closes the pipe; that is no fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

run(process.argv.slice(2), processTerminal(process)).then((code) => {
  process.exitCode = code;
});
