#!/usr/bin/env node
import { processTerminal } from "./process-terminal";
import { run } from "./program";

// A reader that has seen enough (`| head`) closes the pipe; that is no fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

run(process.argv.slice(2), processTerminal(process)).then((code) => {
  process.exitCode = code;
});
