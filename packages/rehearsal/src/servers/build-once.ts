import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "./error-code";
import type { ReportProgress } from "./server-fault";

const HEARTBEAT_MS = 5_000;
/** A lock without a heartbeat for this long belongs to nobody any more. */
const STALE_AFTER_MS = 60_000;
const WAIT_INTERVAL_MS = 200;

/** A folder that is built once and only read afterwards. */
export interface BuildOnceRequest {
  /** Path of the finished folder. Its name says what is in it; a folder that is there is complete. */
  readonly folder: string;
  /** Fills a new folder beside it. What it builds must not contain its own path: the folder is renamed afterwards. */
  readonly build: (scratch: string) => Promise<void>;
  readonly onProgress?: ReportProgress;
}

/**
 * Builds a folder unless it is there already. Processes that come at the same time wait for the first one: its
 * lock is a file beside the folder, refreshed while it works, which is stale when its process is gone. The lock
 * only saves work; what makes half-built folders impossible is the rename at the end.
 */
export async function buildOnce(request: BuildOnceRequest): Promise<void> {
  await mkdir(dirname(request.folder), { recursive: true });
  const lockFile = `${request.folder}.lock`;
  let told = false;
  while (!existsSync(request.folder)) {
    const release = await takeLock(lockFile);
    if (release) {
      try {
        await buildAndRename(request);
      } finally {
        await release();
      }
    } else {
      if (!told) request.onProgress?.(`Waiting for another process that makes ${request.folder}.`);
      told = true;
      await sleep(WAIT_INTERVAL_MS);
      if (await isStale(lockFile)) await rm(lockFile, { force: true });
    }
  }
}

async function buildAndRename({ folder, build }: BuildOnceRequest): Promise<void> {
  if (existsSync(folder)) return;
  await removeAbandonedScratch(folder);
  const scratch = `${scratchPrefix(folder)}${owner()}.${randomBytes(4).toString("hex")}`;
  try {
    await build(scratch);
    await rename(scratch, folder);
  } catch (error) {
    await rm(scratch, { recursive: true, force: true });
    // Somebody who took our lock for stale was faster: theirs is as good as ours.
    if (!existsSync(folder)) throw error;
  }
}

/** Resolves to the function that gives the lock back, or to nothing when somebody else has it. */
async function takeLock(lockFile: string): Promise<(() => Promise<void>) | undefined> {
  try {
    const handle = await open(lockFile, "wx");
    await handle.writeFile(owner());
    await handle.close();
  } catch (error) {
    if (errorCode(error) === "EEXIST") return undefined;
    throw error;
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    // A lock that was taken from us is somebody else's to refresh.
    utimes(lockFile, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return async () => {
    clearInterval(heartbeat);
    await rm(lockFile, { force: true });
  };
}

async function isStale(lockFile: string): Promise<boolean> {
  try {
    const [holder, { mtimeMs }] = await Promise.all([readFile(lockFile, "utf8"), stat(lockFile)]);
    return Date.now() - mtimeMs > STALE_AFTER_MS || isGone(holder);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** Removes the leftovers of a process that was killed while it built. */
async function removeAbandonedScratch(folder: string): Promise<void> {
  const prefix = basename(scratchPrefix(folder));
  for (const name of await readdir(dirname(folder))) {
    if (!name.startsWith(prefix)) continue;
    const holder = name.slice(prefix.length, name.lastIndexOf("."));
    if (isGone(holder)) await rm(join(dirname(folder), name), { recursive: true, force: true });
  }
}

const scratchPrefix = (folder: string): string => `${folder}.building.`;

/** Host and process, so that a cache folder on a shared file system does not judge the processes of another host. */
const owner = (): string => `${hostname()}.${process.pid}`;

function isGone(holder: string): boolean {
  const [, host, pid] = /^(.+)\.(\d+)$/.exec(holder) ?? [];
  if (host !== hostname() || pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return errorCode(error) === "ESRCH";
  }
}
