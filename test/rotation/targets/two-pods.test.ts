import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { acceptorLag, JWT_ALGORITHMS, type KindSettings, settingsSchema } from "../../../lib/model/kinds";
import { leastOverlap } from "../../../lib/model/resolve";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import type { PublishedTarget } from "../../../lib/rotation/protocol/target";
import { hmacKeyTarget, signHmac, verifyHmac } from "../../../lib/rotation/targets/hmac-key";
import { type JwtValue, jwtSigningKeyTarget } from "../../../lib/rotation/targets/jwt-signing-key";
import { type Generations, keysOf } from "../../../lib/rotation/values/generations";
import { type PrivateJwk, publicHalf } from "../../../lib/rotation/values/value-schemas";
import { propertyCases, propertyRuns } from "../../property-runs";
import { crashEverywhere } from "../models/crash-everywhere";
import { ATTEMPT, RehearsedSecret, testRandom, versionId } from "../models/rehearsed-secret";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const TICK = 10 * MINUTE;
const REFRESH = 6 * HOUR;
const MARGIN = HOUR;

const environment = { refreshEvery: { seconds: REFRESH }, reloadMargin: { seconds: MARGIN } };
const hmacSettings = settingsSchema("hmac-key").parse({}) as KindSettings<"hmac-key">;
const jwtSettings = settingsSchema("jwt-signing-key").parse({}) as KindSettings<"jwt-signing-key">;

const hmacChoices: readonly Partial<KindSettings<"hmac-key">>[] = [
  { algorithm: "sha256" },
  { algorithm: "sha512", bytes: 64 },
];
// The cheap ones: a key of each algorithm is tried by itself below.
const jwtChoices: readonly Partial<KindSettings<"jwt-signing-key">>[] = [
  { algorithm: "ES256" },
  { algorithm: "ES384" },
  { algorithm: "EdDSA" },
];

interface Kind<V> {
  /** Settings that change what the next key is; an author may move from one to another at any time. */
  readonly settings: readonly object[];
  /** @param settings index in `settings`. @default the first */
  readonly target: (mode: "automatic" | "manual-dual-publish", settings?: number) => PublishedTarget<V>;
  /** Name and algorithm of the key that a holder of the value signs with. */
  readonly signsWith: (value: V) => string;
  /** Names and algorithms of the keys that it accepts. */
  readonly accepts: (value: V) => readonly string[];
  /** Time after its making in which a signature may come to be verified, clock differences included. */
  readonly lifetime: number;
  /** Age, beyond the pod's own, of the keys by which a verifier checks. */
  readonly cache: number;
  readonly overlap: number;
  readonly publishLead: number;
}

const hmacLag = acceptorLag({ kind: "hmac-key", settings: hmacSettings });
const hmac: Kind<Awaited<ReturnType<ReturnType<typeof hmacKeyTarget>["generate"]>>> = {
  settings: hmacChoices,
  target: (mode, index = 0) =>
    hmacKeyTarget({ settings: { ...hmacSettings, ...hmacChoices[index] }, mode, random: testRandom }),
  signsWith: ({ current }) => `${current.id} ${current.algorithm}`,
  accepts: (value) => keysOf(value).map(({ id, algorithm }) => `${id} ${algorithm}`),
  lifetime: hmacSettings.tolerance.seconds,
  cache: 0,
  overlap: leastOverlap(environment, hmacLag.afterSwitch).seconds,
  publishLead: REFRESH + MARGIN,
};

const jwtLag = acceptorLag({ kind: "jwt-signing-key", settings: jwtSettings });
const jwt: Kind<JwtValue> = {
  settings: jwtChoices,
  target: (mode, index = 0) =>
    jwtSigningKeyTarget({ settings: { ...jwtSettings, ...jwtChoices[index] }, mode }),
  signsWith: ({ current }) => `${current.kid} ${current.alg}`,
  accepts: (value) => value.jwks.keys.map(({ kid, alg }) => `${kid} ${alg}`),
  lifetime: jwtSettings.tokenLifetime.seconds + jwtSettings.clockSkew.seconds,
  cache: jwtSettings.verifierCache.seconds,
  overlap: leastOverlap(environment, jwtLag.afterSwitch).seconds,
  publishLead: REFRESH + MARGIN + (jwtLag.beforeUse?.seconds ?? 0),
};

interface Schedule {
  readonly mode: "automatic" | "manual-dual-publish";
  /** Ticks between a change of AWSCURRENT and each Vault's copy of it. */
  readonly mirrorDelays: readonly number[];
  /** Each pod: its Vault, the tick of its first refresh, the ticks that it takes to reload. */
  readonly pods: readonly { readonly vault: number; readonly offset: number; readonly reload: number }[];
  /** Actions of the procedure, and the ticks that it lets pass before each. */
  readonly actions: readonly {
    readonly after: number;
    readonly act: "rotate" | "promote" | "decommission" | "rollback" | "deploy other settings";
  }[];
}

const schedule: fc.Arbitrary<Schedule> = fc.record({
  mode: fc.constantFrom("automatic" as const, "manual-dual-publish" as const),
  mirrorDelays: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 2, maxLength: 2 }),
  pods: fc.array(
    fc.record({
      vault: fc.integer({ min: 0, max: 1 }),
      offset: fc.integer({ min: 0, max: REFRESH / TICK - 1 }),
      reload: fc.integer({ min: 0, max: MARGIN / TICK }),
    }),
    { minLength: 2, maxLength: 3 },
  ),
  actions: fc.array(
    fc.record({
      after: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 36, max: 60 })),
      act: fc.constantFrom(
        ...(["rotate", "rotate", "rotate", "promote", "promote", "promote"] as const),
        ...(["decommission", "rollback", "deploy other settings"] as const),
      ),
    }),
    { minLength: 4, maxLength: 14 },
  ),
});

interface Tally {
  verified: number;
  switches: number;
  /** Deployed changes of the settings. */
  changes: number;
}

/**
 * The whole journey of a value, tick by tick: AWSCURRENT → each Vault → each pod's file → in use → tokens →
 * verifiers.
 */
class Journey<V> {
  readonly #kind: Kind<V>;
  readonly #plan: Schedule;
  readonly #tally: Tally;
  readonly #secret: RehearsedSecret<V>;
  readonly #history: { readonly tick: number; readonly version: string; readonly value: V }[] = [];
  readonly #inUse: V[] = [];
  readonly #incoming: { readonly pod: number; readonly tick: number; readonly value: V }[] = [];
  /** Last moment at which a signature by a key may be verified. */
  readonly #alive = new Map<string, number>();
  readonly #cached: { readonly tick: number; readonly accepted: readonly string[] }[] = [];
  #confirmed = "";
  #settings = 0;
  #tick = 0;
  #rotations = 0;

  constructor(kind: Kind<V>, plan: Schedule, tally: Tally, waits: { overlap: number; publishLead: number }) {
    this.#kind = kind;
    this.#plan = plan;
    this.#tally = tally;
    this.#secret = new RehearsedSecret<V>({
      target: () => kind.target(plan.mode, this.#settings),
      mode: plan.mode,
      ...waits,
    });
    this.#secret.secrets.onCurrent = () => this.#record();
  }

  /** `false` as soon as a signature that is still good does not verify somewhere. */
  async run(): Promise<boolean> {
    await this.#rotate();
    const [first] = this.#history;
    if (first === undefined) return false;
    this.#plan.pods.forEach(() => {
      this.#inUse.push(first.value);
    });
    this.#history[0] = { ...first, tick: -1_000 };
    for (const { after, act } of this.#plan.actions) {
      for (let i = 0; i < after; i += 1) if (!this.#pass()) return false;
      await this.#attempt(act);
    }
    for (let i = 0; i < 60; i += 1) if (!this.#pass()) return false;
    return true;
  }

  #record(): void {
    const { current, currentVersion } = this.#secret;
    if (current === undefined || currentVersion === undefined) return;
    this.#history.push({ tick: this.#tick, version: currentVersion, value: current });
    this.#tally.switches += 1;
  }

  async #rotate(): Promise<void> {
    this.#rotations += 1;
    await this.#secret.rotate(versionId(`rotation ${this.#rotations}`));
  }

  async #attempt(act: Schedule["actions"][number]["act"]): Promise<void> {
    const { secret, current } = { secret: this.#secret, current: this.#secret.currentVersion ?? "" };
    const previous = secret.secrets.versionWith(secret.name, "AWSPREVIOUS") ?? current;
    const runId = `run ${this.#tick}`;
    if (act === "deploy other settings") {
      this.#settings = (this.#settings + 1) % this.#kind.settings.length;
      this.#tally.changes += 1;
      return;
    }
    try {
      if (act === "rotate") await this.#rotate();
      else await secret.phase(act, act === "decommission" ? previous : current, { runId });
    } catch (failure) {
      if (!(failure instanceof RotationError)) throw failure;
    }
  }

  /** One tick: Vaults copy, pods refresh and reload, everybody signs, everybody verifies. */
  #pass(): boolean {
    this.#tick += 1;
    this.#secret.clock.advance(TICK);
    const slowest = Math.max(...this.#plan.mirrorDelays);
    const everywhere = this.#servedWith(slowest);
    const newest = this.#history.at(-1);
    const token = `${newest?.tick}`;
    if (everywhere === newest && token !== this.#confirmed) {
      this.#confirmed = token;
      this.#secret.confirm();
    }
    this.#plan.pods.forEach(({ vault, offset, reload }, pod) => {
      if (this.#tick % (REFRESH / TICK) !== offset) return;
      const served = this.#servedWith(this.#plan.mirrorDelays[vault] ?? 0);
      if (served) this.#incoming.push({ pod, tick: this.#tick + reload, value: served.value });
    });
    for (const { pod, tick, value } of this.#incoming) if (tick === this.#tick) this.#inUse[pod] = value;
    return this.#signAndVerify();
  }

  #servedWith(delay: number) {
    return this.#history.findLast(({ tick }) => tick + delay <= this.#tick);
  }

  #signAndVerify(): boolean {
    const now = this.#tick * TICK;
    for (const value of this.#inUse) this.#alive.set(this.#kind.signsWith(value), now + this.#kind.lifetime);
    const fresh = this.#inUse.map((value) => ({ tick: this.#tick, accepted: this.#kind.accepts(value) }));
    this.#cached.push(...fresh);
    const verifiers = this.#cached.filter(({ tick }) => (this.#tick - tick) * TICK <= this.#kind.cache);
    const good = [...this.#alive].flatMap(([key, until]) => (until >= now ? [key] : []));
    this.#tally.verified += good.length * verifiers.length;
    return verifiers.every(({ accepted }) => good.every((key) => accepted.includes(key)));
  }
}

describe.each([
  { name: "hmac-key", kind: hmac as Kind<unknown>, sizes: { ci: 400, nightly: 4_000 } },
  { name: "jwt-signing-key", kind: jwt as Kind<unknown>, sizes: { ci: 120, nightly: 1_200 } },
])("pods that refresh at different times, $name", ({ name, kind, sizes }) => {
  test("accept each other's signatures at every moment, whatever the procedure tries", async () => {
    const tally = { verified: 0, switches: 0, changes: 0 };
    await fc.assert(
      fc.asyncProperty(schedule, (plan) => new Journey(kind, plan, tally, kind).run()),
      propertyRuns(`pods that refresh at different times, ${name}`, sizes),
    );
    process.stdout.write(
      `${name}: ${tally.verified} verifications, ${tally.switches} changes of AWSCURRENT, ${tally.changes} of settings\n`,
    );
    expect(tally.switches).toBeGreaterThan(propertyCases(sizes));
  }, 3_600_000);

  test.each([
    ["overlap", { overlap: REFRESH / 2, publishLead: 0 }],
    ["publish lead", { overlap: kind.overlap, publishLead: 2 * TICK }],
  ])("would not with a shorter %s: the law is no longer than it must be", async (what, waits) => {
    const tally = { verified: 0, switches: 0, changes: 0 };
    const result = await fc.check(
      fc.asyncProperty(
        schedule.filter(({ mode }) => what === "overlap" || mode === "manual-dual-publish"),
        (plan) => new Journey(kind, plan, tally, waits).run(),
      ),
      { numRuns: 2_000, endOnFailure: true },
    );
    expect(result.failed).toBe(true);
  });
});

describe("keys", () => {
  test("a signature verifies by current, next and previous, and by no other key", async () => {
    const target = hmac.target("automatic");
    const first = await target.generate(undefined, ATTEMPT);
    const second = await target.generate(first, ATTEMPT);
    const third = await target.generate(second, ATTEMPT);
    const message = Buffer.from("body");
    const { signature } = signHmac(second, message);
    expect([first, second, third].map((value) => verifyHmac(value, message, signature))).toEqual([
      true,
      true,
      true,
    ]);
    const fifth = await target.generate(await target.generate(third, ATTEMPT), ATTEMPT);
    expect(verifyHmac(fifth, message, signature)).toBe(false);
    expect(verifyHmac(second, Buffer.from("other"), signature)).toBe(false);
  });

  test.each(JWT_ALGORITHMS)(
    "%s: the JWKS has no private member and verifies",
    async (algorithm) => {
      const target = jwtSigningKeyTarget({ settings: { ...jwtSettings, algorithm }, mode: "automatic" });
      const value = await target.generate(await target.generate(undefined, ATTEMPT), ATTEMPT);
      expect(keysOf(value).map(({ alg }) => alg)).toEqual([algorithm, algorithm, algorithm]);
      expect(value.jwks.keys.map(({ kid }) => kid)).toEqual(
        [value.current, value.next, value.previous].map((key) => key?.kid),
      );
      const members = new Set([...value.jwks.keys, value.previous].flatMap((key) => Object.keys(key ?? {})));
      for (const name of ["d", "p", "q", "dp", "dq", "qi", "k", "oth"]) expect(members.has(name)).toBe(false);
      await expect(target.test(value)).resolves.toBeUndefined();
      const { jwks } = await target.generate(undefined, ATTEMPT);
      await expect(target.test({ ...value, jwks })).rejects.toMatchObject({ code: "target-refused" });
    },
    // RSA keys take seconds on a busy machine.
    60_000,
  );

  test("another algorithm comes with the next key, and is used when that key is promoted", async () => {
    const old = jwt.target("manual-dual-publish");
    const changed = jwt.target("manual-dual-publish", 1);
    const first = await old.generate(undefined, ATTEMPT);
    const second = await changed.generate(first, ATTEMPT);
    const third = changed.promoted(second);
    expect([first, second, third].map(({ current, next }) => [current.alg, next?.alg])).toEqual([
      ["ES256", undefined],
      ["ES256", "ES384"],
      ["ES384", undefined],
    ]);
    expect(third.previous?.alg).toBe("ES256");
    for (const value of [first, second, third]) await expect(changed.test(value)).resolves.toBeUndefined();
  });

  test("a longer HMAC key comes with the next key, and the shorter ones stay good until they are gone", async () => {
    const first = await hmac.target("automatic").generate(undefined, ATTEMPT);
    const second = await hmac.target("automatic", 1).generate(first, ATTEMPT);
    expect(keysOf(second).map(({ key }) => Buffer.from(key, "base64url").length)).toEqual([32, 64, 32]);
    await expect(hmac.target("automatic", 1).test(second)).resolves.toBeUndefined();
  });

  test.each(["automatic", "manual-dual-publish"] as const)(
    "a key that an organisation brings along keeps its kid, %s: no token is refused when it moves in",
    async (mode) => {
      const [own, before] = await Promise.all(
        ["ES256", "RS256"].map(async (algorithm) => {
          const made = jwtSigningKeyTarget({
            settings: { ...jwtSettings, algorithm: algorithm as "ES256" },
            mode: "manual-dual-publish",
          });
          return (await made.generate(undefined, ATTEMPT)).current;
        }),
      );
      if (own === undefined || before === undefined) throw new Error("no keys");
      const current: PrivateJwk = { ...own, kid: "auth.example.com/2024 #2" };
      const previous = publicHalf({ ...before, kid: "auth.example.com/2023 #1" });
      const staged = { next: null, current, previous, jwks: { keys: [publicHalf(current), previous] } };
      const target = jwt.target(mode);
      const first = await target.generate(undefined, ATTEMPT, staged);
      await target.test(first);
      expect(first).toMatchObject({ current: { kid: current.kid }, previous: { kid: previous.kid } });
      expect(first.jwks.keys).toHaveLength(mode === "automatic" ? 3 : 2);
      for (const key of [current, { ...before, kid: previous.kid }]) {
        expect(await verifies(first, await tokenBy(key))).toBe(true);
      }
      const second = await target.generate(first, ATTEMPT);
      expect(await verifies(second, await tokenBy(current))).toBe(true);
      expect(second.jwks.keys.length).toBeLessThanOrEqual(3);
    },
    60_000,
  );

  test("an RSA key of 1,024 bits, or with a kid of no characters, is not taken along", async () => {
    const weak = generateKeyPairSync("rsa", { modulusLength: 1_024 }).privateKey.export({ format: "jwk" });
    const current = { ...weak, kid: "weak", alg: "RS256", use: "sig" } as PrivateJwk;
    const staged = { next: null, current, previous: null, jwks: { keys: [publicHalf(current)] } };
    const target = jwt.target("manual-dual-publish");
    const first = await target.generate(undefined, ATTEMPT, staged);
    await expect(target.test(first)).rejects.toMatchObject({ code: "target-refused" });
    const { schema } = target;
    expect(schema.safeParse(first).success).toBe(true);
    expect(schema.safeParse({ ...first, current: { ...current, kid: "" } }).success).toBe(false);
  });

  test("two keys of one name are refused", async () => {
    const twice = async <V extends Generations<unknown>>(target: PublishedTarget<V>): Promise<void> => {
      const value = await target.generate(undefined, ATTEMPT);
      await target.test({ ...value, next: value.current });
    };
    await expect(twice(hmac.target("manual-dual-publish"))).rejects.toThrow(/two keys are called/);
    await expect(twice(jwt.target("manual-dual-publish"))).rejects.toThrow(/two keys are called/);
  });
});

describe.each(["automatic", "manual-dual-publish"] as const)("a leak, %s", (mode) => {
  test("hmac-key: no signature by a key of the leaked value is taken, and none of the new by an old pod", async () => {
    const target = hmac.target(mode);
    const leaked = await hmacWithAllThree(mode);
    const replaced = await target.replaced(leaked, ATTEMPT);
    const message = Buffer.from("pay the thief");
    const forgeries = keysOf(leaked).map((key) => signHmac({ current: key }, message).signature);
    expect(forgeries).toHaveLength(3);
    expect(forgeries.map((forgery) => verifyHmac(leaked, message, forgery))).toEqual([true, true, true]);
    expect(forgeries.map((forgery) => verifyHmac(replaced, message, forgery))).toEqual([false, false, false]);
    expect(verifyHmac(leaked, message, signHmac(replaced, message).signature)).toBe(false);
    await expect(target.test(replaced)).resolves.toBeUndefined();
    expect(replaced).toMatchObject({ next: mode === "automatic" ? {} : null, previous: null });
  });

  test("jwt-signing-key: no token by a key of the leaked value is taken, and none of the new by an old pod", async () => {
    const target = jwt.target(mode);
    const first = await target.generate(undefined, ATTEMPT);
    const second = await target.generate(first, ATTEMPT);
    // What leaked in the course of time: every private key that a value ever had.
    const leaked = mode === "automatic" ? second : { ...target.promoted(second), next: null };
    const thief = [first.current, second.current, second.next].filter((key) => key !== null);
    const replaced = await target.replaced(leaked, ATTEMPT);
    for (const key of thief) {
      const forgery = await tokenBy(key);
      expect([await verifies(leaked, forgery), await verifies(replaced, forgery)]).toEqual([true, false]);
    }
    const genuine = await tokenBy(replaced.current);
    expect([await verifies(leaked, genuine), await verifies(replaced, genuine)]).toEqual([false, true]);
    await expect(target.test(replaced)).resolves.toBeUndefined();
  });

  test("a version that keeps a leaked key is refused, and outside of an emergency one that keeps none", async () => {
    const target = hmac.target(mode);
    const leaked = await hmacWithAllThree(mode);
    const next = await target.generate(leaked, ATTEMPT);
    const replaced = await target.replaced(leaked, ATTEMPT);
    const codes = [next, replaced].map((pending) =>
      [false, true].map((emergency) => {
        try {
          target.checkSuccession(pending, leaked, emergency);
          return "taken";
        } catch (failure) {
          return failure instanceof RotationError ? failure.code : failure;
        }
      }),
    );
    expect(codes).toEqual([
      ["taken", "stale-version"],
      ["stale-version", "taken"],
    ]);
  });
});

/** A value with `next`, `current` and `previous`. */
async function hmacWithAllThree(mode: "automatic" | "manual-dual-publish") {
  const target = hmac.target(mode);
  const second = await target.generate(await target.generate(undefined, ATTEMPT), ATTEMPT);
  return mode === "automatic" ? second : target.generate(target.promoted(second), ATTEMPT);
}

async function tokenBy(key: PrivateJwk): Promise<string> {
  const { importJWK, SignJWT } = await import("jose");
  const header = { alg: key.alg, kid: key.kid };
  return new SignJWT({ sub: "thief" }).setProtectedHeader(header).sign(await importJWK(key, key.alg));
}

/** As another workload would: by the JWKS alone, and by the algorithms of its keys alone. */
async function verifies({ jwks }: JwtValue, token: string): Promise<boolean> {
  const { createLocalJWKSet, jwtVerify } = await import("jose");
  const algorithms = jwks.keys.map(({ alg }) => alg);
  return jwtVerify(token, createLocalJWKSet({ keys: [...jwks.keys] }), { algorithms }).then(
    () => true,
    () => false,
  );
}

test("publish, promote and decommission crash at every call and converge; promoting too early is refused", async () => {
  const prepared = async () => {
    const secret = new RehearsedSecret({
      target: () => hmac.target("manual-dual-publish"),
      mode: "manual-dual-publish",
      overlap: hmac.overlap,
      publishLead: hmac.publishLead,
    });
    await secret.rotate(versionId("first"));
    secret.confirm();
    secret.clock.advance(hmac.overlap);
    await secret.rotate(versionId("publish"));
    secret.confirm();
    return secret;
  };
  const early = await prepared();
  await expect(early.phase("promote", versionId("publish"))).rejects.toMatchObject({
    code: "overlap-running",
  });
  early.clock.advance(hmac.publishLead);
  const { versionId: promoted } = await early.phase("promote", versionId("publish"));
  await expect(early.phase("promote", promoted, { runId: "next" })).rejects.toMatchObject({
    code: "nothing-published",
  });

  const points = await crashEverywhere(async () => {
    const secret = await prepared();
    secret.clock.advance(hmac.publishLead);
    const inUse = secret.currentVersion;
    return {
      work: async (plan) => {
        await secret.phase("promote", versionId("publish"), plan === undefined ? {} : { plan });
      },
      afterCrash: async () => expect(secret.current).toBeDefined(),
      afterAll: async () => {
        expect(secret.current).toMatchObject({ next: null, previous: { id: expect.any(String) } });
        expect(secret.secrets.versionWith(secret.name, "AWSPREVIOUS")).toBe(inUse);
        expect(secret.secrets.versionWith(secret.name, "AWSPENDING")).toBeUndefined();
      },
    };
  });
  const retirements = await crashEverywhere(async () => {
    const secret = await prepared();
    secret.clock.advance(hmac.publishLead);
    await secret.phase("promote", versionId("publish"));
    secret.confirm();
    secret.clock.advance(hmac.overlap);
    return {
      work: (plan) => secret.phase("decommission", versionId("publish"), plan === undefined ? {} : { plan }),
      afterCrash: async () => expect(secret.current).toBeDefined(),
      afterAll: async () => {
        expect(secret.current).toMatchObject({ next: null, previous: null });
        expect(secret.secrets.versionWith(secret.name, "AWSPENDING")).toBeUndefined();
      },
    };
  });
  process.stdout.write(`hmac-key: ${points} crash points in a promote, ${retirements} in a decommission\n`);
  expect(points + retirements).toBeGreaterThan(20);
});

test("a key that was retired in an emergency does not come back with a version made before", async () => {
  const secret = new RehearsedSecret({
    target: () => hmac.target("manual-dual-publish"),
    mode: "manual-dual-publish",
    overlap: hmac.overlap,
    publishLead: hmac.publishLead,
  });
  const arrived = (seconds: number) => {
    secret.confirm();
    secret.clock.advance(seconds);
  };
  await secret.rotate(versionId("first"));
  arrived(hmac.overlap);
  await secret.rotate(versionId("second"));
  arrived(hmac.publishLead);
  await secret.phase("promote", versionId("second"));
  arrived(hmac.overlap);
  secret.secrets.stage(secret.name, versionId("third"));
  await secret.step("createSecret", versionId("third"));
  await secret.step("setSecret", versionId("third"));
  await secret.phase("decommission", versionId("second"), { emergency: true });
  secret.secrets.stage(secret.name, versionId("third"));
  await expect(secret.step("finishSecret", versionId("third"))).rejects.toMatchObject({
    code: "stale-version",
  });
  expect(secret.current).toMatchObject({ previous: null });
});
