import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { connect as connectTcp, createServer as createTcpServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { connect as connectTls, createSecureContext, TLSSocket } from "node:tls";
import { defaultCacheFolder, type Postgres } from "../../../packages/rehearsal/src/servers";
import { buildOnce } from "../../../packages/rehearsal/src/servers/build-once";
import { freePort } from "../../../packages/rehearsal/src/servers/free-port";
import { loopbackCertificate } from "../../../packages/rehearsal/src/servers/loopback-certificate";

/** A pooler in front of a PostgreSQL. */
export interface Pooler {
  /** As the test prints it: `PgBouncer 1.18.0`, or what stands for it. */
  readonly name: string;
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly caPem: string;
  stop(): Promise<void>;
}

/** Options of a pooler; all else is PgBouncer's default. */
export interface PoolerOptions {
  /** `session` is PgBouncer's default. */
  readonly mode: "session" | "transaction";
  /**
   * Logins that it knows, with the verifiers of their passwords (`auth_file`).
   * @default every login, by asking the server (`auth_query`)
   */
  readonly users?: Readonly<Record<string, string>>;
  /** A login that may read verifiers, for `auth_query`: PgBouncer's default query reads `pg_shadow`. */
  readonly authUser: { readonly name: string; readonly password: string };
  /** Not PgBouncer, but what stands for it where it cannot be had. */
  readonly standIn?: true;
}

/** Parameters that PgBouncer takes in a startup packet (src/varcache.c and `set_startup_options` in src/client.c). */
const KNOWN_PARAMETERS = new Set([
  "user",
  "database",
  "client_encoding",
  "datestyle",
  "timezone",
  "standard_conforming_strings",
  "application_name",
]);

const DEBIAN_PACKAGES = ["pgbouncer", "libevent-2.1-7", "libc-ares2"];

/**
 * Starts PgBouncer: the one on PATH, or Debian's, taken into the cache; where neither can be had, a proxy that refuses the same
 * startup parameters by the same error. The caller prints which one it was.
 */
export async function startPooler(postgres: Postgres, options: PoolerOptions): Promise<Pooler> {
  const found = options.standIn ? undefined : await findPgBouncer();
  return found === undefined ? startStandIn(postgres, options) : startPgBouncer(found, postgres, options);
}

interface PgBouncerBinary {
  readonly command: string;
  readonly libraries: string | undefined;
  readonly version: string;
}

async function findPgBouncer(): Promise<PgBouncerBinary | undefined> {
  const onPath = (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "pgbouncer"))
    .find((file) => existsSync(file));
  if (onPath !== undefined) return tried(onPath, undefined);
  const folder = join(defaultCacheFolder(), "pgbouncer-debian");
  try {
    await buildOnce({ folder, build: unpackDebianPackages });
  } catch {
    return undefined;
  }
  const [architecture = ""] = readdirSync(join(folder, "usr", "lib")).filter((name) => name.endsWith("-gnu"));
  return tried(join(folder, "usr", "sbin", "pgbouncer"), join(folder, "usr", "lib", architecture));
}

/** apt checks the packages against Debian's signatures; nothing is installed, and no script of theirs runs. */
async function unpackDebianPackages(scratch: string): Promise<void> {
  await mkdir(scratch, { recursive: true });
  const download = spawnSync("apt-get", ["download", ...DEBIAN_PACKAGES], { cwd: scratch, timeout: 60_000 });
  const archives = readdirSync(scratch).filter((name) => name.endsWith(".deb"));
  if (download.status !== 0 || archives.length !== DEBIAN_PACKAGES.length) {
    throw new Error("apt-get download gives no PgBouncer here");
  }
  for (const archive of archives) {
    const { status } = spawnSync("dpkg", ["-x", archive, "."], { cwd: scratch });
    if (status !== 0) throw new Error(`dpkg cannot unpack ${archive}`);
    rmSync(join(scratch, archive));
  }
}

function tried(command: string, libraries: string | undefined): PgBouncerBinary | undefined {
  const { status, stdout } = spawnSync(command, ["--version"], {
    env: libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries },
    encoding: "utf8",
  });
  const version = /PgBouncer (\S+)/.exec(stdout ?? "")?.[1];
  return status === 0 && version !== undefined ? { command, libraries, version } : undefined;
}

async function startPgBouncer(
  { command, libraries, version }: PgBouncerBinary,
  postgres: Postgres,
  { mode, users, authUser }: PoolerOptions,
): Promise<Pooler> {
  const folder = await mkdtemp(join(tmpdir(), "pgbouncer-"));
  const certificate = loopbackCertificate("PgBouncer");
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o644 });
    return path;
  };
  const known = users ?? { [authUser.name]: authUser.password };
  const port = await freePort();
  const settings = file(
    "pgbouncer.ini",
    `[databases]
* = host=127.0.0.1 port=${postgres.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${file(
      "users.txt",
      Object.entries(known)
        .map(([name, secret]) => `"${name}" "${secret}"\n`)
        .join(""),
    )}
${users === undefined ? `auth_user = ${authUser.name}` : ""}
pool_mode = ${mode}
client_tls_sslmode = require
client_tls_cert_file = ${file("certificate.pem", certificate.certificatePem)}
client_tls_key_file = ${file("key.pem", certificate.privateKeyPem)}
server_tls_sslmode = verify-full
server_tls_ca_file = ${file("ca.pem", postgres.caPem)}
`,
  );
  spawnSync("chmod", ["0755", folder]);
  // PgBouncer does not run as root.
  const identity = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const child = spawn(command, [settings], {
    env: libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries },
    stdio: ["ignore", "ignore", "pipe"],
    ...identity,
  });
  await untilListening(child, port);
  return {
    name: `PgBouncer ${version}`,
    host: "127.0.0.1",
    port,
    caPem: certificate.caPem,
    stop: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function untilListening(child: ChildProcess, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (log.includes(`listening on 127.0.0.1:${port}`)) resolve();
    });
    child.once("exit", (code) => reject(new Error(`PgBouncer ended with ${code}: ${log.slice(-500)}`)));
  });
}

/** A proxy that reads startup packets as PgBouncer does, and hands the rest on. It pools nothing. */
async function startStandIn(postgres: Postgres, { users }: PoolerOptions): Promise<Pooler> {
  const certificate = loopbackCertificate("PgBouncer's stand-in");
  const context = createSecureContext({ key: certificate.privateKeyPem, cert: certificate.certificatePem });
  const open = new Set<Socket>();
  const server = createTcpServer((socket) => {
    open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("data", () => {
      socket.write("S");
      const client = new TLSSocket(socket, { isServer: true, secureContext: context });
      client.on("error", () => client.destroy());
      client.once("data", (packet: Buffer) => {
        const fault = faultOf(packet, users);
        if (fault === undefined) relay(client, packet, postgres);
        else client.end(errorResponse(fault));
      });
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    name: "a stand-in for PgBouncer's startup",
    host: "127.0.0.1",
    port,
    caPem: certificate.caPem,
    stop: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function faultOf(packet: Buffer, users: Readonly<Record<string, string>> | undefined): string | undefined {
  const words = packet.subarray(8).toString("utf8").split("\0").slice(0, -2);
  const parameters = new Map<string, string>();
  for (let at = 0; at + 1 < words.length; at += 2) parameters.set(words[at] ?? "", words[at + 1] ?? "");
  const unknown = [...parameters.keys()].find((name) => !KNOWN_PARAMETERS.has(name.toLowerCase()));
  if (unknown !== undefined) return `unsupported startup parameter: ${unknown}`;
  const known = users === undefined || Object.hasOwn(users, parameters.get("user") ?? "");
  return known ? undefined : "SASL authentication failed";
}

/** https://www.postgresql.org/docs/current/protocol-error-fields.html */
function errorResponse(message: string): Buffer {
  const body = Buffer.from(`SFATAL\0C08P01\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function relay(client: TLSSocket, first: Buffer, postgres: Postgres): void {
  const plain = connectTcp(postgres.port, "127.0.0.1");
  plain.on("error", () => client.destroy());
  plain.once("connect", () => {
    plain.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
    plain.once("data", () => {
      const upstream = connectTls({ socket: plain, ca: postgres.caPem, servername: "localhost" });
      upstream.on("error", () => client.destroy());
      upstream.once("secureConnect", () => {
        upstream.write(first);
        client.pipe(upstream).pipe(client);
      });
    });
  });
}
