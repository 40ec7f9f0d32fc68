import { generateKeyPairSync } from "node:crypto";
import type { JWK } from "jose" with { "resolution-mode": "import" };
import { type KindSettings, settingsSchema } from "../../../lib/model/kinds";
import { USED_UP } from "../../../lib/model/supplied-values";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { jwtSigningKeyTarget } from "../../../lib/rotation/targets/jwt-signing-key";
import type { JwtValue } from "../../../lib/rotation/values/jwks";
import { completeValue } from "../../../lib/rotation/values/operator-value";
import { crashEverywhere } from "../models/crash-everywhere";
import { RehearsedSecret, versionId } from "../models/rehearsed-secret";

const INBOX = "test/_inbox/db/app";
const HOUR = 3_600;
const v = (n: number): string => versionId(`rotation ${n}`);
const KID = "acme-2021";

const settings = settingsSchema("jwt-signing-key").parse({
  firstKey: "supplied",
}) as KindSettings<"jwt-signing-key">;

const jwkOf = (kid: string): JWK => ({
  ...(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" }) as JWK),
  kid,
});

/** A secret that is to begin with an organisation's key, which lies in its inbox once it is supplied. */
class AdoptingSecret extends RehearsedSecret<JwtValue> {
  constructor(mode: "automatic" | "manual-dual-publish" = "automatic") {
    super({
      target: () => jwtSigningKeyTarget({ settings, mode }),
      mode,
      overlap: 9 * HOUR,
      publishLead: 7 * HOUR,
      inbox: {
        name: INBOX,
        takes: "first-value",
        publishes: true,
        complete: (given) =>
          completeValue({ kind: "jwt-signing-key", settings }, given) as unknown as JwtValue,
      },
    });
    this.secrets.create(INBOX);
  }

  supply(given: object, n = 0): Promise<void> {
    return new SecretsManagerStore(this.secrets.client).putCurrent(
      INBOX,
      versionId(`supplied ${n}`),
      JSON.stringify(given),
    );
  }

  /** Texts in the inbox under any label. */
  get left(): readonly (string | undefined)[] {
    const versions = Object.entries(this.secrets.labels(INBOX)).filter(([, labels]) => labels.length > 0);
    return versions.map(([version]) => this.secrets.valueOf(INBOX, version));
  }

  /** Everybody has the value, and its overlap is over. */
  pass(): void {
    this.confirm();
    this.clock.advance(10 * HOUR);
  }
}

const codeOf = (failure: unknown): string => (failure instanceof RotationError ? failure.code : "unknown");

/** jose is an ES module. */
const loadJose = () => import("jose");

async function tokenBy(jwk: JWK): Promise<string> {
  const { importJWK, SignJWT } = await loadJose();
  return new SignJWT({ sub: "ana" })
    .setProtectedHeader({ alg: "ES256", kid: jwk.kid ?? "" })
    .sign(await importJWK(jwk, "ES256"));
}

async function verifies(token: string, { jwks }: JwtValue): Promise<boolean> {
  const { createLocalJWKSet, jwtVerify } = await loadJose();
  return jwtVerify(token, createLocalJWKSet({ keys: [...jwks.keys] as JWK[] })).then(
    () => true,
    () => false,
  );
}

test("tokens of the organisation's key verify until it is retired, one rotation and one overlap later", async () => {
  const secret = new AdoptingSecret();
  const key = jwkOf(KID);
  await secret.supply({ privateKey: key });
  const before = await tokenBy(key);

  await secret.rotate(v(1));
  expect(secret.current).toMatchObject({ current: { kid: KID, d: key.d }, previous: null });
  expect(secret.left).toEqual([USED_UP, USED_UP]);
  const first = secret.current as JwtValue;
  expect(await verifies(before, first)).toBe(true);

  secret.pass();
  await secret.rotate(v(2));
  const second = secret.current as JwtValue;
  // The next key was published beside it, so that holders of either value take tokens by the other's.
  expect([second.current.kid, second.previous?.kid]).toEqual([first.next?.kid, KID]);
  expect(JSON.stringify(second)).not.toContain(key.d);
  const after = await tokenBy(second.current as JWK);
  expect([await verifies(before, second), await verifies(after, first)]).toEqual([true, true]);

  secret.pass();
  await secret.phase("decommission", v(1));
  expect(await verifies(before, secret.current as JwtValue)).toBe(false);
});

test("a key that is published by hand: nothing but the organisation's key at first", async () => {
  const secret = new AdoptingSecret("manual-dual-publish");
  await secret.supply({ privateKey: jwkOf(KID) });
  await secret.rotate(v(1));
  expect(secret.current).toMatchObject({ next: null, current: { kid: KID }, previous: null });
  expect(secret.proved).toEqual([v(1)]);
});

describe("killed at each call while it is adopted", () => {
  const supplied = async (): Promise<AdoptingSecret> => {
    const secret = new AdoptingSecret();
    await secret.supply({ privateKey: jwkOf(KID) });
    return secret;
  };
  const expectAdopted = async (secret: AdoptingSecret): Promise<void> => {
    expect(secret.current).toMatchObject({ current: { kid: KID }, previous: null });
    expect(secret.proved).toEqual([secret.currentVersion]);
    expect(secret.left).toEqual([USED_UP, USED_UP]);
  };

  test("the same version begins with the same key, and nothing of it stays in the inbox", async () => {
    const deaths = await crashEverywhere(async () => {
      const secret = await supplied();
      return {
        work: (plan) => secret.rotate(v(1), plan),
        afterCrash: async () => undefined,
        afterAll: () => expectAdopted(secret),
      };
    });
    process.stdout.write(`jwt-signing-key: killed ${deaths} times while a key was adopted\n`);
    expect(deaths).toBeGreaterThan(20);
  });

  test("another version that Secrets Manager begins with has it too", async () => {
    await crashEverywhere(async () => {
      const secret = await supplied();
      let version = v(1);
      return {
        work: (plan) => secret.rotate(version, plan),
        // Secrets Manager begins another rotation where AWSPENDING is on no version, or on AWSCURRENT's.
        afterCrash: async () => {
          const pending = secret.secrets.versionWith(secret.name, "AWSPENDING");
          const isOver = pending === undefined || pending === secret.currentVersion;
          if (isOver && secret.proved.length === 0) version = v(2);
        },
        afterAll: () => expectAdopted(secret),
      };
    });
  });
});

describe("refused", () => {
  test("nothing is made in the place of a key that nobody has supplied", async () => {
    const secret = new AdoptingSecret();
    await expect(secret.rotate(v(1))).rejects.toMatchObject({ code: "operator-needed" });
    await expect(secret.rotate(v(1))).rejects.toThrow(/is in use already, and nobody has supplied it/);
    expect(secret.current).toBeUndefined();
    await secret.supply({ privateKey: jwkOf(KID) });
    await secret.rotate(v(1));
    expect(secret.current?.current.kid).toBe(KID);
  });

  test("what is wrong says so at each call, and something better takes its place under the same version", async () => {
    const secret = new AdoptingSecret();
    const { d: _, ...publicOnly } = jwkOf(KID);
    await secret.supply({ privateKey: publicOnly });
    for (const _try of [1, 2]) {
      const failure = await secret.rotate(v(1)).catch((thrown: unknown) => thrown);
      expect(codeOf(failure)).toBe("value-malformed");
      expect(String(failure)).toContain("a public key: it cannot sign");
    }
    expect(secret.current).toBeUndefined();
    await secret.supply({ privateKey: jwkOf(KID) }, 1);
    await secret.rotate(v(1));
    expect(secret.current?.current.kid).toBe(KID);
    expect(secret.left).toEqual([USED_UP, USED_UP]);
  });

  test("once a value is served, what is supplied is used by nobody, and goes with the next rotation", async () => {
    const secret = new AdoptingSecret();
    await secret.supply({ privateKey: jwkOf(KID) });
    await secret.rotate(v(1));
    const { next } = secret.current as JwtValue;
    await secret.supply({ privateKey: jwkOf("intruder") }, 1);
    secret.pass();
    await secret.rotate(v(2));
    expect(secret.current?.current.kid).toBe(next?.kid);
    expect(JSON.stringify(secret.current)).not.toContain("intruder");
    expect(secret.left).toEqual([USED_UP, USED_UP]);
  });
});
