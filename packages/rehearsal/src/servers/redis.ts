import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { startOnFreePort } from "./free-port";
import { provision } from "./provision";
import { ServerFault } from "./server-fault";
import { startInGroup } from "./server-group";
import {
  PROBE_TIMEOUT_MS,
  type ProvisionedServerOptions,
  START_TIMEOUT_MS,
  serverEnvironment,
} from "./server-options";

/** A running Redis with access control lists, without TLS (its build has none). */
export interface Redis {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** May do everything. */
  readonly user: "default";
  /** Random; the server knows only its hash. */
  readonly password: string;
  readonly logFile: string;
  /** Ends the server; its data is gone. */
  stop(): Promise<void>;
}

/**
 * Starts Redis. Users are kept in an ACL file: persist them with `ACL SAVE`.
 *
 * @throws ServerFault when there is no Redis for this machine, or it does not come up
 */
export async function startRedis(options: ProvisionedServerOptions = {}): Promise<Redis> {
  const { redisServer } = await provision(options);
  if ("missing" in redisServer) throw new ServerFault(redisServer.missing);
  return startInGroup(options.group, async (group) => {
    const place = group.placeFor("redis");
    const { folder, logFile } = place;
    const password = randomBytes(24).toString("hex");
    const hash = createHash("sha256").update(password).digest("hex");
    const aclFile = join(folder, "users.acl");
    writeFileSync(aclFile, `user default on #${hash} ~* &* +@all\n`, { mode: 0o600 });
    const { port, server } = await startOnFreePort(async (port) => {
      const server = group.startProcess({
        name: "Redis",
        command: redisServer.path,
        args: [
          ...["--bind", "127.0.0.1", "--port", String(port), "--aclfile", aclFile],
          ...["--dir", folder, "--save", "", "--appendonly", "no", "--daemonize", "no"],
        ],
        environment: serverEnvironment(folder),
        folder,
        logFile,
      });
      await server.whenReady(() => answersTo(port, password), options.startTimeoutMs ?? START_TIMEOUT_MS);
      return { port, server };
    });
    return {
      host: "127.0.0.1",
      port,
      user: "default",
      password,
      logFile,
      stop: group.adopt(place, () => server.stop()),
    };
  });
}

/** Logs in: only the server that we started knows the password's hash. */
function answersTo(port: number, password: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: PROBE_TIMEOUT_MS });
    let answer = "";
    socket.setEncoding("utf8");
    socket.once("connect", () => socket.write(`AUTH default ${password}\r\nPING\r\nQUIT\r\n`));
    socket.on("data", (text: string) => {
      answer += text;
    });
    socket.once("timeout", () => socket.destroy(new Error("no answer")));
    socket.once("error", reject);
    socket.once("close", () => resolve(answer.startsWith("+OK\r\n+PONG\r\n")));
  });
}
