#!/usr/bin/env node
import { processTerminal, run } from "../../../lib/cli";
import { addRehearseCommand } from "./command";

// The command line of a checkout: the package's own, and the rehearsal, whose servers the package does not bring.
run(process.argv.slice(2), processTerminal(process), { addCommands: addRehearseCommand }).then((code) => {
  process.exitCode = code;
});
