import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RotationCloud } from "../../lib/cli/cloud/rotation-cloud";
import { allRecords } from "../../lib/cli/cloud/s3-record-source";
import { newChange } from "../../lib/cli/verbs/change-request";
import { archiveLog } from "../../lib/cli/verbs/log-archive";
import { checkLog } from "../../lib/cli/verbs/log-check";
import {
  type ProcedureOptions,
  type ProcedureReport,
  rollBackRun,
  rotateByProcedure,
  rotationStatus,
} from "../../lib/cli/verbs/procedure-rotation";
import { rollout } from "../../lib/cli/verbs/rollout";
import type { RotationHost } from "../../lib/cli/verbs/rotate";
import { currentValue } from "../../lib/rehearsal/rehearse/rotate-all";
import { ServerGroup } from "../../lib/rehearsal/servers";
import {
  ANA,
  BEN,
  ENVIRONMENTS,
  type EnvironmentName,
  ProcedureWorld,
  registry,
} from "./rehearsed-procedure";

jest.setTimeout(240_000);

const today = new Date().toISOString().slice(0, 10);
const folder = mkdtempSync(join(tmpdir(), "procedure-"));
let group: ServerGroup;
let worlds: Readonly<Record<EnvironmentName, ProcedureWorld>>;

beforeAll(async () => {
  group = ServerGroup.open();
  const [dev, stage, prod] = await Promise.all(ENVIRONMENTS.map((name) => ProcedureWorld.of(name, group)));
  worlds = { dev, stage, prod } as typeof worlds;
}, 240_000);

afterAll(() => group?.stop(), 60_000);

/** Writes a change request. */
function changeFor(
  key: string,
  environments: readonly EnvironmentName[],
  { reason = "Quarterly rotation", day = today } = {},
) {
  const { change, text } = newChange(registry, {
    key,
    date: today,
    requester: ANA,
    approvers: [BEN],
    reason,
    schedule: Object.fromEntries(environments.map((name) => [name, day])),
  });
  const requests = join(folder, reason.replaceAll(" ", "-"));
  mkdirSync(requests, { recursive: true });
  const file = join(requests, `${change.id}.md`);
  writeFileSync(file, text);
  return { file, text };
}

/** A change request that CI has vouched for, everywhere. */
async function approvedFor(key: string, environments: readonly EnvironmentName[], reason?: string) {
  const { file, text } = changeFor(key, environments, reason === undefined ? {} : { reason });
  for (const name of environments) {
    expect(await worlds[name].vouch(text)).toMatchObject({ functionError: undefined });
  }
  return file;
}

type Value = Readonly<Record<string, unknown>>;
const keyOf = ({ current }: Value) => current as Value;
const readValue = (of: ProcedureWorld, key: string) => {
  const secret = of.world.plan.secrets.find((candidate) => candidate.key === key);
  if (secret?.store !== "aws") throw new Error(`no ${key}`);
  return currentValue(of.world, secret) as Promise<Value>;
};
const targetOf = ({ world }: ProcedureWorld, key: string) => world.targets.targets.get(key);
const logIn = (of: ProcedureWorld, ...values: readonly Value[]) =>
  Promise.all(values.map((value) => targetOf(of, "db/app-primary")?.attempt?.(value)));

/** Rotates as an operator; comes back when it was too early, as the answer says. */
async function rotate(
  of: ProcedureWorld,
  key: string,
  more: Partial<ProcedureOptions> = {},
  host: RotationHost = of.host(),
): Promise<ProcedureReport> {
  const options = { environment: of.name, emergency: false, ...more };
  for (;;) {
    const report = await rotateByProcedure(registry, key, options, host);
    if (report.outcome !== "too-early") return report;
    expect(report.fault?.message).toMatch(/possible from 2\d{3}-.*Z/);
    await sleep(1_000);
  }
}

/** Approves the next run of a secret, when it asks. */
async function approveNext(of: ProcedureWorld, key: string, before: () => Promise<void> = async () => {}) {
  const request = await of.request(({ secret }) => secret === key);
  await before();
  await of.answer(request);
}

/** Stripe has no API for it: a person ends the old key in the dashboard, when the new one is in use. */
async function expireWhenServed(of: ProcedureWorld, key: string, old: Value): Promise<void> {
  while ((await readValue(of, key)).secretKey === old.secretKey) await sleep(200);
  targetOf(of, key)?.expire?.(old);
}

const everywhere = (): RotationHost => ({
  ...worlds.dev.host(),
  cloudIn: (_, environment) => worlds[environment as EnvironmentName].cloud(),
});
const statuses = ({ runs }: ProcedureReport) => runs.map(({ kind, status }) => `${kind} ${status}`);

/** Rolls a secret out, and comes back when it was too early. */
async function rollOut(key: string, change: string) {
  for (;;) {
    const report = await rollout(registry, key, { change, emergency: false }, everywhere());
    if (report.environments.at(-1)?.outcome !== "too-early") return report;
    await sleep(1_000);
  }
}

describe("from the change request to the log, dev to prod", () => {
  test("db/app-primary, automatic: refused until CI vouches, old login alive before approval and dead after", async () => {
    const key = "db/app-primary";
    const { file } = changeFor(key, ENVIRONMENTS);
    const refused = await rotate(worlds.stage, key, { change: file });
    expect(refused).toMatchObject({ outcome: "failed", fault: { code: "change-not-approved" }, runs: [] });
    const change = await approvedFor(key, ENVIRONMENTS);
    const before = await readValue(worlds.prod, key);
    const [report] = await Promise.all([
      rollOut(key, change),
      approveNext(worlds.prod, key, async () => {
        const during = await readValue(worlds.prod, key);
        expect(during.username).not.toBe(before.username);
        expect(await logIn(worlds.prod, before, during)).toEqual(["accepted", "accepted"]);
      }),
    ]);
    expect(
      report.environments.map((entry) => [entry.environment, entry.outcome, ...statuses(entry)]),
    ).toEqual(ENVIRONMENTS.map((name) => [name, "done", "rotation decommissioned"]));
    expect(await logIn(worlds.prod, before, await readValue(worlds.prod, key))).toEqual([
      "refused",
      "accepted",
    ]);
    const again = await rollOut(key, change);
    expect(again.environments.map(({ outcome }) => outcome)).toEqual(ENVIRONMENTS.map(() => "already-done"));
    const restarted = [...worlds.prod.world.issuers.values()].flatMap(
      ({ deployments }) => deployments.rollouts,
    );
    expect(restarted.map(({ deployment }) => deployment)).toEqual(["worker"]);
  });

  test("jwt/signing, manual dual publish: published, promoted when every pod accepts it, the old key gone", async () => {
    const key = "jwt/signing";
    const change = await approvedFor(key, ENVIRONMENTS);
    const before = await readValue(worlds.prod, key);
    const [report] = await Promise.all([
      rollOut(key, change),
      approveNext(worlds.prod, key, async () => {
        const { previous, next } = await readValue(worlds.prod, key);
        expect([(previous as Value).kid, next]).toEqual([keyOf(before).kid, null]);
      }),
    ]);
    expect(report.environments.map(statuses)).toEqual([
      ["rotation decommissioned"],
      ["publication published", "promotion promoted"],
      ["publication published", "promotion promoted"],
    ]);
    expect(await readValue(worlds.prod, key)).toMatchObject({ previous: null, next: null });
  });

  test("payments/stripe, operator-assisted: the keys come from a person, in each environment by themselves", async () => {
    const key = "payments/stripe";
    const change = await approvedFor(key, ENVIRONMENTS);
    for (const name of ENVIRONMENTS) {
      const of = worlds[name];
      const before = await readValue(of, key);
      const supplied = targetOf(of, key)?.reissued?.() as Value;
      const options = { change, valueFrom: "stdin" as const };
      const [report] = await Promise.all([
        rotate(
          of,
          key,
          options,
          of.host(() => supplied),
        ),
        expireWhenServed(of, key, before),
        ...(name === "prod" ? [approveNext(of, key)] : []),
      ]);
      expect([report.outcome, ...statuses(report)]).toEqual(["done", "rotation decommissioned"]);
      expect(await readValue(of, key)).toMatchObject(supplied);
    }
  });

  test("the records become the log, which is valid when somebody else has signed it", async () => {
    const source = allRecords(ENVIRONMENTS.map((name) => worlds[name].records()));
    const log = join(folder, "secret-rotations");
    const days = await archiveLog(source, today, log);
    expect(days.flatMap(({ added }) => added)).toHaveLength(11);
    expect((await checkLog(source, today, log)).valid).toBe(false);
    for (const name of readdirSync(log)) {
      const text = readFileSync(join(log, name), "utf8");
      if (process.env.SHOW_LOG) process.stdout.write(text);
      const signature = `Signed-off-by: Ben <${BEN}> (${today})`;
      writeFileSync(join(log, name), text.replaceAll(/^### Sign-off$/gm, `### Sign-off\n\n${signature}`));
    }
    const checked = await checkLog(source, today, log);
    expect(checked.runs.flatMap(({ faults }) => faults)).toEqual([]);
    expect(checked.valid).toBe(true);
  });
});

describe("what goes wrong", () => {
  const key = "db/app-primary";

  test.each([
    ["before the overlap", "stage", undefined],
    ["after the overlap", "dev", "proving (Overlap)"],
  ] as const)("a check that fails %s rolls back while the old credential works", async (_, name, until) => {
    const of = worlds[name];
    const change = await approvedFor(key, [name], `Fails in ${name}`);
    const before = await readValue(of, key);
    const host = of.host();
    of.told.length = 0;
    if (until === undefined) of.world.outside.failing = "/ready";
    const rotating = rotate(of, key, { change }, host);
    const attempts: unknown[] = [];
    let isOver = false;
    const probing = (async () => {
      while (!isOver) {
        attempts.push(...(await logIn(of, before, await readValue(of, key))));
        if (until !== undefined && of.told.includes(until)) of.world.outside.failing = "/ready";
        await sleep(100);
      }
    })();
    const report = await rotating;
    isOver = true;
    await probing;
    of.world.outside.failing = "";
    expect(report).toMatchObject({ outcome: "rolled-back", next: expect.stringContaining("another change") });
    expect(attempts.length).toBeGreaterThan(5);
    expect(attempts.filter((attempt) => attempt !== "accepted")).toEqual([]);
    expect(await readValue(of, key)).toEqual(before);
    const { records } = await of.records().since(today);
    expect(records.find(({ id }) => id === report.runs[0]?.run)).toMatchObject({
      end: { outcome: "rolled-back", reason: expect.stringContaining("in Check") },
    });
  });

  test("a driver that dies at each phase goes on when it is run again, with the same run", async () => {
    const of = worlds.prod;
    const change = await approvedFor(key, ["prod"], "Interrupted");
    const runs: string[] = [];
    for (const state of ["Verify", "Overlap", "RequestApproval"]) {
      const dying: RotationHost = { ...of.host(), cloudIn: () => dyingIn(state, of.cloud()) };
      await expect(rotate(of, key, { change }, dying)).rejects.toThrow(`killed in ${state}`);
      const status = await rotationStatus(registry, key, "prod", of.host());
      runs.push(status.open?.run ?? "none");
      expect(status.next).toContain("Follow it");
    }
    expect(new Set(runs).size).toBe(1);
    const other = changeFor(key, ["prod"], { reason: "Another one" }).file;
    await expect(rotate(of, key, { change: other })).rejects.toThrow("is under way since");
    const [report] = await Promise.all([rotate(of, key, { change }), approveNext(of, key)]);
    expect(report).toMatchObject({ outcome: "done", runs: [{ run: runs[0], status: "decommissioned" }] });
  });

  test("an operator takes a run back", async () => {
    const of = worlds.stage;
    const change = await approvedFor(key, ["stage"], "Taken back");
    const before = await readValue(of, key);
    of.told.length = 0;
    const rotating = rotate(of, key, { change });
    while (!of.told.includes("proving (Overlap)")) await sleep(50);
    expect(await rollBackRun(registry, key, "stage", of.host())).toMatchObject({ outcome: "rolled-back" });
    expect(await rotating).toMatchObject({ outcome: "rolled-back" });
    expect(await readValue(of, key)).toEqual(before);
    expect(await rollBackRun(registry, key, "stage", of.host())).toMatchObject({
      fault: { code: "run-missing" },
    });
  });

  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  test.each<[string, () => Partial<ProcedureOptions> & { key?: string }, string]>([
    ["an unknown key", () => ({ key: "db/ap" }), 'Unknown secret "db/ap"'],
    ["no change request", () => ({}), "takes no rotation without an approved change request"],
    ["no file", () => ({ change: "none.md" }), "No change request at none.md"],
    [
      "another key's",
      () => ({ change: changeFor("jwt/signing", ["prod"], { reason: "K" }).file }),
      "is for jwt/signing",
    ],
    [
      "another environment's",
      () => ({ change: changeFor(key, ["stage"], { reason: "E" }).file }),
      "is not for prod",
    ],
    [
      "a day to come",
      () => ({ change: changeFor(key, ["prod"], { reason: "D", day: tomorrow }).file }),
      `from ${tomorrow} on`,
    ],
    ["a phase of the machine's", () => ({ phase: "decommission" }), "the procedure does"],
    ["a phase of another kind", () => ({ phase: "promote" }), "is not rotated in phases"],
    ["a value for an automatic kind", () => ({ valueFrom: "stdin" }), "nobody supplies it"],
  ])("%s is the caller's fault, and changes nothing", async (_, make, text) => {
    const { key: other = key, ...options } = make();
    const before = await rotationStatus(registry, key, "prod", worlds.prod.host());
    await expect(rotate(worlds.prod, other, options)).rejects.toThrow(new RegExp(text.replace("?", "\\?")));
    expect(await rotationStatus(registry, key, "prod", worlds.prod.host())).toEqual(before);
  });

  test("promotion of what was not published, or too early, changes nothing", async () => {
    const change = await approvedFor("jwt/signing", ["prod"], "Out of order");
    const report = await rotate(worlds.prod, "jwt/signing", { change, phase: "promote" });
    expect(report).toMatchObject({ outcome: "failed", fault: { code: "nothing-published" }, runs: [] });
  });

  test("operators start rotations through the dispatcher alone, and cannot answer for approvers", async () => {
    const { plan } = worlds.prod.world;
    const cloud = worlds.prod.cloud();
    const secret = plan.secrets.find((candidate) => candidate.key === key);
    if (secret?.store !== "aws") throw new Error("no secret");
    await expect(cloud.startRotation(secret.name, "x".repeat(32))).rejects.toThrow(
      "secretsmanager:RotateSecret",
    );
    await expect(cloud.invoke(secret.rotatedBy ?? "", {})).rejects.toThrow("lambda:InvokeFunction");
    const token = JSON.stringify({ environment: "prod", secret: key, run: "r", token: "t" });
    await expect(worlds.prod.answer(token, true, worlds.prod.operator)).rejects.toThrow();
  });
});

/** A cloud that the program does not survive: it dies when the state machine is in a state. */
function dyingIn(state: string, cloud: RotationCloud): RotationCloud {
  const execution: RotationCloud["execution"] = async (arn) => {
    const seen = await cloud.execution(arn);
    if (seen?.state === state) throw new Error(`killed in ${state}`);
    return seen;
  };
  return new Proxy(cloud, {
    get: (target, name: keyof RotationCloud) =>
      name === "execution" ? execution : target[name].bind(target),
  });
}
