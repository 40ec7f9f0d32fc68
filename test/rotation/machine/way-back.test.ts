import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import type { AcceptingTarget, SingleSlotTarget } from "../../../lib/rotation/protocol/target";
import { type Account, AccountsServer, accountsTarget } from "../models/accounts-model";
import { crashEverywhere } from "../models/crash-everywhere";
import { RehearsedSecret, versionId } from "../models/rehearsed-secret";
import { READINGS, type Readings } from "../models/secrets-manager-model";

const v = (n: number): string => versionId(`rotation ${n}`);
const HOUR = 3_600;

/** A secret after two rotations, with what its target was asked from then on. */
async function rotatedTwice(later: Partial<AcceptingTarget<Account>> = {}, readings?: Readings) {
  const server = new AccountsServer();
  const asked: string[] = [];
  let count = 0;
  let changed: Partial<AcceptingTarget<Account>> = {};
  const secret = new RehearsedSecret<Account>({
    target: (plan) => {
      const target = {
        ...accountsTarget(plan.wrap(server), () => {
          count += 1;
          return `password-${count}`;
        }),
        ...changed,
      };
      return {
        ...target,
        install: (value, other, attempt) => {
          asked.push(`install ${value.password} beside ${other?.password}`);
          return target.install(value, other, attempt);
        },
        retire: (retirement) => {
          asked.push(
            `retire ${retirement.retired.password} keep ${retirement.kept.map(({ password }) => password)}`,
          );
          return target.retire(retirement);
        },
      };
    },
    ...(readings === undefined ? {} : { readings }),
  });
  for (const n of [1, 2]) {
    await secret.rotate(v(n));
    secret.confirm();
    secret.clock.advance(2 * HOUR);
  }
  asked.length = 0;
  changed = later;
  const heldBy = (n: number): Account => JSON.parse(secret.secrets.valueOf(secret.name, v(n)) ?? "");
  const change = (to: Partial<AcceptingTarget<Account>>) => {
    changed = to;
  };
  const lets = (n: number): boolean => server.lets(heldBy(n));
  return { secret, server, asked, change, lets };
}

/** Takes a third rotation as far as the version is installed. */
async function installed(made: Awaited<ReturnType<typeof rotatedTwice>>) {
  await made.secret.phase("decommission", v(1));
  made.secret.secrets.stage(made.secret.name, v(3));
  await made.secret.step("createSecret", v(3));
  await made.secret.step("setSecret", v(3));
  made.asked.length = 0;
  return made;
}

describe("a version that nobody was served", () => {
  test("is retired at its target before its label goes, and what is in use is kept", async () => {
    const { secret, asked, lets } = await installed(await rotatedTwice());
    expect(lets(3)).toBe(true);
    expect((await secret.phase("rollback", v(3))).result).toBe("done");
    expect(asked).toEqual(["retire password-3 keep password-2"]);
    expect([lets(2), lets(3)]).toEqual([true, false]);
    expect(secret.secrets.labels(secret.name)[v(3)]).toEqual([]);
    // Repeated: it has no label any more.
    expect((await secret.phase("rollback", v(3))).result).toBe("nothing-to-do");
    await secret.rotate(v(4));
    expect(lets(4)).toBe(true);
  });

  test("keeps the label while its target cannot be reached, so that the same call can be made again", async () => {
    const refused = new RotationError("target-unreachable", "the server");
    const made = await installed(await rotatedTwice());
    made.server.forbid = async () => Promise.reject(refused);
    await expect(made.secret.phase("rollback", v(3))).rejects.toBe(refused);
    expect(made.secret.secrets.versionWith(made.secret.name, "AWSPENDING")).toBe(v(3));
  });

  test("of a kind that only a person can end is given up all the same", async () => {
    const still = async () => {
      throw new RotationError("still-accepted", "delete it at the vendor");
    };
    const made = await installed(await rotatedTwice());
    made.change({ retire: still });
    const { secret } = made;
    expect((await secret.phase("rollback", v(3))).result).toBe("done");
    expect(secret.secrets.versionWith(secret.name, "AWSPENDING")).toBeUndefined();
  });

  test("without a value has what was made for it ended", async () => {
    const abandoned: string[] = [];
    const { secret } = await rotatedTwice({
      abandon: async ({ versionId }, current) => void abandoned.push(`${versionId} ${current?.password}`),
    });
    secret.secrets.stage(secret.name, v(3));
    expect((await secret.phase("rollback", v(3))).result).toBe("done");
    expect(abandoned).toEqual([`${v(3)} password-2`]);
  });

  test("that is not of the kind's form is given up: no target can have taken it", async () => {
    const { secret, asked } = await rotatedTwice();
    secret.secrets.stage(secret.name, v(3));
    await secret.secrets.put(secret.name, v(3), "not of the form", "AWSPENDING");
    expect((await secret.phase("rollback", v(3))).result).toBe("done");
    expect(asked).toEqual([]);
  });

  test("is gone wherever the call dies", async () => {
    let points = 0;
    for (const readings of READINGS) {
      points += await crashEverywhere(async () => {
        const { secret, lets } = await installed(await rotatedTwice({}, readings));
        return {
          work: (plan) => secret.phase("rollback", v(3), plan === undefined ? {} : { plan }),
          afterCrash: async () => {
            expect(lets(2)).toBe(true);
            // Labelled as long as it may live.
            if (lets(3)) expect(secret.secrets.versionWith(secret.name, "AWSPENDING")).toBe(v(3));
          },
          afterAll: async () => {
            expect([lets(2), lets(3)]).toEqual([true, false]);
            expect(secret.secrets.versionWith(secret.name, "AWSPENDING")).toBeUndefined();
          },
        };
      });
    }
    process.stdout.write(`given up: ${points} crash points\n`);
    expect(points).toBeGreaterThan(40);
  });
});

describe("a version that was served", () => {
  test("makes way: the target takes the former value as its newest before it is AWSCURRENT", async () => {
    const { secret, asked, lets } = await rotatedTwice();
    expect((await secret.phase("rollback", v(2))).result).toBe("done");
    expect(asked).toEqual(["install password-1 beside password-2"]);
    expect(secret.currentVersion).toBe(v(1));
    // Pods that read it keep working until they have refreshed.
    expect([lets(1), lets(2)]).toEqual([true, true]);
  });

  test("is not returned from to a credential that was retired", async () => {
    const { secret, asked } = await rotatedTwice();
    await secret.phase("decommission", v(1));
    asked.length = 0;
    await expect(secret.phase("rollback", v(2))).rejects.toMatchObject({ code: "target-refused" });
    expect(asked).toEqual([]);
  });

  test("is retired an overlap after the former value arrived, and not before", async () => {
    const { secret, lets } = await rotatedTwice();
    await secret.phase("rollback", v(2));
    const early = () => secret.phase("decommission", v(2));
    await expect(early()).rejects.toMatchObject({ code: "not-published-yet" });
    secret.confirm();
    await expect(early()).rejects.toMatchObject({ code: "overlap-running" });
    secret.clock.advance(2 * HOUR);
    expect((await early()).result).toBe("done");
    expect([lets(1), lets(2)]).toEqual([true, false]);
  });

  test("does not keep AWSPENDING: RotateSecret would take it for a rotation under way", async () => {
    const { secret } = await rotatedTwice();
    secret.secrets.label(secret.name, "AWSPENDING", v(2));
    await secret.phase("rollback", v(2));
    expect(secret.secrets.versionWith(secret.name, "AWSPENDING")).toBeUndefined();
  });

  test("makes way in a single slot before the former value is tried", async () => {
    const slot = { password: "" };
    let count = 0;
    const target: SingleSlotTarget<Account> = {
      ...accountsTarget(new AccountsServer(), () => {
        count += 1;
        return `password-${count}`;
      }),
      acceptedBy: "single-slot",
      install: async ({ password }) => void Object.assign(slot, { password }),
      test: async ({ password }) => {
        if (password !== slot.password) throw new RotationError("target-refused", "the slot");
      },
    };
    const secret = new RehearsedSecret<Account>({ target: () => target, overlap: 0 });
    for (const n of [1, 2]) await secret.rotate(v(n));
    await secret.phase("rollback", v(2));
    expect([slot.password, secret.currentVersion]).toEqual(["password-1", v(1)]);
    // Given up after the slot was taken: the value in use gets it back.
    secret.secrets.stage(secret.name, v(3));
    await secret.step("createSecret", v(3));
    await secret.step("setSecret", v(3));
    expect(slot.password).toBe("password-3");
    await secret.phase("rollback", v(3));
    expect(slot.password).toBe("password-1");
  });
});

describe("the next rotation", () => {
  test("ends the credential that a failed run has left, before it makes another", async () => {
    const { secret, asked } = await rotatedTwice();
    secret.secrets.stage(secret.name, v(3));
    await secret.step("createSecret", v(3));
    expect(asked).toEqual(["retire password-1 keep password-2"]);
  });

  test.each([
    ["still-presented", "still-presented"],
    ["target-unreachable", "target-unreachable"],
    ["still-accepted", undefined],
    ["target-misconfigured", undefined],
  ] as const)("when that is refused as %s: %s", async (code, refused) => {
    const { secret } = await rotatedTwice({
      retire: async () => {
        throw new RotationError(code, "the server");
      },
    });
    secret.secrets.stage(secret.name, v(3));
    const made = secret.step("createSecret", v(3));
    if (refused === undefined) await expect(made).resolves.toMatchObject({ result: "done" });
    else await expect(made).rejects.toMatchObject({ code: refused });
  });
});
