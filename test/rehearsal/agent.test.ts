import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import type { PodPlan } from "../../lib/blueprint";
import { defineRegistry, type Registry } from "../../lib/model";
import {
  type InjectedAgent,
  InjectionError,
  injectedAgent,
  startAgent,
} from "../../packages/rehearsal/src/agent";
import {
  type EmbeddedAws,
  type OpenBao,
  ServerGroup,
  startEmbeddedAws,
  startPostgres,
} from "../../packages/rehearsal/src/servers";
import { registry } from "../../registry";
import { draft, genericPassword, redisToken, vaultDatabase } from "../model/sample";
import {
  callWith,
  isRefusal,
  type RehearsedEnvironment,
  rehearse,
  shownSettings,
} from "./rehearsed-environment";

let group: ServerGroup;
let aws: EmbeddedAws;

beforeAll(async () => {
  group = ServerGroup.open();
  aws = await startEmbeddedAws({ group });
}, 120_000);

afterAll(() => group?.stop(), 60_000);

async function waitFor<T>(what: string, look: () => T | undefined | false, logFile?: string): Promise<T> {
  for (const end = Date.now() + 40_000; Date.now() < end; await sleep(100)) {
    const found = look();
    if (found) return found;
  }
  throw new Error(`${what} did not happen${logFile ? `:\n${readFileSync(logFile, "utf8")}` : ""}`);
}

/** A pod of a workload in a cluster, with what its agent needs. */
function podOf(
  environment: RehearsedEnvironment,
  workloadName: string,
  name: string,
  changes: {
    readonly vaultAddress?: string;
    readonly retries?: number;
    readonly annotations?: object;
    readonly commands?: "name" | "run";
  } = {},
) {
  const { plan, issuers, vaults } = environment;
  const workload = plan.workloads.find((candidate) => candidate.name === workloadName);
  const [planned] = workload?.pods ?? [];
  const pod = planned && { ...planned, annotations: { ...planned.annotations, ...changes.annotations } };
  const cluster = plan.clusters.find((candidate) => candidate.name === pod?.cluster);
  const issuer = cluster && issuers.get(cluster.name);
  const vault = cluster && vaults.get(cluster.vault ?? "");
  if (!workload || !pod || !issuer || !vault) throw new Error(`no pod of ${workloadName}`);
  const root = join(group.folder, name);
  mkdirSync(root, { recursive: true });
  const settings = {
    root,
    vaultAddress: changes.vaultAddress ?? vault.address,
    renderInterval: "2s",
    ...(changes.retries === undefined ? {} : { retries: changes.retries }),
    ...(changes.commands ? { commands: changes.commands } : {}),
    ...(vault.caFile ? { caFile: vault.caFile } : {}),
  };
  const agent = (container: "init" | "sidecar"): InjectedAgent => injectedAgent(pod, container, settings);
  const start = (container: "init" | "sidecar") => {
    const configured = agent(container);
    // As the kubelet does: a token for the audience of the volume, for the pod's ServiceAccount.
    const token = issuer.token({
      namespace: pod.namespace,
      serviceAccount: pod.serviceAccountName,
      audience: configured.audience,
    });
    return startAgent(group, vault, configured, token);
  };
  return { pod, vault, root, agent, start, plan, file: (path: string) => join(root, pod.folder, path) };
}

const isWhole = (path: string): boolean => existsSync(path) && statSync(path).size > 0;

async function put(vault: OpenBao, path: string, cas: number, data: object): Promise<void> {
  await callWith(vault, vault.rootToken)("POST", path, { options: { cas }, data });
}

describe("a pod of the repository's own registry", () => {
  let environment: RehearsedEnvironment;

  beforeAll(async () => {
    environment = await rehearse(registry, "dev", group, aws);
  }, 60_000);

  test("gets each file with its content and mode, and a changed value after the interval", async () => {
    const { plan, pod, vault, agent, start, file } = podOf(environment, "backend", "pod-backend");
    const sidecar = start("sidecar");
    const { files } = agent("sidecar");
    await waitFor("rendering", () => files.every(({ path }) => isWhole(path)), sidecar.logFile);
    expect(files.map(({ path }) => path).sort()).toEqual(
      [
        "db/app-primary.json",
        "jwt/signing.json",
        "jwt/signing.jwks.json",
        "redis/app.json",
        "smtp/sendgrid.json",
        "storage/s3-app.json",
      ].map(file),
    );
    for (const { path } of files) expect((statSync(path).mode & 0o777).toString(8)).toBe("400");
    for (const secret of plan.secrets) {
      if (!secret.consumers.includes("backend")) continue;
      expect(JSON.parse(readFileSync(file(`${secret.key}.json`), "utf8"))).toEqual({
        ...shownSettings(secret),
        ...environment.values.get(secret.key)?.current,
      });
    }
    const jwt = environment.values.get("jwt/signing")?.current as { jwks: object };
    expect(JSON.parse(readFileSync(file("jwt/signing.jwks.json"), "utf8"))).toEqual(jwt.jwks);

    const changed = { username: "app_b", password: `<&>"'\\ü \u2028 ${Date.now()}` };
    await put(vault, "kv-dev/data/db/app-primary", 2, changed);
    const path = file("db/app-primary.json");
    await waitFor(
      "rendering of the changed value",
      () => readFileSync(path, "utf8").includes("app_b"),
      sidecar.logFile,
    );
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({
      host: "db.dev.example.com",
      port: 5432,
      database: "app",
      ...changed,
    });
    await sidecar.stop();
    expect(pod.annotations["vault.hashicorp.com/template-static-secret-render-interval"]).toBe("6h");
  }, 60_000);

  test("a secret without one of its fields is not rendered in part", async () => {
    const { vault, start, file } = podOf(environment, "celery-email", "pod-missing-key");
    await put(vault, "kv-dev/data/smtp/sendgrid", 2, { wrong: "field" });
    const init = start("init");
    await waitFor("the agent's complaint", () =>
      /missing|no entry for key|apiKey/.test(readFileSync(init.logFile, "utf8")),
    );
    expect(existsSync(file("smtp/sendgrid.json"))).toBe(false);
    await init.stop();
  }, 60_000);

  test("without the token volume the injector refuses the pod", () => {
    const { pod } = podOf(environment, "backend", "pod-without-volume");
    const bare: PodPlan = { ...pod, volumes: [] };
    expect(() => injectedAgent(bare, "init", { root: "/", vaultAddress: "http://127.0.0.1" })).toThrow(
      InjectionError,
    );
  });
});

/** A way to a server that can be cut and joined again, at one address. */
async function breakableWay(address: string) {
  const { hostname, port } = new URL(address);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((incoming) => {
    if (isCut) {
      incoming.destroy();
      return;
    }
    const outgoing = connect(Number(port), hostname);
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    incoming.pipe(outgoing).pipe(incoming);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const own = server.address();
  if (own === null || typeof own === "string") throw new Error("no port");
  const url = new URL(address);
  url.port = String(own.port);
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: url.href.replace(/\/$/, ""),
    cut: () => {
      isCut = true;
      drop();
    },
    join: () => {
      isCut = false;
    },
    stop: () => {
      server.close();
      drop();
    },
  };
}

/**
 * A pod whose Vault is away for longer than its agent's tries last: some six minutes with the twelve that it has, ten
 * seconds with the one more that it has here.
 */
describe("a Vault that is away, for longer than the tries of a read last", () => {
  const KEY = "db/app";
  let environment: RehearsedEnvironment;
  let cas = 2;

  beforeAll(async () => {
    // An account of its own beside those of the other environments here.
    const definition = JSON.parse(JSON.stringify(draft()).replaceAll("111122223333", "666677778888"));
    environment = await rehearse(defineRegistry(definition) as Registry, "dev", group, aws);
  }, 120_000);

  async function away(how: "unreachable" | "sealed", annotations: object, name: string) {
    const { vault } = podOf(environment, "backend", name);
    const way = await breakableWay(vault.address);
    const pod = podOf(environment, "backend", name, {
      vaultAddress: way.address,
      retries: 1,
      annotations,
    });
    const sidecar = pod.start("sidecar");
    const path = pod.file(`${KEY}.json`);
    await waitFor("rendering", () => isWhole(path), sidecar.logFile);
    let hasEnded = false;
    void sidecar.ended.then(() => {
      hasEnded = true;
    });
    if (how === "sealed") await vault.seal();
    else way.cut();
    const log = () => readFileSync(sidecar.logFile, "utf8");
    const isTryingAnew = () => /template server error[\s\S]*creating new runner/.test(log());
    const hasFailed = () => /template server error/.test(log());
    const back = async () => {
      if (how === "sealed") await vault.unseal();
      way.join();
    };
    return { vault, way, sidecar, path, hasFailed, isTryingAnew, back, hasEnded: () => hasEnded };
  }

  test.each(["unreachable", "sealed"] as const)(
    "%s: the sidecar keeps its file and goes on, and takes the new value once Vault is back",
    async (how) => {
      const { vault, way, sidecar, path, isTryingAnew, back, hasEnded } = await away(how, {}, `pod-${how}`);
      const before = readFileSync(path, "utf8");
      await waitFor("the tries' end and beginning", isTryingAnew, sidecar.logFile);
      expect(hasEnded()).toBe(false);
      expect(readFileSync(path, "utf8")).toBe(before);

      await back();
      const changed = { username: "app_b", password: `p${Date.now()}` };
      await put(vault, `kv-dev/data/${KEY}`, cas++, changed);
      await waitFor(
        "the new value",
        () => readFileSync(path, "utf8").includes(changed.password),
        sidecar.logFile,
      );
      expect(hasEnded()).toBe(false);
      await sidecar.stop();
      way.stop();
    },
    120_000,
  );

  test("with the injector's default the sidecar ends, so that its pod is NotReady for as long", async () => {
    const { way, sidecar, hasFailed, hasEnded } = await away(
      "unreachable",
      { "vault.hashicorp.com/template-config-exit-on-retry-failure": "true" },
      "pod-that-ends",
    );
    await waitFor("the agent's end", hasEnded, sidecar.logFile);
    expect(hasFailed()).toBe(true);
    way.stop();
  }, 120_000);

  test("an init container waits for Vault, and renders once it is back", async () => {
    const { vault } = podOf(environment, "backend", "pod-init");
    const way = await breakableWay(vault.address);
    way.cut();
    const pod = podOf(environment, "backend", "pod-init", { vaultAddress: way.address, retries: 1 });
    const init = pod.start("init");
    await waitFor("a failed login", () => /error authenticating/.test(readFileSync(init.logFile, "utf8")));
    expect(existsSync(pod.file(`${KEY}.json`))).toBe(false);
    way.join();
    await waitFor("rendering", () => isWhole(pod.file(`${KEY}.json`)), init.logFile);
    await init.ended;
    way.stop();
  }, 120_000);
});

describe("a pod that logs in by jwt, with files of its own", () => {
  const HARD = `a'b"c$HOME \`id\` \\ {{ x }} #;&|<>`;

  function jwtRegistry(): Registry {
    const definition = draft();
    definition.environments.prod.vaultAuth = "jwt";
    definition.workloads.backend.runAsUser = 10001;
    definition.environments.prod.clusters[0].platform = "openshift";
    definition.secrets["db/app"].files = [
      { format: "env", prefix: "DB_", mode: "0440" },
      {
        format: "template",
        path: "conf/app.conf",
        template: 'pass={{ with secret "SECRET_PATH" }}{{ .Data.data.password }}{{ end }}',
      },
    ];
    return defineRegistry(definition) as Registry;
  }

  test("gets shell lines that mean what the value is, and its own template; then ends", async () => {
    const environment = await rehearse(jwtRegistry(), "prod", group, aws);
    const { vault, start, file } = podOf(environment, "backend", "pod-jwt");
    await put(vault, "kv-prod/data/db/app", 2, { username: "app_a", password: HARD });
    const init = start("init");
    await waitFor(
      "rendering",
      () => isWhole(file("conf/app.conf")) && isWhole(file("db/app.env")),
      init.logFile,
    );
    const shell = execFileSync(
      "sh",
      ["-c", `. "$0"; printf '%s|%s|%s' "$DB_HOST" "$DB_PORT" "$DB_PASSWORD"`, file("db/app.env")],
      { encoding: "utf8" },
    );
    expect(shell).toBe(`db.prod.example.com|5432|${HARD}`);
    expect((statSync(file("db/app.env")).mode & 0o777).toString(8)).toBe("440");
    expect(readFileSync(file("conf/app.conf"), "utf8")).toBe(`pass=${HARD}`);
    await init.stop();
  }, 60_000);
});

describe("the settings that a value says made it", () => {
  const FILES = [
    { format: "json" },
    { format: "env", prefix: "SLUG_" },
    {
      format: "template",
      path: "conf/SLUG.conf",
      template:
        '{{ with secret "SECRET_PATH" }}{{ $s := index .Data.data "_settings" }}{{ if $s }}{{ $s | toJSON }}{{ else }}none{{ end }}{{ end }}',
    },
  ];
  const filesOf = (slug: string) =>
    FILES.map((file) => ({
      ...file,
      ...("path" in file ? { path: `conf/${slug}.conf` } : {}),
      // Each its own: a shell that reads two files keeps the later one's variables.
      ...("prefix" in file ? { prefix: `${slug.toUpperCase()}_` } : {}),
    }));

  function changingRegistry(): Registry {
    const definition = draft();
    definition.secrets = {
      "admin/db": definition.secrets["admin/db"],
      "db/app": { ...definition.secrets["db/app"], files: filesOf("db") },
      "redis/app": {
        ...redisToken(),
        environments: { prod: { presence: "absent" } },
        admin: "admin/db",
        settings: { host: "redis.example.com", engine: "acl", user: "app" },
        files: filesOf("redis"),
      },
      "misc/token": {
        ...genericPassword(),
        settings: {
          fields: ["apiToken", "pin", "api-key"],
          config: { baseUrl: "https://now.example.com", "log-level": 3 },
        },
        files: filesOf("token"),
      },
    };
    definition.accessRules = {};
    // An account of its own beside those of the other environments here.
    return defineRegistry(
      JSON.parse(JSON.stringify(definition).replaceAll("111122223333", "555566667777")),
    ) as Registry;
  }

  /** By secret: a value that says nothing, and one that other settings made, with what files show of each. */
  const CASES = {
    "db/app": {
      slug: "db",
      value: { username: "app_a", password: "p'1" },
      shown: { host: "db.dev.example.com", port: 5432, database: "app" },
      kept: { host: "old.example.com", port: 6432, database: "former", role: "app" },
      shownKept: { host: "old.example.com", port: 6432, database: "former" },
      env: { DB_HOST: "old.example.com", DB_PORT: "6432", DB_DATABASE: "former", DB_PASSWORD: "p'1" },
    },
    "redis/app": {
      slug: "redis",
      value: { password: "p2" },
      shown: { host: "redis.example.com", port: 6379, tls: true, user: "app" },
      // A replication group has no user.
      kept: { host: "cache.example.com", port: 6379, engine: "elasticache", replicationGroup: "app" },
      shownKept: { host: "cache.example.com", port: 6379, tls: true },
      env: {
        REDIS_HOST: "cache.example.com",
        REDIS_PORT: "6379",
        REDIS_TLS: "true",
        REDIS_USER: "",
        REDIS_PASSWORD: "p2",
      },
    },
    "misc/token": {
      slug: "token",
      value: { apiToken: "t'3", pin: "4", "api-key": "k5" },
      shown: { baseUrl: "https://now.example.com", "log-level": 3 },
      kept: {
        fields: ["apiToken", "api-key"],
        config: { baseUrl: "https://then's.example.com", isOld: false, "log-level": 2 },
      },
      shownKept: { baseUrl: "https://then's.example.com", isOld: false, "log-level": 2 },
      env: {
        TOKEN_BASE_URL: "https://then's.example.com",
        TOKEN_IS_OLD: "false",
        TOKEN_LOG_LEVEL: "2",
        TOKEN_API_TOKEN: "t'3",
        TOKEN_API_KEY: "k5",
        TOKEN_PIN: "",
      },
    },
  } as const;

  test("stand in its files, in each format; where it says nothing, the registry's do", async () => {
    const environment = await rehearse(changingRegistry(), "dev", group, aws);
    const { vault, start, file } = podOf(environment, "backend", "pod-of-other-settings");
    const read = (path: string) => readFileSync(file(path), "utf8");
    const entries = Object.entries(CASES);
    for (const [key, { value }] of entries) await put(vault, `kv-dev/data/${key}`, 2, value);
    const sidecar = start("sidecar");
    const paths = entries.flatMap(([key, { slug }]) => [`${key}.json`, `${key}.env`, `conf/${slug}.conf`]);
    await waitFor("rendering", () => paths.every((path) => isWhole(file(path))), sidecar.logFile);
    for (const [key, { slug, value, shown }] of entries) {
      expect(JSON.parse(read(`${key}.json`))).toEqual({ ...shown, ...value });
      expect(read(`conf/${slug}.conf`)).toBe("none");
    }

    for (const [key, { value, kept }] of entries) {
      // A field that the settings of then did not have is not in the value, either.
      const { pin: _, ...fields } = value as { readonly pin?: string };
      await put(vault, `kv-dev/data/${key}`, 3, { ...fields, _settings: kept });
    }
    await waitFor(
      "rendering of the other settings",
      () => entries.every(([, { slug }]) => read(`conf/${slug}.conf`) !== "none"),
      sidecar.logFile,
    );
    for (const [key, { slug, value, kept, shownKept, env }] of entries) {
      const { pin: _, ...fields } = value as { readonly pin?: string };
      expect(JSON.parse(read(`conf/${slug}.conf`))).toEqual(kept);
      expect(JSON.parse(read(`${key}.json`))).toEqual({ ...shownKept, ...fields });
      const shell = execFileSync(
        "sh",
        [
          "-c",
          `. "$0"; for name in "$@"; do eval "printf '%s\\n' \\"\\$$name\\""; done`,
          file(`${key}.env`),
          ...Object.keys(env),
        ],
        { encoding: "utf8" },
      );
      expect(shell.trimEnd().split("\n")).toEqual(`${Object.values(env).join("\n")}`.trimEnd().split("\n"));
    }
    await sidecar.stop();
  }, 120_000);
});

describe("an agent that stays, without Vault's policy `default`", () => {
  const TOKEN_SECONDS = 3;
  const LEASE_SECONDS = 4;

  function leasingRegistry(): Registry {
    const definition = draft();
    definition.secrets["db/ro"] = { ...vaultDatabase(), environments: { prod: { presence: "absent" } } };
    return defineRegistry(definition) as Registry;
  }

  test("renews its token and the user that Vault made for it, and may do nothing else", async () => {
    const postgres = await startPostgres({ group });
    const environment = await rehearse(leasingRegistry(), "dev", group, aws, postgres);
    const { plan, vault, root, start, file } = podOf(environment, "backend", "pod-that-stays");
    const asRoot = callWith(vault, vault.rootToken);
    for (const { mount, name } of plan.vaults.flatMap(({ roles }) => roles))
      await asRoot("POST", `auth/${mount}/role/${name}`, { token_ttl: TOKEN_SECONDS });
    for (const { mount, roles } of plan.vaults.flatMap(({ databases }) => databases))
      for (const { name } of roles)
        await asRoot("POST", `${mount}/roles/${name}`, { default_ttl: LEASE_SECONDS });

    const sidecar = start("sidecar");
    await waitFor("rendering", () => isWhole(file("db/ro.json")), sidecar.logFile);
    const token = readFileSync(join(root, "home-sidecar/.vault-token"), "utf8");
    const user = readFileSync(file("db/ro.json"), "utf8");
    const leases = async () =>
      (await asRoot("LIST", "sys/leases/lookup/database-dev/creds/db--ro")) as object;
    const first = await leases();

    // Older than it would be without renewals, twice over.
    const age = async (): Promise<number> => {
      const { creation_time, last_renewal_time } = (await asRoot("POST", "auth/token/lookup", { token })) as {
        readonly creation_time: number;
        readonly last_renewal_time?: number;
      };
      return (last_renewal_time ?? creation_time) - creation_time;
    };
    while ((await age()) < 2 * Math.max(TOKEN_SECONDS, LEASE_SECONDS)) await sleep(200);
    expect(await leases()).toEqual(first);
    expect(readFileSync(file("db/ro.json"), "utf8")).toBe(user);
    expect(readFileSync(join(root, "home-sidecar/.vault-token"), "utf8")).toBe(token);

    const withToken = callWith(vault, token);
    await expect(withToken("GET", "kv-dev/data/db/app")).resolves.toBeDefined();
    for (const [method, path, body] of OF_DEFAULT) {
      const refusal = await withToken(method, path, body).then(() => undefined, isRefusal);
      expect([path, refusal]).toEqual([path, true]);
    }
    await sidecar.stop();
  }, 120_000);

  /** Calls that the policy `default` would allow besides. */
  const OF_DEFAULT: readonly Parameters<ReturnType<typeof callWith>>[] = [
    ["GET", "auth/token/lookup-self"],
    ["POST", "auth/token/revoke-self", {}],
    ["POST", "sys/capabilities-self", { paths: ["kv-dev/data/db/app"] }],
    ["POST", "cubbyhole/note", { text: "x" }],
    ["POST", "sys/wrapping/wrap", { text: "x" }],
    ["POST", "sys/tools/random", { bytes: 8 }],
  ];
});

describe("a pod with a user that Vault makes for each of its two agents", () => {
  const TOKEN_SECONDS = 6;

  test("has the sidecar's in its file when the init container's has ended with its token", async () => {
    const definition = draft();
    definition.secrets["db/ro"] = { ...vaultDatabase(), environments: { dev: { presence: "absent" } } };
    const registry = defineRegistry(
      JSON.parse(JSON.stringify(definition).replaceAll("444455556666", "888877776666")),
    ) as Registry;
    const postgres = await startPostgres({ group });
    const environment = await rehearse(registry, "prod", group, aws, postgres);
    const { plan, vault, start, file } = podOf(environment, "backend", "pod-of-two-agents");
    const asRoot = callWith(vault, vault.rootToken);
    for (const { mount, name } of plan.vaults.flatMap(({ roles }) => roles))
      await asRoot("POST", `auth/${mount}/role/${name}`, { token_ttl: TOKEN_SECONDS });
    const client = new Client(postgres.superuser);
    await client.connect();
    const users = async (): Promise<readonly string[]> => {
      const { rows } = await client.query<{ rolname: string }>(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-db--ro-%' ORDER BY rolname",
      );
      return rows.map(({ rolname }) => rolname);
    };
    const shown = () => JSON.parse(readFileSync(file("db/ro.json"), "utf8")).username as string;

    const init = start("init");
    await init.ended;
    const first = shown();
    expect(await users()).toEqual([first]);
    const sidecar = start("sidecar");
    await waitFor("the sidecar's own user", () => shown() !== first, sidecar.logFile);
    const second = shown();
    expect(await users()).toEqual([first, second].sort());
    // Nobody renews what the init container had.
    for (const end = Date.now() + 20_000; (await users()).length > 1 && Date.now() < end; ) await sleep(300);
    expect(await users()).toEqual([second]);
    expect(shown()).toBe(second);
    await client.end();
    await sidecar.stop();
  }, 120_000);
});

describe("a reload command", () => {
  const registryWith = (command: string, account: string): Registry => {
    const definition = draft();
    definition.workloads.backend.reload = { how: "command", command };
    definition.workloads.backend.secretVolumePath = "/etc/app/secrets";
    return defineRegistry(
      JSON.parse(JSON.stringify(definition).replaceAll("111122223333", account)),
    ) as Registry;
  };

  test("is tried until the application takes it, after a restart of the agent too, and never in init", async () => {
    const place = join(group.folder, "application");
    mkdirSync(place);
    const ran = join(place, "ran");
    const seen = (): readonly string[] =>
      existsSync(ran) ? readFileSync(ran, "utf8").trim().split("\n") : [];
    // Takes the value only while the application is there, and says which one.
    writeFileSync(
      join(place, "reload"),
      `echo try >>${place}/tries; test -e ${place}/up && test "$1" = 'a,b' && cat "$2" >>${ran} && echo >>${ran}`,
    );
    const command = `sh ${place}/reload 'a,b' /etc/app/secrets/db/app.json`;
    const environment = await rehearse(registryWith(command, "222233334444"), "dev", group, aws);
    const { vault, root, start } = podOf(environment, "backend", "pod-that-reloads", { commands: "run" });
    const tries = (): number =>
      existsSync(`${place}/tries`) ? readFileSync(`${place}/tries`, "utf8").split("\n").length - 1 : 0;

    const init = start("init");
    await init.ended;
    expect(isWhole(join(root, "etc/app/secrets/db/app.json"))).toBe(true);
    expect(tries()).toBe(0);

    // The application is down when the agent begins, and when the value changes.
    const first = start("sidecar");
    await waitFor("a try", () => tries() >= 1, first.logFile);
    await put(vault, "kv-dev/data/db/app", 2, { username: "app_b", password: "new" });
    await waitFor(
      "rendering",
      () => readFileSync(join(root, "etc/app/secrets/db/app.json"), "utf8").includes("app_b"),
      first.logFile,
    );
    await first.stop();
    // Nothing changes any more.
    const second = start("sidecar");
    const before = tries();
    await waitFor("a try of the agent that started anew", () => tries() > before, second.logFile);
    expect(seen()).toEqual([]);
    writeFileSync(`${place}/up`, "");
    await waitFor("the reload", () => seen().length > 0, second.logFile);
    const [value = ""] = seen();
    expect(JSON.parse(value)).toMatchObject({ username: "app_b" });

    // Once is enough.
    await sleep(6_000);
    expect(seen()).toHaveLength(1);
    await second.stop();
  }, 120_000);

  test("is named and not run on the machine of a rehearsal", async () => {
    const mark = join(group.folder, "ran-on-this-machine");
    const environment = await rehearse(registryWith(`touch '${mark}'`, "333344445555"), "dev", group, aws);
    const { start } = podOf(environment, "backend", "pod-on-this-machine");
    await start("init").ended;
    const sidecar = start("sidecar");
    await waitFor("its name", () => readFileSync(sidecar.logFile, "utf8").includes("would have run: "));
    expect(readFileSync(sidecar.logFile, "utf8")).toContain("touch ");
    await sidecar.stop();
    expect(existsSync(mark)).toBe(false);
  }, 60_000);
});
