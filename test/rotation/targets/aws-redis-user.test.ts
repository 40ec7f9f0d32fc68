import * as fc from "fast-check";
import { type KindSettings, settingsSchema } from "../../../lib/model/kinds";
import { awsRedisUserTarget } from "../../../lib/rotation/targets/aws-redis-user";
import type { RedisValue } from "../../../lib/rotation/targets/redis-acl-user";
import {
  AwsUser,
  USER_PAGES,
  type UserService,
} from "../../../packages/rehearsal/src/targets/aws-user-passwords";
import { propertyRuns } from "../../property-runs";
import { AwsUsersModel, madeUser, startMemoryDb } from "../models/aws-users-model";
import { crashEverywhere } from "../models/crash-everywhere";
import { Crash, CrashPlan } from "../models/crash-plan";
import { ATTEMPT, RehearsedSecret, TestClock, testRandom, versionId } from "../models/rehearsed-secret";

/** Users of ElastiCache by the SDK's client, and of MemoryDB by HTTP: both have two passwords, and both refuse the same. */

jest.setTimeout(60_000);

const HOUR = 3_600;
const v = (n: number): string => versionId(`rotation ${n}`);
const MARK = "secrets-registry:secret";
const SECOND = "secrets-registry:second-password";
const MADE = "made-by-terraform-0001";
const [A, B, C, FOREIGN] = ["a", "b", "c", "f"].map((letter) => letter.repeat(20)) as [
  string,
  string,
  string,
  string,
];
const value = (password: string): RedisValue => ({ password });
const retirement = { secret: ATTEMPT, refreshedBy: undefined, emergency: false };

let memoryDb: Awaited<ReturnType<typeof startMemoryDb>>;
beforeAll(async () => {
  memoryDb = await startMemoryDb();
});
afterAll(() => memoryDb.stop());

const SETTINGS: Readonly<Record<UserService, object>> = {
  elasticache: { engine: "elasticache-user", user: "app", userId: "app" },
  memorydb: { engine: "memorydb-user", user: "app" },
};

/** The model's own target, to be called as the machine calls it. */
function targetOf(model: AwsUsersModel, plan = new CrashPlan(0, "before"), clock = new TestClock()) {
  const service = model.user?.service ?? "elasticache";
  memoryDb.model = model;
  return awsRedisUserTarget({
    settings: settingsSchema("redis-auth-token").parse({
      host: "localhost",
      ...SETTINGS[service],
    }) as KindSettings<"redis-auth-token">,
    users: plan.wrap(service === "memorydb" ? memoryDb.users : model.elastiCache),
    server: plan.wrap(model),
    clock,
    random: testRandom,
  });
}

describe("the model refuses what AWS's pages refuse", () => {
  test.each<
    [
      sentence: string,
      service: UserService,
      type: string | undefined,
      passwords: readonly string[] | undefined,
      code: string,
    ]
  >([
    ["You are allowed up to two", "elasticache", "password", [A, B, C], "InvalidParameterValue"],
    ["The maximum is two", "memorydb", "password", [A, B, C], "InvalidParameterValue"],
    ["Array Members: Minimum number of 1 item", "elasticache", "password", [], "InvalidParameterCombination"],
    ["16-128 printable characters", "elasticache", undefined, ["x".repeat(15)], "InvalidParameterValue"],
    ["16-128 printable characters", "memorydb", "password", ["x".repeat(129)], "InvalidParameterValue"],
    ["Passwords, if Type is set to password", "elasticache", "iam", [A], "InvalidParameterCombination"],
    [
      "NoPasswordRequired, and passwords",
      "elasticache",
      "no-password-required",
      [A],
      "InvalidParameterCombination",
    ],
    ["Valid Values: password | iam", "memorydb", "no-password-required", undefined, "InvalidParameterValue"],
  ])("%s (%s)", (_sentence, service, type, passwords, code) => {
    const user = madeUser(service, [MADE]);
    expect(user.change({ type, passwords })).toMatchObject({ code });
    expect(user.passwords).toEqual([MADE]);
  });

  test(`the default user cannot be changed (${USER_PAGES.elasticache.guide})`, () => {
    const user = new AwsUser({ service: "elasticache", id: "default" });
    expect(user.change({ type: "password", passwords: [A] })).toMatchObject({
      code: "InvalidParameterValue",
    });
  });

  test(`a user that is not active takes no change, and its status says so (${USER_PAGES.elasticache.change})`, async () => {
    const model = new AwsUsersModel(madeUser("elasticache", [MADE]));
    await model.elastiCache.setPasswords("app", [A]);
    expect(await model.elastiCache.describe("app")).toMatchObject({ status: "modifying", passwords: 1 });
    await expect(model.elastiCache.setPasswords("app", [B])).rejects.toMatchObject({ code: "target-busy" });
    expect([model.lets(MADE), model.lets(A)]).toEqual([true, false]);
  });

  test("a change names all passwords: what it leaves out is dead", async () => {
    const model = new AwsUsersModel(madeUser("elasticache", [A, B]));
    await model.elastiCache.setPasswords("app", [B, C]);
    for (const _ of [1, 2, 3]) await model.elastiCache.describe("app");
    expect([A, B, C].map((password) => model.lets(password))).toEqual([false, true, true]);
  });
});

describe.each<UserService>(["elasticache", "memorydb"])("a user of %s", (service) => {
  const modelWith = (passwords: readonly string[], marked: string | undefined = ATTEMPT.secretName) =>
    new AwsUsersModel(madeUser(service, passwords, marked));

  function rotated(passwords: readonly string[]) {
    const model = modelWith(passwords, undefined);
    const secret: RehearsedSecret<RedisValue> = new RehearsedSecret<RedisValue>({
      target: (plan) => targetOf(model, plan, secret.clock),
      overlap: HOUR,
    });
    model.user?.tags.set(MARK, secret.name);
    const arrived = () => {
      secret.confirm();
      secret.clock.advance(2 * HOUR);
    };
    const current = () => secret.current?.password ?? "";
    return { model, secret, arrived, current };
  }

  test("ten rotations: both passwords work through the overlap, the old one dies at decommission", async () => {
    const { model, secret, arrived, current } = rotated([MADE]);
    await secret.rotate(v(1));
    // The password that the user was made with is nobody's: the mark says so.
    expect(model.lets(MADE)).toBe(false);
    for (let n = 2; n <= 11; n += 1) {
      const old = current();
      arrived();
      await secret.rotate(v(n));
      expect([old, current()].map((password) => model.lets(password))).toEqual([true, true]);
      arrived();
      for (const _ of [1, 2]) await secret.phase("decommission", v(n - 1));
      expect([old, current()].map((password) => model.lets(password))).toEqual([false, true]);
      expect(model.user?.passwords).toHaveLength(1);
    }
    expect(model.kills).toBe(0);
  });

  test("the way back changes nothing, and the abandoned password dies by itself", async () => {
    const { model, secret, arrived, current } = rotated([MADE]);
    await secret.rotate(v(1));
    const old = current();
    arrived();
    await secret.rotate(v(2));
    const abandoned = current();
    await secret.phase("rollback", v(2));
    expect([old, abandoned].map((password) => model.lets(password))).toEqual([true, true]);
    arrived();
    await secret.rotate(v(3));
    expect([old, current()].map((password) => model.lets(password))).toEqual([true, true]);
    expect(model.lets(abandoned)).toBe(false);
  });

  test("a first value closes a user without a password; later, a person has opened it", async () => {
    const model = modelWith([]);
    await targetOf(model).install(value(A), undefined, ATTEMPT);
    expect([model.lets(A), model.lets(C)]).toEqual([true, false]);
    await targetOf(model).test(value(A));
    const open = modelWith([]);
    await expect(targetOf(open).install(value(B), value(A), ATTEMPT)).rejects.toMatchObject({
      code: "target-open",
    });
    await expect(targetOf(open).test(value(A))).rejects.toMatchObject({ code: "target-open" });
    await expect(
      targetOf(open).retire({ ...retirement, retired: value(A), kept: [value(B)] }),
    ).rejects.toMatchObject({ code: "target-open" });
    await targetOf(open).retire({ ...retirement, retired: value(A), kept: [value(B)], emergency: true });
    expect([A, B].map((password) => open.lets(password))).toEqual([false, true]);
  });

  test("a user that nobody has marked, with a password that nobody here knows, is left alone; the way out is named", async () => {
    const model = modelWith([FOREIGN], undefined);
    model.user?.tags.clear();
    await expect(targetOf(model).install(value(A), undefined, ATTEMPT)).rejects.toThrow(
      new RegExp(`^not-marked: .*tag ${model.arn} with ${MARK} = ${ATTEMPT.secretName}`),
    );
    await expect(targetOf(model).install(value(B), value(A), ATTEMPT)).rejects.toMatchObject({
      code: "not-marked",
    });
    expect(model.changes).toEqual([]);
    // A value of this secret that logs in shows whose it is, and the mark follows.
    const ours = new AwsUsersModel(madeUser(service, [A]));
    await targetOf(ours).install(value(B), value(A), ATTEMPT);
    expect(ours.user?.tags.get(MARK)).toBe(ATTEMPT.secretName);
  });

  test("a user with another secret's mark is not touched: neither by a rotation nor by a decommission", async () => {
    const model = modelWith([A, B], "stage/redis/other");
    await expect(targetOf(model).install(value(C), value(A), ATTEMPT)).rejects.toMatchObject({
      code: "target-not-ours",
    });
    await expect(
      targetOf(model).retire({ ...retirement, retired: value(B), kept: [value(A)] }),
    ).rejects.toMatchObject({ code: "target-not-ours" });
    expect(model.user?.passwords).toEqual([A, B]);
  });

  test("a second password that a person has set stops the rotation; one that a lost run left does not", async () => {
    const model = modelWith([A, FOREIGN]);
    await expect(targetOf(model).install(value(C), value(A), ATTEMPT)).rejects.toThrow(
      "target-not-ours: user app has 1 password(s) that are not this secret's",
    );
    expect(model.user?.passwords).toEqual([A, FOREIGN]);
    // The whole list is another one: what consumers hold is refused already, and nothing is set on the side.
    const replaced = modelWith([FOREIGN]);
    replaced.user?.tags.set(SECOND, v(1));
    await expect(targetOf(replaced).install(value(C), value(A), ATTEMPT)).rejects.toMatchObject({
      code: "target-not-ours",
    });
    const lost = modelWith([A]);
    await targetOf(lost).install(value(B), value(A), ATTEMPT);
    await targetOf(lost).install(value(C), value(A), ATTEMPT);
    expect([A, B, C].map((password) => lost.lets(password))).toEqual([true, false, true]);
    // Once it has been seen that one password is left, a second one is a person's again.
    await targetOf(lost).retire({ ...retirement, retired: value(C), kept: [value(A)] });
    expect(lost.user?.tags.get(SECOND)).toBe("-");
  });

  test("what the user refuses already is not let in again on the side", async () => {
    const model = modelWith([C]);
    await targetOf(model).install(value(C), value(A), ATTEMPT);
    expect(model.user?.passwords).toEqual([C]);
  });

  test("decommission: nothing ends where the current password is refused, but in an emergency it comes back", async () => {
    const model = modelWith([B]);
    const end = (emergency: boolean) =>
      targetOf(model).retire({ ...retirement, retired: value(B), kept: [value(A)], emergency });
    await expect(end(false)).rejects.toMatchObject({ code: "target-misconfigured" });
    expect(model.lets(B)).toBe(true);
    await end(true);
    expect([model.lets(A), model.lets(B), model.kills]).toEqual([true, false, 1]);
    // Also when the retired one is dead: a user that lets nobody in shows nothing.
    model.reachable = false;
    await expect(end(false)).rejects.toMatchObject({ code: "target-misconfigured" });
  });

  test("a leak ends its sessions, or says what is missing for that", async () => {
    const model = modelWith([A, B]);
    model.mayKill = false;
    const end = () =>
      targetOf(model).retire({ ...retirement, retired: value(A), kept: [value(B)], emergency: true });
    await expect(end()).rejects.toThrow(/^right-missing: .*\+client\|kill/);
    expect(model.user?.passwords).toEqual([B]);
    model.mayKill = true;
    await end();
    expect(model.kills).toBe(1);
    expect(model.changes).toHaveLength(1);
  });

  test("a decommission during the next rotation spares its password", async () => {
    const model = modelWith([A, C]);
    await targetOf(model).retire({ ...retirement, retired: value(B), kept: [value(A), value(C)] });
    expect(model.user?.passwords).toEqual([A, C]);
    await targetOf(model).retire({ ...retirement, retired: value(A), kept: [value(C)] });
    expect(model.user?.passwords).toEqual([C]);
  });

  test("a former user gets a password that nobody knows; one that is gone lets nobody in", async () => {
    const model = modelWith([A]);
    for (const _ of [1, 2]) await targetOf(model).retire({ ...retirement, retired: value(A), kept: [] });
    expect(model.lets(A)).toBe(false);
    expect(model.changes).toEqual([1]);
    const gone = new AwsUsersModel(undefined);
    await targetOf(gone).retire({ ...retirement, retired: value(A), kept: [] });
    await expect(targetOf(gone).install(value(A), undefined, ATTEMPT)).rejects.toThrow(
      "target-misconfigured: there is no user app",
    );
  });

  test("a user by IAM, one that logs in by another name, one outside of the cache's group, a change that does not end", async () => {
    const iam = new AwsUsersModel(new AwsUser({ service, id: "app", iam: true }));
    await expect(targetOf(iam).install(value(A), undefined, ATTEMPT)).rejects.toThrow(
      /^target-misconfigured: .*by IAM/,
    );
    const named = new AwsUsersModel(new AwsUser({ service, id: "app", name: "other", passwords: [A] }));
    await expect(targetOf(named).install(value(A), undefined, ATTEMPT)).rejects.toMatchObject({
      code: "user-mismatch",
    });
    const outside = modelWith([A]);
    outside.reachable = false;
    await expect(targetOf(outside).test(value(A))).rejects.toThrow(
      /^target-refused: .*access string begins with on/,
    );
    const slow = new AwsUsersModel(madeUser(service, [A], ATTEMPT.secretName), {
      descriptionsUntilDone: 10_000,
    });
    await expect(targetOf(slow).install(value(B), value(A), ATTEMPT)).rejects.toMatchObject({
      code: "target-busy",
    });
  });

  test("a crash at every call converges: what consumers hold is never pushed out", async () => {
    let points = 0;
    for (const passwords of [[A], [A, B]]) {
      points += await crashEverywhere(async () => {
        const model = modelWith(passwords);
        // The second one is a lost run's.
        model.user?.tags.set(SECOND, passwords.length === 2 ? v(1) : "-");
        const stays = () => expect(model.lets(A)).toBe(true);
        model.onChanged = stays;
        return {
          work: (plan) => targetOf(model, plan).install(value(C), value(A), ATTEMPT),
          afterCrash: async () => stays(),
          afterAll: async () => expect(model.user?.passwords).toEqual([C, A]),
        };
      });
      points += await crashEverywhere(async () => {
        const model = modelWith([A, B]);
        model.user?.tags.set(SECOND, v(1));
        const stays = () => expect(model.lets(A)).toBe(true);
        model.onChanged = stays;
        return {
          work: (plan) =>
            targetOf(model, plan).retire({
              ...retirement,
              retired: value(B),
              kept: [value(A)],
              emergency: true,
            }),
          afterCrash: async () => stays(),
          afterAll: async () => {
            expect(model.user?.passwords).toEqual([A]);
            expect(model.user?.tags.get(SECOND)).toBe("-");
          },
        };
      });
    }
    process.stdout.write(`${service} user (model): ${points} crash points\n`);
    expect(points).toBeGreaterThan(50);
  });
});

type Operation = "rotate" | "give up" | "vanish" | "roll back" | "decommission" | "emergency";

test("sequences: AWSCURRENT is never refused, ended passwords are dead, and the next rotation comes through", async () => {
  let checks = 0;
  const runs = propertyRuns("Users of ElastiCache keep AWSCURRENT", { ci: 100, nightly: 2_000 });
  const operation = fc.record({
    what: fc.constantFrom<Operation>("rotate", "give up", "vanish", "roll back", "decommission", "emergency"),
    crashAt: fc.integer({ min: 0, max: 12 }),
    when: fc.constantFrom<"before" | "after">("before", "after"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 12 }), async (operations) => {
      const model = new AwsUsersModel(madeUser("elasticache", [MADE], ATTEMPT.secretName));
      let n = 0;
      const fresh = (): RedisValue => {
        n += 1;
        return value("t".repeat(20) + n);
      };
      const dead: RedisValue[] = [];
      let current = fresh();
      let previous: RedisValue | undefined;
      await targetOf(model).install(current, undefined, ATTEMPT);
      const stays = () => {
        checks += 1;
        expect(model.lets(current.password)).toBe(true);
        expect(dead.filter(({ password }) => model.lets(password))).toEqual([]);
      };
      model.onChanged = stays;
      const end =
        (retired: RedisValue, emergency = false) =>
        (plan?: CrashPlan) =>
          targetOf(model, plan).retire({ ...retirement, retired, kept: [current], emergency });
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
            // Two passwords are all that there is room for: the machine ends the one before the last first.
            if (previous !== undefined) {
              await through(end(previous));
              dead.push(previous);
            }
            await through(install);
            await targetOf(model).test(pending);
            [previous, current] = [current, pending];
            break;
          case "give up":
            if (previous !== undefined && model.lets(previous.password)) break;
            await through(install);
            await through(end(pending));
            dead.push(pending);
            break;
          case "vanish":
            if (previous !== undefined && model.lets(previous.password)) break;
            // Killed, and given up without another call.
            await install(new CrashPlan(crashAt, when)).catch(() => undefined);
            for (const _ of [1, 2, 3]) await model.elastiCache.describe("app");
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
            dead.push(previous);
            previous = undefined;
        }
        stays();
      }
    }),
    runs,
  );
  process.stdout.write(
    `ElastiCache user (model): AWSCURRENT was looked at ${checks} times in ${runs.numRuns} sequences, refused 0\n`,
  );
});
