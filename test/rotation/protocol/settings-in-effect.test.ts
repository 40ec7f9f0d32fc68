import { KIND_NAMES, settingNames } from "../../../lib/model/kinds";
import { SETTING_RULES } from "../../../lib/model/setting-rules";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import type { AcceptingTarget } from "../../../lib/rotation/protocol/target";
import { type JwtValue, jwtSigningKeyTarget } from "../../../lib/rotation/targets/jwt-signing-key";
import { type KindValue, VALUE_SCHEMAS } from "../../../lib/rotation/values/value-schemas";
import { ChangingSecret } from "../models/changing-secret";
import { versionId } from "../models/rehearsed-secret";

/** A server with users who may have several passwords. */
class UsersServer {
  readonly #passwords = new Map<string, Set<string>>();

  of(user: string): Set<string> {
    const found = this.#passwords.get(user) ?? new Set();
    this.#passwords.set(user, found);
    return found;
  }

  target(user: string, password: () => string): AcceptingTarget<KindValue<"redis-auth-token">> {
    return {
      acceptedBy: "target",
      schema: VALUE_SCHEMAS["redis-auth-token"],
      generate: async () => ({ password: password() }),
      checkSuccession: () => undefined,
      install: async (pending) => void this.of(user).add(pending.password),
      test: async (value) => {
        if (!this.of(user).has(value.password)) throw new RotationError("target-refused", user);
      },
      retire: async ({ retired, kept }) => {
        if (!kept.some(({ password }) => password === retired.password))
          this.of(user).delete(retired.password);
      },
    };
  }
}

describe("a setting that goes with the value", () => {
  const server = new UsersServer();
  let made = 0;
  const secret = new ChangingSecret({
    kind: "redis-auth-token",
    settings: { engine: "acl", host: "redis.example.com", user: "app" },
    targetOf: ({ settings }) =>
      server.target(settings.user ?? "", () => `a-password-of-64-characters-${++made}`),
  });

  test("is kept in the value that it made", async () => {
    await secret.rotate("first");
    expect(secret.value()?._settings).toEqual({
      engine: "acl",
      host: "redis.example.com",
      port: 6379,
      user: "app",
    });
  });

  test("holds for that value until its end: a renamed user's old login is refused afterwards", async () => {
    const old = secret.value();
    const oldVersion = secret.version();
    secret.change({ user: "shop" });
    await secret.phase("verify", oldVersion);
    await secret.rotate("second");
    expect(secret.value()?._settings).toMatchObject({ user: "shop" });
    expect(server.of("app").has(old?.password ?? "")).toBe(true);
    expect(server.of("shop").has(secret.value()?.password ?? "")).toBe(true);
    secret.clock.advance(3_600);
    expect(await secret.phase("decommission", oldVersion)).toMatchObject({ result: "done" });
    expect([...server.of("app")]).toEqual([]);
    expect(server.of("shop").has(secret.value()?.password ?? "")).toBe(true);
  });

  test("comes back with a rollback", async () => {
    const before = secret.version();
    secret.change({ user: "store" });
    const renamed = await secret.rotate("third");
    await secret.phase("rollback", renamed);
    expect(secret.version()).toBe(before);
    expect(secret.value()?._settings).toMatchObject({ user: "shop" });
    await secret.phase("verify", before);
  });

  test("is the registry's where a value says nothing", async () => {
    const byHand = versionId("by hand");
    secret.secrets.putByHand(secret.name, byHand, JSON.stringify({ password: "one-of-16-characters" }));
    await expect(secret.phase("verify", byHand)).rejects.toThrow("target-refused: store");
    server.of("store").add("one-of-16-characters");
    await secret.phase("verify", byHand);
  });

  test("is refused in a form that the kind does not have", async () => {
    const wrong = versionId("wrong");
    secret.secrets.putByHand(
      secret.name,
      wrong,
      JSON.stringify({ password: "one-of-16-characters", _settings: { engine: "memcached" } }),
    );
    await expect(secret.phase("verify", wrong)).rejects.toThrow("value-malformed");
  });
});

test("a JWT key's algorithm changes with the next key, and no verifier loses a key in use", async () => {
  const secret = new ChangingSecret<"jwt-signing-key", JwtValue>({
    kind: "jwt-signing-key",
    settings: { algorithm: "ES256" },
    rotation: "manual-dual-publish",
    acceptedBy: "own-workloads",
    publishLead: { seconds: 3_600 },
    targetOf: ({ settings, rotation }) => jwtSigningKeyTarget({ settings, mode: rotation }),
  });
  await secret.rotate("first");
  secret.change({ algorithm: "RS256" });
  const published = await secret.rotate("second");
  expect(secret.value()).toMatchObject({ current: { alg: "ES256" }, next: { alg: "RS256" } });
  secret.clock.advance(3_600);
  await secret.phase("promote", published);
  expect(secret.value()).toMatchObject({ current: { alg: "RS256" }, previous: { alg: "ES256" } });
}, 60_000);

test("a shortened token lifetime kills no token that was signed before", async () => {
  const secret = new ChangingSecret<"jwt-signing-key", JwtValue>({
    kind: "jwt-signing-key",
    settings: { tokenLifetime: { seconds: 86_400 } },
    acceptedBy: "own-workloads",
    // As the registry has it after the change: refresh, margin, and 71 minutes of the kind's own.
    overlap: { seconds: 8 * 3_600 },
    targetOf: ({ settings, rotation }) => jwtSigningKeyTarget({ settings, mode: rotation }),
  });
  const first = await secret.rotate("first");
  secret.change({ tokenLifetime: { seconds: 3_600 } });
  await secret.rotate("second");
  secret.clock.advance(8 * 3_600);
  await expect(secret.phase("decommission", first)).rejects.toThrow("overlap-running");
  secret.clock.advance(23 * 3_600);
  await secret.phase("decommission", first);
  expect(secret.value()?.previous).toBeNull();
});

test("a setting that must not change under a live value is refused with the two steps", async () => {
  const secret = new ChangingSecret<"jwt-signing-key", JwtValue>({
    kind: "jwt-signing-key",
    settings: {},
    acceptedBy: "own-workloads",
    targetOf: ({ settings, rotation }) => jwtSigningKeyTarget({ settings, mode: rotation }),
  });
  await secret.rotate("first");
  secret.change({ issuer: "https://id.example.com" });
  await expect(secret.rotate("second")).rejects.toThrow(
    /settings-two-steps: dev\/changing: issuer has changed under a live value; let verifiers take both/,
  );
  secret.change({ issuer: undefined });
  await secret.rotate("second");
});

test("every setting of every kind has a rule", () => {
  for (const kind of KIND_NAMES) {
    expect(Object.keys(SETTING_RULES[kind]).sort()).toEqual([...settingNames(kind)].sort());
  }
});
