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

/** Commands that the injector's containers run, but for the program's name (vault-k8s, `DefaultContainerArg`). */
const FROM_VARIABLE = 'echo "${VAULT_CONFIG?}" | base64 -d > "$0"; exec "$1" agent -config="$0"';
const FROM_FILE = 'exec "$1" agent -config="$0"';
/** Of Linux's 131,072: the rest is for paths of this machine, which are longer than a container's. */
const LONGEST_VARIABLE = 131_000;

/**
 * Runs `bao agent` as the injector's container would: with its configuration in a variable, and with the token of the pod's
 * ServiceAccount in its file. A configuration that this machine's paths have made too long comes as a file.
 *
 * @param token ServiceAccount token for the audience that the agent's volume asks for
 */
export function startAgent(
  group: ServerGroup,
  vault: OpenBao,
  agent: InjectedAgent,
  token: string,
): AgentProcess {
  // The secrets' own folders are the agent's to make; the mounts exist in a pod.
  for (const folder of [dirname(agent.tokenFile), agent.home, agent.secrets]) {
    mkdirSync(folder, { recursive: true });
  }
  writeFileSync(agent.tokenFile, token, { mode: 0o644 });
  const configFile = join(agent.home, "config.json");
  const text = JSON.stringify(agent.config);
  const variable = Buffer.from(text).toString("base64");
  const fits = variable.length < LONGEST_VARIABLE;
  if (!fits) writeFileSync(configFile, text);
  const { folder, logFile } = group.placeFor("agent");
  const process = group.startProcess({
    name: "agent",
    command: "/bin/sh",
    args: ["-ec", fits ? FROM_VARIABLE : FROM_FILE, configFile, vault.binary],
    environment: {
      PATH: "/usr/bin:/bin",
      HOME: folder,
      TMPDIR: folder,
      ...(fits ? { VAULT_CONFIG: variable } : {}),
    },
    folder,
    logFile,
  });
  const ended = process.whenDone().catch(() => undefined);
  return { logFile, ended, stop: () => process.stop() };
}
