import type { ProvisionOptions } from "./provision";
import type { ServerGroup } from "./server-group";

/** Options of every server. */
export interface ServerOptions {
  /**
   * The group that the server belongs to, and ends with.
   * @default a group of its own, which ends when the server is stopped
   */
  readonly group?: ServerGroup;
  /**
   * Longest time until the server answers, in milliseconds.
   * @default 30,000
   */
  readonly startTimeoutMs?: number;
}

/** Options of servers that are installed on first use. */
export interface ProvisionedServerOptions extends ServerOptions, ProvisionOptions {}

/** See {@link ServerOptions.startTimeoutMs}. */
export const START_TIMEOUT_MS = 30_000;
/** Longest time of one readiness probe, in milliseconds. */
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
