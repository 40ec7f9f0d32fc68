import type { RotatedSecret } from "../../../lib/contracts/function-settings";
import { jsonLog } from "../../../lib/lambda/json-log";
import { type KindName, type KindSettings, settingsSchema } from "../../../lib/model/kinds";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import { parseFunctionSettings } from "../../../lib/rotation/entries/function-settings";
import { handlerOf, type TargetFactory } from "../../../lib/rotation/entries/rotation-handler";
import { parseEvent, STEPS, secretNameOf } from "../../../lib/rotation/protocol/event";
import { REDACTED, Redaction } from "../../../lib/rotation/protocol/redaction";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { hmacKeyTarget } from "../../../lib/rotation/targets/hmac-key";
import { postgresqlUserTarget } from "../../../lib/rotation/targets/postgresql-user";
import { adminValueSchema } from "../../../lib/rotation/values/value-schemas";
import { ProofsModel } from "../models/proofs-model";
import { ImpliedRuns, PublicationsModel, TestClock, testRandom, versionId } from "../models/rehearsed-secret";
import { SecretsManagerModel } from "../models/secrets-manager-model";

const ARN = "arn:aws:secretsmanager:eu-central-1:111111111111:secret:dev/db/app-primary-AbC123";
const NAME = "dev/db/app-primary";
const ADMIN_PASSWORD = "canary-admin-4f0c2e9d7b61";
const v = versionId("rotation 1");

describe("events", () => {
  test.each(STEPS)("%s in both spellings", (step) => {
    const snake = step.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const expected = { step, secretId: ARN, versionId: v };
    for (const Step of [step, snake]) {
      const event = { Step, SecretId: ARN, ClientRequestToken: v, RotationToken: "token" };
      expect(parseEvent(event)).toEqual(expected);
    }
  });

  test("phases, which name a run and need to say no more", () => {
    const asked = { phase: "decommission", secretId: NAME, runId: "7" };
    expect(parseEvent({ Phase: "decommission", SecretId: NAME, RunId: "7" })).toEqual(asked);
    expect(
      parseEvent({ Phase: "decommission", SecretId: NAME, RunId: "7", VersionId: v, Emergency: true }),
    ).toEqual({ ...asked, versionId: v, emergency: true });
  });

  test.each([
    ["v0", "v0"],
    [undefined, undefined],
  ])("a request for fingerprints, with %p before", (OldVersionId, oldVersionId) => {
    const event = { Phase: "fingerprint", SecretId: NAME, VersionId: v, OldVersionId, RunId: "7" };
    expect(parseEvent(event)).toEqual({
      phase: "fingerprint",
      secretId: NAME,
      versionId: v,
      oldVersionId,
      runId: "7",
    });
  });

  test.each([
    [{ Step: "dropSecret", SecretId: ARN, ClientRequestToken: v }, "Step"],
    [{ Step: "setSecret", SecretId: ARN }, "ClientRequestToken"],
    [{ Phase: "publish", SecretId: ARN, VersionId: v, RunId: "7" }, "Phase"],
    [{ Phase: "verify", SecretId: ARN, VersionId: v }, "RunId"],
    [{ Phase: "verify", SecretId: ARN, VersionId: v, RunId: "7", Force: true }, "unrecognized_keys"],
    [{ Phase: "fingerprint", SecretId: ARN, VersionId: v }, "RunId"],
    [{ Phase: "fingerprint", SecretId: ARN, VersionId: v, RunId: "7", Emergency: true }, "unrecognized_keys"],
    [undefined, "invalid_type"],
  ])("%j is malformed", (event, field) => {
    expect(() => parseEvent(event)).toThrow(new RegExp(`event-malformed: wrong or missing: ${field}`));
  });

  test("a name is found in its ARN", () => {
    expect(secretNameOf(ARN)).toBe(NAME);
    expect(secretNameOf(NAME)).toBe(NAME);
  });
});

describe("settings of a function", () => {
  const secret = {
    settings: { host: "db.example.com", database: "app", role: "app" },
    rotation: "automatic",
    acceptedBy: "target",
    overlap: { seconds: 3_600 },
    publishLead: { seconds: 0 },
    admin: "dev/db/admin",
  };
  const settings = {
    kind: "postgresql-user",
    environment: "dev",
    region: "eu-central-1",
    publicationsTable: "publications",
    auditKeyAlias: "alias/audit",
    secrets: { [NAME]: secret },
  };

  test("are checked by the kind's own schema and get its defaults", () => {
    const parsed = parseFunctionSettings("postgresql-user", settings);
    expect(parsed.secrets[NAME]?.settings).toMatchObject({ port: 5432, privileges: expect.any(Array) });
  });

  test.each<[string, unknown, RegExp]>([
    ["another kind's", { ...settings, kind: "hmac-key" }, /settings of kind hmac-key/],
    ["not an object", [], /settings-malformed/],
    [
      "a secret without host",
      { ...settings, secrets: { [NAME]: { ...secret, settings: {} } } },
      /secrets\.dev\/db\/app-primary\.settings\.host/,
    ],
    ["an unknown field", { ...settings, password: "x" }, /settings-malformed/],
  ])("%s: refused", (_what, input, message) => {
    expect(() => parseFunctionSettings("postgresql-user", input)).toThrow(message);
  });
});

describe("no value leaks", () => {
  let written = "";
  let spies: jest.SpyInstance[] = [];

  beforeEach(() => {
    written = "";
    const take = (chunk: unknown): boolean => {
      written += String(chunk);
      return true;
    };
    spies = [jest.spyOn(process.stdout, "write"), jest.spyOn(process.stderr, "write")].map((spy) =>
      spy.mockImplementation(take),
    );
  });

  afterEach(() => {
    for (const spy of spies) spy.mockRestore();
  });

  /** A function in the small: a real handler, a real log, secrets in memory. */
  function functionOf<K extends KindName, V>(
    kind: K,
    secret: Omit<RotatedSecret<K>, "rotation" | "overlap" | "publishLead">,
    targetOf: TargetFactory<K, V>,
  ) {
    const secrets = new SecretsManagerModel();
    secrets.create(NAME);
    secrets.create("dev/db/admin");
    secrets.putByHand(
      "dev/db/admin",
      versionId("admin"),
      JSON.stringify({ username: "rotator", password: ADMIN_PASSWORD }),
    );
    secrets.stage(NAME, v);
    const runs = new ImpliedRuns(new TestClock());
    const redaction = new Redaction();
    const log = jsonLog("test", { kind }, redaction.redact);
    const rotated = {
      ...secret,
      rotation: "automatic" as const,
      overlap: { seconds: 3_600 },
      publishLead: { seconds: 0 },
    };
    const handler = handlerOf(
      {
        kind,
        environment: "dev",
        region: "eu-central-1",
        publicationsTable: "publications",
        auditKeyAlias: "alias/audit",
        secrets: { [NAME]: rotated },
      },
      {
        store: new SecretsManagerStore(secrets.client),
        publications: new PublicationsModel(),
        proofs: new ProofsModel(),
        runs,
        clock: new TestClock(),
        random: testRandom,
        log,
        redaction,
      },
      targetOf,
    );
    const step = (Step: string) => handler({ Step, SecretId: NAME, ClientRequestToken: v });
    return { secrets, redaction, log, handler, step, runs };
  }

  const postgresql = settingsSchema("postgresql-user").parse({
    host: "db.example.com",
    database: "app",
    role: "app",
  }) as KindSettings<"postgresql-user">;

  test("a whole rotation is logged without its value", async () => {
    const settings = settingsSchema("hmac-key").parse({}) as KindSettings<"hmac-key">;
    const { secrets, step } = functionOf(
      "hmac-key",
      { settings, acceptedBy: "own-workloads" },
      ({ rotation, random, ...props }) => hmacKeyTarget({ settings: props.settings, mode: rotation, random }),
    );
    for (const name of STEPS) await step(name);
    const value = secrets.current<{ current: { key: string; id: string } }>(NAME);
    expect(written).toContain('"result":"done"');
    expect(value?.current.key).toHaveLength(43);
    expect(written).not.toContain(value?.current.key);
  });

  test("a driver that quotes passwords in its failure is not quoted", async () => {
    const { secrets, step } = functionOf(
      "postgresql-user",
      { settings: postgresql, acceptedBy: "target", admin: "dev/db/admin" },
      ({ settings, readAdmin, random }) =>
        postgresqlUserTarget({
          settings,
          admin: () => readAdmin(adminValueSchema),
          random,
          server: {
            open: async ({ username, password }) => {
              throw Object.assign(new Error(`login as ${username} with ${password} failed`), {
                code: `odd ${password}`,
                cause: password,
              });
            },
          },
        }),
    );
    await step("createSecret");
    const canaries = [ADMIN_PASSWORD, secrets.current<{ password: string }>(NAME)?.password ?? ""];
    for (const name of ["setSecret", "testSecret", "finishSecret"]) {
      const failure: unknown = await step(name).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(RotationError);
      const shown = `${written}${JSON.stringify(failure)}${failure instanceof Error ? failure.stack : ""}`;
      expect(shown).toContain("unexpected");
      for (const canary of canaries) expect(shown).not.toContain(canary);
      expect(failure).not.toHaveProperty("cause");
    }
  });

  test("malformed values are told by their fields", async () => {
    const { secrets, handler, runs } = functionOf(
      "postgresql-user",
      { settings: postgresql, acceptedBy: "target", admin: "dev/db/admin" },
      ({ settings, readAdmin, random }) =>
        postgresqlUserTarget({
          settings,
          admin: () => readAdmin(adminValueSchema),
          random,
          server: { open: jest.fn() },
        }),
    );
    const canary = "canary in a field that should not be there";
    secrets.putByHand(NAME, versionId("by hand"), JSON.stringify({ username: "app_a", pasword: canary }));
    runs.imply("verify", versionId("by hand"), { runId: "1", emergency: false });
    const event = { Phase: "verify", SecretId: NAME, RunId: "1" };
    await expect(handler(event)).rejects.toThrow(/value-malformed: .*password/);
    expect(written).not.toContain(canary);
  });

  test("whatever is logged by mistake is redacted, in each of its forms", () => {
    const { redaction, log } = functionOf(
      "postgresql-user",
      { settings: postgresql, acceptedBy: "target" },
      ({ settings, readAdmin, random }) =>
        postgresqlUserTarget({
          settings,
          admin: () => readAdmin(adminValueSchema),
          random,
          server: { open: jest.fn() },
        }),
    );
    const canary = 'canary "quoted" & more/42';
    redaction.guard({ deep: [{ password: canary, kid: "public-key-id" }] });
    log.info(`value ${canary}`, {
      plain: canary,
      json: JSON.stringify({ canary }),
      url: `https://x.example.com/?q=${encodeURIComponent(canary)}`,
      base64: Buffer.from(canary).toString("base64"),
      kid: "public-key-id",
    });
    log.error("the same", { plain: canary });
    log.warn("the same", { plain: canary });
    expect(written).toContain(REDACTED);
    expect(written).toContain("public-key-id");
    for (const form of [
      canary,
      JSON.stringify(canary).slice(1, -1),
      encodeURIComponent(canary),
      "Y2FuYXJ5",
    ]) {
      expect(written).not.toContain(form);
    }
  });

  test("a target of another acceptance than the registry's, and a secret of another function", async () => {
    const wrong = functionOf(
      "postgresql-user",
      { settings: postgresql, acceptedBy: "single-slot" },
      ({ settings, readAdmin, random }) =>
        postgresqlUserTarget({
          settings,
          admin: () => readAdmin(adminValueSchema),
          random,
          server: { open: jest.fn() },
        }),
    );
    await expect(wrong.step("createSecret")).rejects.toMatchObject({ code: "settings-malformed" });
    const other = { Step: "createSecret", SecretId: "dev/db/other", ClientRequestToken: v };
    await expect(wrong.handler(other)).rejects.toMatchObject({
      code: "secret-not-ours",
      name: "RotationError",
    });
  });
});
