import { type ChildProcess, spawn } from "node:child_process";

/** Time for processes to obey the signal before they are killed, in tenths of a second. */
const GRACE_TENTHS = 50;

/**
 * A shell script, because it must outlive this process cheaply (one megabyte; a Node process takes forty) and
 * because `sh` is on every machine where the servers run. It reads what it has to watch from its standard
 * input. The kernel closes that pipe when this process ends, in whatever way, SIGKILL included; then it ends
 * the process groups and removes the folder.
 *
 * Parameters: the folder to remove, the grace time in tenths of a second. Lines: `watch <process group> <signal>`,
 * `forget <process group>`, and `done` for an orderly end. It reads on through HUP, INT and TERM, which a
 * terminal sends to everything that was started in it.
 */
const SCRIPT = `
trap '' HUP INT TERM
folder=$1
grace=$2
groups=
while read -r word group signal; do
  case $word in
    watch) groups="$groups $group:$signal" ;;
    forget)
      kept=
      for entry in $groups; do
        [ "\${entry%%:*}" = "$group" ] || kept="$kept $entry"
      done
      groups=$kept ;;
    done) exit 0 ;;
  esac
done
for entry in $groups; do kill -s "\${entry#*:}" -- "-\${entry%%:*}" 2>/dev/null; done
while [ "$grace" -gt 0 ]; do
  alive=
  for entry in $groups; do kill -s 0 -- "-\${entry%%:*}" 2>/dev/null && alive=yes; done
  [ -n "$alive" ] || break
  sleep 0.1
  grace=$((grace - 1))
done
for entry in $groups; do kill -s KILL -- "-\${entry%%:*}" 2>/dev/null; done
rm -rf -- "$folder" || { sleep 1; rm -rf -- "$folder"; }
`;

/**
 * Ends processes and removes a folder when this process dies without having done it: after a crash, after
 * Ctrl-C, after `process.exit` and after SIGKILL. It is the only such mechanism: no signal handler of the
 * caller is replaced or added to.
 */
export class Watchdog {
  private constructor(private readonly process: ChildProcess) {}

  /** Starts to watch. `folder` is removed, with everything in it, once this process is dead. */
  static start(folder: string): Watchdog {
    const child = spawn(
      "/bin/sh",
      ["-c", SCRIPT, "secrets-registry-watchdog", folder, String(GRACE_TENTHS)],
      {
        cwd: "/",
        detached: true,
        env: { PATH: process.env.PATH ?? "/usr/bin:/bin" },
        stdio: ["pipe", "ignore", "ignore"],
      },
    );
    // A watchdog that died is no reason to stop: it only means that a crash would leave processes behind.
    child.on("error", () => undefined);
    child.stdin?.on("error", () => undefined);
    child.unref();
    const watchdog = new Watchdog(child);
    watchdog.unrefPipe();
    return watchdog;
  }

  /** Ends this process group with this signal (`TERM`, `QUIT`) when the time comes. */
  watch(processGroup: number, signal: string): void {
    this.send(`watch ${processGroup} ${signal}`);
  }

  /** The process group has ended: its number may soon belong to somebody else. */
  forget(processGroup: number): void {
    this.send(`forget ${processGroup}`);
  }

  /** Everything is cleaned up already. Resolves when the watchdog has gone. */
  async dismiss(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => this.process.once("exit", () => resolve()));
    this.process.ref();
    this.send("done");
    await gone;
  }

  private send(line: string): void {
    if (this.process.stdin?.writable) this.process.stdin.write(`${line}\n`);
  }

  /** The open pipe must not keep this process alive: its end is the signal. */
  private unrefPipe(): void {
    const pipe = this.process.stdin;
    if (pipe !== null && "unref" in pipe && typeof pipe.unref === "function") pipe.unref();
  }
}
