import { CreateUserCommand, IAMClient } from "@aws-sdk/client-iam";
import { IamAccessKeys } from "../../../lib/rotation/adapters/iam-access-keys";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { type AccessKeyValue, s3AccessKeyTarget } from "../../../lib/rotation/targets/s3-access-key";
import { startEmbeddedAws, withServers } from "../../../packages/rehearsal/src/servers";
import { AccessKeysModel } from "../models/access-keys-model";
import { crashEverywhere } from "../models/crash-everywhere";
import type { CrashPlan } from "../models/crash-plan";
import { ATTEMPT, RehearsedSecret, versionId } from "../models/rehearsed-secret";

const HOUR = 3_600;
const v = (n: number): string => versionId(`s3 rotation ${n}`);
const settings = {
  bucket: "app",
  user: "s3-app",
  formerUsers: [],
  sessionPolicy: { Version: "2012-10-17", Statement: [] },
};

function accessKey() {
  const secret: RehearsedSecret<AccessKeyValue> = new RehearsedSecret<AccessKeyValue>({
    target: (plan) => s3AccessKeyTarget({ settings, keys: plan.wrap(keys), clock: secret.clock }),
    overlap: HOUR,
  });
  const keys: AccessKeysModel = new AccessKeysModel(() => secret.clock);
  /** Every Vault has the value, and the overlap is over. */
  const arrived = (): void => {
    secret.confirm();
    secret.clock.advance(HOUR + 1);
  };
  /** Rotates as Secrets Manager does: it calls again, later, while the answer is that it may. */
  const rotate = async (version: string, plan?: CrashPlan): Promise<void> => {
    try {
      await secret.rotate(version, plan);
    } catch (failure) {
      if (!(failure instanceof RotationError && failure.code === "target-busy")) throw failure;
      secret.clock.advance(HOUR);
      await secret.rotate(version, plan);
    }
  };
  const works = ({ accessKeyId, secretAccessKey }: AccessKeyValue): boolean =>
    keys.lets(accessKeyId, secretAccessKey);
  return { secret, keys, arrived, rotate, works };
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (failure: unknown) => (failure instanceof RotationError ? failure.code : String(failure)),
  );

test("ten rotations in a row: the old key works through the overlap and is dead after decommission; never a third key", async () => {
  const { secret, keys, arrived, rotate, works } = accessKey();
  await rotate(v(0));
  let tries = 0;
  for (let n = 1; n <= 10; n += 1) {
    const held = secret.current as AccessKeyValue;
    arrived();
    await rotate(v(n));
    const fresh = secret.current as AccessKeyValue;
    expect(fresh.sessionPolicy).toEqual(settings.sessionPolicy);
    for (const value of [held, fresh]) {
      tries += 1;
      expect(works(value)).toBe(true);
    }
    arrived();
    for (const _ of [1, 2]) await secret.phase("decommission", v(n - 1));
    expect([works(held), works(fresh)]).toEqual([false, true]);
    expect(keys.ids).toEqual([fresh.accessKeyId]);
  }
  expect(keys.most).toBe(2);
  process.stdout.write(
    `S3 access key (model): ${tries} requests by consumers during 10 rotations, 0 failed\n`,
  );
});

test("a crash at every call converges: no third key, no orphan, what consumers hold goes on working", async () => {
  let points = 0;
  for (const earlier of [0, 1]) {
    points += await crashEverywhere(async () => {
      const { secret, keys, arrived, rotate, works } = accessKey();
      if (earlier > 0) {
        await rotate(v(1));
        arrived();
      }
      const held = secret.current;
      const holds = async () => expect(held === undefined || works(held)).toBe(true);
      return {
        work: (plan) => rotate(v(9), plan),
        afterCrash: holds,
        afterAll: async () => {
          await holds();
          expect(works(secret.current as AccessKeyValue)).toBe(true);
          expect(keys.most).toBeLessThanOrEqual(2);
          // What a crash left behind goes with the next rotation, when it is old enough to be nobody's.
          arrived();
          if (earlier > 0) await secret.phase("decommission", v(1));
          await rotate(v(10));
          arrived();
          await secret.phase("decommission", v(9));
          expect(keys.ids).toEqual([secret.current?.accessKeyId]);
        },
      };
    });
  }
  process.stdout.write(`S3 access key (model): ${points} crash points\n`);
  expect(points).toBeGreaterThan(20);
});

/** A call that made a key for a version and died before it noted or stored it. */
async function orphan({ keys, secret }: ReturnType<typeof accessKey>, version: string): Promise<string> {
  keys.userTags.set("secrets-registry:making-key", `${version} ${secret.clock.now().toISOString()}`);
  return (await keys.create(keys.user)).id;
}

test("a key that was just made and not yet stored is not taken away: its maker may be about to store it", async () => {
  const world = accessKey();
  const { secret, keys, arrived } = world;
  await secret.rotate(v(1));
  arrived();
  const id = await orphan(world, v(2));
  expect(await codeOf(secret.rotate(v(2)))).toBe("target-busy");
  expect(keys.ids).toContain(id);
  secret.clock.advance(HOUR);
  await secret.rotate(v(2));
  expect(keys.ids).toHaveLength(2);
  expect(keys.ids).not.toContain(id);
});

test("a run that was given up after testSecret leaves nothing that stops the next one", async () => {
  const { secret, keys, arrived, works } = accessKey();
  await secret.rotate(v(1));
  arrived();
  secret.secrets.stage(secret.name, v(2));
  for (const step of ["createSecret", "setSecret", "testSecret"] as const) await secret.step(step, v(2));
  await secret.phase("rollback", v(2));
  secret.clock.advance(HOUR);
  await secret.rotate(v(3));
  expect(keys.ids).toHaveLength(2);
  expect(works(secret.current as AccessKeyValue)).toBe(true);
});

test("after a way back the next rotation comes through, and the key that was left is dead", async () => {
  const { secret, keys, arrived, rotate, works } = accessKey();
  for (const n of [1, 2]) {
    await rotate(v(n));
    arrived();
  }
  const left = secret.current as AccessKeyValue;
  await secret.phase("rollback", v(2));
  arrived();
  await rotate(v(3));
  expect(works(left)).toBe(false);
  expect(keys.ids).toHaveLength(2);
});

test("where a version with a label holds the slot, that version is named", async () => {
  const { secret, keys, arrived } = accessKey();
  for (const n of [1, 2]) {
    await secret.rotate(v(n));
    arrived();
  }
  const { clock } = secret;
  const target = s3AccessKeyTarget({ settings, keys, clock });
  const attempt = { ...ATTEMPT, versionId: v(3), labelled: [v(1), v(2)] };
  await expect(target.generate(secret.current, attempt)).rejects.toThrow(
    `target-misconfigured: user s3-app has two keys that are in use: decommission version ${v(1)}`,
  );
});

test("a run that is given up before its key is stored leaves none", async () => {
  const points = await crashEverywhere(async () => {
    const { secret, keys, arrived, rotate } = accessKey();
    await rotate(v(1));
    arrived();
    secret.secrets.stage(secret.name, v(2));
    const stays = async () => expect(keys.ids).toContain(secret.current?.accessKeyId);
    return {
      work: async (plan) => {
        if (plan !== undefined) await secret.step("createSecret", v(2), plan);
        else await secret.phase("rollback", v(2));
      },
      afterCrash: stays,
      afterAll: async () => {
        const pending = secret.secrets.versionWith(secret.name, "AWSPENDING");
        if (pending !== undefined) await secret.phase("rollback", pending);
        expect(keys.ids).toEqual([secret.current?.accessKeyId]);
      },
    };
  });
  expect(points).toBeGreaterThan(5);
});

describe("what was not made here stays", () => {
  test.each<[what: string, prepare: (world: ReturnType<typeof accessKey>) => Promise<string>]>([
    ["a key that nobody has used yet", async ({ keys }) => (await keys.create(keys.user)).id],
    [
      "a key that somebody uses",
      async ({ keys }) => {
        const { id, secret } = await keys.create(keys.user);
        for (const _ of [1, 2]) await keys.callerOf(id, secret);
        expect(keys.lets(id, secret)).toBe(true);
        return id;
      },
    ],
    [
      "a key that a person made two minutes after a call had died",
      async ({ keys, secret }) => {
        keys.userTags.set("secrets-registry:making-key", `${v(2)} ${secret.clock.now().toISOString()}`);
        secret.clock.advance(120);
        return (await keys.create(keys.user)).id;
      },
    ],
    [
      "a key of the minute in which a call died, once somebody uses it",
      async (world) => {
        const id = await orphan(world, v(2));
        const { keys, secret } = world;
        expect(await codeOf(secret.rotate(v(2)))).toBe("target-busy");
        jest.spyOn(keys, "lastUsedAt").mockImplementation(async () => secret.clock.now());
        return id;
      },
    ],
  ])("%s", async (_what, prepare) => {
    const world = accessKey();
    const { secret, keys, arrived } = world;
    await secret.rotate(v(1));
    arrived();
    const id = await prepare(world);
    secret.clock.advance(HOUR);
    await expect(secret.rotate(v(2))).rejects.toThrow(`target-not-ours: user s3-app has the key ${id}`);
    expect(keys.ids).toContain(id);
  });

  test("a user with another secret's mark: no key is made, none is ended", async () => {
    const { secret, keys, arrived, rotate } = accessKey();
    for (const n of [1, 2]) {
      await rotate(v(n));
      arrived();
    }
    const before = keys.ids;
    keys.userTags.set("secrets-registry:secret", "stage/storage/other");
    expect(await codeOf(secret.phase("decommission", v(1)))).toBe("target-not-ours");
    expect(await codeOf(secret.rotate(v(3)))).toBe("target-not-ours");
    expect(keys.ids).toEqual(before);
  });
});

test("what is noted of a key goes with the key", async () => {
  const { secret, keys, arrived, rotate } = accessKey();
  for (let n = 1; n <= 4; n += 1) {
    await rotate(v(n));
    arrived();
    if (n > 1) await secret.phase("decommission", v(n - 1));
  }
  expect([...keys.userTags.keys()].sort()).toEqual([
    `secrets-registry:key:${secret.current?.accessKeyId}`,
    "secrets-registry:secret",
  ]);
});

test("a second key that a dead call made for the version goes as soon as the version's value is known", async () => {
  const { secret, keys } = accessKey();
  const { id } = await keys.create(keys.user);
  keys.userTags.set(`secrets-registry:key:${id}`, `unstored ${v(1)}`);
  await secret.rotate(v(1));
  expect(keys.ids).toEqual([secret.current?.accessKeyId]);
});

test("of two calls at once, the one whose key is not stored ends it", async () => {
  const { secret, keys } = accessKey();
  secret.secrets.stage(secret.name, v(1));
  await Promise.all([secret.step("createSecret", v(1)), secret.step("createSecret", v(1))]);
  const stored = JSON.parse(secret.secrets.valueOf(secret.name, v(1)) ?? "{}");
  expect(keys.ids).toEqual([stored.accessKeyId]);
});

test("a retired key that a consumer still presents stops the decommission, unless it is an emergency", async () => {
  const { secret, arrived, rotate, works } = accessKey();
  await rotate(v(1));
  const old = secret.current as AccessKeyValue;
  arrived();
  await rotate(v(2));
  arrived();
  secret.clock.advance(HOUR);
  expect(works(old)).toBe(true);
  expect(await codeOf(secret.phase("decommission", v(1)))).toBe("still-presented");
  expect(works(old)).toBe(true);
  const leak = await secret.phase("decommission", v(1), { emergency: true });
  expect(works(old)).toBe(false);
  expect(leak).toMatchObject({ evidence: { lookedBy: "not-looked" } });
});

test("the record says when IAM saw the retired key last", async () => {
  const { secret, arrived, rotate, works } = accessKey();
  await rotate(v(1));
  const old = secret.current as AccessKeyValue;
  arrived();
  await rotate(v(2));
  expect(works(old)).toBe(true);
  const since = secret.clock.now().toISOString();
  arrived();
  expect(await secret.phase("decommission", v(1))).toMatchObject({
    evidence: { lookedBy: "last-use", since },
  });
});

test("a key of another user, put by hand, is refused", async () => {
  const { secret, arrived } = accessKey();
  const foreign = { accessKeyId: "AKIAOTHER", secretAccessKey: "x", sessionPolicy: {} };
  secret.secrets.putByHand(secret.name, v(1), JSON.stringify(foreign));
  arrived();
  expect(await codeOf(secret.rotate(v(2)))).toBe("user-mismatch");
});

test("on the embedded AWS: keys are made, signed with, listed and removed", async () => {
  await withServers(async (group) => {
    const { endpoint, rootCredentials } = await startEmbeddedAws({ group });
    const place = { endpoint, region: "eu-central-1" };
    const iam = new IAMClient({ ...place, credentials: rootCredentials("111122223333") });
    await iam.send(new CreateUserCommand({ UserName: "s3-app" }));
    const keys = new IamAccessKeys(iam, place);
    const made = await keys.create("s3-app");
    expect(await keys.list("s3-app")).toEqual([{ id: made.id, active: true, createdAt: expect.any(Date) }]);
    expect(await keys.callerOf(made.id, made.secret)).toBe("arn:aws:iam::111122223333:user/s3-app");
    expect(await keys.callerOf(made.id, `${made.secret}x`)).toBeUndefined();
    expect(await keys.lastUsedAt(made.id)).toBeUndefined();
    for (const _ of [1, 2]) await keys.remove("s3-app", made.id);
    expect(await keys.list("s3-app")).toEqual([]);
    expect(await keys.callerOf(made.id, made.secret)).toBeUndefined();
    iam.destroy();
  });
}, 60_000);
