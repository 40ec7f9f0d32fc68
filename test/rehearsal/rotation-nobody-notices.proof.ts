import { randomBytes, randomUUID } from "node:crypto";
import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { Client } from "pg";
import type { RotationReport } from "../../lib/cli/verbs/direct-rotation";
import { invokeFunction, secretsManager } from "../../packages/rehearsal/src/load";
import type { SendGridServer } from "../../packages/rehearsal/src/vendors";
import { registry } from "../../registry";
import { Consumers } from "./consumers";
import { functionRights } from "./function-rights";
import { print, RehearsedRotations } from "./rehearsed-rotations";
import { formsOf, placesWith, secretTexts } from "./value-search";
import { eventsFromNowOn, whereValuesCouldBe } from "./where-values-could-be";

jest.setTimeout(900_000);

const ROUNDS = 10;

let rotations: RehearsedRotations;
let consumers: Consumers;
let events: () => Promise<string>;

beforeAll(async () => {
  rotations = await RehearsedRotations.start({ registry, environment: "dev" });
  events = await eventsFromNowOn(rotations);
  consumers = new Consumers(rotations);
}, 300_000);

afterAll(async () => {
  await consumers?.stop().catch(() => undefined);
  await rotations?.group.stop();
}, 60_000);

const SUPPLIED = ["payments/paypal", "payments/stripe"];

const rotatedByThemselves = () =>
  rotations.rotated.filter(({ rotation }) => rotation === "automatic").map(({ key }) => key);

function expectDone({ secret, phase, outcome, fault }: RotationReport): void {
  expect({ secret, phase, outcome, fault }).toEqual({ secret, phase, outcome: "done", fault: undefined });
}

/** One rotation by Secrets Manager, with the end of the old credential when its time has come. */
async function rotateByItself(key: string): Promise<void> {
  await rotations.whenPossible("rotate", key);
  expectDone(await rotations.rotate(key));
  await rotations.whenPossible("decommission", key);
  expectDone(await rotations.rotate(key, { phase: "decommission" }));
}

/** One rotation by people: a new key from the vendor, and the end of the old one there. */
async function rotateByHand(key: string): Promise<void> {
  const { reissued, expire } = rotations.target(key);
  const { value: old } = await rotations.current(key);
  await rotations.whenPossible("rotate", key);
  expectDone(await rotations.rotate(key, { supplied: reissued?.() }));
  if (rotations.secret(key).publishLead.seconds > 0) {
    await rotations.whenPossible("promote", key);
    expectDone(await rotations.rotate(key, { phase: "promote" }));
  }
  await rotations.whenPossible("decommission", key);
  expire?.(old);
  expectDone(await rotations.rotate(key, { phase: "decommission" }));
}

test("every secret has its first rotation by bootstrap", async () => {
  consumers.start();
  const { complete, secrets } = await rotations.bootstrap();
  expect({ complete, faults: secrets.filter(({ fault }) => fault) }).toEqual({ complete: true, faults: [] });
});

test("every kind rotates ten times in a row, and the old credential ends each time", async () => {
  const times = async (key: string, rotateOnce: (key: string) => Promise<void>) => {
    for (let round = 0; round < ROUNDS; round += 1) await rotateOnce(key);
  };
  await Promise.all([
    ...rotatedByThemselves().map((key) => times(key, rotateByItself)),
    ...SUPPLIED.map((key) => times(key, rotateByHand)),
  ]);
});

test("what a person put past the command line is proved, served, and rotated away", async () => {
  const key = "smtp/sendgrid";
  const vendor = rotations.world.targets.vendors.get(key) as SendGridServer;
  await rotations.putByHand(key, { apiKey: vendor.makeKey("by hand", ["mail.send"]).key });
  expect(await rotations.labels(key)).toMatchObject({ verified: false });
  expect(await rotations.rotate(key)).toMatchObject({ outcome: "followed", verified: true });
  await rotateByItself(key);
});

test("a Vault that is sealed for a while catches up, and the overlap starts when it has", async () => {
  const [vault] = rotations.world.vaults.values();
  const keys = ["db/app-primary", "jwt/signing", "redis/app"];
  for (const key of keys) await rotations.whenPossible("rotate", key);
  await vault?.seal();
  for (const key of keys) {
    const { name } = rotations.secret(key);
    const before = await rotations.labels(key);
    await rotations.cloud.startRotation(name, randomUUID());
    expect(await rotations.world.shim.rotations.settled(name)).toMatchObject({ outcome: "succeeded" });
    const { current, previous } = await rotations.labels(key);
    expect(previous).toBe(before.current);
    expect(await rotations.confirmedAt(key, current ?? "")).toBeUndefined();
    expect(await rotations.rotate(key, { phase: "decommission" })).toMatchObject({
      outcome: "too-early",
      fault: { code: "not-published-yet" },
    });
  }
  const unsealed = Date.now();
  await vault?.unseal();
  // What the schedule does every 15 minutes.
  await invokeFunction(rotations.world.as.operator, rotations.arnOf(rotations.mirror), { Sweep: true });
  for (const key of keys) {
    const { current = "" } = await rotations.labels(key);
    await rotations.whenPossible("decommission", key);
    expect((await rotations.confirmedAt(key, current))?.getTime()).toBeGreaterThanOrEqual(unsealed);
    expectDone(await rotations.rotate(key, { phase: "decommission" }));
  }
});

const newPassword = (): string => randomBytes(24).toString("base64url");

/** A second login that makes logins, as the database's own administrator makes it. */
async function anotherAdmin(): Promise<object> {
  const { superuser } = rotations.world.targets.postgresql.serverOf(rotations.secret("db/app-primary"));
  const admin = { username: "rotation_admin_two", password: newPassword() };
  const client = new Client({ ...superuser });
  await client.connect();
  await client.query(`CREATE ROLE ${admin.username} LOGIN CREATEROLE PASSWORD '${admin.password}'`);
  await client.end();
  return admin;
}

/** Another value of people's, and back. */
async function goBack(key: string, supplied: object): Promise<void> {
  const { value } = await rotations.current(key);
  expectDone(await rotations.rotate(key, { supplied }));
  expectDone(await rotations.rotate(key, { phase: "rollback" }));
  expect((await rotations.current(key)).value).toEqual(value);
}

test("every kind goes back to the version before, and the new one can be ended", async () => {
  await Promise.all([
    ...[...rotatedByThemselves(), ...SUPPLIED].map(async (key) => {
      const { current: before } = await rotations.labels(key);
      await rotations.whenPossible("rotate", key);
      // Its run is there when the step is called again.
      rotations.world.shim.faults.on(
        ({ action, caller }) =>
          action === "dynamodb:TransactWriteItems" &&
          caller?.functionArn === rotations.arnOf(rotations.functionOf(key)),
        { kind: "kill", when: "after" },
      );
      const target = rotations.world.targets.targets.get(key);
      expectDone(await rotations.rotate(key, target?.reissued ? { supplied: target.reissued() } : {}));
      const { value: gone } = await rotations.current(key);
      expectDone(await rotations.rotate(key, { phase: "rollback" }));
      expect(await rotations.labels(key)).toMatchObject({ current: before, verified: true });
      await rotations.whenPossible("decommission", key);
      target?.expire?.(gone);
      const ended = await rotations.rotate(key, { phase: "decommission" });
      // A signing key that goes back is `next` again, so it stays accepted.
      expect(["done", "already-done"]).toContain(ended.outcome);
      expectDone(await rotations.rotate(key, { phase: "verify" }));
    }),
    (async () => {
      const key = "admin/datadog";
      await goBack(key, { ...((await rotations.current(key)).value as object), appKey: newPassword() });
    })(),
    goBack("admin/postgresql", await anotherAdmin()),
  ]);
});

test("nobody noticed any of it", async () => {
  await consumers.stop();
  for (const { key, attempts, versions, refused } of consumers.experiences.values()) {
    const { acceptedBy } = rotations.secret(key);
    print(
      `${key.padEnd(24)}accepted by ${acceptedBy.padEnd(14)}${String(versions.size).padStart(4)} versions in Vault` +
        `${String(attempts).padStart(8)} attempts, ${refused.length} refused`,
    );
    expect(versions.size).toBeGreaterThan(ROUNDS);
    expect(attempts).toBeGreaterThan(ROUNDS);
  }
  expect(consumers.total.refused).toEqual([]);
});

test("replicas have what the primary region has", async () => {
  for (const region of rotations.world.plan.regions.replicas) {
    const replica = secretsManager(rotations.world.as.root, region);
    for (const { key, name } of rotations.rotated) {
      const { VersionId, SecretString = "" } = await replica.send(
        new GetSecretValueCommand({ SecretId: name }),
      );
      const { version, text } = await rotations.current(key);
      expect({ key, version: VersionId, isSame: SecretString === text }).toEqual({
        key,
        version,
        isSame: true,
      });
    }
  }
});

test("every value has a fingerprint of its own, by its function's own rights", async () => {
  const made = await Promise.all(rotations.rotated.map(({ key }) => rotations.fingerprint(key)));
  for (const fingerprint of made) expect(fingerprint).toMatch(/^hmac-sha256:[0-9a-f-]{36}:[0-9a-f]{64}$/);
  expect(new Set(made).size).toBe(made.length);
});

test("every function used all of its rights and lacked none", () => {
  const { lines, counts, unused, missing } = functionRights(rotations);
  print(lines.join("\n"));
  print(
    `${counts.enforced} rights used, enforced by the embedded AWS; ${counts.implied} implied (KMS under a secret); ` +
      `${counts.service} used by AWS itself, not rehearsed`,
  );
  expect({ unused, missing }).toEqual({ unused: [], missing: [] });
});

test("no value is anywhere but in Secrets Manager and in Vault", async () => {
  const texts = secretTexts(rotations.values);
  const places = await whereValuesCouldBe(rotations, events);
  print(
    `${texts.length} secret texts searched in ${places.size} places, ${[...places.values()].join("").length} characters`,
  );
  expect(texts.length).toBeGreaterThan(10 * ROUNDS);
  for (const [name, content] of places)
    expect({ name, isEmpty: content === "" }).toEqual({ name, isEmpty: false });
  expect(placesWith(texts, places)).toEqual([]);
  // The search finds each way of writing a value that it claims to find.
  const planted = new Map(
    formsOf(texts.at(-1) ?? "").map((form, index) => [`form ${index}`, `before ${form} after`]),
  );
  expect(placesWith(texts, planted)).toEqual([...planted.keys()]);
});
