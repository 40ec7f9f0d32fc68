import { AwsRotationCloud } from "../../lib/cli/cloud/aws-rotation-cloud";
import type { Places } from "../../lib/cli/cloud/places";
import type { RotationCloud } from "../../lib/cli/cloud/rotation-cloud";
import { plainProgress } from "../../lib/cli/render/progress";
import { type BootstrapReport, bootstrap } from "../../lib/cli/verbs/bootstrap";
import { checkEnvironment } from "../../lib/cli/verbs/bootstrap-checks";
import { USED_UP } from "../../lib/model/supplied-values";
import { ServerGroup } from "../../packages/rehearsal/src/servers";
import { ADOPTED_KID, DeployedRegistry, OPERATOR, QUICK, withCredentials } from "./deployed-registry";
import { FakeTerminal } from "./fake-terminal";

jest.setTimeout(180_000);

const KEYS = ["admin/db", "crypto/session", "crypto/webhook", "db/app", "jwt/signing", "legacy/api"];
const FROM_STDIN = ["--values-from", "stdin", "--format", "json"];
/** A proof, by its form. */
const PROOF = /^VERIFIED\.[0-9a-f]{64}$/;

let group: ServerGroup;
let deployed: DeployedRegistry;
/** Everything that any command has printed. */
let printed = "";

beforeAll(async () => {
  group = ServerGroup.open();
  deployed = await DeployedRegistry.deploy(group);
}, 300_000);

afterAll(() => group?.stop(), 60_000);

async function cli(...[args, settings]: Parameters<DeployedRegistry["cli"]>) {
  const result = await deployed.cli(args, settings);
  printed += result.out + result.err;
  return result;
}

const CHANGES = ["secretsmanager:PutSecretValue", "secretsmanager:RotateSecret", "lambda:InvokeFunction"];

/** Calls by the operator that change something, made while something is done. */
async function changesDuring(work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = deployed.shim.calls.all.length;
  await work();
  return deployed.shim.calls.all
    .slice(before)
    .filter(({ principal, action }) => principal === OPERATOR && CHANGES.includes(action))
    .map(({ action }) => action);
}

const noVersions = async (): Promise<boolean> =>
  (await Promise.all(KEYS.map((key) => deployed.labels("dev", key)))).every(
    (labels) => Object.keys(labels).length === 0,
  );

describe("before anything is written", () => {
  test.each<{ what: string; input?: unknown; tells: readonly string[] }>([
    {
      what: "no values and nobody to ask",
      tells: [
        'admin/db: no value. Its form: {"username": …, "password": …}.',
        'legacy/api: no value. Its form: {"token": …}.',
        "--values-from stdin",
      ],
    },
    { what: "an empty document", input: {}, tells: ["admin/db: no value", "legacy/api: no value"] },
    {
      what: "a value for which Secrets Manager has no room",
      input: { "legacy/api": { token: "canary".repeat(12_000) } },
      tells: [
        "admin/db: no value",
        "legacy/api: value-malformed: what was supplied: the value takes 72",
        "and Secrets Manager takes 65536",
      ],
    },
    { what: "a list", input: ["canary-of-a-list"], tells: ["holds no object by keys"] },
    {
      what: "every sort of wrong entry",
      input: {
        "admin/db": { username: "rotation_admin", pasword: "canary-of-a-typo" },
        "legacy/ap": { token: "canary-of-a-key" },
        "crypto/webhook": { key: "canary-of-a-made-one" },
        "legacy/api": "canary-of-a-text",
      },
      tells: [
        "admin/db: value-malformed: what was supplied: password, a field that is not known",
        'Unknown secret "legacy/ap". Did you mean "legacy/api"?',
        "crypto/webhook: its rotation makes the value",
        "legacy/api: value-malformed: what was supplied: the whole value",
      ],
    },
  ])("$what: everything is told at once, and nothing is written", async ({ input, tells }) => {
    const { code, out, err } = await cli(
      ["bootstrap", "--env", "dev", ...(input === undefined ? [] : ["--values-from", "stdin"])],
      { input },
    );
    expect(code).toBe(2);
    expect(out).toBe("");
    for (const text of tells) expect(err).toContain(text);
    expect(err).not.toContain("canary");
    expect(await noVersions()).toBe(true);
  });

  test("a sealed Vault ends it with 1", async () => {
    await deployed.vault.seal();
    try {
      const { code, err } = await cli(["bootstrap", "--env", "dev", ...FROM_STDIN], {
        input: deployed.firstValues,
      });
      expect(code).toBe(1);
      expect(err).toMatch(
        /dev is not ready for its first rotations; nothing was changed:\n {2}Vault main .* is sealed\. Unseal it\./,
      );
    } finally {
      await deployed.vault.unseal();
    }
    expect(await noVersions()).toBe(true);
  });

  test("checks tell what is missing, wrong and out of reach", async () => {
    const plan = deployed.plan("dev");
    const nothing: RotationCloud = {
      ...({} as RotationCloud),
      describe: async () => undefined,
      hasFunction: async () => false,
      hasTable: async () => false,
    };
    const answers = (vault: Awaited<ReturnType<Places["get"]>>, issuer: typeof vault): Places => ({
      get: async (url) => (url.includes("sys/health") ? vault : issuer),
    });
    const foreign = { reached: true, status: 200, body: '{"issuer":"https://other.example.com"}' } as const;
    const untrusted = { reached: false, trusted: false, reason: "SELF_SIGNED_CERT_IN_CHAIN" } as const;
    const away = { reached: false, trusted: true, reason: "ECONNREFUSED" } as const;
    const bad = await checkEnvironment(plan, nothing, answers(untrusted, foreign));
    expect(bad.faults).toHaveLength(KEYS.length + plan.functions.length + 3);
    expect(bad.faults.join("\n")).toMatch(/names "https:\/\/other\.example\.com", and the registry/);
    expect(bad.faults.join("\n")).toContain(
      "certificate that its CA did not make (SELF_SIGNED_CERT_IN_CHAIN)",
    );
    const silent = await checkEnvironment(plan, nothing, answers(away, away));
    expect(silent.warnings).toHaveLength(2);
    for (const [status, text] of [
      [501, "is not initialised"],
      [404, "answered 404"],
    ] as const) {
      const { faults } = await checkEnvironment(
        plan,
        nothing,
        answers({ reached: true, status, body: "" }, away),
      );
      expect(faults.join("\n")).toContain(text);
    }
    for (const status of [200, 429, 472, 473]) {
      const { faults } = await checkEnvironment(
        plan,
        nothing,
        answers({ reached: true, status, body: "" }, away),
      );
      expect(faults.join("\n")).not.toContain("Vault main");
    }
  });
});

test("bootstrap gives every secret a proved value, and every Vault serves it; a second one does nothing", async () => {
  const first = await cli(["bootstrap", "--env", "dev", ...FROM_STDIN], { input: deployed.firstValues });
  const report = JSON.parse(first.out) as BootstrapReport;
  expect({ code: first.code, complete: report.complete }).toEqual({ code: 0, complete: true });
  expect(report.secrets.map(({ secret, did }) => [secret, did])).toEqual([
    ["admin/db", "supplied"],
    ["crypto/session", "made"],
    ["crypto/webhook", "made"],
    ["db/app", "made"],
    ["jwt/signing", "supplied"],
    ["legacy/api", "supplied"],
  ]);
  for (const { secret, version = "", confirmedAt } of report.secrets) {
    expect(await deployed.fingerprintsOf("dev", secret)).toMatchObject({ secret, versionId: version });
    expect((await deployed.labels("dev", secret))[version]).toEqual(
      expect.arrayContaining(["AWSCURRENT", expect.stringMatching(PROOF)]),
    );
    expect(confirmedAt).toMatch(/^2\d{3}-.*Z$/);
  }
  // The organisation's key goes on under its own name, and nothing of it stays where it was supplied.
  const adopted = await deployed.value("dev", "jwt/signing");
  expect([adopted.current.kid, adopted.next, adopted.previous]).toEqual([ADOPTED_KID, null, null]);
  expect((await deployed.inVault("dev", "jwt/signing")).jwks).toMatchObject({ keys: [{ kid: ADOPTED_KID }] });
  expect(await deployed.inboxTexts("dev", "jwt/signing")).toEqual([USED_UP]);
  const { username } = await deployed.value("dev", "db/app");
  expect(username).toMatch(/^app_[ab]$/);
  expect(await deployed.inVault("dev", "db/app")).toMatchObject({ username });

  const changes = await changesDuring(async () => {
    const second = await cli(["bootstrap", "--env", "dev"]);
    expect(second.code).toBe(0);
    expect(second.out.match(/nothing to do/g)).toHaveLength(KEYS.length);
    expect(second.out).toContain("dev (account 111122223333) is ready: every secret is proved");
  });
  expect(changes).toEqual([]);
});

/** Moment at which the program dies: at the n-th changing call for one secret (or the mirror), counted from 1. */
interface Death {
  readonly subject: string;
  readonly at: number;
  readonly when: "before" | "after";
}

/** The dispatcher is asked by the secret's key, its function by its name, the mirror about all. */
const subjectOf = (event: object): string =>
  "SecretId" in event ? String(event.SecretId) : "Key" in event ? `test/${event.Key}` : "mirror";

/**
 * A cloud that the program does not survive: it dies as told, and whatever it has under way comes to nothing more. Calls for later
 * secrets are slow, so that the death is there before any of them.
 */
function dyingCloud(
  cloud: RotationCloud,
  { subject, at, when }: Death,
  { later, onDeath }: { readonly later: readonly string[]; readonly onDeath: () => void },
): RotationCloud {
  let calls = 0;
  let isDead = false;
  const dying = async <R>(about: string, call: () => Promise<R>): Promise<R> => {
    if (isDead || later.includes(about)) throw new Error("killed");
    if (about === subject) calls += 1;
    const dies = about === subject && calls === at;
    if (dies) {
      isDead = true;
      onDeath();
    }
    if (dies && when === "before") throw new Error("killed");
    const result = await call();
    if (isDead) throw new Error("killed");
    return result;
  };
  return {
    callerAccount: () => cloud.callerAccount(),
    callerArn: () => cloud.callerArn(),
    proofOf: (binding) => cloud.proofOf(binding),
    run: (table, secret, run) => cloud.run(table, secret, run),
    execution: (arn) => cloud.execution(arn),
    describe: (name) => cloud.describe(name),
    createdAt: (name) => cloud.createdAt(name),
    hasFunction: (name) => cloud.hasFunction(name),
    hasTable: (name) => cloud.hasTable(name),
    confirmedAt: (table, name, version) => cloud.confirmedAt(table, name, version),
    putIntoInbox: (name, version, value) =>
      dying(name.replace("/_inbox/", "/"), () => cloud.putIntoInbox(name, version, value)),
    startRotation: (name, version) => dying(name, () => cloud.startRotation(name, version)),
    invoke: (name, event) => dying(subjectOf(event), () => cloud.invoke(name, event)),
  };
}

test("interrupted before and after each call that changes something, and run again, it comes to the same", async () => {
  const places: Places = { get: async () => ({ reached: false, trusted: true, reason: "not asked here" }) };
  const subjects = ["admin/db", "crypto/session", "crypto/webhook", "jwt/signing", "legacy/api", "db/app"]
    .map((key) => `test/${key}`)
    .concat("mirror");
  let deaths = 0;
  const onDeath = () => {
    deaths += 1;
  };
  const runUntil = (death: Death): Promise<BootstrapReport | string> =>
    withCredentials(deployed.shim.endpoint, deployed.operator, async () => {
      const terminal = new FakeTerminal({ input: JSON.stringify(deployed.firstValues) });
      const later = subjects.slice(subjects.indexOf(death.subject) + 1);
      const host = {
        terminal,
        progress: plainProgress(terminal),
        pace: { ...QUICK, patienceMs: () => 2_000 },
        cloudIn: (region: string) => dyingCloud(new AwsRotationCloud({ region }), death, { later, onDeath }),
      };
      try {
        return await bootstrap(deployed.registry, { environment: "test", valuesFrom: "stdin" }, host, places);
      } catch (error) {
        if (error instanceof Error && error.message.startsWith("killed")) return error.message;
        throw error;
      } finally {
        printed += terminal.printed + terminal.told;
      }
    });
  let last: BootstrapReport | string = "";
  const changes = await changesDuring(async () => {
    for (const subject of subjects) {
      // A secret takes seven calls at most: a value, its steps, a look at what came of it, and its fingerprints.
      for (const at of [1, 2, 3, 4, 5, 6, 7]) {
        for (const when of ["before", "after"] as const) {
          last = await runUntil({ subject, at, when });
        }
      }
    }
  });
  process.stdout.write(`bootstrap: ${deaths} interruptions of a first deploy, one after the other\n`);
  expect(deaths).toBeGreaterThan(30);
  expect(changes.filter((action) => action === "secretsmanager:RotateSecret")).toHaveLength(2);
  for (const key of KEYS) {
    const labels = Object.values(await deployed.labels("test", key)).flat();
    expect(labels).toEqual(expect.arrayContaining(["AWSCURRENT", expect.stringMatching(PROOF)]));
  }
  const first = deployed.firstValues["admin/db"];
  expect(await deployed.value("test", "admin/db")).toEqual({ ...first, _settings: expect.anything() });
  expect(last).toMatchObject({ complete: true });
});

test("no command has printed a value", async () => {
  const values = [...(await deployed.valueTexts("dev")), ...(await deployed.valueTexts("test"))];
  expect(values.length).toBeGreaterThan(20);
  expect(printed.length).toBeGreaterThan(1_000);
  expect(values.filter((value) => printed.includes(value))).toEqual([]);
});
