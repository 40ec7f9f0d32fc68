import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { DeleteAccessKeyCommand, IAMClient, ListAccessKeysCommand } from "@aws-sdk/client-iam";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { AwsSecretPlan, FunctionPlan } from "../../lib/blueprint";
import type { KindSettings } from "../../lib/model";
import { KV_VERSION_FIELD } from "../../lib/model/names";
import { type KindValue, STEPS } from "../../lib/rotation";
import { type InvocationResult, invokeFunction, secretsManager } from "../../packages/rehearsal/src/load";
import type { FaultedCall, InjectedFault } from "../../packages/rehearsal/src/shim";
import { shortened } from "../../packages/rehearsal/src/world";
import { Consumers } from "./consumers";
import { everyKind } from "./every-kind";
import { functionRights } from "./function-rights";
import { print, RehearsedRotations } from "./rehearsed-rotations";

// A quarter of an hour on an idle machine of two cores; several times that beside other work.
jest.setTimeout(3_600_000);

const WHEN = ["before", "after"] as const;

let rotations: RehearsedRotations;
/** Past the shim, so that what the test looks at is no call of the rehearsal. */
let past: SecretsManagerClient;
let confirmations: DynamoDBClient;

beforeAll(async () => {
  rotations = await RehearsedRotations.start({ registry: everyKind, environment: "dev" });
  const { aws, as } = rotations.world;
  const { credentials } = as.root;
  past = secretsManager({ endpoint: aws.endpoint, credentials }, rotations.region);
  confirmations = new DynamoDBClient({
    endpoint: aws.endpoint,
    credentials: { ...credentials },
    region: rotations.region,
  });
  const { complete, secrets } = await rotations.bootstrap();
  expect({ complete, faults: secrets.filter(({ fault }) => fault) }).toEqual({ complete: true, faults: [] });
}, 600_000);

afterAll(() => rotations?.group.stop(), 60_000);

afterEach(() => rotations.world.shim.faults.clear());

async function currentOf({ name }: AwsSecretPlan) {
  const { VersionId: version = "", SecretString = "null" } = await past.send(
    new GetSecretValueCommand({ SecretId: name }),
  );
  return { version, value: JSON.parse(SecretString) as unknown };
}

async function holderOf({ name }: AwsSecretPlan, label: string): Promise<string | undefined> {
  const { VersionIdsToStages = {} } = await past.send(new DescribeSecretCommand({ SecretId: name }));
  return Object.entries(VersionIdsToStages).find(([, labels]) => labels.includes(label))?.[0];
}

/** Milliseconds that any change of a secret has to wait. */
const longestWait = ({ overlap, publishLead }: AwsSecretPlan): number =>
  Math.max(...[overlap, publishLead].map((wait) => shortened(wait).seconds)) * 1_000;

/** The version that the probe of a secret has tried last; nothing when it has none. */
const probed = new Map<string, string>();

/** Waits until Vault and the probe have AWSCURRENT, and dates the confirmation back, so that no wait is left. */
async function ageConfirmation(secret: AwsSecretPlan): Promise<void> {
  const { version } = await currentOf(secret);
  // Whoever still presents the old credential after the wait keeps it from being ended.
  while (probed.has(secret.key) && probed.get(secret.key) !== version) await sleep(20);
  for (let looks = 1; (await rotations.confirmedAt(secret.key, version)) === undefined; looks += 1) {
    if (looks % 50 === 0) await insist(rotations.mirror, { Sweep: true });
    await sleep(100);
  }
  await confirmations.send(
    new PutItemCommand({
      TableName: rotations.world.plan.operations?.publicationsTable,
      Item: {
        secret: { S: secret.name },
        version: { S: version },
        confirmedAt: { S: new Date(Date.now() - longestWait(secret)).toISOString() },
      },
    }),
  );
}

const isBy =
  (plan: FunctionPlan) =>
  ({ caller }: FaultedCall): boolean =>
    caller?.functionArn === rotations.arnOf(plan);

/** Identity of a call, so that equal calls are known as such. */
const identity = ({ action, parameters }: FaultedCall): string => {
  const { VersionStage = "", TransactItems } = parameters;
  const items = Array.isArray(TransactItems)
    ? TransactItems.flatMap((item: object) => Object.keys(item))
    : [];
  return [action, VersionStage, ...items].join(" ");
};

/** The calls that a function makes in a piece of work, in their order. */
async function callsDuring(plan: FunctionPlan, work: () => Promise<void>): Promise<readonly string[]> {
  const calls: string[] = [];
  const order = rotations.world.shim.faults.on(
    (call) => {
      if (isBy(plan)(call)) calls.push(identity(call));
      return false;
    },
    { kind: "throttle" },
  );
  await work();
  order.withdraw();
  return calls;
}

/** Orders a fault for a function's nth call from now on, counted from 0. */
function faultAt(plan: FunctionPlan, ordinal: number, fault: InjectedFault) {
  let calls = 0;
  return rotations.world.shim.faults.on((call) => isBy(plan)(call) && calls++ === ordinal, fault);
}

const errorOf = ({ functionError, payload }: InvocationResult): string | undefined =>
  functionError && String((payload as { readonly errorMessage?: unknown }).errorMessage);

/** Calls a function until it answers, as the procedure's driver does. */
async function insist(plan: FunctionPlan, event: object): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const error = errorOf(await invokeFunction(rotations.world.as.operator, rotations.arnOf(plan), event));
    if (error === undefined) return;
    if (attempt === 4) throw new Error(error);
  }
}

let orphansLetGo = 0;

/**
 * A key that was made and not stored may still be about to be stored, so the function leaves it alone for 15 minutes, and
 * Secrets Manager tries again until then. The embedded AWS has no other clock: its administrator does what the function
 * would do after that, which `test/rotation/targets/s3-access-key.test.ts` shows.
 */
async function letOrphanGo(secret: AwsSecretPlan): Promise<void> {
  const { aws, as } = rotations.world;
  const { credentials } = as.root;
  const iam = new IAMClient({
    endpoint: aws.endpoint,
    region: rotations.region,
    credentials: { ...credentials },
  });
  const { accessKeyId } = (await currentOf(secret)).value as KindValue<"s3-access-key">;
  const { user: UserName } = secret.settings as KindSettings<"s3-access-key">;
  const { AccessKeyMetadata = [] } = await iam.send(new ListAccessKeysCommand({ UserName }));
  for (const { AccessKeyId } of AccessKeyMetadata) {
    if (AccessKeyId !== accessKeyId) await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }));
  }
  iam.destroy();
  orphansLetGo += 1;
}

/** One rotation from beginning to end, by whoever rotates this kind. */
async function rotate(secret: AwsSecretPlan): Promise<void> {
  await ageConfirmation(secret);
  await rotations.endRun(secret.key);
  if (secret.rotation === "automatic") {
    await rotations.cloud.startRotation(secret.name, randomUUID());
    let { outcome, failures } = await rotations.world.shim.rotations.settled(secret.name);
    if (failures.at(-1)?.errorMessage.startsWith("target-busy: user s3-app-dev got a key")) {
      await letOrphanGo(secret);
      await rotations.cloud.startRotation(secret.name, randomUUID());
      ({ outcome, failures } = await rotations.world.shim.rotations.settled(secret.name));
    }
    expect({ key: secret.key, outcome, failures: outcome === "succeeded" ? [] : failures }).toEqual({
      key: secret.key,
      outcome: "succeeded",
      failures: [],
    });
    return;
  }
  const report = await rotations.rotate(secret.key, {
    supplied: await rotations.target(secret.key).reissued?.(),
  });
  expect(report).toMatchObject({ secret: secret.key, outcome: "done" });
  if (secret.publishLead.seconds === 0) return;
  await ageConfirmation(secret);
  expect(await rotations.rotate(secret.key, { phase: "promote" })).toMatchObject({ outcome: "done" });
}

/** The old credential's end, and at a vendor what people do before. */
async function decommission(secret: AwsSecretPlan, old: unknown): Promise<void> {
  if (secret.acceptedBy === "single-slot") return;
  await rotations.world.targets.targets.get(secret.key)?.expire?.(old);
  await ageConfirmation(secret);
  const previous = await holderOf(secret, "AWSPREVIOUS");
  await insist(
    rotations.functionOf(secret.key),
    await rotations.runs.allow({
      Phase: "decommission",
      SecretId: secret.name,
      ...(previous === undefined ? {} : { VersionId: previous }),
    }),
  );
  await rotations.endRun(secret.key);
}

/** Tries AWSCURRENT all the time while something happens. */
async function probeDuring(secret: AwsSecretPlan, work: () => Promise<void>): Promise<number> {
  const attempt = rotations.world.targets.targets.get(secret.key)?.attempt;
  let isDone = false;
  const end = work().finally(() => {
    isDone = true;
  });
  let attempts = 0;
  probed.set(secret.key, "");
  while (!isDone) {
    const { version, value } = await currentOf(secret);
    const outcome = attempt === undefined ? "accepted" : await attempt(value);
    // A version that was overtaken meanwhile may have been retired, because this test has let no time pass.
    if (outcome === "accepted" || (await currentOf(secret)).version === version) {
      expect({ key: secret.key, version, outcome }).toEqual({
        key: secret.key,
        version,
        outcome: "accepted",
      });
      attempts += 1;
    }
    probed.set(secret.key, version);
    await sleep(50);
  }
  probed.delete(secret.key);
  await end;
  return attempts;
}

/** Ordinals of all calls, or of the first of each that are alike. */
const pointsOf = (calls: readonly string[], exhaustive: boolean) =>
  calls.flatMap((call, ordinal) =>
    exhaustive || calls.indexOf(call) === ordinal ? WHEN.map((when) => ({ ordinal, when })) : [],
  );

/** `true` when there is somebody to try a value with. */
const isTried = ({ key }: AwsSecretPlan): boolean =>
  rotations.world.targets.targets.get(key)?.attempt !== undefined;

interface Tally {
  readonly calls: readonly [rotation: number, decommission: number];
  readonly points: readonly [rotation: number, decommission: number];
  readonly attempts: number;
}

async function crashEverywhere(secret: AwsSecretPlan, exhaustive: boolean): Promise<Tally> {
  const plan = rotations.functionOf(secret.key);
  const target = rotations.world.targets.targets.get(secret.key);
  const first = (await currentOf(secret)).value;
  const inRotation = await callsDuring(plan, () => rotate(secret));
  const inDecommission = await callsDuring(plan, () => decommission(secret, first));
  const before = await target?.credentials?.();
  const rotationPoints = pointsOf(inRotation, exhaustive);
  const decommissionPoints = pointsOf(inDecommission, exhaustive);
  const killed = { rotation: 0, decommission: 0 };
  const attempts = await probeDuring(secret, async () => {
    for (let round = 0; round < Math.max(rotationPoints.length, decommissionPoints.length); round += 1) {
      const old = (await currentOf(secret)).value;
      const at = rotationPoints[round % rotationPoints.length];
      const inside = at && faultAt(plan, at.ordinal, { kind: "kill", when: at.when });
      await rotate(secret);
      if (inside?.spent) killed.rotation += 1;
      inside?.withdraw();
      expect(await holderOf(secret, "AWSPENDING")).toBeUndefined();
      const then = decommissionPoints[round];
      const after = then && faultAt(plan, then.ordinal, { kind: "kill", when: then.when });
      await decommission(secret, old);
      if (after?.spent) killed.decommission += 1;
      after?.withdraw();
      expect(await holderOf(secret, "AWSPENDING")).toBeUndefined();
      expect({ key: secret.key, at, then, credentials: await target?.credentials?.() }).toEqual({
        key: secret.key,
        at,
        then,
        credentials: before,
      });
    }
  });
  expect(killed.rotation).toBeGreaterThanOrEqual(rotationPoints.length);
  expect(killed.decommission).toBe(decommissionPoints.length);
  return {
    calls: [inRotation.length, inDecommission.length],
    points: [killed.rotation, killed.decommission],
    attempts,
  };
}

/** Vault's copy, as its root reads it. */
async function inVault({ vaultPath }: AwsSecretPlan): Promise<Readonly<Record<string, unknown>>> {
  const [server] = rotations.world.vaults.values();
  const { data } = (await server?.call("GET", vaultPath)) ?? {};
  return (data?.data ?? {}) as Record<string, unknown>;
}

async function expectVaultEqualsCurrent(): Promise<void> {
  await insist(rotations.mirror, { Sweep: true });
  for (const secret of rotations.rotated.filter(({ consumers }) => consumers.length > 0)) {
    const { version, value } = await currentOf(secret);
    expect({ key: secret.key, is: await inVault(secret) }).toEqual({
      key: secret.key,
      is: { ...(value as object), [KV_VERSION_FIELD]: version },
    });
  }
}

test("nobody notices ten rotations of the kinds that the organisation's dev lacks", async () => {
  const keys = ["app/session", "crypto/webhook", "redis/own"];
  const consumers = new Consumers(rotations, keys);
  consumers.start();
  await Promise.all(
    keys.map(async (key) => {
      for (let round = 0; round < 10; round += 1) {
        await rotations.whenPossible("rotate", key);
        expect(await rotations.rotate(key)).toMatchObject({ secret: key, outcome: "done" });
        if (rotations.secret(key).acceptedBy === "single-slot") continue;
        await rotations.whenPossible("decommission", key);
        expect(await rotations.rotate(key, { phase: "decommission" })).toMatchObject({ outcome: "done" });
      }
    }),
  ).finally(() => consumers.stop());
  for (const { key, attempts, versions } of consumers.experiences.values()) {
    const isSingle = rotations.secret(key).acceptedBy === "single-slot";
    print(
      `${key.padEnd(24)}${String(versions.size).padStart(4)} versions in Vault${String(attempts).padStart(8)} attempts` +
        (isSingle ? ": a single slot, so pods differ for at most the refresh interval and the margin" : ""),
    );
    if (!isSingle) expect(attempts).toBeGreaterThan(10);
  }
  expect(consumers.total.refused).toEqual([]);
});

const EXHAUSTIVE = ["crypto/webhook"];

test("every kind's function dies before and after its calls; what retries converges, and AWSCURRENT works all the time", async () => {
  const kinds = rotations.rotated.filter(({ consumers }) => consumers.length > 0);
  // Each kind to its end, whatever becomes of another.
  const results = await Promise.allSettled(
    rotations.world.plan.functions.map(async ({ name }) => {
      const told: string[] = [];
      for (const secret of kinds.filter(({ rotatedBy }) => rotatedBy === name)) {
        const exhaustive = EXHAUSTIVE.includes(secret.key);
        const { calls, points, attempts } = await crashEverywhere(secret, exhaustive);
        told.push(
          `  ${secret.key.padEnd(24)}${calls.join(" + ").padStart(8)} calls, killed ${points.join(" + ").padStart(8)} times ` +
            `(${exhaustive ? "every call" : "each distinct call"}, before and after), AWSCURRENT ${isTried(secret) ? "tried" : "read"} ${attempts} times`,
        );
      }
      return told;
    }),
  );
  const lines = results.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
  print(
    `Killed in a rotation + in a decommission, real processes:\n${lines.sort().join("\n")}\n` +
      `  ${orphansLetGo} times an access key that was not stored was let go after its 15 minutes: simulated`,
  );
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
  await expectVaultEqualsCurrent();
});

test("the mirror dies before and after its calls, and Vault comes to equal AWSCURRENT", async () => {
  const secret = rotations.secret("crypto/webhook");
  const { mirror } = rotations;
  /** As the schedule does, until Vault has it. */
  const mirrored = async () => {
    const { version } = await currentOf(secret);
    while ((await rotations.confirmedAt(secret.key, version)) === undefined) {
      await invokeFunction(rotations.world.as.operator, rotations.arnOf(mirror), { Sweep: true });
    }
  };
  const calls = new Set(
    await callsDuring(mirror, async () => {
      await rotate(secret);
      await mirrored();
    }),
  );
  let killed = 0;
  for (const wanted of calls) {
    for (const when of WHEN) {
      const order = rotations.world.shim.faults.on(
        (call) => isBy(mirror)(call) && identity(call) === wanted,
        {
          kind: "kill",
          when,
        },
      );
      await rotate(secret);
      await mirrored();
      killed += order.spent ? 1 : 0;
      order.withdraw();
      expect({ wanted, when, version: (await inVault(secret))[KV_VERSION_FIELD] }).toEqual({
        wanted,
        when,
        version: (await currentOf(secret)).version,
      });
    }
  }
  print(`mirror: ${calls.size} distinct calls, killed ${killed} times\n  ${[...calls].join("\n  ")}`);
  expect(killed).toBe(2 * calls.size);
  await expectVaultEqualsCurrent();
});

/** Orders a fault for every call of a function when it is made first; the SDK makes it again. */
function faultAtEveryFirstTry(plan: FunctionPlan, fault: InjectedFault): { readonly count: number } {
  let tries = 0;
  rotations.world.shim.faults.on(
    (call) => isBy(plan)(call) && ++tries % 2 === 1,
    fault,
    Number.POSITIVE_INFINITY,
  );
  return {
    get count() {
      return Math.ceil(tries / 2);
    },
  };
}

/** A whole round with an order for the function, while AWSCURRENT is tried. */
async function roundOf(key: string): Promise<number> {
  const secret = rotations.secret(key);
  const target = rotations.world.targets.targets.get(key);
  const before = await target?.credentials?.();
  const attempts = await probeDuring(secret, async () => {
    const { value } = await currentOf(secret);
    await rotate(secret);
    await decommission(secret, value);
  });
  expect(await holderOf(secret, "AWSPENDING")).toBeUndefined();
  expect(await target?.credentials?.()).toBe(before);
  return attempts;
}

test("throttling, lost responses and a slow AWS leave a rotation to its end", async () => {
  const told: string[] = [];
  for (const [key, fault] of [
    ["redis/own", { kind: "throttle" }],
    ["observability/datadog", { kind: "lost-response" }],
    ["storage/s3", { kind: "delay", milliseconds: 300 }],
  ] as const) {
    const faults = faultAtEveryFirstTry(rotations.functionOf(key), fault);
    const attempts = await roundOf(key);
    rotations.world.shim.faults.clear();
    told.push(`${key}: ${fault.kind} at ${faults.count} calls, AWSCURRENT tried ${attempts} times`);
    expect(faults.count).toBeGreaterThan(10);
  }
  print(told.join("\n"));
});

test("answers of vendors that are lost or late leave no key of nobody", async () => {
  const { vendors } = rotations.world.targets;
  for (const key of ["smtp/sendgrid", "observability/datadog", "payments/stripe"]) {
    const vendor = vendors.get(key);
    const calls = vendor?.calls.length ?? 0;
    vendor?.failNext({ how: { lost: "answer" }, on: "POST" });
    vendor?.failNext({ how: { until: sleep(1_500) }, on: "GET" });
    const attempts = await roundOf(key);
    print(
      `${key}: an answer lost, one late, ${(vendor?.calls.length ?? 0) - calls} requests, AWSCURRENT tried ${attempts} times`,
    );
  }
});

test("two callers of the same steps at once, beside Secrets Manager, make one rotation", async () => {
  for (const key of ["db/app", "smtp/sendgrid"]) {
    const secret = rotations.secret(key);
    const target = rotations.target(key);
    await ageConfirmation(secret);
    await rotations.endRun(key);
    const before = (await currentOf(secret)).value;
    const token = randomUUID();
    await rotations.cloud.startRotation(secret.name, token);
    const plan = rotations.functionOf(key);
    const errors: string[] = [];
    for (const Step of STEPS) {
      const event = { Step, SecretId: secret.name, ClientRequestToken: token };
      const answers = await Promise.all(
        [1, 2].map(() => invokeFunction(rotations.world.as.operator, rotations.arnOf(plan), event)),
      );
      errors.push(...answers.flatMap((answer) => errorOf(answer) ?? []));
    }
    expect(await rotations.world.shim.rotations.settled(secret.name)).toMatchObject({ outcome: "succeeded" });
    const { version, value } = await currentOf(secret);
    expect(version).toBe(token);
    expect(await holderOf(secret, "AWSPENDING")).toBeUndefined();
    expect(await target.attempt?.(value)).toBe("accepted");
    await decommission(secret, before);
    if (target.credentials) expect(await target.credentials()).toBe(1);
    print(
      `${key}: three callers at once; told ${errors.map((error) => error.split(":")[0]).join(", ") || "nothing"}`,
    );
  }
});

test("no function lacked a right in all of this", () => {
  const { counts, missing } = functionRights(rotations);
  print(
    `${counts.enforced} enforced, ${counts.implied} implied, ${counts.service} used by AWS itself, ${counts.none} not used here`,
  );
  expect(missing).toEqual([]);
});
