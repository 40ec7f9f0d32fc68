import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { PortTakenFault, ServerFault } from "./server-fault";
import type { Watchdog } from "./watchdog";

/** Lines of the log that a failed start shows. */
const TAIL_LINES = 20;
const PROBE_INTERVAL_MS = 25;
/** A server that ignores its stop signal is killed after this time. */
const STOP_TIMEOUT_MS = 10_000;
/** Messages by which the servers report that their port is taken: Python, Go, PostgreSQL and Redis, Node. */
const PORT_TAKEN = /address already in use|is already in use|EADDRINUSE/i;

/** Start and end of one server process. */
export interface ServerProcessSpec {
  /** As messages name it: `embedded AWS`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment: nothing of ours is inherited, so that no secret of the caller reaches a server. */
  readonly environment: Readonly<Record<string, string>>;
  /** Working folder. */
  readonly folder: string;
  /** Receives standard output and standard error. */
  readonly logFile: string;
  /**
   * Receives standard error.
   * @default `logFile`
   */
  readonly errorFile?: string;
  /**
   * Asks the server to end.
   * @default "SIGTERM"
   */
  readonly stopSignal?: NodeJS.Signals;
  /**
   * Ends the server when this process has died.
   * @default the stop signal
   */
  readonly orphanSignal?: NodeJS.Signals;
  /** The user to run as, where this process may choose. */
  readonly identity?: { readonly uid: number; readonly gid: number };
}

/** A running server process with its descendants, which form one process group. */
export class ServerProcess {
  private failure: Error | undefined;
  private stopping: Promise<void> | undefined;

  private constructor(
    private readonly spec: ServerProcessSpec,
    private readonly child: ChildProcess,
    watchdog: Watchdog,
  ) {
    child.once("error", (error) => {
      this.failure = error;
    });
    const { pid } = child;
    if (pid === undefined) return;
    child.once("exit", () => {
      // What the server started itself (function workers) and left behind.
      signalGroup(pid, "SIGKILL");
      watchdog.forget(pid);
    });
  }

  /** Starts the process; whether it works is {@link whenReady}'s matter. */
  static start(spec: ServerProcessSpec, watchdog: Watchdog): ServerProcess {
    const log = openSync(spec.logFile, "w", 0o600);
    const errors = spec.errorFile === undefined ? log : openSync(spec.errorFile, "w", 0o600);
    try {
      const child = spawn(spec.command, [...spec.args], {
        cwd: spec.folder,
        // Its own process group: Ctrl-C in a terminal does not reach it, and its descendants can be ended with it.
        detached: true,
        env: { ...spec.environment },
        stdio: ["ignore", log, errors],
        ...spec.identity,
      });
      if (child.pid !== undefined) {
        watchdog.watch(child.pid, (spec.orphanSignal ?? spec.stopSignal ?? "SIGTERM").slice("SIG".length));
      }
      child.unref();
      return new ServerProcess(spec, child, watchdog);
    } finally {
      closeSync(log);
      if (errors !== log) closeSync(errors);
    }
  }

  /** Id of the process and of its group; absent when it could not be started. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /**
   * Resolves when `probe` has answered true. A probe that throws means not yet. A server that does not come up
   * is stopped.
   *
   * @throws ServerFault with the tail of the log, {@link PortTakenFault} when that says so
   */
  async whenReady(probe: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    let lastRefusal = "";
    while (Date.now() < deadline && this.isRunning) {
      try {
        if ((await probe()) && this.isRunning) return;
      } catch (error) {
        lastRefusal = error instanceof Error ? error.message : String(error);
      }
      await sleep(PROBE_INTERVAL_MS);
    }
    const found =
      this.describeEnd() ?? `it did not answer within ${timeoutMs / 1000} s (${lastRefusal || "no error"})`;
    await this.stop();
    throw this.fault(found);
  }

  /**
   * Resolves when the process has ended by itself, with success.
   *
   * @throws ServerFault with the tail of the log
   */
  async whenDone(): Promise<void> {
    if ((await this.whenEnded()) === 0 && this.failure === undefined) return;
    throw this.fault(this.describeEnd() ?? "it has not ended", "did not do its work");
  }

  /**
   * Resolves when a process that ends by itself has ended: with its exit code, or with `undefined` when it was killed
   * or could not be started.
   */
  async whenEnded(): Promise<number | undefined> {
    if (this.isRunning) {
      this.child.ref();
      await new Promise<void>((resolve) => {
        this.child.once("exit", () => resolve());
        this.child.once("error", () => resolve());
      });
    }
    return this.child.exitCode ?? undefined;
  }

  /** Ends the process and its descendants. Resolves when they are gone; further calls wait for the same end. */
  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<void> {
    const { pid } = this.child;
    if (pid === undefined || !this.isRunning) return;
    const gone = new Promise<void>((resolve) => this.child.once("exit", () => resolve()));
    this.child.ref();
    signalGroup(pid, this.spec.stopSignal ?? "SIGTERM");
    const killer = setTimeout(() => signalGroup(pid, "SIGKILL"), STOP_TIMEOUT_MS);
    await gone;
    clearTimeout(killer);
  }

  private get isRunning(): boolean {
    return this.failure === undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  private describeEnd(): string | undefined {
    if (this.failure) return `${this.spec.command} could not be started: ${this.failure.message}`;
    if (this.child.exitCode !== null) return `it ended with exit code ${this.child.exitCode}`;
    if (this.child.signalCode !== null) return `it was ended by ${this.child.signalCode}`;
    return undefined;
  }

  private fault(found: string, what = "server did not start"): ServerFault {
    const tail = tailOf(this.spec.logFile);
    const message = `The ${this.spec.name} ${what}: ${found}.\nLast lines of ${this.spec.logFile}:\n${tail}`;
    return PORT_TAKEN.test(tail) ? new PortTakenFault(message) : new ServerFault(message);
  }
}

function signalGroup(processGroup: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-processGroup, signal);
  } catch {
    // No process of the group is left: what we wanted.
  }
}

function tailOf(file: string): string {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n").slice(-TAIL_LINES);
  return lines.map((line) => `  ${line}`).join("\n");
}
