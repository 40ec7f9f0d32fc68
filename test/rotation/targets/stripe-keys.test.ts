import { generateKeyPairSync } from "node:crypto";
import { acceptorLag, type KindSettings, settingsSchema } from "../../../lib/model/kinds";
import { leastOverlap } from "../../../lib/model/resolve";
import { StripeApi } from "../../../lib/rotation/adapters/stripe-api";
import { stripeKeysApi } from "../../../lib/rotation/adapters/stripe-keys-api";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { type StripeValue, stripeTarget } from "../../../lib/rotation/targets/stripe";
import { completeValue } from "../../../lib/rotation/values/operator-value";
import { startStripeServer } from "../../../packages/rehearsal/src/vendors/stripe-server";
import type { InjectedFailure } from "../../../packages/rehearsal/src/vendors/vendor-server";
import { crashEverywhere } from "../models/crash-everywhere";
import { RehearsedSecret, testRandom, versionId } from "../models/rehearsed-secret";
import { startWebhookReceiver } from "../models/webhook-receiver";

/** Keys that an app's key makes by API, and the keys of organisations. */

jest.setTimeout(60_000);

const HOUR = 3_600;
const environment = { refreshEvery: { seconds: 6 * HOUR }, reloadMargin: { seconds: HOUR } };

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

/** One pair for all: making RSA keys takes a second on a busy machine. */
const made = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const PAIR = {
  publicKey: made.publicKey.export({ type: "spki", format: "pem" }).toString(),
  privateKey: made.privateKey,
};

interface WorldProps {
  readonly mode?: "test" | "live";
  readonly webhook?: boolean;
  readonly permissions?: readonly string[];
}

async function world({ mode = "test", webhook = false, permissions }: WorldProps = {}) {
  const clock: { secret?: RehearsedSecret<StripeValue> } = {};
  const now = () => clock.secret?.clock.now() ?? new Date("2026-01-01T00:00:00Z");
  const [stripe, receiver] = await Promise.all([startStripeServer({ now }), startWebhookReceiver(now)]);
  running.push(stripe, receiver);
  const account = stripe.createAccount();
  const app = stripe.createApp(account, mode);
  const settings = settingsSchema("stripe").parse({
    mode,
    account: "sandbox",
    accountId: account,
    apiUrl: stripe.url,
    publishableKey: stripe.createKeys(account, mode).publishableKey,
    keyPermissions: permissions ?? ["balance_read", "charge_write", "webhook_read", "webhook_write"],
    ...(webhook ? { webhookUrl: receiver.url } : {}),
  }) as KindSettings<"stripe">;
  const api = new StripeApi(settings);
  // As a function does: with the settings of the moment.
  const keysNow = () =>
    stripeKeysApi(
      { ...settings },
      async () => ({ apiKey: app.apiKey }),
      async () => PAIR,
    );
  const keys = keysNow();
  const lag = acceptorLag({ kind: "stripe", settings }).afterSwitch;
  const overlap = leastOverlap(environment, lag).seconds + HOUR;
  const secret: RehearsedSecret<StripeValue> = new RehearsedSecret<StripeValue>({
    target: (plan) =>
      stripeTarget({
        settings,
        mode: "automatic",
        stripe: plan.wrap(api),
        keys: plan.wrap(keysNow()),
        clock: secret.clock,
        random: testRandom,
      }),
    overlap,
    publishLead: webhook ? 7 * HOUR : 0,
  });
  clock.secret = secret;
  const arrived = (): void => {
    secret.confirm();
    secret.clock.advance(overlap + 7 * HOUR);
  };
  const current = (): StripeValue => {
    if (secret.current === undefined) throw new Error("no value yet");
    return secret.current;
  };
  return { stripe, receiver, account, app, settings, api, keys, secret, arrived, current };
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (failure: unknown) => (failure instanceof RotationError ? failure.code : String(failure)),
  );

test.each(["test", "live"] as const)(
  "%s: ten rotations; the old key works through the overlap and is dead after decommission",
  async (mode) => {
    const w = await world({ mode });
    await w.secret.rotate(versionId("first"));
    expect(w.current().secretKey).toMatch(new RegExp(`^rk_${mode}_`));
    for (let n = 1; n <= 10; n += 1) {
      const [version, held] = [w.secret.currentVersion ?? "", w.current()];
      w.arrived();
      await w.secret.rotate(versionId(`rotation ${n}`));
      w.secret.confirm();
      for (const { secretKey } of [held, w.current()]) expect(await w.api.accepts(secretKey)).toBe(true);
      expect(await codeOf(w.secret.phase("decommission", version))).toBe("overlap-running");
      w.arrived();
      for (const _ of [1, 2]) await w.secret.phase("decommission", version);
      expect([await w.api.accepts(held.secretKey), await w.api.accepts(w.current().secretKey)]).toEqual([
        false,
        true,
      ]);
      expect(w.stripe.managedKeys(w.account, mode)).toHaveLength(1);
      expect(w.current().publishableKey).toBe(held.publishableKey);
    }
  },
  60_000,
);

test("with webhooks one rotation uses the published secret and publishes another; no event is refused", async () => {
  const w = await world({ webhook: true });
  await w.secret.rotate(versionId("first"));
  w.arrived();
  const held = [w.current()];
  for (let n = 1; n <= 4; n += 1) {
    const version = w.secret.currentVersion ?? "";
    await w.secret.rotate(versionId(`rotation ${n}`));
    held.push(w.current());
    w.receiver.pods = held.slice(-2);
    const deliveries = await w.stripe.emit(w.account, "test", "charge.succeeded");
    expect(deliveries.length).toBeGreaterThan(0);
    for (const { status } of deliveries) expect(status).toBe(200);
    w.arrived();
    w.receiver.pods = [w.current()];
    await w.secret.phase("decommission", version);
    w.arrived();
    expect(w.current().webhookSecrets).toMatchObject({ next: { id: expect.any(String) }, previous: null });
    expect(
      w.stripe
        .endpoints(w.account, "test")
        .map(({ status }) => status)
        .sort(),
    ).toEqual(["disabled", "enabled"]);
  }
});

test("a use after everybody should have had the new key stops the decommission; the record says the last one", async () => {
  const w = await world();
  await w.secret.rotate(versionId("first"));
  const held = w.current();
  w.arrived();
  await w.secret.rotate(versionId("second"));
  const lastUse = w.secret.clock.now().toISOString();
  expect(await w.api.accepts(held.secretKey)).toBe(true);
  w.arrived();
  const unused = await w.secret.phase("decommission", versionId("first"));
  expect(unused).toMatchObject({ result: "done", evidence: { lookedBy: "last-use", since: lastUse } });

  const late = w.current();
  w.arrived();
  await w.secret.rotate(versionId("third"));
  w.arrived();
  w.secret.clock.advance(HOUR);
  expect(await w.api.accepts(late.secretKey)).toBe(true);
  expect(await codeOf(w.secret.phase("decommission", versionId("second")))).toBe("still-presented");
  expect(await w.api.accepts(late.secretKey)).toBe(true);
  const leak = await w.secret.phase("decommission", versionId("second"), { emergency: true });
  expect(leak).toMatchObject({ evidence: { lookedBy: "not-looked" } });
});

test("a key that a person made before is theirs to end", async () => {
  const w = await world();
  const byHand = w.stripe.createKeys(w.account, "test");
  const value = { ...byHand, webhookSecrets: { next: null, current: null, previous: null } };
  w.secret.secrets.putByHand(w.secret.name, versionId("by hand"), JSON.stringify(value));
  await w.secret.rotate(versionId("second"));
  w.arrived();
  expect(await codeOf(w.secret.phase("decommission", versionId("by hand")))).toBe("still-accepted");
  w.stripe.expireKey(byHand.secretKey);
  await w.secret.phase("decommission", versionId("by hand"));
});

test("a key that Stripe takes for longer than we look is not called dead", async () => {
  const w = await world();
  await w.secret.rotate(versionId("first"));
  w.arrived();
  await w.secret.rotate(versionId("second"));
  w.arrived();
  // Every look at the balance but the first is answered as for a good key.
  w.stripe.failNext({ on: "GET /v1/balance", skip: 1, times: 6, how: { status: 403 } });
  expect(await codeOf(w.secret.phase("decommission", versionId("first")))).toBe("target-busy");
  await w.secret.phase("decommission", versionId("first"));
});

test("a key of another secret is not ended, whatever a value says", async () => {
  const w = await world();
  await w.secret.rotate(versionId("first"));
  w.arrived();
  const others = await w.keys.create("prod/others#00000000@version.00000000aaaaaa");
  const value = { ...w.current(), secretKey: others.key, secretKeyId: others.id };
  w.secret.secrets.putByHand(w.secret.name, versionId("by hand"), JSON.stringify(value));
  w.secret.confirm();
  w.arrived();
  await w.secret.rotate(versionId("second"));
  w.arrived();
  expect(await codeOf(w.secret.phase("decommission", versionId("by hand")))).toBe("user-mismatch");
  expect(await w.api.accepts(others.key)).toBe(true);
});

test("a crash at every call converges, and leaves one key", async () => {
  const points = await crashEverywhere(async () => {
    const w = await world();
    await w.secret.rotate(versionId("first"));
    w.arrived();
    const held = w.current();
    return {
      work: (plan) => w.secret.rotate(versionId("second"), plan),
      afterCrash: async () => expect(await w.api.accepts(w.current().secretKey)).toBe(true),
      afterAll: async () => {
        expect(w.current().secretKey).not.toBe(held.secretKey);
        expect(w.stripe.managedKeys(w.account, "test")).toHaveLength(2);
      },
    };
  });
  process.stdout.write(`Stripe by API: ${points} crash points in a rotation\n`);
  expect(points).toBeGreaterThan(20);
}, 60_000);

test.each<[string, (w: Awaited<ReturnType<typeof world>>) => void, string]>([
  ["an app that was uninstalled", (w) => w.app.uninstall(), "right-missing"],
  ["an app's key that has ended", (w) => w.stripe.expireKey(w.app.apiKey), "admin-refused"],
  ["429", (w) => w.stripe.failNext({ on: "POST /v2", how: { status: 429 } }), "throttled"],
  ["500", (w) => w.stripe.failNext({ on: "POST /v2", how: { status: 500 } }), "target-unreachable"],
])("%s: an answer with a way out, and nothing is made", async (_name, change, code) => {
  const w = await world();
  change(w);
  expect(await codeOf(w.secret.rotate(versionId("first")))).toBe(code);
  expect(w.stripe.managedKeys(w.account, "test")).toEqual([]);
});

test("a lost answer leaves a key that the next attempt removes", async () => {
  const w = await world();
  const how: InjectedFailure["how"] = { lost: "answer" };
  w.stripe.failNext({ on: "POST /v2/iam/api_keys", how });
  expect(await codeOf(w.secret.rotate(versionId("first")))).toBe("target-unreachable");
  expect(w.stripe.managedKeys(w.account, "test")).toHaveLength(1);
  await w.secret.rotate(versionId("first"));
  expect(w.stripe.managedKeys(w.account, "test")).toHaveLength(1);
});

test("permissions that Stripe does not take are a word about keyPermissions", async () => {
  const w = await world({ permissions: ["balance_read"] });
  Object.assign(w.settings, { keyPermissions: ["balance"] });
  expect(await codeOf(w.secret.rotate(versionId("first")))).toBe("target-misconfigured");
});

test("more keys than a page has are all looked at", async () => {
  const w = await world();
  for (let n = 0; n < 130; n += 1) await w.keys.create(`by others ${n}`);
  expect((await w.keys.list()).filter(({ name }) => name.startsWith("by others"))).toHaveLength(130);
}, 60_000);

test("a pair of its own for each answer, where none is given", async () => {
  const w = await world({ mode: "live" });
  const keys = stripeKeysApi(w.settings, async () => ({ apiKey: w.app.apiKey }));
  const { key } = await keys.create("prod/payments/stripe#00000000@version.00000000aaaaaa");
  expect(await w.api.isLive(key)).toBe(true);
}, 60_000);

test("another set of permissions is what the next key may do", async () => {
  const w = await world();
  await w.secret.rotate(versionId("first"));
  w.arrived();
  Object.assign(w.settings, { keyPermissions: ["balance_read", "refund_write"] });
  await w.secret.rotate(versionId("second"));
  const { secretKeyId = "" } = w.current();
  expect(await w.keys.permissionsOf(secretKeyId)).toEqual(["balance_read", "refund_write"]);
});

describe("an organisation's key", () => {
  const kind = async (accountNamed: boolean) => {
    const stripe = await startStripeServer();
    running.push(stripe);
    const [account, other] = [stripe.createAccount(), stripe.createAccount()];
    const settings = settingsSchema("stripe").parse({
      mode: "test",
      account: "sandbox",
      apiUrl: stripe.url,
      ...(accountNamed ? { accountId: account } : {}),
    }) as KindSettings<"stripe">;
    const secretKey = stripe.createOrganisationKey([account, other], "test");
    const { publishableKey } = stripe.createKeys(account, "test");
    return { stripe, account, settings, supplied: { secretKey, publishableKey } };
  };

  test("acts on the account of the settings", async () => {
    const { account, settings, supplied } = await kind(true);
    const value = completeValue(
      { kind: "stripe", settings, rotation: "operator-assisted" } as never,
      supplied,
    );
    expect(value).toMatchObject(supplied);
    const api = new StripeApi(settings);
    expect(await api.isLive(supplied.secretKey)).toBe(false);
    expect(await api.accountOf(supplied.secretKey)).toBe(account);
  });

  test("is refused where the settings name none, and in the other mode", async () => {
    const { settings, supplied } = await kind(false);
    const secret = { kind: "stripe", settings, rotation: "operator-assisted" } as never;
    expect(() => completeValue(secret, supplied)).toThrow(/set accountId/);
    const live = { ...settings, mode: "live" };
    expect(() => completeValue({ kind: "stripe", settings: live } as never, supplied)).toThrow(
      /wrong-environment/,
    );
  });
});
