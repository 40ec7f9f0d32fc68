import { AddTagsToResourceCommand, ModifyReplicationGroupCommand } from "@aws-sdk/client-elasticache";
import * as fc from "fast-check";
import { type KindSettings, settingsSchema } from "../../../lib/model/kinds";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { elastiCacheAuthTarget } from "../../../lib/rotation/targets/elasticache-auth";
import type { RedisValue } from "../../../lib/rotation/targets/redis-acl-user";
import type { SameTokenReading } from "../../../packages/rehearsal/src/targets/auth-tokens";
import { propertyRuns } from "../../property-runs";
import { crashEverywhere } from "../models/crash-everywhere";
import { Crash, CrashPlan } from "../models/crash-plan";
import { ElastiCacheModel, type ElastiCacheReadings } from "../models/elasticache-model";
import { ATTEMPT, RehearsedSecret, TestClock, testRandom, versionId } from "../models/rehearsed-secret";

jest.setTimeout(60_000);

const HOUR = 3_600;
const v = (n: number): string => versionId(`rotation ${n}`);
const settings = settingsSchema("redis-auth-token").parse({
  host: "localhost",
  replicationGroup: "app",
}) as KindSettings<"redis-auth-token">;
const token = (letter: string): string => letter.repeat(20);
const FIRST = "made-by-terraform-0001";
const [A, B, C] = ["a", "b", "c"].map(token) as [string, string, string];
const value = (password: string): RedisValue => ({ password });

/** The model's own target, to be called as the machine calls it. */
const targetOf = (model: ElastiCacheModel, plan = new CrashPlan(0, "before"), clock = new TestClock()) =>
  elastiCacheAuthTarget({
    settings,
    groups: plan.wrap(model.groups),
    server: plan.wrap(model),
    clock,
    random: testRandom,
  });

async function arrived(secret: RehearsedSecret<RedisValue>): Promise<void> {
  secret.confirm();
  secret.clock.advance(2 * HOUR);
}

function elastiCache(made?: string, readings?: ElastiCacheReadings) {
  const model = new ElastiCacheModel(made, readings);
  const secret: RehearsedSecret<RedisValue> = new RehearsedSecret<RedisValue>({
    target: (plan) => targetOf(model, plan, secret.clock),
    overlap: HOUR,
  });
  return { model, secret };
}

/** A group that has got these tokens, one after the other, by hand. */
async function groupWith(
  first: string | undefined,
  steps: readonly string[],
  readings?: ElastiCacheReadings,
) {
  const model = new ElastiCacheModel(first, readings);
  for (const step of steps) {
    const [strategy = "", text = ""] = step.split(" ");
    await asked(model, { AuthTokenUpdateStrategy: strategy as "ROTATE", AuthToken: text });
  }
  model.changes.length = 0;
  return model;
}

/** A request as a person makes it, and the change to its end. */
async function asked(
  model: ElastiCacheModel,
  input: Partial<ConstructorParameters<typeof ModifyReplicationGroupCommand>[0]>,
): Promise<void> {
  await model.client.send(
    new ModifyReplicationGroupCommand({ ReplicationGroupId: "app", ApplyImmediately: true, ...input }),
  );
  for (const _ of [1, 2, 3]) await model.groups.describe("app");
}

describe("the model refuses what AWS's page refuses", () => {
  const page = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html";
  const api =
    "https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyReplicationGroup.html";

  test.each<[sentence: string, page: string, steps: readonly string[], asks: string, refusal: string]>([
    [
      "Tokens, or passwords, must be 16-128 printable characters",
      page,
      [],
      `ROTATE ${"x".repeat(15)}`,
      "InvalidParameterValue",
    ],
    ["... 16-128", page, [], `ROTATE ${"x".repeat(129)}`, "InvalidParameterValue"],
    [
      "Nonalphanumeric characters are restricted to (!, &, #, $, ^, <, >, -)",
      page,
      [],
      `ROTATE ${"x".repeat(20)}@`,
      "InvalidParameterValue",
    ],
    [
      "Cannot contain any of the following characters: '/', '\"', or '@', '%'",
      api,
      [],
      `ROTATE ${"x".repeat(20)}/`,
      "InvalidParameterValue",
    ],
    ["SET - allowed only after ROTATE", api, [], `SET ${A}`, "InvalidParameterCombination"],
    [
      "SET ... only ... with a cluster that has 2 AUTH tokens",
      page,
      [`ROTATE ${B}`, `SET ${B}`],
      `SET ${B}`,
      "InvalidParameterCombination",
    ],
    [
      "SET ... with same value as the last AUTH token",
      page,
      [`ROTATE ${B}`],
      `SET ${A}`,
      "InvalidParameterValue",
    ],
    ["... not any other token either", page, [`ROTATE ${B}`], `SET ${C}`, "InvalidParameterValue"],
    [
      "DELETE - allowed only when transitioning to RBAC",
      api,
      [`ROTATE ${B}`],
      `DELETE ${B}`,
      "InvalidParameterCombination",
    ],
  ])("%s (%s)", async (_sentence, _page, steps, asks, refusal) => {
    const model = await groupWith(A, steps);
    const before = model.tokens.accepted;
    const [strategy = "", text = ""] = asks.split(" ");
    await expect(
      asked(model, { AuthTokenUpdateStrategy: strategy as "ROTATE", AuthToken: text }),
    ).rejects.toMatchObject({ name: refusal });
    expect(model.tokens.accepted).toEqual(before);
  });

  test(`AUTH can only be enabled for encryption in-transit enabled clusters (${page})`, async () => {
    const model = new ElastiCacheModel(A);
    model.encryptedInTransit = false;
    await expect(asked(model, { AuthToken: B })).rejects.toMatchObject({
      name: "InvalidParameterCombination",
    });
  });

  test(`no change is taken while one is under way, and the status says so (${api})`, async () => {
    const model = new ElastiCacheModel(A);
    expect(await model.groups.changeToken("app", "ROTATE", B)).toMatchObject({
      status: "modifying",
      tokenChanging: true,
    });
    await expect(model.groups.changeToken("app", "ROTATE", C)).rejects.toMatchObject({ code: "target-busy" });
    expect(model.lets(B)).toBe(false);
  });

  test(`without ApplyImmediately nothing changes until the maintenance window (${api})`, async () => {
    const model = new ElastiCacheModel(A);
    await asked(model, { AuthToken: B, ApplyImmediately: false });
    expect([A, B].map((text) => model.lets(text))).toEqual([true, false]);
  });

  test(`ROTATE keeps the two tokens rotated last: "the oldest AUTH token will also be removed" (${page})`, async () => {
    const model = await groupWith(A, [`ROTATE ${B}`, `ROTATE ${C}`]);
    expect([A, B, C].map((text) => model.lets(text))).toEqual([false, true, true]);
  });

  test(`ROTATE on a group without a token leaves it open until SET, and ROTATE is the default (${page})`, async () => {
    const model = new ElastiCacheModel();
    await asked(model, { AuthToken: A });
    expect([model.isOpen, model.lets(A)]).toEqual([true, true]);
    await asked(model, { AuthToken: A, AuthTokenUpdateStrategy: "SET" });
    expect([model.isOpen, model.lets(A)]).toEqual([false, true]);
  });
});

describe("rotation", () => {
  test("the first rotation closes a group that was open", async () => {
    const { model, secret } = elastiCache();
    await secret.rotate(v(1));
    expect(model.isOpen).toBe(false);
    expect(model.lets(secret.current?.password ?? "")).toBe(true);
  });

  test("the first rotation of a group that has a token does not end it", async () => {
    const { model, secret } = elastiCache(FIRST);
    await secret.rotate(v(1));
    expect(model.lets(FIRST)).toBe(true);
    expect(model.lets(secret.current?.password ?? "")).toBe(true);
  });

  test("both tokens work through the overlap, the old one dies at decommission", async () => {
    const { model, secret } = elastiCache(FIRST);
    await secret.rotate(v(1));
    const old = secret.current?.password ?? "";
    await arrived(secret);
    await secret.rotate(v(2));
    expect([old, secret.current?.password ?? ""].map((text) => model.lets(text))).toEqual([true, true]);
    await arrived(secret);
    for (const _ of [1, 2]) await secret.phase("decommission", v(1));
    expect([old, secret.current?.password ?? ""].map((text) => model.lets(text))).toEqual([false, true]);
    expect(model.kills).toBe(0);
  });

  test("a group that is known to have one token takes the next without another change", async () => {
    const { model, secret } = elastiCache(FIRST);
    for (const n of [1, 2]) {
      await secret.rotate(v(n));
      await arrived(secret);
    }
    await secret.phase("decommission", v(1));
    model.changes.length = 0;
    await secret.rotate(v(3));
    expect(model.changes).toEqual(["ROTATE"]);
    // The date of the last change may be late, or a person's: it is not all that guards against a token that came in.
    expect(model.tags.get("secrets-registry:auth-token-alone-since")).toBe("-");
  });

  test("what is known of a group ends when somebody else changes its token", async () => {
    const { model, secret } = elastiCache(FIRST);
    for (const n of [1, 2]) {
      await secret.rotate(v(n));
      await arrived(secret);
    }
    await secret.phase("decommission", v(1));
    const held = secret.current?.password ?? "";
    await asked(model, { AuthToken: C });
    await secret.rotate(v(3));
    expect([held, secret.current?.password ?? ""].map((text) => model.lets(text))).toEqual([true, true]);
  });

  test("a crash at every call converges: what consumers hold is never pushed out, nothing stays open", async () => {
    let points = 0;
    for (const [made, earlier] of [
      [undefined, 0],
      [FIRST, 0],
      [FIRST, 2],
    ] as const) {
      points += await crashEverywhere(async () => {
        const { model, secret } = elastiCache(made);
        for (let n = 1; n <= earlier; n += 1) {
          await secret.rotate(v(n));
          await arrived(secret);
        }
        const held = secret.current?.password ?? made;
        const holds = async () => expect(held === undefined || model.lets(held)).toBe(true);
        return {
          work: (plan) => secret.rotate(v(9), plan),
          afterCrash: holds,
          afterAll: async () => {
            if (held !== undefined) await holds();
            expect(model.isOpen).toBe(false);
            expect(model.lets(secret.current?.password ?? "")).toBe(true);
          },
        };
      });
    }
    process.stdout.write(`ElastiCache (model): ${points} crash points\n`);
    expect(points).toBeGreaterThan(100);
  });

  test("a run that was given up before it closed an open group does not stop the next one", async () => {
    const { model, secret } = elastiCache();
    secret.secrets.stage(secret.name, v(1));
    await secret.step("createSecret", v(1));
    await secret.rotate(v(2));
    expect(model.isOpen).toBe(false);
    expect(model.lets(secret.current?.password ?? "")).toBe(true);
  });

  test("a group without TLS, a group that a person has opened, a change that does not end", async () => {
    const plain = elastiCache(FIRST);
    plain.model.encryptedInTransit = false;
    await expect(plain.secret.rotate(v(1))).rejects.toMatchObject({ code: "target-without-tls" });
    const open = elastiCache();
    open.model.changedByHand(new Date());
    open.secret.secrets.putByHand(open.secret.name, v(1), JSON.stringify({ password: "by-hand-0000000001" }));
    await arrived(open.secret);
    await expect(open.secret.rotate(v(2))).rejects.toMatchObject({ code: "target-open" });
    const slow = elastiCache(FIRST, { descriptionsUntilDone: 10_000 });
    await expect(slow.secret.rotate(v(1))).rejects.toMatchObject({ code: "target-busy" });
  });
});

/** States in use, and what a call makes of each. */
const STATES: readonly (readonly [what: string, first: string | undefined, steps: readonly string[]])[] = [
  ["A alone", A, []],
  ["A alone, after SET", B, [`ROTATE ${A}`, `SET ${A}`]],
  ["B, then A", B, [`ROTATE ${A}`]],
  ["A, then B", A, [`ROTATE ${B}`]],
  ["a foreign token, then A", FIRST, [`ROTATE ${A}`]],
  ["A, then a foreign token", A, [`ROTATE ${FIRST}`]],
  ["open, A optional", undefined, [`ROTATE ${A}`]],
];

describe.each<SameTokenReading>(["counts-again", "moves", "newest-refused"])(
  "where ROTATE with a token that the group has: %s",
  (sameToken) => {
    test.each(STATES)("C comes in beside A, from: %s", async (_what, first, steps) => {
      const points = await crashEverywhere(async () => {
        const model = await groupWith(first, steps, { sameToken });
        let refused = false;
        const stays = () => expect(model.lets(A)).toBe(true);
        model.onChanged = stays;
        return {
          work: (plan) =>
            targetOf(model, plan)
              .install(value(C), value(A), ATTEMPT)
              .catch((failure: unknown) => {
                // From A alone nobody can tell: AWS refuses A for ROTATE and for SET alike.
                refused = failure instanceof RotationError && failure.code === "target-misconfigured";
                if (sameToken !== "newest-refused" || !refused) throw failure;
              }),
          afterCrash: async () => stays(),
          afterAll: async () => {
            stays();
            expect(model.lets(C)).toBe(!refused);
            expect(model.isOpen).toBe(false);
          },
        };
      });
      expect(points).toBeGreaterThan(5);
    });

    test.each(STATES.filter(([what]) => / B|B,/.test(what)))(
      "B dies and A stays, from: %s",
      async (_what, first, steps) => {
        await crashEverywhere(async () => {
          const model = await groupWith(first, steps, { sameToken });
          const stays = () => expect(model.lets(A)).toBe(true);
          model.onChanged = stays;
          return {
            work: (plan) =>
              targetOf(model, plan).retire({
                secret: ATTEMPT,
                retired: value(B),
                kept: [value(A)],
                refreshedBy: undefined,
                emergency: false,
              }),
            afterCrash: async () => stays(),
            afterAll: async () => expect([A, B].map((text) => model.lets(text))).toEqual([true, false]),
          };
        });
      },
    );
  },
);

test("where AWS refuses every token that the group has, nothing is pushed out, and a person is told what to do", async () => {
  const model = await groupWith(A, [`ROTATE ${B}`], { sameToken: "refused" });
  model.onChanged = () => expect(model.lets(A)).toBe(true);
  await expect(targetOf(model).install(value(C), value(A), ATTEMPT)).rejects.toThrow(
    /^target-misconfigured: .*neither for ROTATE nor for SET/,
  );
  expect([A, B].map((text) => model.lets(text))).toEqual([true, true]);
});

type Operation = "rotate" | "give up" | "vanish" | "roll back" | "decommission" | "emergency";

test("sequences: what is AWSCURRENT is never pushed out, and the next rotation always comes through", async () => {
  let checks = 0;
  const runs = propertyRuns("ElastiCache keeps AWSCURRENT", { ci: 100, nightly: 2_000 });
  const operation = fc.record({
    what: fc.constantFrom<Operation>("rotate", "give up", "vanish", "roll back", "decommission", "emergency"),
    crashAt: fc.integer({ min: 0, max: 12 }),
    when: fc.constantFrom<"before" | "after">("before", "after"),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<SameTokenReading>("counts-again", "moves"),
      fc.constantFrom(undefined, FIRST),
      fc.array(operation, { maxLength: 12 }),
      async (sameToken, made, operations) => {
        const model = new ElastiCacheModel(made, { sameToken });
        let n = 0;
        const fresh = (): RedisValue => {
          n += 1;
          return value(token("t") + n);
        };
        let current = fresh();
        let previous: RedisValue | undefined;
        await targetOf(model).install(current, undefined, ATTEMPT);
        const stays = () => {
          checks += 1;
          expect(model.lets(current.password)).toBe(true);
          expect(model.isOpen).toBe(false);
        };
        model.onChanged = stays;
        const end =
          (retired: RedisValue, emergency = false) =>
          (plan?: CrashPlan) =>
            targetOf(model, plan).retire({
              secret: ATTEMPT,
              retired,
              kept: [current],
              refreshedBy: undefined,
              emergency,
            });
        for (const { what, crashAt, when } of [
          ...operations,
          { what: "rotate", crashAt: 0, when: "after" } as const,
        ]) {
          /** Once with a crash, then to its end, as the callers do. */
          const through = async (work: (plan?: CrashPlan) => Promise<unknown>): Promise<void> => {
            await work(new CrashPlan(crashAt, when)).catch((failure: unknown) => {
              if (!(failure instanceof Crash)) throw failure;
            });
            stays();
            await work();
            stays();
          };
          const pending = fresh();
          const install = (plan?: CrashPlan) => targetOf(model, plan).install(pending, current, ATTEMPT);
          switch (what) {
            case "rotate":
              await through(install);
              [previous, current] = [current, pending];
              break;
            case "give up":
              await through(install);
              await through(end(pending));
              expect(model.lets(pending.password)).toBe(false);
              break;
            case "vanish":
              // Killed, and given up without another call.
              await install(new CrashPlan(crashAt, when)).catch(() => undefined);
              for (const _ of [1, 2, 3]) await model.groups.describe("app");
              break;
            case "roll back": {
              if (previous === undefined || !model.lets(previous.password)) break;
              const [back, from] = [previous, current];
              await through((plan) => targetOf(model, plan).install(back, from, ATTEMPT));
              [previous, current] = [current, back];
              break;
            }
            default:
              if (previous === undefined) break;
              await through(end(previous, what === "emergency"));
              expect(model.lets(previous.password)).toBe(false);
          }
          stays();
        }
      },
    ),
    runs,
  );
  process.stdout.write(
    `ElastiCache (model): AWSCURRENT was looked at ${checks} times in ${runs.numRuns} sequences, refused 0
`,
  );
});

describe("whose the group is", () => {
  test("a group is marked by the secret that rotates it", async () => {
    const { model, secret } = elastiCache(FIRST);
    await secret.rotate(v(1));
    expect(model.tags.get("secrets-registry:secret")).toBe(secret.name);
  });

  test("a group with another secret's mark is not touched: neither by a rotation nor by a decommission", async () => {
    const model = await groupWith(A, [`ROTATE ${B}`]);
    await model.client.send(
      new AddTagsToResourceCommand({
        ResourceName: "arn",
        Tags: [{ Key: "secrets-registry:secret", Value: "stage/redis/other" }],
      }),
    );
    const target = targetOf(model);
    await expect(target.install(value(C), value(B), ATTEMPT)).rejects.toMatchObject({
      code: "target-not-ours",
    });
    const retirement = { secret: ATTEMPT, retired: value(A), kept: [value(B)], refreshedBy: undefined };
    await expect(target.retire({ ...retirement, emergency: true })).rejects.toMatchObject({
      code: "target-not-ours",
    });
    expect(model.changes).toEqual([]);
    expect([A, B].map((text) => model.lets(text))).toEqual([true, true]);
  });
});

test("a leak ends sessions as well, also when the call that ended the token died before", async () => {
  const model = await groupWith(A, [`ROTATE ${B}`]);
  const retirement = { secret: ATTEMPT, retired: value(A), kept: [value(B)], refreshedBy: undefined };
  await targetOf(model).retire({ ...retirement, emergency: false });
  expect(model.kills).toBe(0);
  await targetOf(model).retire({ ...retirement, emergency: true });
  expect(model.kills).toBe(2);
});

test("a decommission while the next rotation holds its token waits", async () => {
  const model = await groupWith(A, [`ROTATE ${B}`]);
  const retirement = { secret: ATTEMPT, retired: value(A), refreshedBy: undefined, emergency: false };
  await expect(targetOf(model).retire({ ...retirement, kept: [value(C), value(B)] })).rejects.toMatchObject({
    code: "target-busy",
  });
  // What the group has not taken yet is not ended by SET.
  await targetOf(model).retire({ ...retirement, kept: [value(B), value(C)] });
  expect([A, B].map((text) => model.lets(text))).toEqual([false, true]);
});
