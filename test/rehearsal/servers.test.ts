import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { Client } from "pg";
import {
  type ClusterIssuer,
  createReplicatedSecret,
  type EmbeddedAws,
  type OpenBao,
  type Postgres,
  type PostgresConnection,
  provision,
  type Redis,
  type ServerGroup,
  ServerGroup as ServerGroups,
  startClusterIssuer,
  startEmbeddedAws,
  startOpenBao,
  startPostgres,
  startRedis,
  withServers,
} from "../../packages/rehearsal/src/servers";
import { startOnFreePort } from "../../packages/rehearsal/src/servers/free-port";
import { loopbackCertificate } from "../../packages/rehearsal/src/servers/loopback-certificate";
import { sendJson } from "../../packages/rehearsal/src/servers/send-json";
import { SigningKey } from "../../packages/rehearsal/src/servers/signing-key";

/** The first start on a machine installs the servers. */
const INSTALL_MS = 300_000;
const ROOT = join(__dirname, "..", "..");

const ACCOUNT = "111122223333";
const REGION = "eu-central-1";

let home: string;
let group: ServerGroup;
let aws: EmbeddedAws;
let openBao: OpenBao;
let postgres: Postgres;
let redis: Redis;
let cluster: ClusterIssuer;

beforeAll(async () => {
  // Everything here happens in a folder with spaces in its name.
  home = mkdtempSync(join(tmpdir(), "servers test "));
  process.env.TMPDIR = home;
  process.env.SECRET_OF_THE_CALLER = "must-not-leak";
  await provision();
  group = ServerGroups.open();
  [aws, openBao, postgres, redis, cluster] = await Promise.all([
    startEmbeddedAws({ group }),
    startOpenBao({ group }),
    startPostgres({ group }),
    startRedis({ group }),
    startClusterIssuer({ group }),
  ]);
}, INSTALL_MS);

afterAll(async () => {
  await group?.stop();
  rmSync(home, { recursive: true, force: true });
});

/** Processes that work in a folder or one below it, removed ones included (Linux). */
function processesIn(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${folder}/`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Addresses that processes listen on, as the kernel writes them: hexadecimal, little endian. */
function listeningAddresses(pids: readonly number[]): string[] {
  const sockets = new Set(
    pids.flatMap((pid) =>
      readdirSync(`/proc/${pid}/fd`).map((fd) => {
        try {
          return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
        } catch {
          return undefined;
        }
      }),
    ),
  );
  return ["tcp", "tcp6"]
    .flatMap((table) => readFileSync(`/proc/net/${table}`, "utf8").trim().split("\n").slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === "0A" && sockets.has(inode))
    .map(([, address]) => address?.split(":")[0] ?? "");
}

async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(50)) {
    if (holds()) return;
  }
  throw new Error(`not in time: ${what}`);
}

describe("all servers", () => {
  test("listen on loopback only", () => {
    const addresses = listeningAddresses(processesIn(group.folder));
    expect(addresses).toHaveLength(4);
    expect(new Set(addresses)).toEqual(new Set(["0100007F"]));
  });

  test("see nothing of the caller's environment", () => {
    const pids = processesIn(group.folder);
    expect(pids.length).toBeGreaterThanOrEqual(4);
    for (const pid of pids) {
      expect(readFileSync(`/proc/${pid}/environ`, "utf8")).not.toContain("must-not-leak");
    }
  });

  test("write no credential to their logs", () => {
    const logs = [aws, openBao, postgres, redis].map(({ logFile }) => readFileSync(logFile, "utf8")).join("");
    for (const credential of [openBao.rootToken, postgres.superuser.password, redis.password]) {
      expect(logs).not.toContain(credential);
    }
  });
});

describe("embedded AWS", () => {
  const client = (credentials: { accessKeyId: string; secretAccessKey: string }, region = REGION) =>
    new SecretsManagerClient({ endpoint: aws.endpoint, region, credentials, maxAttempts: 1 });

  test("keeps accounts and regions apart", async () => {
    const name = "dev/db/app";
    const read = (account: string, region: string) =>
      client(aws.rootCredentials(account), region).send(new GetSecretValueCommand({ SecretId: name }));
    const created = await createReplicatedSecret(client(aws.rootCredentials(ACCOUNT)), {
      Name: name,
      SecretString: "one",
      AddReplicaRegions: [{ Region: "eu-west-1" }],
    });
    expect(created.ARN).toMatch(
      /^arn:aws:secretsmanager:eu-central-1:111122223333:secret:dev\/db\/app-\w{6}$/,
    );
    expect(await read(ACCOUNT, REGION)).toMatchObject({ SecretString: "one" });
    expect(await read(ACCOUNT, "eu-west-1")).toMatchObject({
      ARN: created.ARN?.replace(REGION, "eu-west-1"),
      SecretString: "one",
    });
    await expect(read(ACCOUNT, "us-east-1")).rejects.toThrow("can't find");
    await expect(read("444455556666", REGION)).rejects.toThrow("can't find");
  });

  test("refuses a key that it did not issue", async () => {
    const sts = new STSClient({
      endpoint: aws.endpoint,
      region: REGION,
      credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x" },
    });
    await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toThrow("token");
  });

  test.each(["test", "", "1111222233334"])("has no account %j", (account) => {
    expect(() => aws.rootCredentials(account)).toThrow("an account id has twelve digits");
  });
});

describe("OpenBao", () => {
  test("stores and reads", async () => {
    await openBao.call("POST", "sys/mounts/kv-dev", { body: { type: "kv", options: { version: "2" } } });
    await openBao.call("POST", "kv-dev/data/db/app", {
      body: { data: { password: "p" }, options: { cas: 0 } },
    });
    expect(await openBao.call("GET", "kv-dev/data/db/app")).toMatchObject({
      data: { data: { password: "p" } },
    });
  });

  test.each([null, "s.wrong"])("refuses token %j", async (token) => {
    await expect(openBao.call("GET", "sys/mounts", { token })).rejects.toMatchObject({ status: 403 });
  });

  test("speaks TLS with its own authority", async () => {
    const url = `${openBao.address}/v1/sys/health`;
    const { caPem } = loopbackCertificate("somebody else");
    expect(readFileSync(openBao.caFile, "utf8")).toBe(openBao.caPem);
    await expect(sendJson({ url, caPem })).rejects.toThrow("certificate");
  });

  test("can be sealed and unsealed", async () => {
    await openBao.seal();
    await expect(openBao.call("GET", "sys/mounts")).rejects.toMatchObject({ status: 503 });
    await openBao.unseal();
    expect(await openBao.call("GET", "sys/mounts")).toHaveProperty("data");
  });
});

describe("PostgreSQL", () => {
  async function query(change: object, statement = "SELECT 1 AS answer"): Promise<unknown[]> {
    const connection: PostgresConnection = { ...postgres.superuser, ...change };
    const client = new Client(connection);
    await client.connect();
    try {
      return (await client.query(statement)).rows;
    } finally {
      await client.end();
    }
  }

  test.each(["127.0.0.1", "localhost"])("answers at %s, its name verified", async (host) => {
    expect(await query({ host })).toEqual([{ answer: 1 }]);
  });

  test("refuses a wrong password", async () => {
    await expect(query({ password: "wrong" })).rejects.toMatchObject({ code: "28P01" });
  });

  test("refuses a connection without TLS", async () => {
    await expect(query({ ssl: false })).rejects.toMatchObject({ code: "28000" });
  });

  test("is not taken for another server", async () => {
    const { caPem } = loopbackCertificate("somebody else");
    await expect(query({ ssl: { ca: caPem, rejectUnauthorized: true } })).rejects.toThrow("certificate");
  });

  test("knows no way in but SCRAM", async () => {
    expect(await query({}, "SELECT type, auth_method FROM pg_hba_file_rules")).toEqual([
      { type: "hostssl", auth_method: "scram-sha-256" },
    ]);
    expect(
      await query({}, "SELECT rolpassword LIKE 'SCRAM-SHA-256$%' AS scram FROM pg_authid WHERE rolcanlogin"),
    ).toEqual([{ scram: true }]);
  });
});

describe("Redis", () => {
  function send(...commands: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(redis.port, redis.host);
      let answer = "";
      socket.setEncoding("utf8").on("data", (text: string) => {
        answer += text;
      });
      socket.once("error", reject).once("close", () => resolve(answer));
      socket.write(`${[...commands, "QUIT"].join("\r\n")}\r\n`);
    });
  }

  test("answers to its password and keeps users in its file", async () => {
    const answer = await send(
      `AUTH default ${redis.password}`,
      "ACL SETUSER app on >secret ~* +get",
      "ACL SAVE",
    );
    expect(answer).toBe("+OK\r\n".repeat(4));
    expect(await send("AUTH app secret", "GET x", "SET x 1")).toMatch(/^\+OK\r\n\$-1\r\n-NOPERM/);
  });

  test("refuses a wrong password and none", async () => {
    expect(await send("AUTH default wrong")).toMatch(/^-WRONGPASS/);
    expect(await send("PING")).toMatch(/^-NOAUTH/);
  });
});

describe("cluster issuer", () => {
  const PATH = "/apis/authentication.k8s.io/v1/tokenreviews";
  const backend = { namespace: "app", serviceAccount: "backend", audience: "vault-dev" };

  async function review(token: string, audiences?: string[], bearer = cluster.reviewerToken) {
    const answer = await sendJson({
      url: cluster.url + PATH,
      method: "POST",
      caPem: cluster.caPem,
      headers: { authorization: `Bearer ${bearer}` },
      body: {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        spec: { token, ...(audiences && { audiences }) },
      },
    });
    return answer as { status: number; body: { status: Record<string, unknown> } };
  }

  test("reviews a good token", async () => {
    const { status, body } = await review(cluster.token(backend), ["vault-dev", "other"]);
    expect(status).toBe(201);
    expect(body.status).toMatchObject({
      authenticated: true,
      audiences: ["vault-dev"],
      user: {
        username: "system:serviceaccount:app:backend",
        groups: ["system:serviceaccounts", "system:serviceaccounts:app", "system:authenticated"],
      },
    });
  });

  test("gives a ServiceAccount one uid", async () => {
    const uids = await Promise.all(
      [1, 2].map(async () => (await review(cluster.token(backend), ["vault-dev"])).body.status.user),
    );
    expect(uids[0]).toMatchObject({ uid: (uids[1] as { uid: string }).uid });
  });

  test("asks for the API server's audience when the review names none", async () => {
    const { audience: _audience, ...ownAudience } = backend;
    expect((await review(cluster.token(ownAudience))).body.status).toMatchObject({ authenticated: true });
    expect((await review(cluster.token(backend))).body.status).not.toHaveProperty("authenticated");
  });

  test("refuses a wrong audience", async () => {
    const { body } = await review(cluster.token(backend), ["vault-prod"]);
    expect(body.status).toEqual({
      error: expect.stringContaining('["vault-dev"] is invalid for the target audiences'),
    });
  });

  test("refuses an expired token", async () => {
    const { body } = await review(cluster.token({ ...backend, ttlSeconds: -1 }), ["vault-dev"]);
    expect(body.status).toEqual({ error: expect.stringContaining("expired") });
  });

  const claims = (token: string) =>
    JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

  test.each<[string, (token: string) => Promise<string>]>([
    ["signed by another key", async (token) => (await SigningKey.generate("RS256")).sign(claims(token))],
    ["signed by nobody", async (token) => `${part({ alg: "none" })}.${token.split(".")[1]}.`],
    [
      "with another subject under the same signature",
      async (token) => {
        const [header, , signature] = token.split(".");
        const { "kubernetes.io": kubernetes } = claims(token);
        const forged = { ...kubernetes, serviceaccount: { ...kubernetes.serviceaccount, name: "admin" } };
        return `${header}.${part({ ...claims(token), "kubernetes.io": forged })}.${signature}`;
      },
    ],
    ["that is no token", async () => "x"],
  ])("refuses one %s", async (_what, forge) => {
    const { status, body } = await review(await forge(cluster.token(backend)), ["vault-dev"]);
    expect([status, body.status]).toEqual([201, { error: "invalid bearer token" }]);
  });

  test("lets only its reviewer ask", async () => {
    const { audience: _audience, ...somebody } = backend;
    expect((await review("x", [], "")).status).toBe(401);
    expect((await review("x", [], "nonsense")).status).toBe(401);
    expect((await review("x", [], cluster.token(somebody))).status).toBe(403);
    expect((await review("", [])).status).toBe(400);
  });

  test("writes one audience as text on request, not two", () => {
    expect(claims(cluster.token({ ...backend, audienceForm: "text" })).aud).toBe("vault-dev");
    expect(claims(cluster.token(backend)).aud).toEqual(["vault-dev"]);
    expect(() => cluster.token({ ...backend, audience: ["a", "b"], audienceForm: "text" })).toThrow(
      "room for one",
    );
  });

  test("is what OpenBao's kubernetes auth logs in with", async () => {
    const own = await startClusterIssuer();
    const mount = "kubernetes";
    await openBao.call("POST", `sys/auth/${mount}`, { body: { type: "kubernetes" } });
    await openBao.call("POST", `auth/${mount}/config`, {
      body: {
        kubernetes_host: own.url,
        kubernetes_ca_cert: own.caPem,
        token_reviewer_jwt: own.reviewerToken,
      },
    });
    await openBao.call("POST", `auth/${mount}/role/backend`, {
      body: {
        bound_service_account_names: "backend",
        bound_service_account_namespaces: "app",
        audience: "vault-dev",
      },
    });
    const login = (jwt: string) =>
      openBao.call("POST", `auth/${mount}/login`, { token: null, body: { role: "backend", jwt } });
    expect(await login(own.token(backend))).toMatchObject({
      auth: { metadata: { service_account_name: "backend" } },
    });
    for (const bad of [{ audience: "vault-prod" }, { serviceAccount: "celery" }, { ttlSeconds: -1 }]) {
      await expect(login(own.token({ ...backend, ...bad }))).rejects.toMatchObject({ status: 403 });
    }
    // A token of another cluster, for the same ServiceAccount.
    await expect(login(cluster.token(backend))).rejects.toMatchObject({ status: 403 });
    await own.stop();
  });

  test.each(["RS256", "ES256"] as const)("is what OpenBao's jwt auth verifies (%s)", async (algorithm) => {
    const issuer = "https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE";
    const own = await startClusterIssuer({ algorithm, issuer });
    const mount = `jwt-${algorithm.toLowerCase()}`;
    await openBao.call("POST", `sys/auth/${mount}`, { body: { type: "jwt" } });
    await openBao.call("POST", `auth/${mount}/config`, {
      body: { jwks_url: own.jwksUrl, jwks_ca_pem: own.caPem, bound_issuer: issuer },
    });
    await openBao.call("POST", `auth/${mount}/role/backend`, {
      body: {
        role_type: "jwt",
        user_claim: "sub",
        bound_audiences: "vault-dev",
        bound_subject: "system:serviceaccount:app:backend",
      },
    });
    const login = (jwt: string) =>
      openBao.call("POST", `auth/${mount}/login`, { token: null, body: { role: "backend", jwt } });
    expect(await login(own.token(backend))).toHaveProperty("auth.client_token");
    await expect(
      login(own.token({ ...backend, subject: "system:serviceaccount:app:celery" })),
    ).rejects.toThrow("sub");
    await expect(
      login((await SigningKey.generate(algorithm)).sign(claims(own.token(backend)))),
    ).rejects.toThrow();
    await own.stop();
  });

  test("publishes its issuer and keys", async () => {
    const { caPem } = cluster;
    const discovery = await sendJson({ url: `${cluster.url}/.well-known/openid-configuration`, caPem });
    expect(discovery.body).toMatchObject({ issuer: cluster.issuer, jwks_uri: cluster.jwksUrl });
    const { body } = await sendJson({ url: cluster.jwksUrl, caPem });
    expect(body).toMatchObject({ keys: [{ kty: "RSA", use: "sig", alg: "RS256" }] });
    expect(JSON.stringify(body)).not.toContain('"d"');
  });
});

describe("the end of servers", () => {
  test("a stopped server leaves no process and no file", async () => {
    const server = await startRedis();
    const folder = server.logFile.replace(/\/redis\.log$/, "");
    expect(processesIn(folder)).toHaveLength(1);
    await Promise.all([server.stop(), server.stop()]);
    expect(processesIn(folder)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  test("a group ends with its work, also when that fails", async () => {
    let folder = "";
    const work = withServers(async (servers) => {
      folder = servers.folder;
      await Promise.all([startRedis({ group: servers }), startOpenBao({ group: servers })]);
      expect(processesIn(folder)).toHaveLength(2);
      throw new Error("the work failed");
    });
    await expect(work).rejects.toThrow("the work failed");
    expect(processesIn(folder)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  test.each([0, 100, 400])("a group that is stopped after %j ms waits for no start", async (delay) => {
    const servers = ServerGroups.open();
    const starts = [startPostgres, startOpenBao, startEmbeddedAws, startClusterIssuer].map((start) =>
      start({ group: servers }).catch((fault: unknown) => fault),
    );
    await sleep(delay);
    await servers.stop();
    await Promise.all(starts);
    await eventually("no process", () => processesIn(servers.folder).length === 0);
    expect(existsSync(servers.folder)).toBe(false);
    await expect(startRedis({ group: servers })).rejects.toThrow("needs a new group");
  });

  test("logs stay where they were asked for", async () => {
    const logFolder = join(home, "logs");
    mkdirSync(logFolder);
    await withServers((servers) => startRedis({ group: servers }), { logFolder });
    expect(readFileSync(join(logFolder, "redis.log"), "utf8")).toContain("Ready to accept connections");
  });

  /** Another process that starts servers, says where, and does not stop them. */
  async function abandonServers(start: string, afterwards: string) {
    const script = `
      const servers = require(${JSON.stringify(join(ROOT, "packages/rehearsal/src/servers/index.ts"))});
      (async () => {
        const group = servers.ServerGroup.open();
        await Promise.all([${start}]);
        process.stdout.write(group.folder + "\\n");
        ${afterwards}
      })();`;
    const child = spawn(process.execPath, ["--import", "tsx", "-e", script], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const folder = await new Promise<string>((resolve, reject) => {
      child.stdout.setEncoding("utf8").once("data", (text: string) => resolve(text.trim()));
      child.once("exit", () => reject(new Error("it ended before it had started its servers")));
    });
    return { child, folder };
  }

  test("servers die with a process that was killed", async () => {
    const all = ["Redis", "OpenBao", "Postgres", "EmbeddedAws", "ClusterIssuer"];
    const start = all.map((name) => `servers.start${name}({ group })`).join(", ");
    const { child, folder } = await abandonServers(start, "setInterval(() => {}, 1000);");
    expect(processesIn(folder).length).toBeGreaterThanOrEqual(4);
    child.kill("SIGKILL");
    await eventually("servers are gone", () => processesIn(folder).length === 0 && !existsSync(folder));
  });

  test.each<[string, string, NodeJS.Signals | undefined]>([
    ["was interrupted", "setInterval(() => {}, 1000);", "SIGINT"],
    ["was terminated", "setInterval(() => {}, 1000);", "SIGTERM"],
    ["exited", "process.exit(0);", undefined],
    ["just had nothing more to do", "", undefined],
  ])("servers die with a process that %s", async (_what, afterwards, signal) => {
    const { child, folder } = await abandonServers("servers.startRedis({ group })", afterwards);
    if (signal) child.kill(signal);
    await eventually("servers are gone", () => processesIn(folder).length === 0 && !existsSync(folder));
  });
});

describe("a server that does not start", () => {
  /** A server that is a shell script. */
  function startScript(script: string, probe: () => Promise<boolean>, timeoutMs = 10_000) {
    const { folder, logFile } = group.placeFor("script");
    const server = group.startProcess({
      name: "shell",
      command: "/bin/sh",
      args: ["-c", script],
      environment: { PATH: process.env.PATH ?? "" },
      folder,
      logFile,
    });
    return { folder, server, ready: server.whenReady(probe, timeoutMs) };
  }

  test("is named, with what it said", async () => {
    const { ready } = startScript("echo no such luck >&2; exit 3", async () => false);
    await expect(ready).rejects.toThrow(
      /The shell server did not start: it ended with exit code 3.*no such luck/s,
    );
  });

  test("is stopped with its descendants when it takes too long", async () => {
    const probe = async () => {
      throw new Error("not yet");
    };
    const { folder, ready } = startScript("sleep 60 & sleep 60", probe, 300);
    await expect(ready).rejects.toThrow("it did not answer within 0.3 s (not yet)");
    await eventually("no process", () => processesIn(folder).length === 0);
  });

  test("that cannot be started says so", async () => {
    const { folder, logFile } = group.placeFor("nothing");
    const command = join(folder, "nothing");
    const server = group.startProcess({
      name: "nothing",
      command,
      args: [],
      environment: {},
      folder,
      logFile,
    });
    await expect(server.whenReady(async () => false, 5_000)).rejects.toThrow(/could not be started.*ENOENT/);
  });

  test("because its port was taken is started on another", async () => {
    const busy = createServer().listen(0, "127.0.0.1");
    const taken = await new Promise<number>((resolve) =>
      busy.once("listening", () => resolve((busy.address() as { port: number }).port)),
    );
    const ports = [taken, taken, 0];
    // In two parts, because a program that fails prints its own text.
    const listenOn = (port: number) =>
      `exec '${process.execPath}' -e 'require("net").createServer().listen(${port}, "127.0.0.1", () => console.log("he" + "ard"))'`;
    const started = await startOnFreePort(
      async (port) => {
        const { folder, logFile } = group.placeFor("node");
        const server = group.startProcess({
          name: "node",
          command: "/bin/sh",
          args: ["-c", listenOn(port)],
          environment: {},
          folder,
          logFile,
        });
        await server.whenReady(async () => readFileSync(logFile, "utf8").includes("heard"), 10_000);
        return { port, server };
      },
      async () => ports.shift() ?? taken,
    );
    await started.server.stop();
    busy.close();
    expect([started.port, ports]).toEqual([0, []]);
  });
});
