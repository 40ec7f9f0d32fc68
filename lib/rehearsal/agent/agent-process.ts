import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { OpenBao, ServerGroup } from "../servers";
import type { InjectedAgent } from "./injected-agent";

/** A running or ended agent. */
export interface AgentProcess {
  readonly logFile: string;
  /** Resolves when it has ended by itself, or has been stopped. */
  readonly ended: Promise<void>;
  /** Ends it. */
  stop(): Promise<void>;
}

/**
 * Runs `bao agent` as the injector's container would: with the token of the pod's ServiceAccount in its file.
 *
 * @param token ServiceAccount token for the audience that the agent's volume asks for
 */
export function startAgent(
  group: ServerGroup,
  vault: OpenBao,
  root: string,
  agent: InjectedAgent,
  token: string,
): AgentProcess {
  for (const file of [
    agent.tokenFile,
    join(root, "/home/vault/.pid"),
    ...agent.files.map(({ path }) => path),
  ]) {
    // The secrets' own folders are the agent's to make; the mounts exist in a pod.
    const folder = agent.files.some(({ path }) => path === file)
      ? join(root, "vault/secrets")
      : dirname(file);
    mkdirSync(folder, { recursive: true });
  }
  writeFileSync(agent.tokenFile, token, { mode: 0o644 });
  const configFile = join(root, "agent.json");
  writeFileSync(configFile, JSON.stringify(agent.config));
  const { folder, logFile } = group.placeFor("agent");
  const process = group.startProcess({
    name: "agent",
    command: vault.binary,
    args: ["agent", `-config=${configFile}`],
    environment: { PATH: "/usr/bin:/bin", HOME: folder, TMPDIR: folder },
    folder,
    logFile,
  });
  const ended = process.whenDone().catch(() => undefined);
  return { logFile, ended, stop: () => process.stop() };
}
