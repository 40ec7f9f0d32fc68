import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { newChange } from "../../lib/cli/verbs/change-request";
import {
  type ProcedureOptions,
  type ProcedureReport,
  rotateByProcedure,
} from "../../lib/cli/verbs/procedure-rotation";
import { currentValue } from "../../lib/rehearsal/rehearse/rotate-all";
import { ServerGroup } from "../../lib/rehearsal/servers";
import { ANA, BEN, type EnvironmentName, ProcedureWorld, registry } from "./rehearsed-procedure";

jest.setTimeout(240_000);

const today = new Date().toISOString().slice(0, 10);
const folder = mkdtempSync(join(tmpdir(), "changes-"));
let group: ServerGroup;
let prod: ProcedureWorld;

beforeAll(async () => {
  group = ServerGroup.open();
  prod = await ProcedureWorld.of("prod", group);
}, 240_000);

afterAll(async () => {
  process.stdout.write(`${JSON.stringify(await prod.records().since(today), null, 1)}\n`);
  await group?.stop();
}, 60_000);

/** Writes a change request. */
function changeFor(key: string, ...environments: readonly EnvironmentName[]) {
  const { change, text } = newChange(registry, {
    key,
    date: today,
    requester: ANA,
    approvers: [BEN],
    reason: "Quarterly rotation",
    schedule: Object.fromEntries(environments.map((name) => [name, today])),
  });
  const file = join(mkdtempSync(join(folder, "request-")), `${change.id}.md`);
  writeFileSync(file, text);
  return { file, text };
}

const readValue = (of: ProcedureWorld, key: string) => {
  const secret = of.world.plan.secrets.find((candidate) => candidate.key === key);
  if (secret?.store !== "aws") throw new Error(`no ${key}`);
  return currentValue(of.world, secret) as Promise<Record<string, unknown>>;
};

/** Rotates as an operator; comes back when it was too early, as the answer says. */
async function rotate(
  of: ProcedureWorld,
  key: string,
  more: Partial<ProcedureOptions> = {},
  input?: () => unknown,
): Promise<ProcedureReport> {
  const options = { environment: of.name, emergency: false, ...more };
  for (;;) {
    const report = await rotateByProcedure(registry, key, options, of.host(input));
    if (report.outcome !== "too-early") return report;
    expect(report.fault?.message).toMatch(/possible from 2\d{3}-.*Z/);
    await sleep(1_000);
  }
}

const statuses = ({ runs }: ProcedureReport) => runs.map(({ kind, status }) => `${kind} ${status}`);

test("db/app-primary in prod: vouched for, rotated, proved, approved, decommissioned, recorded", async () => {
  const key = "db/app-primary";
  const { file, text } = changeFor(key, "prod");
  const attempt = prod.world.targets.targets.get(key)?.attempt;
  const before = await readValue(prod, key);
  const unapproved = await rotate(prod, key, { change: file });
  expect(unapproved).toMatchObject({ outcome: "failed", fault: { code: "change-not-approved" }, runs: [] });
  expect(await prod.vouch(text)).toMatchObject({ functionError: undefined });

  const rotating = rotate(prod, key, { change: file });
  const request = await Promise.race([prod.request(({ secret }) => secret === key), rotating]);
  if (typeof request !== "string") throw new Error(JSON.stringify(request, null, 2));
  const during = await readValue(prod, key);
  expect(await Promise.all([attempt?.(before), attempt?.(during)])).toEqual(["accepted", "accepted"]);
  await expect(prod.answer(request, true, prod.operator)).rejects.toThrow("never the requester");
  await prod.answer(request);
  const report = await rotating;
  process.stdout.write(`${prod.told.join("\n")}\n`);
  expect(report).toMatchObject({ outcome: "done" });
  expect(statuses(report)).toEqual(["rotation decommissioned"]);
  expect(await Promise.all([attempt?.(before), attempt?.(during)])).toEqual(["refused", "accepted"]);
});

test("jwt/signing in prod: published, promoted when every pod accepts it, approved, the old key gone", async () => {
  const key = "jwt/signing";
  const { file, text } = changeFor(key, "prod");
  await prod.vouch(text);
  const before = await readValue(prod, key);
  const rotating = rotate(prod, key, { change: file });
  const request = await Promise.race([prod.request(({ secret }) => secret === key), rotating]);
  if (typeof request !== "string") throw new Error(JSON.stringify(request, null, 2));
  const during = await readValue(prod, key);
  expect(during).toMatchObject({ previous: before.current, next: null });
  await prod.answer(request);
  const report = await rotating;
  process.stdout.write(`${prod.told.join("\n")}\n`);
  expect(report).toMatchObject({ outcome: "done" });
  expect(statuses(report)).toEqual(["publication published", "promotion promoted"]);
  expect(await readValue(prod, key)).toMatchObject({ current: during.current, previous: null, next: null });
  expect(await rotate(prod, key, { change: file })).toMatchObject({ outcome: "already-done" });
});
