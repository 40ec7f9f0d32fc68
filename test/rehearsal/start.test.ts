import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { blueprint } from "../../lib/blueprint";
import { renderRehearsal } from "../../packages/rehearsal/src/command";
import { secretsManager } from "../../packages/rehearsal/src/load";
import type { RehearsalReport } from "../../packages/rehearsal/src/rehearse/report";
import { defaultCacheFolder } from "../../packages/rehearsal/src/servers";
import { registry } from "../../registry";
import { smallRegistry } from "../fixtures/small-registry";

const ROOT = join(__dirname, "../..");
const CHECKED_OUT = [
  "lib",
  "registry",
  "stacks",
  "main.ts",
  "packages/rehearsal/src",
  "package-lock.json",
  "package.json",
  "tsconfig.json",
  "dist/functions",
];

/** Registry with what the organisation's own lacks: the first region, a Vault for each region, values that are made, ACL users. */
const OTHER = `
import { days, defineRegistry, minutes } from "./lib/model";
const role = (name: string) => \`arn:aws:iam::444455556666:role/\${name}\`;
const aws = { description: "A secret", owner: "team-a", store: "aws" } as const;
const cluster = (name: string, region: string, vault: string) => ({
  name, region, vault, issuer: \`https://oidc.example.com/id/\${name}\`, apiServer: \`https://\${name}.example.com\`,
});
export const registry = defineRegistry({
  id: "other",
  environments: {
    stage: {
      tier: "staging",
      account: "444455556666",
      awsTokenIssuer: "https://other.tokens.sts.global.api.aws",
      regions: { primary: "us-east-1", replicas: ["us-west-2"] },
      principals: { deployer: role("deployer"), operators: [role("operator")], approvers: [role("approver")] },
      vaults: [
        { name: "east", address: "https://east.example.com:8200", regions: ["us-east-1"] },
        { name: "west", address: "https://west.example.com:8200", regions: ["us-west-2"] },
      ],
      vaultAuth: "jwt",
      clusters: [cluster("one", "us-east-1", "east"), cluster("two", "us-west-2", "west")],
      refreshEvery: minutes(30),
    },
  },
  workloads: { api: { namespace: "web" }, job: { namespace: "batch", reload: { how: "redeploy" } } },
  secrets: {
    "admin/redis": { ...aws, kind: "generic", consumers: [], rotateEvery: days(90), rotation: "operator-assisted", settings: { fields: ["username", "password"] } },
    "cache/acl": { ...aws, kind: "redis-auth-token", consumers: ["job"], rotateEvery: days(60), admin: "admin/redis", settings: { host: "redis.example.com", engine: "acl", user: "app" } },
    "db/ro": { ...aws, store: "vault", kind: "postgresql-user", consumers: ["api"], rotateEvery: days(90), settings: { host: "db.example.com", database: "app", role: "ro", privileges: ["SELECT"] } },
    "hooks/key": { ...aws, kind: "hmac-key", consumers: ["api", "job"], rotateEvery: days(180), rotation: "manual-dual-publish" },
    "partner/made": { ...aws, kind: "generic", consumers: ["api"], rotateEvery: days(30), rotation: "operator-assisted", settings: { fields: ["token"], generate: { token: { how: "password", length: 32 } } } },
    "session/keys": { ...aws, kind: "generic", consumers: ["api", "job"], rotateEvery: days(1), settings: { fields: ["salt", "key"], generate: { key: { how: "bytes", bytes: 32 } } } },
    "tokens/rsa": { ...aws, kind: "jwt-signing-key", consumers: ["api"], rotateEvery: days(90), settings: { algorithm: "RS256" } },
  },
});
`;

/** A checkout in a folder whose name has a space, and what processes of these tests leave beside it. */
let checkout: string;
let leftovers: string;
let logs: string;

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), "start test-"));
  // PostgreSQL runs as another user when we are root, and must pass through.
  chmodSync(folder, 0o711);
  checkout = join(folder, "my checkout");
  leftovers = join(folder, "tmp");
  for (const path of [checkout, leftovers]) mkdirSync(path);
  for (const path of CHECKED_OUT) cpSync(join(ROOT, path), join(checkout, path), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(checkout, "node_modules"));
  writeFileSync(join(checkout, "small.ts"), smallRegistry("./lib/model"));
  writeFileSync(join(checkout, "other.ts"), OTHER);
  logs = join(defaultCacheFolder(), "logs");
});

afterAll(() => rmSync(join(checkout, ".."), { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** A rehearsal as `npm start` runs it, without npm. */
class Started {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #out = "";
  #err = "";

  constructor(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    const command = ["--import", "tsx", "packages/rehearsal/src/secrets-registry.ts", ...args];
    this.#child = spawn(process.execPath, command, {
      cwd: checkout,
      // A group of its own, as a shell makes one for a command: Ctrl-C reaches all of it.
      detached: true,
      env: {
        ...process.env,
        TMPDIR: leftovers,
        SECRETS_REGISTRY_CACHE: defaultCacheFolder(),
        ...environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#out += text;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#err += text;
    });
    this.ended = new Promise((resolve) => {
      this.#child.once("close", (code, signal) => resolve({ code, signal, out: this.#out, err: this.#err }));
    });
  }

  /** Resolves with all that it has said when it has said something. */
  async said(text: string): Promise<string> {
    let over = false;
    this.ended.then(() => {
      over = true;
    });
    while (!this.#err.includes(text)) {
      if (over) throw new Error(`it ended without saying ${text}:\n${this.#err}`);
      await sleep(50);
    }
    return this.#err;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
  }
}

/** Processes that were given the tests' own temporary folder, themselves or by who started them. */
function processes(): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(leftovers);
      } catch {
        return false;
      }
    });
}

/** Files that are left, but those that tsx has compiled: a cache of its own. */
const files = () => readdirSync(leftovers).filter((name) => !name.startsWith("tsx-"));
const rest = () => ({ files: files(), processes: existsSync("/proc/self") ? processes() : [] });
const NOTHING = { files: [], processes: [] };

/** Rest when whoever cleans up behind a dead process has had its time. */
async function restInTheEnd() {
  for (let round = 0; round < 200; round += 1) {
    const left = rest();
    if (left.files.length + left.processes.length === 0) return left;
    await sleep(100);
  }
  return rest();
}

describe("all environments at once", () => {
  const ENVIRONMENTS = ["dev", "stage", "prod"] as const;
  const reports = new Map<string, RehearsalReport>();
  let ends: ReadonlyMap<string, Ended>;

  beforeAll(async () => {
    const runs = ENVIRONMENTS.map(async (environment) => {
      const { ended } = new Started(["rehearse", "--env", environment, "--format", "json"]);
      return [environment, await ended] as const;
    });
    ends = new Map(await Promise.all(runs));
    for (const [environment, { out, err }] of ends) {
      try {
        reports.set(environment, JSON.parse(out) as RehearsalReport);
      } catch {
        throw new Error(`${environment} printed no report:\n${err}`);
      }
    }
  }, 280_000);

  test.each(ENVIRONMENTS)("%s is as the registry says", (environment) => {
    const report = reports.get(environment);
    expect(report?.differences).toEqual([]);
    expect(ends.get(environment)?.code).toBe(0);
    const { secrets } = blueprint(registry, environment);
    expect(
      report?.secrets.map(({ secret, regionsInSync, readBy }) => ({ secret, regionsInSync, readBy })),
    ).toEqual(
      secrets.map(({ key, regions, consumers }) => ({
        secret: key,
        regionsInSync: regions,
        readBy: consumers,
      })),
    );
    // Everybody else has tried it, in every region and Vault.
    expect(report?.secrets.filter(({ refusedAttempts }) => refusedAttempts === 0)).toEqual([]);
  });

  test("environments differ as the registry says: keys are published by hand in stage and prod", () => {
    const rotated = (key: string) =>
      ENVIRONMENTS.map((name) => reports.get(name)?.secrets.find(({ secret }) => secret === key)?.rotated);
    expect(rotated("jwt/signing")).toEqual(["automatic", "published and promoted", "published and promoted"]);
    expect(rotated("db/reporting-ro")).toEqual([undefined, expect.any(String), "by Vault"]);
  });

  test("without a terminal, progress is plain lines on standard error, with the steps in order", () => {
    const { err = "" } = ends.get("dev") ?? {};
    expect(err).not.toContain("\u001b");
    const steps = err.split("\n").filter((line) => line.endsWith(": done"));
    expect(steps.map((line) => line.replace(": done", ""))).toEqual(
      reports.get("dev")?.phases.map(({ phase }) => phase),
    );
  });

  test("nothing remains: no process, no file, no log", () => {
    expect(rest()).toEqual(NOTHING);
    expect(reports.get("prod")).not.toHaveProperty("logFolder");
  });

  test("the table tells a row that differs from one that does not, and says what was expected", () => {
    const report = reports.get("dev");
    if (!report) throw new Error("no report");
    expect(renderRehearsal(report, "text")).toMatch(
      /^db\/app-primary .* 2\/2 .* accepted +refused +2\/2 +\d+ +ok$/m,
    );
    const broken = {
      ...report,
      differences: [{ about: "db/app-primary", expected: "rain", seen: "sun", log: "/logs/aws.log" }],
    };
    const text = renderRehearsal(broken, "text");
    expect(text).toMatch(/^db\/app-primary .* DIFFERS$/m);
    expect(text).toContain("db/app-primary\n  expected: rain\n  seen:     sun\n  log:      /logs/aws.log");
    expect(text).toContain("dev is not as the registry says: 1 difference.");
  });
});

test("--keep says how to reach the servers, shows no password, and ends on Ctrl-C", async () => {
  const run = new Started(["--registry", "small.ts", "rehearse", "--keep"]);
  const said = await run.said("until you press Ctrl-C");
  const exported = (name: string): string => new RegExp(`export ${name}='([^']+)'`).exec(said)?.[1] ?? "";
  const client = secretsManager(
    {
      endpoint: exported("AWS_ENDPOINT_URL"),
      credentials: {
        accessKeyId: exported("AWS_ACCESS_KEY_ID"),
        secretAccessKey: exported("AWS_SECRET_ACCESS_KEY"),
        sessionToken: exported("AWS_SESSION_TOKEN"),
      },
    },
    exported("AWS_REGION"),
  );
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: "dev/partner/key" }));
  expect(Object.keys(JSON.parse(SecretString ?? "{}"))).toEqual(["key", "_settings"]);
  const tokenFile = /VAULT_TOKEN="\$\(cat '([^']+)'\)"/.exec(said)?.[1] ?? "";
  expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
  expect(said).not.toContain(readFileSync(tokenFile, "utf8"));
  expect(existsSync(exported("VAULT_CACERT"))).toBe(true);

  run.signal("SIGINT");
  const { code, out } = await run.ended;
  expect(code).toBe(0);
  expect(out).toContain("Everything in dev is as the registry says.");
  expect(rest()).toEqual(NOTHING);
}, 120_000);

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "stopped half-way by %s, it cleans up before it ends",
  async (signal) => {
    const before = existsSync(logs) ? readdirSync(logs) : [];
    const run = new Started(["--registry", "small.ts", "rehearse"]);
    await run.said("Loading Vaults");
    expect(rest()).not.toEqual(NOTHING);
    run.signal(signal);
    const { signal: by } = await run.ended;
    expect(by).toBe(signal);
    expect(rest()).toEqual(NOTHING);
    expect(readdirSync(logs).filter((name) => !before.includes(name))).toEqual([]);
  },
  120_000,
);

test("killed, it leaves nothing either", async () => {
  const run = new Started(["--registry", "small.ts", "rehearse"]);
  await run.said("Loading Vaults");
  run.signal("SIGKILL");
  await run.ended;
  expect(await restInTheEnd()).toEqual(NOTHING);
}, 120_000);

test("without Python it says what to install, at once, and nothing else", async () => {
  const { code, out, err } = await new Started(["rehearse"], { PATH: join(checkout, "nothing") }).ended;
  expect(code).toBe(2);
  expect(out).toBe("");
  expect(err).toContain("The embedded servers need Python 3.10 or newer");
  expect(err).toContain("apt install python3-venv");
  expect(err).not.toMatch(/^ +at /m);
  expect(rest()).toEqual(NOTHING);
}, 60_000);

test("another organisation's registry is rehearsed as well", async () => {
  const run = new Started(["--registry", "other.ts", "rehearse", "--env", "stage", "--format", "json"]);
  const { code, out } = await run.ended;
  const report = JSON.parse(out) as RehearsalReport;
  expect(report.differences).toEqual([]);
  expect(report.secrets.map(({ secret, rotated }) => [secret, rotated])).toEqual([
    ["admin/redis", "supplied"],
    ["cache/acl", "automatic"],
    ["db/ro", "by Vault"],
    ["hooks/key", "published and promoted"],
    ["partner/made", "supplied"],
    ["session/keys", "automatic"],
    ["tokens/rsa", "automatic"],
  ]);
  expect(code).toBe(0);
}, 180_000);

test("an environment that is not there is the caller's fault", async () => {
  const { code, err } = await new Started(["--registry", "small.ts", "rehearse", "--env", "moon"]).ended;
  expect(code).toBe(2);
  expect(err).toContain("moon");
}, 60_000);
