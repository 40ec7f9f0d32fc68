import { chmodSync, mkdirSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ServerFault } from "./server-fault";
import { ServerProcess, type ServerProcessSpec } from "./server-process";
import { Watchdog } from "./watchdog";

/** Options of a group of servers. */
export interface ServerGroupOptions {
  /**
   * An existing folder that keeps the servers' logs. They are always readable while the servers run.
   * @default the group's own folder, which is removed with the group
   */
  readonly logFolder?: string;
}

/** A server's folder and log. */
export interface ServerPlace {
  readonly folder: string;
  readonly logFile: string;
}

/** Several servers that end together, with their processes and files, however this process ends. */
export class ServerGroup {
  private readonly stops = new Set<() => Promise<void>>();
  private readonly processes = new Set<ServerProcess>();
  private readonly counts = new Map<string, number>();
  private stopping: Promise<void> | undefined;

  private constructor(
    /** Holds the servers' data, certificates and (by default) logs. Removed at the end. */
    readonly folder: string,
    private readonly watchdog: Watchdog,
    private readonly logFolder: string,
    private readonly endsWithItsServer: boolean,
  ) {}

  /** Opens an empty group. Whoever opens it stops it; {@link withServers} does both. */
  static open(options: ServerGroupOptions = {}): ServerGroup {
    return ServerGroup.create(options, false);
  }

  /** A group for one server that was started without a group: it ends when the server is stopped. */
  static forOneServer(): ServerGroup {
    return ServerGroup.create({}, true);
  }

  private static create(options: ServerGroupOptions, endsWithItsServer: boolean): ServerGroup {
    if (process.platform === "win32") {
      throw new ServerFault(
        "Embedded servers need Linux or macOS, and this is Windows. Run the rehearsal in WSL; everything else of the registry runs here.",
      );
    }
    const folder = mkdtempSync(join(tmpdir(), "secrets-registry-"));
    // PostgreSQL runs as another user when we are root, and must pass through to its own folder.
    chmodSync(folder, 0o711);
    return new ServerGroup(folder, Watchdog.start(folder), options.logFolder ?? folder, endsWithItsServer);
  }

  /** A new folder for a server, `openbao`, `openbao-2`, …, and where its log goes. */
  placeFor(name: string): ServerPlace {
    this.refuseWhenStopped(name);
    const count = (this.counts.get(name) ?? 0) + 1;
    this.counts.set(name, count);
    const label = count === 1 ? name : `${name}-${count}`;
    const folder = join(this.folder, label);
    mkdirSync(folder, { mode: 0o700 });
    return { folder, logFile: join(this.logFolder, `${label}.log`) };
  }

  /** Starts a process that dies with this one. */
  startProcess(spec: ServerProcessSpec): ServerProcess {
    this.refuseWhenStopped(spec.name);
    const process = ServerProcess.start(spec, this.watchdog);
    this.processes.add(process);
    return process;
  }

  /** Takes over a started server. The returned function stops it, once, and removes its folder. */
  adopt(place: ServerPlace, stop: () => Promise<void>): () => Promise<void> {
    if (this.stopping) {
      stop().catch(() => undefined);
      this.refuseWhenStopped(basename(place.folder));
    }
    let stopped: Promise<void> | undefined;
    const stopOnce = () => {
      stopped ??= stop().then(() => rm(place.folder, { recursive: true, force: true, maxRetries: 3 }));
      return stopped;
    };
    this.stops.add(stopOnce);
    return async () => {
      await stopOnce();
      this.stops.delete(stopOnce);
      if (this.endsWithItsServer) await this.stop();
    };
  }

  /** Stops all servers, the youngest first, and removes the group's folder. Further calls wait for the same end. */
  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private refuseWhenStopped(name: string): void {
    if (this.stopping) throw new ServerFault(`The server group has been stopped; ${name} needs a new group.`);
  }

  private async end(): Promise<void> {
    const faults: unknown[] = [];
    for (const stop of [...this.stops].reverse()) {
      await stop().catch((error: unknown) => faults.push(error));
    }
    // Also those that are still starting: another server's failure may have ended the work that waits for them.
    await Promise.all([...this.processes].map((process) => process.stop()));
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
    await this.watchdog.dismiss();
    if (faults.length > 0) throw new AggregateError(faults, "Not every embedded server could be stopped.");
  }
}

/**
 * Runs `work` with a group of servers and stops them all afterwards, whether it succeeds or throws.
 *
 * @example
 * await withServers(async (group) => {
 *   const aws = await startEmbeddedAws({ group });
 *   const openBao = await startOpenBao({ group });
 * });
 */
export async function withServers<T>(
  work: (group: ServerGroup) => Promise<T>,
  options: ServerGroupOptions = {},
): Promise<T> {
  const group = ServerGroup.open(options);
  try {
    return await work(group);
  } finally {
    await group.stop();
  }
}

/** Starts a server in the caller's group, or in a group of its own, which a failed start leaves nothing of. */
export async function startInGroup<T>(
  group: ServerGroup | undefined,
  start: (group: ServerGroup) => Promise<T>,
): Promise<T> {
  if (group) return start(group);
  const own = ServerGroup.forOneServer();
  try {
    return await start(own);
  } catch (error) {
    await own.stop();
    throw error;
  }
}
