import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { startOnFreePort } from "./free-port";
import { loopbackCertificate } from "./loopback-certificate";
import { type PostgresBinaries, postgresBinaries, type UnixUser } from "./postgres-binaries";
import { type PostgresVersion, provisionPostgres } from "./postgres-versions";
import { runCommand } from "./run-command";
import { ServerFault } from "./server-fault";
import { startInGroup } from "./server-group";
import { PROBE_TIMEOUT_MS, type ServerOptions, START_TIMEOUT_MS, serverEnvironment } from "./server-options";

/** Options of {@link startPostgres}. */
export interface PostgresOptions extends ServerOptions {
  /**
   * More of the server's settings (`log_statement: "all"`).
   * @default none
   */
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * Another version than the installed one; downloaded on first use.
   * @default the installed package's
   */
  readonly version?: PostgresVersion;
}

/** Connection settings, as `pg` takes them. */
export interface PostgresConnection {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** Chain and name are checked, as by `sslmode=verify-full`. */
  readonly ssl: { readonly ca: string; readonly rejectUnauthorized: true };
}

/** A running PostgreSQL. It takes connections with TLS and SCRAM only, as `127.0.0.1` or `localhost`. */
export interface Postgres {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** The superuser, with a random password. */
  readonly superuser: PostgresConnection;
  /** Authority of its certificate. */
  readonly caPem: string;
  /** File with {@link caPem}, for `sslrootcert`. */
  readonly caFile: string;
  readonly logFile: string;
  /** Ends the server; its data is gone. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL.
 *
 * @throws ServerFault when it cannot be run here or does not come up
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  return startInGroup(options.group, async (group) => {
    const place = group.placeFor("postgres");
    const { folder, logFile } = place;
    // PostgreSQL may have to run as another user; and clients read the authority's certificate.
    chmodSync(folder, 0o711);
    const installed = options.version && (await provisionPostgres(options.version));
    const binaries = await postgresBinaries(join(folder, "native"), installed);
    const password = randomBytes(24).toString("hex");
    const certificate = loopbackCertificate("PostgreSQL");
    const files = writeFiles(folder, certificate, password);
    if (binaries.identity) giveTo(binaries.identity, folder);
    await createCluster(folder, files, binaries);
    await rm(files.password);

    const { superuser, server } = await startOnFreePort(async (port) => {
      const settings = {
        fsync: "off",
        // Shared memory as files in the data folder: a killed server leaves none behind in /dev/shm.
        dynamic_shared_memory_type: "mmap",
        ...options.settings,
        hba_file: files.access,
        listen_addresses: "127.0.0.1",
        password_encryption: "scram-sha-256",
        port: String(port),
        ssl: "on",
        ssl_cert_file: files.certificate,
        ssl_key_file: files.privateKey,
        unix_socket_directories: "",
      };
      const server = group.startProcess({
        name: "PostgreSQL",
        command: binaries.postgres,
        args: [
          "-D",
          files.data,
          ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
        ],
        environment: serverEnvironment(folder),
        folder,
        logFile,
        // Its own words: SIGINT is the fast shutdown, SIGQUIT the immediate one. SIGTERM waits for clients.
        stopSignal: "SIGINT",
        orphanSignal: "SIGQUIT",
        ...(binaries.identity && { identity: binaries.identity }),
      });
      const superuser: PostgresConnection = {
        host: "127.0.0.1",
        port,
        database: "postgres",
        user: "postgres",
        password,
        ssl: { ca: certificate.caPem, rejectUnauthorized: true },
      };
      await server.whenReady(() => answersTo(superuser), options.startTimeoutMs ?? START_TIMEOUT_MS);
      return { superuser, server };
    });
    return {
      host: superuser.host,
      port: superuser.port,
      superuser,
      caPem: certificate.caPem,
      caFile: files.authority,
      logFile,
      stop: group.adopt(place, () => server.stop()),
    };
  });
}

interface PostgresFiles {
  readonly data: string;
  readonly access: string;
  readonly authority: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly password: string;
}

function writeFiles(
  folder: string,
  certificate: { readonly caPem: string; readonly certificatePem: string; readonly privateKeyPem: string },
  password: string,
): PostgresFiles {
  const files = {
    data: join(folder, "data"),
    access: join(folder, "pg_hba.conf"),
    authority: join(folder, "ca.pem"),
    certificate: join(folder, "certificate.pem"),
    privateKey: join(folder, "key.pem"),
    password: join(folder, "superuser"),
  };
  mkdirSync(files.data, { mode: 0o700 });
  // No other line: no trust, no connection without TLS.
  writeFileSync(files.access, "hostssl all all 127.0.0.1/32 scram-sha-256\n");
  writeFileSync(files.authority, certificate.caPem);
  writeFileSync(files.certificate, certificate.certificatePem);
  writeFileSync(files.privateKey, certificate.privateKeyPem, { mode: 0o600 });
  writeFileSync(files.password, `${password}\n`, { mode: 0o600 });
  return files;
}

function giveTo(identity: UnixUser, folder: string): void {
  chownSync(folder, identity.uid, identity.gid);
  for (const name of readdirSync(folder)) {
    if (name !== "native") chownSync(join(folder, name), identity.uid, identity.gid);
  }
}

async function createCluster(
  folder: string,
  files: PostgresFiles,
  binaries: PostgresBinaries,
): Promise<void> {
  const result = await runCommand(
    binaries.initdb,
    [
      ...[`--pgdata=${files.data}`, "--username=postgres", `--pwfile=${files.password}`],
      ...["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"],
    ],
    {
      environment: serverEnvironment(folder),
      folder,
      ...(binaries.identity && { identity: binaries.identity }),
    },
  );
  if (result.code === 0) return;
  throw new ServerFault(
    `PostgreSQL's data folder could not be made: initdb ended with ${result.code}.\n${result.stderr.trim()}`,
  );
}

/** Logs in: certificate and password are known to the server that we started only. */
async function answersTo(connection: PostgresConnection): Promise<boolean> {
  const client = new Client({ ...connection, connectionTimeoutMillis: PROBE_TIMEOUT_MS });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } finally {
    await client.end();
  }
}
