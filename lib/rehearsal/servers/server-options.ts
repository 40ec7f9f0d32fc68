import type { ProvisionOptions } from "./provision";
import type { ServerGroup } from "./server-group";

/** What all servers are started with. */
export interface ServerOptions {
  /**
   * The group that the server belongs to, and ends with.
   * @default a group of its own, which ends when the server is stopped
   */
  readonly group?: ServerGroup;
  /**
   * How long the server may take until it answers, milliseconds.
   * @default 30,000
   */
  readonly startTimeoutMs?: number;
}

/** What the servers that are installed on first use are started with. */
export interface ProvisionedServerOptions extends ServerOptions, ProvisionOptions {}

/** See {@link ServerOptions.startTimeoutMs}. */
export const START_TIMEOUT_MS = 30_000;
/** How long one readiness probe may take. */
export const PROBE_TIMEOUT_MS = 2_000;

/**
 * The environment of every server: what its runtime needs, with all paths in the server's own folder. Nothing
 * of the caller's environment but `PATH`.
 */
export function serverEnvironment(folder: string): Readonly<Record<string, string>> {
  return {
    HOME: folder,
    LANG: "C.UTF-8",
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    TMPDIR: folder,
    TZ: "UTC",
  };
}
