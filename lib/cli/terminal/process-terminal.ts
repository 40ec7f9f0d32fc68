import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import type { Terminal } from "./terminal";

/** Streams of a process. */
export type ProcessStreams = Pick<NodeJS.Process, "stdin" | "stdout" | "stderr">;

/**
 * The terminal of a process. Questions go to standard error, so that standard output holds the result alone.
 * A reader that has seen enough (`| head`) closes the pipe, which ends no command with a fault.
 */
export function processTerminal({ stdin, stdout, stderr }: ProcessStreams): Terminal {
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  return {
    out: (line) => stdout.write(line),
    err: (line) => stderr.write(line),
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    live: stderr.isTTY === true ? stderr : undefined,
    readInput: () => text(stdin),
    ask: async (question, { hidden }) => {
      // In terminal mode readline turns the terminal's own echo off and writes what is typed itself: here into nothing.
      const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
      stderr.write(question);
      const lines = createInterface({ input: stdin, output: hidden ? nowhere : stderr, terminal: true });
      const interrupted = new AbortController();
      lines.once("SIGINT", () => {
        interrupted.abort();
        process.kill(process.pid, "SIGINT");
      });
      try {
        return await lines.question("", { signal: interrupted.signal });
      } finally {
        lines.close();
        if (hidden) stderr.write("\n");
      }
    },
  };
}
