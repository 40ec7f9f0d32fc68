import { createServer as createPlainServer } from "node:http";
import { createServer as createTlsServer } from "node:tls";
import fc from "fast-check";
import { Client } from "pg";
import { CHARACTER_CLASSES } from "../../../lib/model/generic-settings";
import { type KindSettings, type KindSettingsInput, settingsSchema } from "../../../lib/model/kinds";
import { httpCheck } from "../../../lib/rotation/adapters/http-check";
import { pgServer } from "../../../lib/rotation/adapters/pg-server";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import { parseFunctionSettings } from "../../../lib/rotation/entries/function-settings";
import { handlerOf } from "../../../lib/rotation/entries/rotation-handler";
import { Redaction } from "../../../lib/rotation/protocol/redaction";
import type { GenericValue } from "../../../lib/rotation/targets/credential-check";
import { generateByRule } from "../../../lib/rotation/targets/generation-rule";
import { type GenericTargetProps, genericTarget } from "../../../lib/rotation/targets/generic";
import { type Postgres, startPostgres } from "../../../packages/rehearsal/src/servers";
import { loopbackCertificate } from "../../../packages/rehearsal/src/servers/loopback-certificate";
import { registry } from "../../../registry";
import { crashEverywhere } from "../models/crash-everywhere";
import type { CrashPlan } from "../models/crash-plan";
import { HttpsTarget } from "../models/https-target";
import { ProofsModel } from "../models/proofs-model";
import {
  PublicationsModel,
  RehearsedSecret,
  TestClock,
  testRandom,
  versionId,
} from "../models/rehearsed-secret";
import { SecretsManagerModel } from "../models/secrets-manager-model";

jest.setTimeout(60_000);

const HOUR = 3_600;
const v = (n: number): string => versionId(`rotation ${n}`);
const SERVERS = { http: httpCheck(), sql: pgServer };

const parsed = (settings: KindSettingsInput<"generic">) =>
  settingsSchema("generic").parse(settings) as KindSettings<"generic">;

/** A text as long as a real credential, made anew. */
const made = (): string => testRandom.bytes(24).toString("hex");

type Assisted = Pick<GenericTargetProps, "rotation" | "acceptedBy">;
const BESIDE: Assisted = { rotation: "operator-assisted", acceptedBy: "target" };
const ONE_SLOT: Assisted = { rotation: "operator-assisted", acceptedBy: "single-slot" };
const ALONE: Assisted = { rotation: "automatic", acceptedBy: "single-slot" };

const targetOf = (settings: KindSettingsInput<"generic">, how: Assisted, servers = SERVERS) =>
  genericTarget({ settings: parsed(settings), ...how, random: testRandom, servers });

function secretOf(settings: KindSettingsInput<"generic">, how: Assisted): RehearsedSecret<GenericValue> {
  return new RehearsedSecret<GenericValue>({
    target: (plan) => targetOf(settings, how, { http: plan.wrap(SERVERS.http), sql: plan.wrap(SERVERS.sql) }),
    mode: how.rotation,
    overlap: how.acceptedBy === "target" ? HOUR : 0,
  });
}

/** Supplies a value as the driver does when an operator has typed it. */
const supply = (secret: RehearsedSecret<GenericValue>, version: string, value: GenericValue) =>
  new SecretsManagerStore(secret.secrets.client).putPending(secret.name, version, JSON.stringify(value));

/** A whole rotation by an operator. */
async function change(
  secret: RehearsedSecret<GenericValue>,
  version: string,
  value: GenericValue,
  plan?: CrashPlan,
): Promise<void> {
  await supply(secret, version, value);
  await secret.rotate(version, plan);
}

function arrived(secret: RehearsedSecret<GenericValue>): void {
  secret.confirm();
  secret.clock.advance(2 * HOUR);
}

describe("generation", () => {
  const classes = fc
    .uniqueArray(fc.constantFrom("upper", "lower", "digit", "symbol"), { minLength: 1 })
    .chain((characters) =>
      fc.record({
        how: fc.constant("password" as const),
        length: fc.integer({ min: 80, max: 256 }),
        characters: fc.constant(characters),
        ...(characters.includes("symbol") ? { symbols: fc.constantFrom("-._~", "!#%", "!#$%&*+=?@^") } : {}),
      }),
    );

  test("property: a password has its length, each of its classes, and no other character", () => {
    fc.assert(
      fc.property(classes, (input) => {
        const rule = parsed({ generate: { value: input } }).generate.value;
        if (rule?.how !== "password") throw new Error("no rule");
        const password = generateByRule(testRandom, rule);
        expect(password).toHaveLength(input.length);
        const members = input.characters.map((name) =>
          name === "symbol" ? (input.symbols ?? "") : CHARACTER_CLASSES[name],
        );
        const wrong = [...password].filter((character) => !members.join("").includes(character));
        expect(wrong).toEqual([]);
        for (const member of members) {
          expect([...password].some((character) => member.includes(character))).toBe(true);
        }
      }),
    );
  });

  test("a class of one character out of many is in every password, at every place alike", () => {
    const [rule] = Object.values(
      parsed({
        generate: { value: { how: "password", length: 24, characters: ["lower", "symbol"], symbols: "!" } },
      }).generate,
    );
    if (rule === undefined) throw new Error("no rule");
    const counts = Array.from({ length: rule.how === "password" ? rule.length : 0 }, () => 0);
    let symbols = 0;
    for (let round = 0; round < 4_000; round += 1) {
      const password = generateByRule(testRandom, rule);
      expect(password).toContain("!");
      for (const [place, character] of [...password].entries()) {
        if (character !== "!") continue;
        symbols += 1;
        counts[place] = (counts[place] ?? 0) + 1;
      }
    }
    const expected = symbols / counts.length;
    // Chi-squared with 23 degrees of freedom: 70 is passed by chance once in half a million runs.
    expect(counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)).toBeLessThan(70);
  });

  test("property: bytes are as many as were asked for, in their encoding, and decode to themselves", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 16, max: 1_024 }),
        fc.constantFrom("base64", "base64url", "hex"),
        (bytes, encoding) => {
          const text = generateByRule(testRandom, { how: "bytes", bytes, encoding });
          const decoded = Buffer.from(text, encoding);
          expect(decoded).toHaveLength(bytes);
          expect(decoded.toString(encoding)).toBe(text);
        },
      ),
    );
  });

  test("each field by its rule, the others as 48 letters and digits, all anew in each rotation", async () => {
    const secret = secretOf(
      {
        fields: ["token", "salt", "constructor"],
        generate: {
          token: { how: "password", length: 30, characters: ["digit", "upper"] },
          salt: { how: "bytes", bytes: 20, encoding: "hex" },
        },
      },
      ALONE,
    );
    const seen = new Set<string>();
    for (let n = 1; n <= 10; n += 1) {
      await secret.rotate(v(n));
      expect(secret.current).toEqual({
        token: expect.stringMatching(/^[A-Z0-9]{30}$/),
        salt: expect.stringMatching(/^[0-9a-f]{40}$/),
        constructor: expect.stringMatching(/^[A-Za-z0-9]{48}$/),
      });
      for (const text of Object.values(secret.current ?? {})) seen.add(text);
    }
    expect(seen.size).toBe(30);
  });

  test("crash anywhere: the next call goes on, with one value", async () => {
    let n = 0;
    const points = await crashEverywhere(async () => {
      const secret = secretOf({}, ALONE);
      await secret.rotate(v(1));
      const before = secret.current;
      n += 1;
      return {
        work: (plan) => secret.rotate(versionId(`crash ${n}`), plan),
        afterCrash: async () => expect(secret.current).toBeDefined(),
        afterAll: async () => {
          expect(secret.current).not.toEqual(before);
          expect(secret.secrets.versionWith(secret.name, "AWSPENDING")).toBeUndefined();
        },
      };
    });
    process.stdout.write(`generic, automatic: ${points} crash points in a rotation\n`);
    expect(points).toBeGreaterThan(10);
  });

  test("a person supplies the value where no rule makes it; nothing is stored before", async () => {
    const secret = secretOf({ fields: ["username", "password"] }, ONE_SLOT);
    await expect(secret.step("createSecret", v(1))).rejects.toMatchObject({
      code: "operator-needed",
      retryable: false,
      message: expect.stringContaining("username, password"),
    });
    expect(secret.secrets.labels(secret.name)).toEqual({});
  });

  test("the value in use, put again, is no rotation", async () => {
    const secret = secretOf({}, ONE_SLOT);
    const value = { value: made() };
    await change(secret, v(1), value);
    await expect(change(secret, v(2), value)).rejects.toMatchObject({ code: "value-repeated" });
    expect(secret.currentVersion).toBe(v(1));
    await change(secret, v(3), { value: made() });
    expect(secret.currentVersion).toBe(v(3));
  });

  test.each(["target", "own-workloads"] as const)(
    "accepted by %s without a check: not by this function",
    (acceptedBy) => {
      expect(() => targetOf({}, { rotation: "operator-assisted", acceptedBy })).toThrow("settings-malformed");
    },
  );
});

describe("an HTTP check on a real HTTPS server with its own CA", () => {
  const server = new HttpsTarget();
  const elsewhere = new HttpsTarget();

  beforeAll(() => Promise.all([server.start(), elsewhere.start()]));
  afterAll(() => Promise.all([server.stop(), elsewhere.stop()]));
  beforeEach(() => {
    for (const each of [server, elsewhere]) {
      each.behaviour = {};
      each.accepted.clear();
      each.seen.length = 0;
    }
  });

  type HttpInput = Extract<NonNullable<KindSettingsInput<"generic">["check"]>, { how: "http" }>;
  const checked = (more: Partial<HttpInput> = {}): KindSettingsInput<"generic"> => ({
    check: {
      how: "http",
      url: server.url(),
      auth: { scheme: "bearer", tokenField: "value" },
      caPem: server.caPem,
      ...more,
    },
  });

  /** A person makes a second key at the target. */
  function keyAtTarget(): { readonly value: string } {
    const value = made();
    server.accepted.add(`Bearer ${value}`);
    return { value };
  }
  const end = ({ value }: { readonly value: string }): boolean => server.accepted.delete(`Bearer ${value}`);

  test("ten rotations side by side: old and new work until a person has ended the old one", async () => {
    const secret = secretOf(checked(), BESIDE);
    let old = keyAtTarget();
    await change(secret, v(1), old);
    for (let n = 2; n <= 11; n += 1) {
      arrived(secret);
      const next = keyAtTarget();
      await change(secret, v(n), next);
      expect(secret.current).toEqual(next);
      await expect(secret.phase("decommission", v(n - 1))).rejects.toMatchObject({
        code: "not-published-yet",
      });
      arrived(secret);
      await expect(secret.phase("decommission", v(n - 1))).rejects.toMatchObject({
        name: "RetryableRotationError",
        code: "still-accepted",
        change: expect.stringContaining("end the old credential at the target"),
      });
      end(old);
      expect(await secret.phase("decommission", v(n - 1))).toMatchObject({ result: "done" });
      old = next;
    }
  });

  test("a value that nobody has taken to the target is not promoted, and is once somebody has", async () => {
    const secret = secretOf(checked(), BESIDE);
    const [first, second] = [keyAtTarget(), { value: made() }];
    await change(secret, v(1), first);
    arrived(secret);
    await expect(change(secret, v(2), second)).rejects.toMatchObject({
      name: "RetryableRotationError",
      code: "target-refused",
    });
    await expect(secret.phase("promote", v(2))).rejects.toMatchObject({ code: "target-refused" });
    expect(secret.current).toEqual(first);
    server.accepted.add(`Bearer ${second.value}`);
    await secret.phase("promote", v(2));
    expect(secret.current).toEqual(second);
  });

  test("a made value: the function makes it, a person takes it to the target, the check proves it", async () => {
    const secret = secretOf(
      { ...checked(), generate: { value: { how: "bytes", bytes: 24, encoding: "base64url" } } },
      BESIDE,
    );
    await secret.step("createSecret", v(1));
    await expect(secret.step("testSecret", v(1))).rejects.toMatchObject({ code: "target-refused" });
    const pending: GenericValue = JSON.parse(secret.secrets.valueOf(secret.name, v(1)) ?? "{}");
    server.accepted.add(`Bearer ${pending.value}`);
    await secret.rotate(v(1));
    expect(secret.current).toEqual(pending);
    expect(secret.proved).toEqual([v(1)]);
  });

  test("crash anywhere in rotation and decommission: what is current works", async () => {
    const holds = async (secret: RehearsedSecret<GenericValue>): Promise<void> =>
      expect(server.accepted.has(`Bearer ${secret.current?.value}`)).toBe(true);
    const rotations = await crashEverywhere(async () => {
      const secret = secretOf(checked(), BESIDE);
      await change(secret, v(1), keyAtTarget());
      arrived(secret);
      const next = keyAtTarget();
      await supply(secret, v(2), next);
      return {
        work: (plan) => secret.rotate(v(2), plan),
        afterCrash: () => holds(secret),
        afterAll: async () => expect(secret.current).toEqual(next),
      };
    });
    const retirements = await crashEverywhere(async () => {
      const secret = secretOf(checked(), BESIDE);
      const old = keyAtTarget();
      await change(secret, v(1), old);
      arrived(secret);
      await change(secret, v(2), keyAtTarget());
      arrived(secret);
      end(old);
      return {
        work: (plan) => secret.phase("decommission", v(1), plan === undefined ? {} : { plan }),
        afterCrash: () => holds(secret),
        afterAll: () => holds(secret),
      };
    });
    process.stdout.write(
      `generic with an HTTP check: ${rotations} crash points in a rotation, ${retirements} in a decommission\n`,
    );
    expect(rotations + retirements).toBeGreaterThan(20);
  });

  test("rollback returns to the old credential while it lives, and is refused afterwards", async () => {
    const secret = secretOf(checked(), BESIDE);
    const [first, second] = [keyAtTarget(), keyAtTarget()];
    await change(secret, v(1), first);
    arrived(secret);
    await change(secret, v(2), second);
    await secret.phase("rollback", v(2));
    expect(secret.current).toEqual(first);
    arrived(secret);
    const third = keyAtTarget();
    await change(secret, v(3), third);
    arrived(secret);
    end(first);
    await expect(secret.phase("rollback", v(3))).rejects.toMatchObject({ code: "target-refused" });
    expect(secret.current).toEqual(third);
  });

  test("an old credential counts as dead only where the current one is taken", async () => {
    const secret = secretOf(checked(), BESIDE);
    await change(secret, v(1), keyAtTarget());
    arrived(secret);
    await change(secret, v(2), keyAtTarget());
    arrived(secret);
    // Refuses everything, the old credential as well.
    server.accepted.clear();
    await expect(secret.phase("decommission", v(1))).rejects.toMatchObject({ code: "target-refused" });
  });

  test.each<[string, HttpInput["auth"], readonly string[], GenericValue, string]>([
    [
      "basic, user from config",
      { scheme: "basic", usernameFrom: "login", passwordField: "password" },
      ["password"],
      { password: "pass:wörd" },
      `Basic ${Buffer.from("robot:pass:wörd").toString("base64")}`,
    ],
    [
      "basic, user from a field",
      { scheme: "basic", usernameFrom: "user", passwordField: "password" },
      ["user", "password"],
      { user: "x", password: "y" },
      `Basic ${Buffer.from("x:y").toString("base64")}`,
    ],
    [
      "two headers",
      { scheme: "header", headers: { "X-Api-Key": "apiKey", "X-App-Key": "appKey" } },
      ["apiKey", "appKey"],
      { apiKey: "api", appKey: "app" },
      "api app",
    ],
  ])("%s", async (_what, auth, fields, value, opens) => {
    const target = targetOf(
      { ...checked({ auth }), fields: [...fields], config: { login: "robot" } },
      ONE_SLOT,
    );
    await expect(target.test(value)).rejects.toMatchObject({ code: "target-refused" });
    server.accepted.add(opens);
    await expect(target.test(value)).resolves.toBeUndefined();
  });

  test.each<[string, string, Partial<HttpInput>, HttpsTarget["behaviour"]]>([
    ["a refusal by 403 where that is not the refusal", "right-missing", {}, { status: 403 }],
    ["a refusal by 403 where it is", "target-refused", { expect: { refusedStatus: 403 } }, { status: 403 }],
    ["another good status", "target-misconfigured", {}, { status: 204 }],
    ["no such resource", "target-misconfigured", {}, { status: 404 }],
    ["too many requests", "throttled", {}, { status: 429 }],
    ["a fault of the server", "target-unreachable", {}, { status: 503 }],
    ["an open door", "target-open", {}, { status: 200 }],
    ["an answer that breaks off", "target-unreachable", {}, { fate: "breaks" }],
    ["a certificate of an unknown CA", "target-not-trusted", { caPem: undefined }, {}],
    ["nobody listening", "target-unreachable", { url: "https://localhost:1/" }, {}],
    ["a host that does not exist", "target-unreachable", { url: "https://api.invalid/" }, {}],
  ])("%s: %s, without a value in the error", async (_what, code, more, behaviour) => {
    const value = keyAtTarget();
    server.behaviour = { body: `you sent ${value.value}`, ...behaviour };
    const failure = await Promise.resolve(targetOf(checked(more), ONE_SLOT).test(value)).catch(
      (error) => error,
    );
    expect(failure).toMatchObject({ code, change: expect.stringMatching(/\w+/) });
    expect(JSON.stringify([failure, failure.message, failure.stack])).not.toContain(value.value);
    expect(failure.cause).toBeUndefined();
  });

  test("a certificate of another host: target-not-trusted, and nothing is sent", async () => {
    const target = targetOf(checked({ url: server.url("[::ffff:127.0.0.1]") }), ONE_SLOT);
    await expect(target.test(keyAtTarget())).rejects.toMatchObject({ code: "target-not-trusted" });
    expect(server.seen).toEqual([]);
  });

  test("a server that speaks no TLS: target-without-tls, and no credential is sent", async () => {
    const received: Buffer[] = [];
    const plain = createPlainServer();
    plain.on("connection", (socket) => socket.on("data", (data) => received.push(data)));
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    const address = plain.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const value = keyAtTarget();
    await expect(
      targetOf(checked({ url: `https://localhost:${port}/` }), ONE_SLOT).test(value),
    ).rejects.toMatchObject({ code: "target-without-tls" });
    expect(Buffer.concat(received).toString("latin1")).not.toContain(value.value);
    plain.closeAllConnections();
    await new Promise((resolve) => plain.close(resolve));
  });

  test("a server that speaks TLS and no HTTP: target-misconfigured", async () => {
    const { caPem, certificatePem, privateKeyPem } = loopbackCertificate("Echo");
    const echo = createTlsServer({ cert: certificatePem, key: privateKeyPem }, (socket) => {
      socket.on("error", () => undefined);
      socket.resume().end("220 mail.example.com ready\r\n");
    });
    await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
    const address = echo.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(
      targetOf(checked({ url: `https://localhost:${port}/`, caPem }), ONE_SLOT).test(keyAtTarget()),
    ).rejects.toMatchObject({ code: "target-misconfigured", origin: expect.stringMatching(/^HPE_/) });
    await new Promise((resolve) => echo.close(resolve));
  });

  test.each(["silent", "stalls"] as const)(
    "a server that %s: target-unreachable after the time for one request",
    async (fate) => {
      server.behaviour = { fate };
      const servers = { ...SERVERS, http: httpCheck(300) };
      await expect(targetOf(checked(), ONE_SLOT, servers).test(keyAtTarget())).rejects.toMatchObject({
        code: "target-unreachable",
        origin: "timeout",
      });
    },
  );

  test.each([301, 302, 307, 308])("a redirect by %d to another host is not followed", async (status) => {
    const value = keyAtTarget();
    elsewhere.accepted.add(`Bearer ${value.value}`);
    server.behaviour = { status, headers: { location: elsewhere.url() } };
    await expect(targetOf(checked(), ONE_SLOT).test(value)).rejects.toMatchObject({
      code: "target-misconfigured",
      origin: `HTTP-${status}`,
    });
    expect(elsewhere.seen).toEqual([]);
  });

  test("a text that must be in the answer, within the part that is read", async () => {
    const target = targetOf(checked({ expect: { bodyIncludes: "account-7" } }), ONE_SLOT);
    const value = keyAtTarget();
    await expect(target.test(value)).rejects.toMatchObject({ code: "target-misconfigured" });
    server.behaviour = { body: '{"id":"account-7"}' };
    await expect(target.test(value)).resolves.toBeUndefined();
    server.behaviour = { body: `${"x".repeat(10_000_000)}account-7` };
    await expect(target.test(value)).rejects.toMatchObject({ code: "target-misconfigured" });
  });

  test("the function with its settings file: neither its log nor its errors hold a value", async () => {
    const NAME = "dev/app/token";
    const wait = { seconds: 0 };
    const auth = { scheme: "basic", usernameFrom: "login", passwordField: "value" } as const;
    const file = {
      kind: "generic",
      environment: "dev",
      region: "eu-central-1",
      publicationsTable: "publications",
      auditKeyAlias: "alias/audit",
      secrets: {
        [NAME]: {
          settings: parsed({ ...checked({ auth }), config: { login: "robot" } }),
          ...ONE_SLOT,
          overlap: wait,
          publishLead: wait,
        },
      },
    };
    const secrets = new SecretsManagerModel();
    secrets.create(NAME);
    const store = new SecretsManagerStore(secrets.client);
    const lines: unknown[] = [];
    const take = (...line: unknown[]): void => void lines.push(line);
    const handler = handlerOf(
      parseFunctionSettings("generic", JSON.parse(JSON.stringify(file))),
      {
        store,
        publications: new PublicationsModel(),
        proofs: new ProofsModel(),
        clock: new TestClock(),
        random: testRandom,
        // Not redacted: what the code logs by itself is what counts.
        log: { info: take, warn: take, error: take },
        redaction: new Redaction(),
      },
      (props) => genericTarget({ ...props, servers: SERVERS }),
    );
    const value = made();
    const basic = Buffer.from(`robot:${value}`).toString("base64");
    await store.putPending(NAME, v(1), JSON.stringify({ value }));
    const event = { Step: "testSecret", SecretId: NAME, ClientRequestToken: v(1) };
    const shown: string[] = [];
    const behaviours: readonly HttpsTarget["behaviour"][] = [
      {},
      { status: 500 },
      { status: 302, headers: { location: `https://localhost/${value}` } },
      { fate: "breaks" },
    ];
    for (const behaviour of behaviours) {
      server.behaviour = { body: `${value} ${basic}`, ...behaviour };
      const failure = await handler(event).catch((error) => error);
      expect(failure).toMatchObject({ code: expect.stringMatching(/^target-/) });
      shown.push(String(failure), JSON.stringify(failure), failure.stack);
    }
    server.behaviour = {};
    server.accepted.add(`Basic ${basic}`);
    expect(await handler(event)).toMatchObject({ result: "done" });
    expect(lines).toHaveLength(behaviours.length + 1);
    const all = JSON.stringify([shown, lines]);
    expect(all).not.toContain(value);
    expect(all).not.toContain(basic);
  });

  test("a line break in a value does not become a header", async () => {
    const failure = await Promise.resolve(
      targetOf(checked(), ONE_SLOT).test({ value: "x\r\nx-evil: 1" }),
    ).catch((error) => error);
    expect(failure).toMatchObject({ code: "value-malformed" });
    expect(failure.message).not.toContain("evil");
    expect(server.seen).toEqual([]);
  });
});

describe("an SQL check on a real PostgreSQL", () => {
  let postgres: Postgres;

  beforeAll(async () => {
    postgres = await startPostgres();
    await asSuperuser(
      "CREATE DATABASE app",
      "CREATE ROLE reader NOLOGIN",
      "CREATE TABLE secret_orders (id int)",
      "CREATE SEQUENCE counter",
      "GRANT ALL ON SEQUENCE counter TO PUBLIC",
    );
  });
  afterAll(() => postgres?.stop());

  async function asSuperuser(...statements: readonly string[]): Promise<void> {
    const client = new Client(postgres.superuser);
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  }

  type Login = { readonly username: string; readonly password: string };
  type SqlInput = Extract<NonNullable<KindSettingsInput<"generic">["check"]>, { how: "sql" }>;

  const checked = (more: Partial<SqlInput> = {}): KindSettingsInput<"generic"> => ({
    fields: ["username", "password"],
    check: {
      how: "sql",
      host: "localhost",
      port: postgres.port,
      database: "postgres",
      caPem: postgres.caPem,
      usernameFrom: "username",
      passwordField: "password",
      ...more,
    },
  });

  /** A person makes a login, or gives one a new password. */
  async function loginAtTarget(username: string, rights = ""): Promise<Login> {
    const password = made();
    await asSuperuser(
      `DO $$ BEGIN CREATE ROLE ${username}; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
      `ALTER ROLE ${username} LOGIN ${rights} PASSWORD '${password}'`,
    );
    return { username, password };
  }

  const works = async ({ username, password }: GenericValue): Promise<boolean> => {
    const client = new Client({ ...postgres.superuser, user: username, password });
    try {
      await client.connect();
      return true;
    } catch {
      return false;
    } finally {
      await client.end();
    }
  };

  test("ten rotations with two logins: both work until a person has ended the old one", async () => {
    const secret = secretOf(checked(), BESIDE);
    let old = await loginAtTarget("robot_1");
    await change(secret, v(1), old);
    for (let n = 2; n <= 11; n += 1) {
      arrived(secret);
      const next = await loginAtTarget(`robot_${n}`);
      await change(secret, v(n), next);
      expect([await works(old), await works(next)]).toEqual([true, true]);
      arrived(secret);
      await expect(secret.phase("decommission", v(n - 1))).rejects.toMatchObject({ code: "still-accepted" });
      await asSuperuser(n % 2 === 0 ? `ALTER ROLE ${old.username} NOLOGIN` : `DROP ROLE ${old.username}`);
      expect(await secret.phase("decommission", v(n - 1))).toMatchObject({ result: "done" });
      old = next;
    }
    expect(secret.current).toEqual(old);
  });

  test("the login in use with a new password is refused before anything is promoted", async () => {
    const secret = secretOf(checked(), BESIDE);
    await change(secret, v(1), await loginAtTarget("twin"));
    arrived(secret);
    await expect(change(secret, v(2), { username: "twin", password: made() })).rejects.toMatchObject({
      code: "user-mismatch",
    });
    expect(secret.currentVersion).toBe(v(1));
  });

  test("crash anywhere in rotation and decommission: what is current works", async () => {
    const points = await crashEverywhere(async () => {
      const secret = secretOf(checked(), BESIDE);
      const old = await loginAtTarget("mortal_a");
      await change(secret, v(1), old);
      arrived(secret);
      const next = await loginAtTarget("mortal_b");
      await supply(secret, v(2), next);
      const holds = async () => expect(await works(secret.current ?? {})).toBe(true);
      return {
        work: async (plan) => {
          if (secret.currentVersion !== v(2) || secret.secrets.versionWith(secret.name, "AWSPENDING")) {
            await secret.rotate(v(2), plan);
          }
          arrived(secret);
          await asSuperuser("ALTER ROLE mortal_a NOLOGIN");
          await secret.phase("decommission", v(1), plan === undefined ? {} : { plan });
        },
        afterCrash: holds,
        afterAll: async () => {
          await holds();
          expect(secret.current).toEqual(next);
          expect(await works(old)).toBe(false);
        },
      };
    }, ["after"]);
    process.stdout.write(`generic with an SQL check: ${points} crash points in rotation and decommission\n`);
    expect(points).toBeGreaterThan(20);
  });

  test("a single slot: consumers fail from the change at the target until they have reloaded, and no longer", async () => {
    const { refreshEvery, reloadMargin } = registry.environment("prod");
    const REFRESH = refreshEvery.seconds / HOUR;
    const MARGIN = reloadMargin.seconds / HOUR;
    const secret = secretOf(
      { ...checked({ usernameFrom: "login" }), fields: ["password"], config: { login: "slot" } },
      ONE_SLOT,
    );
    const before = await loginAtTarget("slot");
    await change(secret, v(1), { password: before.password });
    const after = await loginAtTarget("slot");
    await change(secret, v(2), { password: after.password });
    expect(await secret.phase("decommission", v(1))).toMatchObject({ result: "nothing-to-do" });
    // Nothing to go back to: the old password died with the change.
    await expect(secret.phase("rollback", v(2))).rejects.toMatchObject({ code: "target-refused" });

    // One pod for each hour in which it may refresh next; a pod presents what it has read a margin later.
    const pods = Array.from({ length: REFRESH }, (_, refreshIn) => refreshIn + 1);
    const failing: number[] = [];
    for (let time = 0; time <= REFRESH + MARGIN + 2; time += 1) {
      for (const refreshIn of pods) {
        const held = time < refreshIn + MARGIN ? before.password : secret.current?.password;
        if (!(await works({ username: "slot", password: held ?? "" }))) failing.push(time);
      }
    }
    const gap = Math.max(...failing) + 1;
    process.stdout.write(
      `generic, single slot: consumers failed for up to ${gap} h; refresh and margin are ${REFRESH} h and ${MARGIN} h\n`,
    );
    expect(gap).toBe(REFRESH + MARGIN);
  });

  test("the registry's own check of the admin login takes one that makes logins, and no other", async () => {
    const secret = registry.secretIn("dev", "admin/postgresql");
    if (secret?.kind !== "generic" || secret.settings.check?.how !== "sql") throw new Error("no check");
    const { port, caPem } = postgres;
    const check = { ...secret.settings.check, host: "localhost", port, caPem };
    const target = genericTarget({
      settings: { ...secret.settings, check },
      rotation: secret.rotation,
      acceptedBy: secret.acceptedBy,
      random: testRandom,
      servers: SERVERS,
    });
    await expect(target.test(await loginAtTarget("maker", "CREATEROLE"))).resolves.toBeUndefined();
    await expect(target.test(await loginAtTarget("nobody"))).rejects.toMatchObject({
      code: "target-misconfigured",
    });
  });

  test.each<[string, string, Partial<SqlInput>]>([
    ["a query without rows", "target-misconfigured", { statement: "SELECT 1 WHERE false" }],
    [
      "another first column",
      "target-misconfigured",
      { statement: "SELECT 2, 1", expect: { firstColumn: "1" } },
    ],
    ["a table that is not there", "target-misconfigured", { statement: "SELECT * FROM missing" }],
    ["a query that divides by zero", "target-misconfigured", { statement: "SELECT 1/0" }],
    ["a query that writes", "target-misconfigured", { statement: "SELECT nextval('counter')" }],
    ["a right that the login lacks", "right-missing", { statement: "SELECT * FROM secret_orders" }],
    ["a database that is not there", "target-misconfigured", { database: "none" }],
    ["nobody listening", "target-unreachable", { port: 1 }],
    ["a host that does not exist", "target-unreachable", { host: "db.invalid" }],
    ["a certificate of an unknown CA", "target-not-trusted", { caPem: undefined }],
    ["a host that the certificate does not name", "target-not-trusted", { host: "127.1" }],
  ])("%s: %s, without a value in the error", async (_what, code, more) => {
    const login = await loginAtTarget("asker");
    const failure = await Promise.resolve(targetOf(checked(more), ONE_SLOT).test(login)).catch(
      (error) => error,
    );
    expect(failure).toMatchObject({ code, change: expect.stringMatching(/\w+/) });
    expect(JSON.stringify([failure, failure.message, failure.stack])).not.toContain(login.password);
  });

  test("a wrong password: target-refused, and nothing is promoted", async () => {
    const secret = secretOf(checked(), ONE_SLOT);
    const login = await loginAtTarget("wrong");
    await change(secret, v(1), login);
    await expect(change(secret, v(2), { ...login, password: made() })).rejects.toMatchObject({
      code: "target-refused",
    });
    expect(secret.current).toEqual(login);
  });

  test("a query with the expected first column", async () => {
    const login = await loginAtTarget("teller");
    const target = targetOf(
      checked({ statement: "SELECT current_user, 1", expect: { firstColumn: "teller" } }),
      ONE_SLOT,
    );
    await expect(target.test(login)).resolves.toBeUndefined();
  });
});
