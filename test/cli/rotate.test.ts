import { randomBytes } from "node:crypto";
import type { RotationReport } from "../../lib/cli/verbs/direct-rotation";
import { ServerGroup } from "../../packages/rehearsal/src/servers";
import { DeployedRegistry, OPERATOR, QUICK } from "./deployed-registry";
import { cli as onOwnRegistry } from "./run-cli";

jest.setTimeout(120_000);

let group: ServerGroup;
let deployed: DeployedRegistry;
let printed = "";
const supplied: string[] = [];

beforeAll(async () => {
  group = ServerGroup.open();
  deployed = await DeployedRegistry.deploy(group);
  const { code } = await deployed.cli(["bootstrap", "--env", "dev", "--values-from", "stdin"], {
    input: deployed.firstValues,
  });
  expect(code).toBe(0);
}, 300_000);

afterAll(() => group?.stop(), 60_000);

async function rotate(
  key: string,
  args: readonly string[] = [],
  settings: Parameters<DeployedRegistry["cli"]>[1] = {},
) {
  const result = await deployed.cli(["rotate", key, "--env", "dev", "--direct", ...args], settings);
  printed += result.out + result.err;
  return result;
}

/** Runs `rotate --format json`. */
async function report(
  key: string,
  ...args: readonly string[]
): Promise<RotationReport & { readonly code: number }> {
  const { code, out } = await rotate(key, [...args, "--format", "json"]);
  return { code, ...JSON.parse(out) };
}

const newToken = (): string => {
  const token = randomBytes(24).toString("base64url");
  supplied.push(token);
  return token;
};

const startedByOperator = (): number =>
  deployed.shim.calls.all.filter(
    ({ principal, action }) => principal === OPERATOR && action === "secretsmanager:RotateSecret",
  ).length;

test("an automatic kind: too early, then rotated by Secrets Manager, in Vault, and the old one ended when its time has come", async () => {
  const early = await report("db/app");
  expect(early).toMatchObject({ code: 1, outcome: "too-early", fault: { code: "overlap-running" } });
  expect(early.fault?.message).toMatch(/rotate is possible from 2\d{3}-.*Z/);
  expect(Object.keys(await deployed.labels("dev", "db/app"))).toHaveLength(1);

  await deployed.ageConfirmation("dev", "db/app");
  const before = await deployed.value("dev", "db/app");
  const done = await report("db/app");
  expect(done).toMatchObject({ code: 0, outcome: "done", rotation: "automatic", verified: true });
  expect(done.next).toMatch(/The old credential can be ended from .*--phase decommission\.$/);
  const after = await deployed.value("dev", "db/app");
  expect(after.username).not.toBe(before.username);
  expect(await deployed.inVault("dev", "db/app")).toMatchObject(after);
  expect([await deployed.logsIn(before), await deployed.logsIn(after)]).toEqual([true, true]);

  expect(await report("db/app", "--phase", "decommission")).toMatchObject({ code: 1, outcome: "too-early" });
  expect(await deployed.logsIn(before)).toBe(true);
  await deployed.ageConfirmation("dev", "db/app");
  for (const _ of ["once", "and again"]) {
    expect(await report("db/app", "--phase", "decommission")).toMatchObject({ code: 0, outcome: "done" });
    expect([await deployed.logsIn(before), await deployed.logsIn(after)]).toEqual([false, true]);
  }
  expect(await report("db/app", "--phase", "verify")).toMatchObject({ code: 0, outcome: "done" });
});

test("a rotation that Secrets Manager has given up is found, and finished without another one", async () => {
  await deployed.ageConfirmation("dev", "crypto/session");
  const functionArn = deployed.functionOf("dev", "crypto/session");
  let cut = true;
  deployed.shim.faults.on(
    ({ caller, action }) =>
      cut && caller?.functionArn === functionArn && action === "secretsmanager:PutSecretValue",
    { kind: "server-error" },
    Number.POSITIVE_INFINITY,
  );
  const impatient = { ...QUICK, patienceMs: () => 3_000 };
  const failed = await rotate("crypto/session", ["--format", "json"], { pace: impatient });
  expect(failed.code).toBe(1);
  expect(JSON.parse(failed.out)).toMatchObject({ outcome: "failed", fault: { code: "unexpected" } });
  expect(failed.out).toContain("secretsmanager:PutSecretValue of ");
  cut = false;
  const started = startedByOperator();
  const { code, out } = await rotate("crypto/session", ["--format", "json"], { pace: impatient });
  expect({ code, outcome: JSON.parse(out).outcome }).toEqual({ code: 0, outcome: "followed" });
  expect(startedByOperator()).toBe(started);
  expect(Object.values(await deployed.labels("dev", "crypto/session")).flat()).not.toContain("AWSPENDING");
});

test("manual dual publish: each phase when its time has come, and each again changes nothing", async () => {
  const key = "crypto/webhook";
  expect(await report(key, "--phase", "publish")).toMatchObject({ code: 1, outcome: "too-early" });
  await deployed.ageConfirmation("dev", key);
  const first = await deployed.value("dev", key);
  expect(await report(key, "--phase", "publish")).toMatchObject({ code: 0, outcome: "done", verified: true });
  const published = await deployed.value("dev", key);
  expect(published).toMatchObject({ current: first.current, next: { key: expect.any(String) } });
  expect(await report(key, "--phase", "publish")).toMatchObject({ code: 0, outcome: "already-done" });

  const early = await report(key, "--phase", "promote");
  expect(early).toMatchObject({ code: 1, outcome: "too-early" });
  expect(early.fault?.message).toContain("promote is possible from");
  await deployed.ageConfirmation("dev", key);
  expect(await report(key, "--phase", "promote")).toMatchObject({ code: 0, outcome: "done" });
  const promoted = await deployed.value("dev", key);
  expect(promoted).toMatchObject({ current: published.next, previous: first.current, next: null });
  expect(await report(key, "--phase", "promote")).toMatchObject({ code: 0, outcome: "already-done" });
  expect(await deployed.value("dev", key)).toEqual(promoted);

  expect(await report(key, "--phase", "decommission")).toMatchObject({ code: 1, outcome: "too-early" });
  const hurried = await rotate(key, ["--phase", "decommission", "--emergency", "--yes"]);
  expect(hurried.code).toBe(0);
  expect(hurried.err).toContain("Emergency: crypto/webhook in dev is rotated without waiting");
  expect(await deployed.value("dev", key)).toMatchObject({ current: published.next, previous: null });
  expect(await report(key, "--phase", "decommission")).toMatchObject({ code: 0, outcome: "already-done" });
});

test("a rollback goes back once, however often it is asked for", async () => {
  await deployed.ageConfirmation("dev", "jwt/signing");
  const before = await deployed.value("dev", "jwt/signing");
  expect(await report("jwt/signing", "--phase", "publish")).toMatchObject({ code: 0 });
  // The sweep may take the run back before the first call does. Whoever asks again meets the run that has gone back; nothing moves.
  for (const wanted of [["done", "already-done"], ["already-done"], ["already-done"]]) {
    const { outcome, fault } = await report("jwt/signing", "--phase", "rollback");
    expect(wanted).toContain(fault?.code ?? outcome);
    expect(await deployed.value("dev", "jwt/signing")).toEqual(before);
  }
});

test("an operator's value: from stdin, met again by the same command, or typed without being shown", async () => {
  const token = newToken();
  const fromStdin = () =>
    rotate("legacy/api", ["--value-from", "stdin", "--format", "json"], { input: { token } });
  const first = await fromStdin();
  expect({ code: first.code, ...JSON.parse(first.out) }).toMatchObject({
    code: 0,
    outcome: "done",
    verified: true,
  });
  expect(await deployed.inVault("dev", "legacy/api")).toMatchObject({ token });
  const again = await fromStdin();
  expect(JSON.parse(again.out)).toMatchObject({
    outcome: "already-done",
    version: JSON.parse(first.out).version,
  });

  const typed = newToken();
  const { code } = await rotate("legacy/api", [], { answers: [typed] });
  expect(code).toBe(0);
  expect(deployed.asked).toEqual([{ question: "legacy/api, token (not shown): ", hidden: true }]);
  // The function completes what was supplied, by the settings that made it.
  expect(await deployed.value("dev", "legacy/api")).toEqual({ token: typed, _settings: expect.anything() });
});

test("a value that the target refuses is not promoted, and a good one takes its place", async () => {
  const before = await deployed.value("dev", "admin/db");
  const bad = { username: "rotation_admin", password: newToken() };
  const refused = await rotate("admin/db", ["--value-from", "stdin", "--format", "json"], { input: bad });
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.out)).toMatchObject({ outcome: "failed", fault: { code: "target-refused" } });
  expect(await deployed.value("dev", "admin/db")).toEqual(before);
  const password = newToken();
  await deployed.changePassword("rotation_admin", password);
  const good = await rotate("admin/db", ["--value-from", "stdin"], { input: { ...bad, password } });
  expect(good.code).toBe(0);
});

test.each<{ what: string; args: readonly string[]; input?: unknown; tells: string }>([
  { what: "an unknown key", args: ["db/ap"], tells: 'Unknown secret "db/ap". Did you mean "db/app"?' },
  {
    what: "a manual kind without a phase",
    args: ["jwt/signing"],
    tells: "Begin with: secrets-registry rotate jwt/signing --env dev --phase publish",
  },
  {
    what: "publish of an automatic kind",
    args: ["db/app", "--phase", "publish"],
    tells: "its rotation is automatic",
  },
  {
    what: "promote of an automatic kind",
    args: ["db/app", "--phase", "promote"],
    tells: "promote by themselves",
  },
  {
    what: "a value for an automatic kind",
    args: ["db/app", "--value-from", "stdin"],
    tells: "nobody supplies it",
  },
  {
    what: "a value for a phase",
    args: ["legacy/api", "--phase", "verify", "--value-from", "stdin"],
    tells: "takes no value",
  },
  {
    what: "a version without a phase",
    args: ["db/app", "--version-id", "x"],
    tells: "--version-id names the version of --phase",
  },
  {
    what: "an emergency of an automatic rotation",
    args: ["db/app", "--emergency"],
    tells: "leave --direct out: secrets-registry rotate db/app --env dev --emergency",
  },
  {
    what: "an emergency that skips nothing",
    args: ["db/app", "--phase", "verify", "--emergency"],
    tells: "nothing to skip",
  },
  { what: "nobody to ask", args: ["legacy/api"], tells: 'Pipe {"token": …} as JSON into' },
  {
    what: "another field",
    args: ["legacy/api", "--value-from", "stdin"],
    input: { canary: "canary" },
    tells: "value-malformed: what was supplied: token, a field that is not known",
  },
  {
    what: "an empty value",
    args: ["legacy/api", "--value-from", "stdin"],
    input: { token: "" },
    tells: "what was supplied: token",
  },
  {
    what: "a text",
    args: ["legacy/api", "--value-from", "stdin"],
    input: "canary",
    tells: "the whole value",
  },
])("$what is the caller's fault", async ({ args: [key = "", ...args], input, tells }) => {
  const labels = await deployed.labels("dev", "legacy/api");
  const { code, out, err } = await rotate(key, args, { input });
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(tells);
  expect(err).not.toMatch(/canary|\n {4}at /);
  expect(await deployed.labels("dev", "legacy/api")).toEqual(labels);
});

test.each([
  [["db/reporting-ro", "--env", "prod"], "db/reporting-ro is Vault's own"],
  [["crypto/webhook", "--env", "dev"], "dev does not have crypto/webhook; stage and prod have"],
  [["db/app-primary", "--env", "qa"], 'Unknown environment "qa"'],
])("%j needs no cloud to be refused", async (args, tells) => {
  const { code, err } = await onOwnRegistry("rotate", ...args);
  expect(code).toBe(2);
  expect(err).toContain(tells);
});

test("credentials of another account, of nobody and without rights are told apart", async () => {
  const other = await rotate("db/app", [], {
    credentials: { accessKeyId: "999988887777", secretAccessKey: "test" },
  });
  expect(other).toMatchObject({
    code: 2,
    err: expect.stringContaining("belong to account 999988887777, and dev is account 111122223333"),
  });
  const unknown = await rotate("db/app", [], {
    credentials: { accessKeyId: "AKIAUNKNOWN000000000", secretAccessKey: "x" },
  });
  expect(unknown).toMatchObject({
    code: 2,
    err: expect.stringContaining("AWS has no good credentials from you"),
  });
  const powerless = await rotate("db/app", [], { credentials: await deployed.powerless() });
  expect(powerless).toMatchObject({
    code: 2,
    err: expect.stringContaining("may not do secretsmanager:DescribeSecret on dev/db/app"),
  });
  const notDeployed = await deployed.cli(["rotate", "db/app", "--env", "later", "--direct"]);
  expect(notDeployed).toMatchObject({
    code: 2,
    err: expect.stringContaining("There is no secret later/db/app"),
  });
});

test("no command has printed a value", async () => {
  const values = [...supplied, ...(await deployed.valueTexts("dev"))];
  expect(values.length).toBeGreaterThan(15);
  expect(values.filter((value) => printed.includes(value))).toEqual([]);
});
