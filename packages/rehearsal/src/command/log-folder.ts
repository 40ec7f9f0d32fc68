import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/** Age from which an ended rehearsal's logs are removed, in milliseconds: people look at a failed one on the same day. */
const KEPT_MS = 86_400_000;
/** The process in it is the rehearsal's own. */
const NAME = /^rehearsal-(?:(\d+)-)?[A-Za-z0-9]{6}$/;

/**
 * Makes the folder for a rehearsal's logs: `rehearsal-<process>-<six characters>`. A rehearsal that was killed could not remove
 * its own, and one that failed has left its own on purpose: those that are over go here, when they are a day old.
 *
 * @param logs folder of all of them, made if need be
 */
export function newLogFolder(logs: string, now = Date.now()): string {
  mkdirSync(logs, { recursive: true });
  for (const name of readdirSync(logs)) {
    const folder = join(logs, name);
    if (isOver(name) && isOld(folder, now)) rmSync(folder, { recursive: true, force: true });
  }
  return mkdtempSync(join(logs, `rehearsal-${process.pid}-`));
}

function isOver(name: string): boolean {
  const [isLogs, pid] = NAME.exec(name) ?? [];
  return isLogs !== undefined && (pid === undefined || !isAlive(Number(pid)));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (failure) {
    // Another user's.
    return (failure as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Another rehearsal that starts at the same time may have removed it. */
const isOld = (folder: string, now: number): boolean => {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found !== undefined && now - found.mtimeMs > KEPT_MS;
};
