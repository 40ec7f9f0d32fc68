import { rotationSchedule } from "../../../lib/model/rotation-schedule";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import { Mirror } from "../../../lib/rotation/mirror/mirror";
import { Dispatcher } from "../../../lib/rotation/procedure/dispatcher";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { type DispatchedPart, dispatcherSettings } from "../models/dispatcher-settings";
import { ExecutionsModel } from "../models/executions-model";
import { MirrorLedgerModel } from "../models/mirror-ledger-model";
import { mirrorSettings } from "../models/mirror-settings";
import { ProofsModel } from "../models/proofs-model";
import { PublicationsModel, silentLog, versionId } from "../models/rehearsed-secret";
import { RunTableModel } from "../models/run-table-model";
import { SecretsManagerModel } from "../models/secrets-manager-model";
import { NOBODY } from "../models/sts-model";
import { VaultModel } from "../models/vault-model";
import { slow, VirtualClock } from "../models/virtual-clock";

jest.setTimeout(120_000);

const COUNT = 2_000;
const KEYS = Array.from({ length: COUNT }, (_, index) => `app/${String(index).padStart(4, "0")}`);
const REGION = "eu-central-1";
/** Lambda's longest time. */
const FUNCTION_MS = 900_000;
const SWEEP_EVERY_MS = 15 * 60_000;
const minutes = (milliseconds: number): string => `${Math.round(milliseconds / 60_000)} min`;

/**
 * Calls of `RotateSecret` that are left for these secrets in a second: Secrets Manager takes 50 in an account and region, from
 * everybody together. https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
const ROTATIONS_A_SECOND = 15;

/** A bucket of tokens as AWS's services have it: full at first, filled evenly. */
function bucket(clock: VirtualClock, perSecond: number) {
  let [level, at] = [perSecond, clock.now().getTime()];
  return {
    refused: 0,
    take(): void {
      const now = clock.now().getTime();
      [level, at] = [Math.min(perSecond, level + ((now - at) / 1_000) * perSecond), now];
      if (level < 1) {
        this.refused += 1;
        throw new RotationError("throttled", "RotateSecret");
      }
      level -= 1;
    },
  };
}

test.each([
  { what: "Vaults that answer at once", vaultMs: 20, sweeps: 1 },
  { what: "a Vault that takes two seconds for each request", vaultMs: 2_000, sweeps: 2 },
  { what: "a Vault that takes twenty seconds for each request", vaultMs: 20_000, sweeps: 17 },
])(`${COUNT} secrets that rotated at once reach $what`, async ({ what, vaultMs, sweeps }) => {
  const clock = new VirtualClock(new Date("2026-01-01T03:00:00Z"));
  const [secrets, proofs, ledger] = [new SecretsManagerModel(), new ProofsModel(), new MirrorLedgerModel()];
  const vaults = [new VaultModel("eu"), new VaultModel("us")] as const;
  for (const key of KEYS) {
    const version = versionId(key);
    secrets.create(`test/${key}`);
    secrets.putByHand(`test/${key}`, version, JSON.stringify({ token: key }));
    proofs.prove(secrets, `test/${key}`, version);
  }
  const mirror = new Mirror({
    settings: mirrorSettings(
      vaults.map(({ name }) => name),
      Object.fromEntries(KEYS.map((key) => [`test/${key}`, key])),
    ),
    store: slow(new SecretsManagerStore(secrets.client), clock, () => 50),
    publications: slow(ledger, clock, () => 10),
    proofs: slow(proofs, clock, () => 20),
    ledger: slow(ledger, clock, () => 10),
    server: {
      open: async ({ name }) =>
        slow(
          vaults[name === "eu" ? 0 : 1].session(() => undefined),
          clock,
          () => vaultMs,
        ),
    },
    clock,
    log: silentLog,
    guard: () => undefined,
  });
  const confirmed = () => KEYS.filter((key) => ledger.confirmations(`test/${key}`).size === 1).length;
  const from = clock.now().getTime();
  let [calls, longest] = [0, 0];
  while (confirmed() < COUNT && calls < 50) {
    calls += 1;
    const took = await clock.take(mirror.run({ sweep: true }));
    longest = Math.max(longest, took);
    if (confirmed() < COUNT) await clock.take(clock.sleep(Math.max(0, SWEEP_EVERY_MS - took)));
  }
  process.stdout.write(
    `${what}: ${confirmed()} of ${COUNT} in both Vaults after ${calls} sweeps, the longest ${minutes(longest)}, all in ${minutes(clock.now().getTime() - from)}\n`,
  );
  expect(confirmed()).toBe(COUNT);
  expect(longest).toBeLessThan(FUNCTION_MS);
  expect(calls).toBeLessThanOrEqual(sweeps);
  // No Vault was written twice.
  for (const vault of vaults) expect(vault.written).toHaveLength(COUNT);
});

test(`${COUNT} rotations of one window all begin, each once, however often Secrets Manager says that it is too many`, async () => {
  const clock = new VirtualClock(new Date("2026-02-01T03:00:00Z"));
  const runs = new RunTableModel();
  const publications = new PublicationsModel();
  const limit = bucket(clock, ROTATIONS_A_SECOND);
  /** Version that Secrets Manager rotates to, by secret. */
  const started = new Map<string, string>();
  const schedule = rotationSchedule("app", { seconds: 30 * 86_400 }, { seconds: 0 }, { from: 0, until: 24 });
  if (schedule?.how !== "cadence") throw new Error("no schedule");
  const dispatched = (key: string): DispatchedPart => ({
    key,
    kind: "hmac-key",
    rotation: "automatic",
    function: "acme-test--rotate-hmac-key",
    schedule: { ...schedule, hour: 0, windowHours: 24 },
  });
  const settings = dispatcherSettings("test/none", dispatched("none"));
  for (const key of KEYS) publications.confirm(versionId(key), new Date("2026-01-01T03:00:00Z"));
  const [{ secrets: shape }, first] = [settings, settings.secrets["test/none"]];
  const dispatcher = new Dispatcher({
    settings: {
      ...settings,
      secrets: Object.fromEntries(
        KEYS.map((key) => [`test/${key}`, { ...first, ...dispatched(key) }]),
      ) as typeof shape,
    },
    runs: slow(runs, clock, () => 10),
    store: slow(
      {
        describe: async (name: string) => ({
          name,
          arn: `arn:aws:secretsmanager:${REGION}:111122223333:secret:${name}-AbCdEf`,
          rotationEnabled: true,
          lastRotatedAt: new Date("2025-12-01T00:00:00Z"),
          deleted: false,
          primaryRegion: undefined,
          labels: new Map([
            [versionId(name.slice("test/".length)), ["AWSCURRENT", `VERIFIED.${"0".repeat(64)}`]],
            ...(started.has(name) ? [[started.get(name) ?? "", ["AWSPENDING"]] as const] : []),
          ]),
        }),
      },
      clock,
      () => 50,
    ),
    publications,
    proofs: new ProofsModel(),
    rotations: {
      start: async (name, version) => {
        await clock.sleep(40);
        limit.take();
        expect(started.get(name) ?? version).toBe(version);
        started.set(name, version);
      },
    },
    functions: { invoke: async () => ({}) },
    identities: NOBODY,
    executions: new ExecutionsModel(),
    clock,
    log: silentLog,
    newVersion: () => versionId(`version ${runs.runs.length} at ${clock.now().getTime()} ${Math.random()}`),
  });
  let [calls, longest] = [0, 0];
  while (started.size < COUNT && calls < 20) {
    calls += 1;
    const began = clock.now().getTime();
    await clock.take(dispatcher.run({ action: "sweep" })).catch((failure: { code?: string }) => {
      expect(failure.code).toBe("throttled");
    });
    const took = clock.now().getTime() - began;
    longest = Math.max(longest, took);
    await clock.take(clock.sleep(Math.max(0, SWEEP_EVERY_MS - took)));
  }
  process.stdout.write(
    `${started.size} of ${COUNT} rotations begun by ${calls} sweeps, the longest ${Math.round(longest / 1_000)} s; ${limit.refused} calls refused as too many\n`,
  );
  expect(started.size).toBe(COUNT);
  expect(runs.runs).toHaveLength(COUNT);
  expect(longest).toBeLessThan(FUNCTION_MS);
  expect(limit.refused).toBeGreaterThan(1_000);
  // Within the hour in which a run may wait for its first label.
  expect(calls).toBeLessThanOrEqual(4);
});

test("a sweep goes on where the last one had no more time, whatever is confirmed in between", async () => {
  const clock = new VirtualClock(new Date("2026-02-01T03:00:00Z"));
  const keys = KEYS.slice(0, 40);
  const confirmed: string[] = [];
  const part: DispatchedPart = {
    key: "app/0000",
    kind: "hmac-key",
    rotation: "automatic",
    function: "acme-test--rotate-hmac-key",
  };
  const settings = dispatcherSettings("test/app/0000", part);
  const [secret] = Object.values(settings.secrets);
  if (secret === undefined) throw new Error("no secret");
  const dispatcher = new Dispatcher({
    settings: {
      ...settings,
      secrets: Object.fromEntries(keys.map((key) => [`test/${key}`, { ...secret, key }])),
    },
    runs: new RunTableModel(),
    store: {
      describe: async () => {
        throw new RotationError("throttled", "DescribeSecret");
      },
    },
    publications: new PublicationsModel(),
    confirm: async (name) => {
      await clock.sleep(300_000);
      confirmed.push(name);
    },
    proofs: new ProofsModel(),
    rotations: { start: async () => undefined },
    functions: { invoke: async () => ({}) },
    identities: NOBODY,
    executions: new ExecutionsModel(),
    clock,
    log: silentLog,
    newVersion: () => versionId("version"),
  });
  const swept = new Set<string>();
  // Eight at a time, twice in ten minutes.
  for (let sweeps = 0; sweeps < 3; sweeps += 1) {
    confirmed.length = 0;
    await clock.take(dispatcher.run({ action: "sweep" }));
    for (const name of confirmed) swept.add(name);
    await clock.take(dispatcher.run({ action: "confirm", secretName: "test/app/0000" }));
  }
  expect(swept.size).toBe(40);
});
