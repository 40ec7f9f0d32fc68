import fc from "fast-check";
import { PHASES, STEPS } from "../../../lib/rotation/protocol/event";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { propertyRuns } from "../../property-runs";
import { type Account, AccountsServer, accountsTarget } from "../models/accounts-model";
import { crashEverywhere } from "../models/crash-everywhere";
import { Crash, CrashPlan } from "../models/crash-plan";
import { RehearsedSecret, versionId } from "../models/rehearsed-secret";
import { READINGS, type Readings } from "../models/secrets-manager-model";

const v = (n: number): string => versionId(`rotation ${n}`);
const HOUR = 3_600;

function accounts(readings?: Readings, mode: "automatic" | "operator-assisted" = "automatic") {
  const server = new AccountsServer();
  let count = 0;
  const newPassword = () => {
    count += 1;
    return `password-${count}`;
  };
  const secret = new RehearsedSecret<Account>({
    target: (plan) => accountsTarget(plan.wrap(server), newPassword),
    mode,
    ...(readings === undefined ? {} : { readings }),
  });
  return { server, secret };
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (failure: unknown) => {
      if (failure instanceof RotationError) return failure.code;
      throw failure;
    },
  );

/** Versions that pods may hold: each version from its publication until the overlap after its successor's confirmation. */
class HeldByPods {
  readonly #until = new Map<string, number>();

  constructor(private readonly secret: RehearsedSecret<Account>) {
    this.published();
  }

  published(): void {
    this.#until.set(this.secret.currentVersion ?? "", Number.POSITIVE_INFINITY);
  }

  confirmed(): void {
    const now = this.secret.clock.now().getTime();
    for (const [version, until] of this.#until) {
      const outdated = version !== this.secret.currentVersion && until === Number.POSITIVE_INFINITY;
      if (outdated) this.#until.set(version, now + HOUR * 1_000);
    }
    this.secret.confirm();
  }

  now(): readonly Account[] {
    const now = this.secret.clock.now().getTime();
    return [...this.#until]
      .filter(([, until]) => until > now)
      .map(([version]) => JSON.parse(this.secret.secrets.valueOf(this.secret.name, version) ?? ""));
  }
}

async function rotated(times: number, readings?: Readings) {
  const made = accounts(readings);
  for (let n = 1; n <= times; n += 1) {
    await made.secret.rotate(v(n));
    made.secret.confirm();
    made.secret.clock.advance(2 * HOUR);
  }
  return made;
}

describe.each(READINGS)("the four steps, with %o", (readings) => {
  test("first rotation on an empty secret installs, tests and settles", async () => {
    const { secret, server } = await rotated(1, readings);
    expect(secret.currentVersion).toBe(v(1));
    expect(secret.labels).toEqual({ [v(1)]: ["AWSCURRENT", "proof"] });
    expect(secret.current && server.lets(secret.current)).toBe(true);
  });

  test("ten in a row take turns and leave AWSPENDING nowhere", async () => {
    const { secret, server } = await rotated(10, readings);
    expect(secret.current?.username).toBe("b");
    expect(secret.labels).toMatchObject({
      [v(8)]: [],
      [v(10)]: ["AWSCURRENT", "proof"],
      [v(9)]: ["AWSPREVIOUS"],
    });
    expect(secret.secrets.versionWith(secret.name, "AWSPENDING")).toBeUndefined();
    expect(secret.current && server.lets(secret.current)).toBe(true);
  });

  test("every step can be repeated after the end and changes nothing", async () => {
    const { secret } = await rotated(2, readings);
    const before = secret.secrets.labels(secret.name);
    const value = secret.current;
    for (const step of STEPS) {
      expect(await secret.step(step, v(2))).toEqual({ result: "already-done", versionId: v(2) });
    }
    expect(secret.secrets.labels(secret.name)).toEqual(before);
    expect(secret.current).toEqual(value);
  });

  test("a rotation goes on from a value that was put by hand", async () => {
    const { secret, server } = await rotated(2, readings);
    await server.allow({ username: "b", password: "by-hand" });
    secret.secrets.putByHand(secret.name, v(90), JSON.stringify({ username: "b", password: "by-hand" }));
    secret.confirm();
    secret.clock.advance(2 * HOUR);
    await secret.rotate(v(3));
    expect(secret.current?.username).toBe("a");
    expect(server.lets({ username: "b", password: "by-hand" })).toBe(true);
  });
});

describe("what the protocol refuses", () => {
  test.each<[string, string, (made: ReturnType<typeof accounts>) => Promise<unknown>]>([
    [
      "a secret that is not there",
      "secret-missing",
      ({ secret }) => secret.invoke({ step: "setSecret", secretId: "other", versionId: v(1) }),
    ],
    [
      "a secret scheduled for deletion",
      "secret-deleted",
      ({ secret }) => {
        secret.secrets.set(secret.name, { deleted: true });
        return secret.step("createSecret", v(2));
      },
    ],
    [
      "a replica",
      "replica-region",
      ({ secret }) => {
        secret.secrets.set(secret.name, { primaryRegion: "us-east-1" });
        return secret.step("createSecret", v(2));
      },
    ],
    [
      "rotation switched off",
      "rotation-disabled",
      ({ secret }) => {
        secret.secrets.set(secret.name, { rotationEnabled: false });
        return secret.step("createSecret", v(2));
      },
    ],
    [
      "a version that was never staged",
      "version-unknown",
      ({ secret }) => secret.step("createSecret", v(77)),
    ],
    [
      "setSecret before createSecret",
      "value-missing",
      ({ secret }) => {
        secret.secrets.stage(secret.name, v(2));
        return secret.step("setSecret", v(2));
      },
    ],
    [
      "finishSecret before createSecret",
      "value-missing",
      ({ secret }) => {
        secret.secrets.stage(secret.name, v(2));
        return secret.step("finishSecret", v(2));
      },
    ],
    [
      "finishSecret before setSecret",
      "target-refused",
      async ({ secret }) => {
        secret.secrets.stage(secret.name, v(2));
        await secret.step("createSecret", v(2));
        return secret.step("finishSecret", v(2));
      },
    ],
    [
      "a version that lost AWSPENDING to another",
      "version-unknown",
      async ({ secret }) => {
        secret.secrets.stage(secret.name, v(2));
        await secret.step("createSecret", v(2));
        secret.secrets.stage(secret.name, v(3));
        return secret.step("setSecret", v(2));
      },
    ],
    [
      "a version that is AWSPREVIOUS",
      "version-not-pending",
      async ({ secret }) => {
        await secret.rotate(v(2));
        return secret.step("setSecret", v(1));
      },
    ],
    [
      "a value put by hand for the user that is pending",
      "stale-version",
      async ({ secret }) => {
        secret.secrets.stage(secret.name, v(2));
        await secret.step("createSecret", v(2));
        secret.secrets.putByHand(secret.name, v(90), JSON.stringify({ username: "b", password: "by-hand" }));
        return secret.step("setSecret", v(2));
      },
    ],
    [
      "a current value of another form",
      "value-malformed",
      async ({ secret }) => {
        secret.secrets.putByHand(secret.name, v(90), "no json at all");
        // Without a proof it would be taken back.
        secret.proofs.prove(secret.secrets, secret.name, v(90));
        secret.confirm();
        secret.clock.advance(2 * HOUR);
        secret.secrets.stage(secret.name, v(2));
        return secret.step("createSecret", v(2));
      },
    ],
    [
      "a rotation inside the overlap",
      "overlap-running",
      async ({ secret }) => {
        await secret.rotate(v(2));
        secret.confirm();
        secret.secrets.stage(secret.name, v(3));
        return secret.step("createSecret", v(3));
      },
    ],
    [
      "a rotation before every Vault has the version",
      "not-published-yet",
      async ({ secret }) => {
        await secret.rotate(v(2));
        secret.clock.advance(9 * HOUR);
        secret.secrets.stage(secret.name, v(3));
        return secret.step("createSecret", v(3));
      },
    ],
    [
      "decommission of the current version",
      "version-is-current",
      ({ secret }) => secret.phase("decommission", v(1)),
    ],
    [
      "decommission of the pending version",
      "version-is-current",
      async ({ secret }) => {
        secret.secrets.stage(secret.name, v(2));
        return secret.phase("decommission", v(2));
      },
    ],
    [
      "decommission inside the overlap",
      "overlap-running",
      async ({ secret }) => {
        await secret.rotate(v(2));
        secret.confirm();
        return secret.phase("decommission", v(1));
      },
    ],
    [
      "decommission of a version that is gone",
      "value-missing",
      ({ secret }) => secret.phase("decommission", v(55)),
    ],
    [
      "rollback without an earlier version",
      "nothing-to-return-to",
      ({ secret }) => secret.phase("rollback", v(1)),
    ],
    [
      "rollback from a version that is not known",
      "version-unknown",
      ({ secret }) => secret.phase("rollback", v(55)),
    ],
    [
      "rollback to a credential that is dead",
      "target-refused",
      async ({ secret, server }) => {
        await secret.rotate(v(2));
        await server.forbid("a");
        return secret.phase("rollback", v(2));
      },
    ],
    ["verify of an empty version", "value-missing", ({ secret }) => secret.phase("verify", v(55))],
    [
      "promote of a version that was replaced",
      "version-not-pending",
      async ({ secret }) => {
        await secret.rotate(v(2));
        return secret.phase("promote", v(1));
      },
    ],
    ["promote of an unknown version", "version-unknown", ({ secret }) => secret.phase("promote", v(55))],
  ])("%s: %s", async (_what, code, attempt) => {
    const made = await rotated(1);
    const before = made.secret.currentVersion;
    let during = before;
    made.secret.secrets.onCurrent = (_name, version) => {
      during = version;
    };
    expect(await codeOf(attempt(made))).toBe(code);
    // Nothing lost: whatever the attempt left as AWSCURRENT still has its value.
    expect(made.secret.secrets.valueOf(made.secret.name, during ?? "")).toBeDefined();
  });

  test("testSecret of an empty version is let pass (RotateImmediately=false)", async () => {
    const { secret } = await rotated(1);
    secret.secrets.stage(secret.name, v(2));
    expect((await secret.step("testSecret", v(2))).result).toBe("nothing-to-do");
    expect(secret.currentVersion).toBe(v(1));
  });

  test("an operator's tool runs the steps without a schedule", async () => {
    const { secret } = accounts(undefined, "operator-assisted");
    secret.secrets.set(secret.name, { rotationEnabled: false });
    for (const step of STEPS) await secret.step(step, v(1));
    expect(secret.currentVersion).toBe(v(1));
  });
});

describe("the phases", () => {
  test("verify, decommission, each of them twice", async () => {
    const { secret, server } = await rotated(2);
    const old = JSON.parse(secret.secrets.valueOf(secret.name, v(1)) ?? "");
    for (const _ of [1, 2]) expect((await secret.phase("verify", v(2))).result).toBe("done");
    expect(server.lets(old)).toBe(true);
    for (const _ of [1, 2]) expect((await secret.phase("decommission", v(1))).result).toBe("done");
    expect(server.lets(old)).toBe(false);
    expect(secret.current && server.lets(secret.current)).toBe(true);
  });

  test("decommission spares the login that a newer version has taken over", async () => {
    const { secret, server } = await rotated(3);
    await secret.phase("decommission", v(1));
    expect(secret.current && server.lets(secret.current)).toBe(true);
  });

  test("rollback, twice, and the next rotation waits for it to arrive", async () => {
    const { secret, server } = await rotated(2);
    expect((await secret.phase("rollback", v(2))).result).toBe("done");
    expect((await secret.phase("rollback", v(2))).result).toBe("already-done");
    expect(secret.currentVersion).toBe(v(1));
    secret.secrets.stage(secret.name, v(3));
    // The old confirmation of version 1 does not count: pods still hold version 2.
    expect(await codeOf(secret.step("createSecret", v(3)))).toBe("not-published-yet");
    expect(server.lets(JSON.parse(secret.secrets.valueOf(secret.name, v(2)) ?? ""))).toBe(true);
    secret.confirm();
    secret.clock.advance(2 * HOUR);
    await secret.rotate(v(3));
    expect(secret.current?.username).toBe("b");
  });

  test("rollback of a version that is not current yet gives it up, and changes nothing for consumers", async () => {
    const { secret, server } = await rotated(1);
    secret.secrets.stage(secret.name, v(2));
    await secret.step("createSecret", v(2));
    const before = secret.current;
    expect((await secret.phase("rollback", v(2))).result).toBe("done");
    expect(await codeOf(secret.step("setSecret", v(2)))).toMatch(/^version-(unknown|not-pending)$/);
    expect(secret.current).toEqual(before);
    expect(secret.current && server.lets(secret.current)).toBe(true);
  });

  test("an emergency does not wait", async () => {
    const { secret, server } = await rotated(1);
    await secret.rotate(v(2));
    await secret.phase("decommission", v(1), { emergency: true });
    expect(server.lets(JSON.parse(secret.secrets.valueOf(secret.name, v(1)) ?? ""))).toBe(false);
  });
});

describe("crashes and races", () => {
  test("a crash at every call, before and after it, converges by the same rotation again", async () => {
    let points = 0;
    for (const readings of READINGS) {
      for (const earlier of [0, 1, 2]) {
        points += await crashEverywhere(async () => {
          const { secret, server } = await rotated(earlier, readings);
          const held = secret.current;
          const stillHeld = async () => {
            if (held === undefined) return;
            expect(server.lets(held)).toBe(true);
            expect(secret.current && server.lets(secret.current)).toBe(true);
          };
          return {
            work: (plan) => secret.rotate(v(9), plan),
            afterCrash: stillHeld,
            afterAll: async () => {
              await stillHeld();
              expect(secret.currentVersion).toBe(v(9));
              expect(secret.current && server.lets(secret.current)).toBe(true);
              expect(secret.secrets.versionWith(secret.name, "AWSPENDING")).toBeUndefined();
            },
          };
        });
      }
    }
    process.stdout.write(`machine with two accounts: ${points} crash points\n`);
    expect(points).toBeGreaterThan(200);
  });

  test("a crash at every call of a phase converges by the same phase again", async () => {
    let points = 0;
    for (const phase of ["verify", "decommission", "rollback"] as const) {
      points += await crashEverywhere(async () => {
        const { secret, server } = await rotated(2);
        const currentWorks = async () => expect(secret.current && server.lets(secret.current)).toBe(true);
        return {
          work: (plan) =>
            secret.phase(phase, phase === "decommission" ? v(1) : v(2), plan === undefined ? {} : { plan }),
          afterCrash: currentWorks,
          afterAll: async () => {
            await currentWorks();
            expect(secret.currentVersion).toBe(phase === "rollback" ? v(1) : v(2));
          },
        };
      });
    }
    process.stdout.write(`phases of two accounts: ${points} crash points\n`);
    expect(points).toBeGreaterThan(20);
  });

  test("property: any calls in any order, two at once, by hand or crashed, break neither AWSCURRENT nor what pods hold", async () => {
    // Versions are counted back from the newest; 0 is one that does not exist yet.
    const n = fc.integer({ min: 0, max: 3 });
    const call = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant("step" as const),
          step: fc.constantFrom(...STEPS),
          n,
          crash: fc.integer({ min: 0, max: 9 }),
          when: fc.constantFrom("before" as const, "after" as const),
        }),
      },
      { weight: 4, arbitrary: fc.record({ do: fc.constant("rotate" as const), n, twice: fc.boolean() }) },
      {
        weight: 3,
        arbitrary: fc.record({ do: fc.constant("phase" as const), phase: fc.constantFrom(...PHASES), n }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant("wait" as const),
          hours: fc.integer({ min: 0, max: 2 }),
          confirm: fc.boolean(),
        }),
      },
      // What goes well in between, or hardly any sequence would get anywhere.
      { weight: 5, arbitrary: fc.record({ do: fc.constant("arrive and rotate" as const) }) },
    );
    let moved = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...READINGS),
        fc.array(call, { maxLength: 40, size: "max" }),
        async (readings, calls) => {
          const { secret, server } = await rotated(1, readings);
          const held = new HeldByPods(secret);
          const check = () => {
            for (const account of held.now()) expect(server.lets(account)).toBe(true);
          };
          secret.secrets.onCurrent = () => {
            moved += 1;
            held.published();
            check();
          };
          const attempt = (work: Promise<unknown>) =>
            work.catch((failure: unknown) => {
              if (!(failure instanceof RotationError || failure instanceof Crash)) throw failure;
            });
          let newest = 1;
          const versionOf = (back: number): string => {
            if (back === 0) newest += 1;
            return v(Math.max(1, newest - Math.max(0, back - 1)));
          };
          for (const item of calls) {
            switch (item.do) {
              case "step":
                await attempt(
                  secret.step(item.step, versionOf(item.n), new CrashPlan(item.crash, item.when)),
                );
                break;
              case "rotate": {
                const version = versionOf(item.n);
                await Promise.all((item.twice ? [1, 2] : [1]).map(() => attempt(secret.rotate(version))));
                break;
              }
              case "phase":
                await attempt(secret.phase(item.phase, versionOf(item.n)));
                break;
              case "wait":
                secret.clock.advance(item.hours * HOUR);
                if (item.confirm) held.confirmed();
                break;
              case "arrive and rotate":
                held.confirmed();
                secret.clock.advance(2 * HOUR);
                await attempt(secret.rotate(versionOf(0)));
            }
            check();
          }
        },
      ),
      propertyRuns("any calls in any order", { ci: 500, nightly: 10_000 }),
    );
    process.stdout.write(`property: AWSCURRENT moved ${moved} times\n`);
    expect(moved).toBeGreaterThan(1_500);
  }, 3_600_000);

  test("two at once: one wins, both converge", async () => {
    const { secret, server } = await rotated(1);
    secret.secrets.stage(secret.name, v(2));
    const results = await Promise.allSettled([secret.rotate(v(2)), secret.rotate(v(2))]);
    expect(results.some(({ status }) => status === "fulfilled")).toBe(true);
    expect(secret.currentVersion).toBe(v(2));
    expect(secret.current && server.lets(secret.current)).toBe(true);
  });
});
