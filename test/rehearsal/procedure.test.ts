import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { awsWhoseCloud } from "../../lib/cli/cloud/aws-whose-cloud";
import type { RotationCloud } from "../../lib/cli/cloud/rotation-cloud";
import { allRecords } from "../../lib/cli/cloud/s3-record-source";
import { newChange } from "../../lib/cli/verbs/change-request";
import type { RotationHost } from "../../lib/cli/verbs/direct-rotation";
import { archiveLog } from "../../lib/cli/verbs/log-archive";
import { checkLog } from "../../lib/cli/verbs/log-check";
import { rotateByProcedure } from "../../lib/cli/verbs/procedure-rotation";
import type { ProcedureOptions } from "../../lib/cli/verbs/procedure-stage";
import type { ProcedureReport } from "../../lib/cli/verbs/procedure-work";
import { rollBackRun } from "../../lib/cli/verbs/roll-back-run";
import { rollout } from "../../lib/cli/verbs/rollout";
import { rotationStatus } from "../../lib/cli/verbs/rotation-status";
import { whose } from "../../lib/cli/verbs/whose";
import type { RotationRecord } from "../../lib/contracts/rotation-record";
import { secretTexts as namedTexts } from "../../lib/contracts/secret-texts";
import { DynamoDbApprovalTokens } from "../../lib/rotation/adapters/dynamodb-approval-tokens";
import type { SecretDescription } from "../../lib/rotation/protocol/ports";
import type { Credentials } from "../../packages/rehearsal/src/load";
import { currentValue } from "../../packages/rehearsal/src/rehearse/rotate-all";
import { ServerGroup } from "../../packages/rehearsal/src/servers";
import { expectProcedureRightsUsed } from "./procedure-rights";
import {
  ANA,
  BEN,
  ENVIRONMENTS,
  type EnvironmentName,
  ProcedureWorld,
  registry,
} from "./rehearsed-procedure";
import { placesWith, secretTexts } from "./value-search";

jest.setTimeout(600_000);

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
  return { file };
}

/** A change request that CI has vouched for, everywhere. */
async function approvedFor(key: string, environments: readonly EnvironmentName[], reason?: string) {
  const { file } = changeFor(key, environments, reason === undefined ? {} : { reason });
  for (const name of environments) {
    expect(await worlds[name].vouch(file)).toMatchObject({ complete: true, files: [{ outcome: "vouched" }] });
  }
  return file;
}

type Value = Readonly<Record<string, unknown>>;
/** Every value that was read. */
const seen: Value[] = [];
const keyOf = ({ current }: Value) => current as Value;
const readValue = async (of: ProcedureWorld, key: string) => {
  const secret = of.world.plan.secrets.find((candidate) => candidate.key === key);
  if (secret?.store !== "aws") throw new Error(`no ${key}`);
  const value = (await currentValue(of.world, secret)) as Value;
  seen.push(value);
  return value;
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

/** Attempts of people who may not decide, while a run waits: each is refused, and the run waits on. */
async function attackApproval(of: ProcedureWorld, request: string): Promise<void> {
  const { secret, run } = JSON.parse(request) as { secret: string; run: string };
  // Who asked for it, in the role of an approver.
  await expect(of.answer(request, true, await of.approverNamed(ANA))).rejects.toThrow(
    /approver-refused: .*ana@example\.com asked for this/,
  );
  // An operator: IAM lets him neither decide, nor see the token of the execution that waits.
  await expect(of.answer(request, true, of.operator)).rejects.toThrow("lambda:InvokeFunction");
  const { plan, shim } = of.world;
  const tokens = (credentials: Credentials) =>
    new DynamoDbApprovalTokens(
      new DynamoDBClient({ region: plan.regions.primary, endpoint: shim.endpoint, credentials }),
      plan.procedure?.runsTable ?? "",
    ).of(`${of.name}/${secret}`, run);
  for (const credentials of [of.operator, of.approver]) {
    await expect(tokens(credentials)).rejects.toMatchObject({ code: "access-denied" });
  }
  expect(await tokens(of.world.as.root.credentials)).toHaveLength(1);
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

const everywhere = (input?: () => unknown): RotationHost => ({
  ...worlds.dev.host(input),
  cloudIn: (_, environment) => worlds[environment as EnvironmentName].cloud(),
});
const statuses = ({ runs }: ProcedureReport) => runs.map(({ kind, status }) => `${kind} ${status}`);

/** Rolls a secret out, and comes back when it was too early. What is supplied is read from `input`. */
async function rollOut(key: string, change: string, input?: () => unknown) {
  const options = { change, emergency: false, ...(input && { valueFrom: "stdin" as const }) };
  for (;;) {
    const report = await rollout(registry, key, options, everywhere(input));
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
      ({ controllers }) => controllers.rollouts,
    );
    expect(restarted.map(({ controller }) => controller)).toEqual(["deployments/worker"]);
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

  test("payments/stripe, operator-assisted: keys from a person, webhook secrets published and then used", async () => {
    const key = "payments/stripe";
    const change = await approvedFor(key, ENVIRONMENTS);
    const inEach = async <T>(make: (of: ProcedureWorld) => T | Promise<T>) =>
      Object.fromEntries(
        await Promise.all(ENVIRONMENTS.map(async (name) => [name, await make(worlds[name])] as const)),
      ) as Record<EnvironmentName, T>;
    const before = await inEach((of) => readValue(of, key));
    const supplied = await inEach((of) => targetOf(of, key)?.reissued?.() as Value);
    await expect(rollOut(key, change, () => ({ dev: supplied.dev }))).rejects.toThrow(
      "no value for stage, prod",
    );
    const [report] = await Promise.all([
      rollOut(key, change, () => supplied),
      ...ENVIRONMENTS.map((name) => expireWhenServed(worlds[name], key, before[name])),
      // The old API key goes, then the old webhook endpoint.
      approveNext(worlds.prod, key).then(() => approveNext(worlds.prod, key)),
    ]);
    expect(report.environments.map(statuses)).toEqual(
      ENVIRONMENTS.map(() => ["rotation decommissioned", "promotion promoted"]),
    );
    for (const name of ENVIRONMENTS) {
      const value = await readValue(worlds[name], key);
      const { webhookSecrets, ...keys } = value as { readonly webhookSecrets: Value };
      expect(keys).toEqual(supplied[name]);
      expect(webhookSecrets).toMatchObject({ next: null, previous: null });
      expect(keyOf(webhookSecrets).id).not.toBe(keyOf(before[name].webhookSecrets as Value).id);
      expect(await targetOf(worlds[name], key)?.credentials?.()).toBe(1);
    }
  });

  test("the records become the log, which is valid when somebody else has signed it", async () => {
    const source = allRecords(ENVIRONMENTS.map((name) => worlds[name].records()));
    const log = join(folder, "secret-rotations");
    const days = await archiveLog(source, today, log);
    expect(days.flatMap(({ added }) => added)).toHaveLength(14);
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

  afterEach(() => {
    for (const name of ENVIRONMENTS) worlds[name].stale = undefined;
  });

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

  test("a promotion whose check fails is taken back, and pods of both sides accept each other's tokens all the time", async () => {
    const of = worlds.stage;
    const secret = "jwt/signing";
    const change = await approvedFor(secret, ["stage"], "Fails when promoted");
    const published = await rotate(of, secret, { change, phase: "publish" });
    expect([published.outcome, ...statuses(published)]).toEqual(["done", "publication published"]);
    const before = await readValue(of, secret);
    const pods = [before];
    of.world.outside.failing = "/ready";
    const promoting = rotate(of, secret, { change, phase: "promote" });
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        pods.push(await readValue(of, secret));
        await sleep(100);
      }
    })();
    const report = await promoting;
    isOver = true;
    await watching;
    of.world.outside.failing = "";
    expect(report).toMatchObject({
      outcome: "rolled-back",
      runs: [{ kind: "promotion", status: "rolled-back" }],
    });
    expect(await readValue(of, secret)).toEqual(before);
    const signers = new Set(pods.map((value) => keyOf(value).kid));
    expect(signers.size).toBe(2);
    for (const { jwks } of pods) {
      const accepted = (jwks as { readonly keys: readonly { readonly kid: string }[] }).keys.map(
        ({ kid }) => kid,
      );
      expect(accepted).toEqual(expect.arrayContaining([...signers]));
    }
  });

  test.each([
    ["db/app-primary", ["rotation decommissioned"], 1],
    ["jwt/signing", ["publication published", "promotion promoted"], 1],
    ["payments/stripe", ["rotation decommissioned", "promotion promoted"], 2],
  ] as const)(
    "a driver of %s that dies before and after every call goes on when it is run again",
    async (secret, ends, approvals) => {
      const of = worlds.prod;
      const change = await approvedFor(secret, ["prod"], "Interrupted");
      const started = Date.now();
      const before = await readValue(of, secret);
      const supplied = targetOf(of, secret)?.reissued?.();
      const options = { change, ...(supplied === undefined ? {} : { valueFrom: "stdin" as const }) };
      const deaths = new Set<string>();
      const host: RotationHost = { ...of.host(() => supplied), cloudIn: () => mortal(of.cloud(), deaths) };
      const driven = async (): Promise<ProcedureReport> => {
        for (;;) {
          try {
            return await rotate(of, secret, options, host);
          } catch (failure) {
            if (!(failure instanceof Death)) throw failure;
          }
        }
      };
      const approving = async () => {
        for (let count = 0; count < approvals; count += 1) await approveNext(of, secret, refuseAnother);
      };
      const refuseAnother = async () => {
        const other = changeFor(secret, ["prod"], { reason: "Another one" }).file;
        await expect(rotate(of, secret, { ...options, change: other })).rejects.toThrow("is under way since");
      };
      const [report] = await Promise.all([
        driven(),
        approving(),
        ...(supplied === undefined ? [] : [expireWhenServed(of, secret, before)]),
      ]);
      // The last attempt may have found everything done.
      expect(["done", "already-done"]).toContain(report.outcome);
      const { latest } = await rotationStatus(registry, secret, "prod", of.host());
      const ours = latest.filter((run) => change.includes(run.change?.id ?? "none"));
      const began = ours.filter(({ startedAt }) => Date.parse(startedAt) >= started);
      expect(began.map(({ kind, status }) => `${kind} ${status}`).reverse()).toEqual(ends);
      process.stdout.write(`driver of ${secret}: killed ${deaths.size} times\n`);
      expect([...deaths]).toEqual(
        expect.arrayContaining([
          "before invoke rotate",
          "after invoke rotate",
          "after execution AwaitApproval",
        ]),
      );
    },
  );

  test("an approver says no: the old credential is back in use, and the log tells who asked", async () => {
    const of = worlds.prod;
    const change = await approvedFor(key, ["prod"], "Refused by its approver");
    const before = await readValue(of, key);
    const [report] = await Promise.all([
      rotate(of, key, { change }),
      of
        .request(({ secret }) => secret === key)
        .then(async (request) => {
          await attackApproval(of, request);
          return of.answer(request, false);
        }),
    ]);
    expect(report).toMatchObject({ outcome: "rolled-back", runs: [{ status: "rolled-back" }] });
    expect(await readValue(of, key)).toEqual(before);
    expect(await logIn(of, before)).toEqual(["accepted"]);
    const { records } = await of.records().since(today);
    expect(records.find(({ id }) => id === report.runs[0]?.run)).toMatchObject({
      end: { outcome: "rolled-back", reason: expect.stringContaining("in AwaitApproval") },
      phases: expect.arrayContaining([expect.objectContaining({ phase: "approve", outcome: "failed" })]),
    });
  });

  test("a value that the vendor refuses changes nothing, and the right one takes its place under the same change", async () => {
    const of = worlds.stage;
    const secret = "payments/stripe";
    const change = await approvedFor(secret, ["stage"], "Typed wrong");
    const before = await readValue(of, secret);
    const wrong = {
      secretKey: `sk_test_${randomUUID().replaceAll("-", "")}`,
      publishableKey: `pk_test_${randomUUID().replaceAll("-", "")}`,
    };
    const options = { change, valueFrom: "stdin" as const };
    const attempt = (value: unknown) =>
      rotate(
        of,
        secret,
        options,
        of.host(() => value),
      );
    for (const _ of [1, 2]) {
      expect(await attempt(wrong)).toMatchObject({
        outcome: "failed",
        fault: { code: "target-refused" },
        runs: [],
        next: expect.stringContaining("another value"),
      });
    }
    expect(await readValue(of, secret)).toEqual(before);
    const supplied = targetOf(of, secret)?.reissued?.() as Value;
    const [report] = await Promise.all([attempt(supplied), expireWhenServed(of, secret, before)]);
    expect([report.outcome, ...statuses(report)]).toEqual([
      "done",
      "rotation decommissioned",
      "promotion promoted",
    ]);
    const { records } = await of.records().since(today);
    // Nobody may read what was supplied before, so that the same value again is another one.
    const replaced = { secret, end: { reason: "value-replaced in Dispatcher" } };
    expect(records.filter(({ end }) => end.outcome === "withdrawn")).toMatchObject([replaced, replaced]);
  });

  test("a made value waits for a person, who takes it to the target, or gives it up", async () => {
    const of = worlds.stage;
    const secret = "partner/token";
    const change = await approvedFor(secret, ["stage"], "Partner");
    const before = await readValue(of, secret);
    for (const _ of [1, 2]) {
      expect(await rotate(of, secret, { change })).toMatchObject({
        outcome: "awaiting-operator",
        next: expect.stringContaining("--phase promote"),
      });
    }
    expect(await readValue(of, secret)).toEqual(before);
    expect(await rollBackRun(registry, secret, "stage", of.host())).toMatchObject({
      outcome: "rolled-back",
      runs: [{ status: "withdrawn" }],
    });
    // No value is left that would look like a rotation under way.
    const { name = "" } = of.world.plan.secrets.find((candidate) => candidate.key === secret) as {
      name?: string;
    };
    const { labels } = (await of.cloud().describe(name)) as SecretDescription;
    expect([...labels.values()].flat()).not.toContain("AWSPENDING");
    expect(await rotate(of, secret, { change, phase: "promote" })).toMatchObject({
      outcome: "failed",
      fault: { code: "nothing-published" },
    });
    // Nothing had changed, so the same change request is good for another one.
    expect(await rotate(of, secret, { change })).toMatchObject({ outcome: "awaiting-operator" });
    const report = await rotate(of, secret, { change, phase: "promote" });
    expect([report.outcome, ...statuses(report)]).toEqual(["done", "rotation decommissioned"]);
    expect(await readValue(of, secret)).not.toEqual(before);
  });

  test("pods that keep the old value: the application says so, and nothing ends what they use", async () => {
    const of = worlds.dev;
    const before = await readValue(of, key);
    of.stale = await of.mirrored();
    of.told.length = 0;
    const report = await rotate(of, key);
    // Before the overlap pods may have the old value: the same answer is no fault there.
    expect(of.told).toContain("proving (Overlap)");
    expect(report).toMatchObject({ outcome: "rolled-back" });
    const { records } = await of.records().since(today);
    const end = records.find(({ id }) => id === report.runs[0]?.run)?.end;
    expect(end).toMatchObject({ outcome: "rolled-back", reason: expect.stringContaining("in Check") });
    expect(await readValue(of, key)).toEqual(before);
    expect(await logIn(of, before)).toEqual(["accepted"]);
  });

  test("pods that take the new value up late: the proof asks again until the application has it", async () => {
    const of = worlds.dev;
    const before = await readValue(of, key);
    of.stale = await of.mirrored();
    of.told.length = 0;
    const rotating = rotate(of, key);
    while (!of.told.includes("proving (AwaitProof)")) await sleep(50);
    expect(await logIn(of, before, await readValue(of, key))).toEqual(["accepted", "accepted"]);
    of.stale = undefined;
    expect(await rotating).toMatchObject({ outcome: "done" });
    expect(await logIn(of, before, await readValue(of, key))).toEqual(["refused", "accepted"]);
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

  test("a leak in the middle of a rotation: the command says who fails, nothing waits, and no former login is left", async () => {
    const of = worlds.dev;
    const before = await readValue(of, key);
    of.told.length = 0;
    const rotating = rotate(of, key);
    while (!of.told.includes("proving (Overlap)")) await sleep(50);
    const leaked = await readValue(of, key);
    const leak = { environment: "dev", emergency: true } as const;
    let said = "";
    const host = of.host();
    const terminal = Object.assign(Object.create(host.terminal), { err: (text: string) => (said += text) });
    await expect(rotateByProcedure(registry, key, leak, { ...host, terminal })).rejects.toThrow("Add --yes");
    expect(await readValue(of, key)).toEqual(leaked);
    const report = await rotateByProcedure(registry, key, { ...leak, yes: true }, { ...host, terminal });
    expect([report.outcome, ...statuses(report)]).toEqual(["done", "rotation decommissioned"]);
    expect(report.runs[0]?.emergency).toBe(true);
    expect(await rotating).toMatchObject({ outcome: "failed" });
    expect(await logIn(of, before, leaked, await readValue(of, key))).toEqual([
      "refused",
      "refused",
      "accepted",
    ]);
    expect(said).toMatch(/Emergency: db\/app-primary in dev .*\n {2}backend: /s);
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

/** Runs that ended before there was anything to prove, or that gave way to an emergency: nobody took fingerprints. */
const isOverBefore = ({ end }: RotationRecord) =>
  end.outcome === "withdrawn" ||
  ("reason" in end && ["called-back in Begin", "superseded in Dispatcher"].includes(end.reason));

describe("every record", () => {
  const records = async () => {
    const all = ENVIRONMENTS.map(async (name) => (await worlds[name].records().since(today)).records);
    return (await Promise.all(all)).flat();
  };

  test("has fingerprints: a version's is the same in each run, another version has another one", async () => {
    const byVersion = new Map<string, string>();
    for (const record of await records()) {
      const { id, versions, fingerprints } = record;
      expect([id, fingerprints === undefined]).toEqual([id, isOverBefore(record)]);
      if (fingerprints === undefined) continue;
      for (const which of ["new", "old"] as const) {
        const [version, told] = [versions[which] ?? "none", fingerprints[which]];
        expect(told).toMatch(/^hmac-sha256:[0-9a-f-]{36}:[0-9a-f]{64}$/);
        expect([version, byVersion.get(version) ?? told]).toEqual([version, told]);
        byVersion.set(version, told ?? "none");
      }
    }
    expect(byVersion.size).toBeGreaterThan(20);
    expect(new Set(byVersion.values()).size).toBe(byVersion.size);
  });

  test("goes on from the value that the rotation before it left", async () => {
    const runs = (await records())
      .filter(({ environment, secret }) => environment === "prod" && secret === "db/app-primary")
      .sort((a, b) => a.startedAt.localeCompare(b.startedAt));
    expect(runs.map(({ end }) => end.outcome)).toEqual(["decommissioned", "decommissioned", "rolled-back"]);
    const [first, second, third] = runs.map(({ fingerprints }) => fingerprints);
    expect([second?.old, third?.old]).toEqual([first?.new, second?.new]);
  });

  test("has no value in it", async () => {
    const texts = secretTexts(seen);
    const places = new Map((await records()).map((record) => [record.id, JSON.stringify(record)]));
    expect([texts.length > 20, places.size > 20]).toEqual([true, true]);
    expect(placesWith(texts, places)).toEqual([]);
  });
});

describe("whose a leaked text is", () => {
  const whoseBy = async (of: ProcedureWorld, credentials: Credentials, leaked: string) =>
    whose(registry, {
      leaked,
      environments: [of.name],
      cloudIn: (region) => awsWhoseCloud({ region, endpoint: of.world.shim.endpoint, credentials }),
      progress: { step: (_, work) => work(() => undefined) },
    });

  test("break-glass is told, by the rights of its policy: every value in use, first ones too", async () => {
    const { prod } = worlds;
    const rotated = prod.world.plan.secrets.flatMap((secret) =>
      secret.store === "aws" && secret.rotatedBy !== undefined ? [secret.key] : [],
    );
    let asked = 0;
    for (const key of rotated) {
      const value = await readValue(prod, key);
      for (const [place, leaked] of namedTexts(value)) {
        const { matches } = await whoseBy(prod, prod.breakGlass, `${leaked}\n`);
        expect([key, place, matches.map(({ secret }) => secret)]).toEqual([key, place, [key]]);
        expect([key, matches[0]?.place]).toEqual([key, place]);
        expect(["current", "next", "previous"]).toContain(matches[0]?.standing);
        asked += 1;
      }
    }
    expect(asked).toBeGreaterThanOrEqual(rotated.length);
    expect((await whoseBy(prod, prod.breakGlass, randomUUID())).matches).toEqual([]);
  });

  test("nobody else can ask: an operator reads the fingerprints, and may hold no text against them", async () => {
    await expect(whoseBy(worlds.prod, worlds.prod.operator, randomUUID())).rejects.toThrow("kms:VerifyMac");
  });

  test("the folder of fingerprints holds no value", async () => {
    const { plan, shim, as } = worlds.prod.world;
    const cloud = awsWhoseCloud({
      region: plan.regions.primary,
      endpoint: shim.endpoint,
      credentials: as.root.credentials,
    });
    const bucket = plan.procedure?.records.name ?? "";
    const objects = await cloud.objects(bucket);
    const places = await Promise.all(
      objects.map(async (object) => [object, await cloud.read(bucket, object)] as const),
    );
    expect(places.length).toBeGreaterThan(10);
    expect(placesWith(secretTexts(seen), new Map(places))).toEqual([]);
  });
});

test("the procedure's functions used every right of their roles, and lacked none", () =>
  expectProcedureRightsUsed(Object.values(worlds)));

/** Error that ends a program. */
class Death extends Error {}

/**
 * A cloud that its user does not survive: it dies once before and once after each kind of call; the dispatcher's actions
 * and the state machine's states are kinds of their own.
 */
function mortal(cloud: RotationCloud, deaths: Set<string>): RotationCloud {
  const dieOnce = (when: string): void => {
    if (deaths.has(when)) return;
    deaths.add(when);
    throw new Death(when);
  };
  return new Proxy(cloud, {
    get:
      (target, name: keyof RotationCloud) =>
      async (...given: readonly unknown[]) => {
        const [, event] = given as readonly [unknown, { readonly Action?: string } | undefined];
        const call = name === "invoke" ? `${name} ${event?.Action}` : name;
        dieOnce(`before ${call}`);
        const answer = await (target[name] as (...all: readonly unknown[]) => Promise<unknown>)(...given);
        const state = name === "execution" ? ` ${(answer as { state?: string } | undefined)?.state}` : "";
        dieOnce(`after ${call}${state}`);
        return answer;
      },
  });
}
