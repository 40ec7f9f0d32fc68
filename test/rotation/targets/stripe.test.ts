import { jsonLog } from "../../../lib/lambda/json-log";
import { acceptorLag, type KindSettings, settingsSchema } from "../../../lib/model/kinds";
import { leastOverlap } from "../../../lib/model/resolve";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import { StripeApi } from "../../../lib/rotation/adapters/stripe-api";
import { stripeKeysApi } from "../../../lib/rotation/adapters/stripe-keys-api";
import { handlerOf } from "../../../lib/rotation/entries/rotation-handler";
import { Redaction } from "../../../lib/rotation/protocol/redaction";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { type StripeValue, stripeTarget } from "../../../lib/rotation/targets/stripe";
import { keysOf } from "../../../lib/rotation/values/generations";
import {
  type StripeKeyPair,
  type StripePermission,
  startStripeServer,
  stripeSignature,
} from "../../../packages/rehearsal/src/vendors/stripe-server";
import type { InjectedFailure } from "../../../packages/rehearsal/src/vendors/vendor-server";
import { crashEverywhere } from "../models/crash-everywhere";
import { Crash, type CrashPlan } from "../models/crash-plan";
import { OperatedSecret } from "../models/operated-secret";
import { ATTEMPT, testRandom, versionId } from "../models/rehearsed-secret";
import { READINGS, type Readings } from "../models/secrets-manager-model";
import { acceptsEvent, startWebhookReceiver } from "../models/webhook-receiver";

const HOUR = 3_600;
const REFRESH = 6 * HOUR;
const MARGIN = HOUR;
const EVENT = "charge.succeeded";
const environment = { refreshEvery: { seconds: REFRESH }, reloadMargin: { seconds: MARGIN } };

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

interface WorldProps {
  readonly mode?: "test" | "live";
  readonly webhook?: boolean;
  readonly permissions?: readonly StripePermission[];
  /** The settings name the account. */
  readonly accountNamed?: boolean;
  readonly readings?: Readings;
  /** In seconds. @default what the model computes */
  readonly publishLead?: number;
}

/** Hooks around each call that the function makes to Stripe. */
interface Hooks {
  before?: () => void;
  after?: (call: string) => Promise<void>;
}

/** Stripe, a receiver with its pods, and the secret with its operator. */
async function world(props: WorldProps = {}) {
  const { mode = "test", webhook = true, permissions, readings } = props;
  const hooks: Hooks = {};
  const now = () => secret.clock.now();
  const [stripe, receiver] = await Promise.all([startStripeServer({ now }), startWebhookReceiver(now)]);
  running.push(stripe, receiver);
  const account = stripe.createAccount();
  const settings = settingsSchema("stripe").parse({
    mode,
    account: "sandbox",
    apiUrl: stripe.url,
    ...(webhook ? { webhookUrl: receiver.url } : {}),
    ...(props.accountNamed ? { accountId: account } : {}),
  }) as KindSettings<"stripe">;
  const kind = { kind: "stripe", settings } as const;
  const api = watched(new StripeApi(settings), hooks);
  const byHand = stripeKeysApi(settings, () => Promise.reject(new Error("people make these keys")));
  const overlap = leastOverlap(environment, acceptorLag(kind).afterSwitch).seconds + MARGIN;
  const secret: OperatedSecret<StripeValue> = new OperatedSecret<StripeValue>(kind, {
    target: (plan) =>
      stripeTarget({
        settings,
        mode: "operator-assisted",
        stripe: plan.wrap(api),
        keys: plan.wrap(byHand),
        clock: secret.clock,
        random: testRandom,
      }),
    overlap,
    publishLead: props.publishLead ?? (webhook ? REFRESH + MARGIN : 0),
    ...(readings === undefined ? {} : { readings }),
  });
  /** Beside the machine, for what it is told only in an emergency. */
  const target = () =>
    stripeTarget({
      ...{ settings, mode: "operator-assisted", stripe: api, keys: byHand },
      ...{ clock: secret.clock, random: testRandom },
    });
  const keys = (): StripeKeyPair => stripe.createKeys(account, mode, permissions);
  /** Every Vault has the value, and every wait is over. */
  const arrived = (): void => {
    secret.confirm();
    secret.clock.advance(overlap + REFRESH);
  };
  const current = (): StripeValue => {
    if (secret.current === undefined) throw new Error("no value yet");
    return secret.current;
  };
  const endpoints = () => stripe.endpoints(account, mode);
  const emit = () => stripe.emit(account, mode, EVENT);
  return {
    stripe,
    receiver,
    account,
    settings,
    kind,
    api,
    target,
    secret,
    keys,
    arrived,
    current,
    endpoints,
    emit,
    hooks,
  };
}

type World = Awaited<ReturnType<typeof world>>;

function watched<T extends object>(port: T, hooks: Hooks): T {
  return new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return async (...args: unknown[]) => {
        hooks.before?.();
        const result: unknown = await Reflect.apply(member, target, args);
        await hooks.after?.(String(name));
        return result;
      };
    },
  });
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (failure: unknown) => (failure instanceof RotationError ? failure.code : String(failure)),
  );

/** A whole rotation, each part when it may come. Gives the version that is in use in the end. */
async function wholeRotation({ secret, stripe, keys, arrived, current }: World, name: string): Promise<void> {
  const before = { version: secret.currentVersion ?? "", key: current().secretKey };
  const version = await secret.operate(name, keys());
  arrived();
  await secret.phase("promote", version, { runId: name });
  arrived();
  expect(await codeOf(secret.phase("decommission", before.version, { runId: name }))).toBe("still-accepted");
  stripe.expireKey(before.key);
  for (const _ of [1, 2]) await secret.phase("decommission", before.version, { runId: name });
}

describe("webhooks and keys together", () => {
  test("ten rotations in a row: two pods that refresh at different times lose no request and no event", async () => {
    const tally = { requests: 0, during: 0 };
    /** At each call that the function makes, something happens in the account. */
    const probe = async (): Promise<void> => {
      if (w.receiver.pods.length === 0) return;
      const deliveries = await w.emit();
      tally.during += 1;
      expect(deliveries.length).toBeGreaterThan(0);
      for (const { status } of deliveries) expect(status).toBe(200);
    };
    const w = await world();
    w.hooks.after = probe;
    const { secret, receiver, stripe, api, current } = w;

    let mirrored: StripeValue | undefined;
    let mirroredVersion = "";
    let hour = 0;
    const loading: { readonly pod: number; readonly at: number; readonly value: StripeValue }[] = [];
    /** An hour: the mirror copies, pods refresh every six hours and take up to one to reload, everybody works. */
    const pass = async (): Promise<void> => {
      hour += 1;
      secret.clock.advance(HOUR);
      if (mirrored !== undefined) {
        [1, 4].forEach((offset, pod) => {
          if (hour % 6 === offset) loading.push({ pod, at: hour + pod, value: mirrored as StripeValue });
        });
      }
      // The mirror is late by up to an hour.
      const [verified] = secret.proved;
      if (secret.currentVersion === verified && verified !== mirroredVersion) {
        mirrored = current();
        mirroredVersion = verified ?? "";
        secret.confirm();
        if (receiver.pods.length === 0) receiver.pods = [mirrored, mirrored];
      }
      const due = loading.filter(({ at }) => at === hour);
      receiver.pods = receiver.pods.map((held, pod) => due.find((entry) => entry.pod === pod)?.value ?? held);
      for (const { secretKey } of receiver.pods) {
        tally.requests += 1;
        expect(await api.isLive(secretKey)).toBe(false);
      }
      const deliveries = receiver.pods.length === 0 ? [] : await w.emit();
      // By each endpoint that is on once: no event is lost, and outside of the overlap none comes twice.
      const on = w.endpoints().filter(({ status }) => status === "enabled").length;
      if (current().webhookSecrets.previous === null) expect(on).toBe(1);
      expect(deliveries.map(({ status }) => status)).toEqual(
        receiver.pods.length === 0 ? [] : Array(on).fill(200),
      );
    };
    /** Tries hour by hour until the law allows it. */
    const eventually = async (work: () => Promise<unknown>): Promise<void> => {
      for (let tries = 0; tries < 120; tries += 1) {
        const code = await codeOf(work());
        if (code === "none") return;
        if (code === "still-accepted") stripe.expireKey(oldKey);
        else expect(["overlap-running", "not-published-yet"]).toContain(code);
        await pass();
      }
      throw new Error("the wait has no end");
    };

    let oldKey = "";
    await secret.operate("first", w.keys());
    await pass();
    for (let n = 1; n <= 10; n += 1) {
      const before = secret.currentVersion ?? "";
      const was = current();
      oldKey = was.secretKey;
      const rotation = await secret.supply(`rotation ${n}`, w.keys());
      await eventually(() => secret.run(rotation));
      const runId = `run ${n}`;
      await eventually(() => secret.phase("promote", rotation.versionId, { runId }));
      await eventually(() => secret.phase("decommission", before, { runId }));
      expect(current().secretKey).not.toBe(was.secretKey);
      expect(current().webhookSecrets).toEqual({
        next: null,
        current: { id: expect.any(String), secret: expect.any(String) },
        previous: null,
      });
      expect(w.endpoints()).toEqual([
        expect.objectContaining({
          id: current().webhookSecrets.current?.id,
          status: "enabled",
          events: ["*"],
        }),
      ]);
      expect(await api.accepts(was.secretKey)).toBe(false);
    }
    process.stdout.write(
      `Stripe: ${tally.requests} requests with the keys that pods hold, ${receiver.verified} events looked at by two ` +
        `pods (events at ${tally.during} calls of the function), during 10 rotations in ${hour} hours, 0 failed\n`,
    );
    expect(receiver.verified).toBeGreaterThan(400);
  }, 300_000);

  test.each(READINGS)("the first value, in reading %j", async (readings) => {
    const w = await world({ readings });
    const version = await w.secret.operate("first", w.keys());
    expect(w.secret.currentVersion).toBe(version);
    expect(w.secret.proved).toEqual([version]);
    expect(w.secret.secrets.versionWith(w.secret.name, "AWSPENDING")).toBeUndefined();
    w.receiver.pods = [w.current()];
    expect(await w.emit()).toEqual([expect.objectContaining({ status: 200 })]);
    expect(w.endpoints()).toHaveLength(1);
  });

  test("another webhookUrl: the endpoint of the old one goes on until three days after the promotion", async () => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    w.arrived();
    const moved = `${w.receiver.url}/moved`;
    Object.assign(w.settings, { webhookUrl: moved });
    const second = await w.secret.operate("second", w.keys());
    w.receiver.pods = [w.current()];
    expect(await w.emit()).toEqual([expect.objectContaining({ status: 200 })]);
    w.arrived();
    await w.secret.phase("promote", second);
    const on = () => w.endpoints().flatMap(({ url, status }) => (status === "enabled" ? [url] : []));
    expect(on()).toEqual([w.receiver.url, moved]);
    w.arrived();
    await w.secret.phase("decommission", second, { runId: "webhook" });
    expect(on()).toEqual([moved]);
  });

  test("the old endpoint's form is kept: events come in the API version in which consumers read them", async () => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    const id = await w.api.createEndpoint(w.current().secretKey, {
      url: w.receiver.url,
      apiVersion: "2024-06-20",
      connect: true,
      description: "orders",
      metadata: { team: "payments" },
      mark: { secretName: w.secret.name, versionId: w.secret.currentVersion ?? "" },
    });
    const value = { ...w.current(), webhookSecrets: { next: null, current: id, previous: null } };
    w.secret.secrets.putByHand(w.secret.name, versionId("by hand"), JSON.stringify(value));
    w.secret.proofs.prove(w.secret.secrets, w.secret.name, versionId("by hand"));
    w.arrived();
    await w.secret.operate("second", w.keys());
    const next = w.endpoints().find((endpoint) => endpoint.id === w.current().webhookSecrets.next?.id);
    expect(next).toMatchObject({
      apiVersion: "2024-06-20",
      connect: true,
      description: "orders",
      metadata: { team: "payments", registry_secret: w.secret.name },
      status: "disabled",
    });
  });

  test("a leaked key is replaced without waiting, and so is every webhook secret", async () => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    w.arrived();
    await w.secret.operate("second", w.keys());
    const held = w.current();
    // Inside the overlap of the second createSecret waits, unless the run is for a leak.
    const rotation = await w.secret.supply("third", w.keys());
    expect(await codeOf(w.secret.run(rotation))).toBe("not-published-yet");
    w.secret.implied.beginForLeak(rotation.versionId);
    await w.secret.run(rotation);
    expect(w.current().secretKey).not.toBe(held.secretKey);
    const { next, current, previous } = w.current().webhookSecrets;
    expect([next, previous]).toEqual([null, null]);
    expect(current?.id).toEqual(expect.any(String));
    const { webhookSecrets } = held;
    expect([webhookSecrets.current?.id, webhookSecrets.next?.id]).not.toContain(current?.id);
  });

  test("a webhook secret rotates alone: createSecret without anything supplied", async () => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    w.arrived();
    const held = w.current();
    await w.secret.rotate(versionId("second"));
    expect(w.current()).toMatchObject({ secretKey: held.secretKey });
    expect(await codeOf(w.secret.phase("promote", versionId("second")))).toBe("not-published-yet");
    w.secret.confirm();
    expect(await codeOf(w.secret.phase("promote", versionId("second")))).toBe("overlap-running");
    await w.secret.phase("promote", versionId("second"), { emergency: true });
    expect(w.current().webhookSecrets.previous).toEqual(held.webhookSecrets.current);
    await w.secret.phase("decommission", versionId("second"), { emergency: true });
    expect(w.current().webhookSecrets.previous).toBeNull();
    expect(w.endpoints()).toHaveLength(1);
  });

  test("one long overlap a rotation: keys wait for consumers alone, endpoints for Stripe's three days", async () => {
    const w = await world();
    const first = await w.secret.operate("first", w.keys());
    w.arrived();
    const held = w.current();
    const second = await w.secret.operate("second", w.keys());
    w.secret.confirm();
    w.stripe.expireKey(held.secretKey);
    w.secret.clock.advance(REFRESH + MARGIN - 1);
    expect(await codeOf(w.secret.phase("decommission", first, { runId: "keys" }))).toBe("overlap-running");
    w.secret.clock.advance(1);
    await w.secret.phase("decommission", first, { runId: "keys" });
    expect(w.endpoints().find(({ id }) => id === held.webhookSecrets.current?.id)?.status).toBe("enabled");
    await w.secret.phase("promote", second, { runId: "webhook" });
    w.secret.confirm();
    w.secret.clock.advance(3 * 24 * HOUR);
    expect(await codeOf(w.secret.phase("decommission", second, { runId: "webhook" }))).toBe(
      "overlap-running",
    );
    w.secret.clock.advance(12 * HOUR);
    await w.secret.phase("decommission", second, { runId: "webhook" });
    expect(w.endpoints().map(({ id }) => id)).toEqual([w.current().webhookSecrets.current?.id]);
  });

  test("going back: before and after the promotion, pods of either value take every event", async () => {
    const w = await world();
    const first = await w.secret.operate("first", w.keys());
    w.arrived();
    const held = [w.current()];
    const second = await w.secret.operate("second", w.keys());
    held.push(w.current());
    await w.secret.phase("rollback", second);
    expect(w.secret.currentVersion).toBe(first);
    w.receiver.pods = held;
    expect(await w.emit()).toEqual([expect.objectContaining({ status: 200 })]);

    w.arrived();
    const third = await w.secret.operate("third", w.keys());
    w.arrived();
    w.receiver.pods = [w.current()];
    await w.secret.phase("promote", third);
    const promoted = w.secret.currentVersion ?? "";
    w.receiver.pods = [...w.receiver.pods, w.current()];
    // Both endpoints send it.
    expect((await w.emit()).map(({ status }) => status)).toEqual([200, 200]);
    await w.secret.phase("rollback", promoted);
    expect(w.secret.currentVersion).toBe(third);
    const [delivery, ...more] = await w.emit();
    expect(more).toEqual([]);
    expect(delivery).toMatchObject({ endpoint: w.current().webhookSecrets.current?.id, status: 200 });
    // What the second rotation made belongs to nobody any more.
    expect(w.endpoints()).toHaveLength(2);
  });

  test("two invocations at once make one value and leave one new endpoint", async () => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    w.arrived();
    const { versionId: version, steps } = await w.secret.supply("second", w.keys());
    for (const step of steps) {
      const results = await Promise.all([1, 2].map(() => codeOf(w.secret.step(step, version))));
      for (const code of results) expect(["none", "label-moved"]).toContain(code);
    }
    await w.secret.run({ versionId: version, steps });
    const { next, current } = w.current().webhookSecrets;
    expect(w.endpoints().map(({ id }) => id)).toEqual([current?.id, next?.id]);
  });

  test("an invocation that comes while another one is about to store its endpoint takes nothing away from it", async () => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    w.arrived();
    const { versionId: version } = await w.secret.supply("second", w.keys());
    const codes: string[] = [];
    w.hooks.after = async (call) => {
      if (call !== "createEndpoint" || codes.length > 0) return;
      codes.push("in between");
      codes.push(await codeOf(w.secret.step("createSecret", version)));
    };
    codes.push(await codeOf(w.secret.step("createSecret", version)));
    expect(codes).toEqual(["in between", "none", "none"]);
    const stored = JSON.parse(w.secret.secrets.valueOf(w.secret.name, version) ?? "{}");
    const { next, current } = stored.webhookSecrets;
    expect(w.endpoints().map(({ id }) => id)).toEqual([current.id, next.id]);
  });

  test("without the publish lead a pod would refuse the new endpoint: the law is no longer than it must be", async () => {
    const w = await world({ publishLead: 0 });
    await w.secret.operate("first", w.keys());
    w.arrived();
    const held = w.current();
    const version = await w.secret.operate("second", w.keys());
    w.secret.confirm();
    await w.secret.phase("promote", version);
    w.receiver.pods = [held, w.current()];
    expect((await w.emit()).map(({ status }) => status)).toEqual([200, 400]);
  });

  test("a function that dies whenever it has made an endpoint does not fill the account", async () => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    w.arrived();
    w.receiver.pods = [w.current()];
    const { versionId: version, steps } = await w.secret.supply("second", w.keys());
    w.hooks.after = async (call) => {
      if (call === "createEndpoint") throw new Crash("dead");
    };
    for (let n = 0; n < 20; n += 1) {
      expect(await codeOf(w.secret.step("createSecret", version))).toMatch(/Crash/);
      // What it left behind is on, and signs by a secret that nobody knows: it must not send.
      expect(await w.emit()).toEqual([expect.objectContaining({ status: 200 })]);
      w.secret.clock.advance(20 * 60);
    }
    expect(w.endpoints().length).toBeLessThan(4);
    delete w.hooks.after;
    await w.secret.run({ versionId: version, steps });
    const { next, current } = w.current().webhookSecrets;
    expect(w.endpoints().map(({ id }) => id)).toEqual([current?.id, next?.id]);
  });

  test("an endpoint that a person made goes on until every pod knows ours, and must be deleted by the person", async () => {
    const w = await world();
    const byHand = w.stripe.createEndpoint(w.account, "test", w.receiver.url);
    const first = await w.secret.operate("first", { ...w.keys(), webhookSecret: byHand.secret });
    w.receiver.pods = [w.current()];
    expect(w.current().webhookSecrets).toMatchObject({
      current: { id: null, secret: byHand.secret },
      next: { id: expect.any(String) },
    });
    expect(await w.emit()).toEqual([expect.objectContaining({ endpoint: byHand.id, status: 200 })]);
    w.arrived();
    await w.secret.phase("promote", first);
    w.arrived();
    expect((await w.emit()).map(({ status }) => status)).toEqual([200, 200]);
    expect(await codeOf(w.secret.phase("decommission", first))).toBe("still-accepted");
    w.stripe.deleteEndpoint(byHand.id);
    await w.secret.phase("decommission", first);
    expect(w.current().webhookSecrets).toMatchObject({ next: null, previous: null });
  });

  test("an endpoint that somebody deleted does not stand in the way of the next", async () => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    w.arrived();
    w.stripe.deleteEndpoint(w.current().webhookSecrets.current?.id ?? "");
    const version = await w.secret.operate("second", w.keys());
    w.arrived();
    await w.secret.phase("promote", version);
    w.receiver.pods = [w.current()];
    expect(await w.emit()).toEqual([expect.objectContaining({ status: 200 })]);
  });
});

describe("no event is lost: Stripe tries again for three days, at the endpoint where delivery failed", () => {
  interface Outage {
    readonly what: string;
    /** Hours from the promotion to the beginning, and the length. */
    readonly from: number;
    readonly hours: number;
    /** Forbidden course: somebody deletes the old endpoint right after the promotion. */
    readonly deletedAtOnce?: true;
  }

  /** An event each hour, pods that refresh every six hours, and a rotation with all its waits in the middle. */
  async function counted({ from, hours, deletedAtOnce }: Outage) {
    const w = await world({ mode: "live" });
    const sent: string[] = [];
    let promotedAt: number | undefined;
    let confirmed: string | undefined;
    let hour = 0;
    const BEFORE = 30;
    const pass = async (): Promise<void> => {
      hour += 1;
      w.secret.clock.advance(HOUR);
      if (confirmed !== w.secret.currentVersion) w.secret.confirm();
      confirmed = w.secret.currentVersion;
      // The second pod refreshes three hours after the first.
      w.receiver.pods = [0, 3].map((offset, pod) =>
        hour % 6 === offset ? w.current() : (w.receiver.pods[pod] ?? w.current()),
      );
      const since = promotedAt === undefined ? hour - BEFORE : hour - promotedAt;
      w.receiver.down = since >= from && since < from + hours;
      await w.stripe.retryDue();
      sent.push(...new Set((await w.emit()).map(({ eventId }) => eventId)));
    };
    const eventually = async (work: () => Promise<unknown>): Promise<void> => {
      for (let tries = 0; tries < 200; tries += 1) {
        const code = await codeOf(work());
        if (code === "none") return;
        expect(["overlap-running", "not-published-yet"]).toContain(code);
        await pass();
      }
      throw new Error("the wait has no end");
    };
    const first = await w.secret.operate("first", w.keys());
    w.arrived();
    const version = await w.secret.operate("second", w.keys());
    const old = w.current().webhookSecrets.current?.id ?? "";
    w.stripe.expireKey(JSON.parse(w.secret.secrets.valueOf(w.secret.name, first) ?? "{}").secretKey);
    for (; hour < BEFORE; ) await pass();
    await eventually(() => w.secret.phase("promote", version, { runId: "webhook" }));
    promotedAt = hour;
    if (deletedAtOnce) w.stripe.deleteEndpoint(old);
    await pass();
    await eventually(() => w.secret.phase("decommission", version, { runId: "webhook" }));
    const overlapHours = hour - promotedAt;
    for (let left = 80; left > 0 || w.stripe.waiting.length > 0; left -= 1) await pass();
    const taken = new Set(w.receiver.taken);
    return {
      overlapHours,
      endpoints: w.endpoints().length,
      sent: sent.length,
      received: taken.size,
      lost: sent.filter((id) => !taken.has(id)).length,
      duplicates: w.receiver.taken.length - taken.size,
    };
  }

  test.each<Outage>([
    { what: "a receiver that never fails", from: 0, hours: 0 },
    { what: "one that is away for ten hours, from an hour before the promotion", from: -1, hours: 10 },
    { what: "one that is away from the promotion on, for a day", from: 0, hours: 24 },
    { what: "one that is away for sixty hours, from two hours before the promotion", from: -2, hours: 60 },
    { what: "one that is away while the old endpoint goes", from: 76, hours: 12 },
  ])(
    "$what",
    async (outage) => {
      const { lost, duplicates, ...rest } = await counted(outage);
      process.stdout.write(
        `Stripe, ${outage.what}: ${rest.sent} events sent, ${rest.received} received, ${lost} lost, ` +
          `${duplicates} came twice, in an overlap of ${rest.overlapHours} hours\n`,
      );
      expect({ lost, endpoints: rest.endpoints }).toEqual({ lost: 0, endpoints: 1 });
      // Each event of the overlap comes at most once by each of the two endpoints.
      expect(duplicates).toBeGreaterThan(0);
      expect(duplicates).toBeLessThanOrEqual(rest.overlapHours + 1);
      expect(rest.overlapHours).toBeGreaterThan(3 * 24);
    },
    120_000,
  );

  test("would be, if the old endpoint went when the new one sends", async () => {
    const { lost } = await counted({ what: "", from: -1, hours: 10, deletedAtOnce: true });
    expect(lost).toBeGreaterThan(0);
  }, 120_000);
});

describe("a leak of webhook secrets", () => {
  test("every secret of the value is thrown away: a forgery by any of them is refused", async () => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    w.arrived();
    const second = await w.secret.operate("second", w.keys());
    w.arrived();
    await w.secret.phase("promote", second);
    w.arrived();
    await w.secret.rotate(versionId("third"));
    const leaked = w.current();
    const forgeries = keysOf(leaked.webhookSecrets).map(({ secret }) =>
      stripeSignature(secret, PAYLOAD, w.secret.clock.now()),
    );
    expect(forgeries).toHaveLength(3);
    const target = w.target();
    const attempt = { ...ATTEMPT, secretName: w.secret.name, versionId: versionId("emergency") };
    const supplied = w.keys();
    const replaced = await target.published?.replaced(leaked, attempt, { ...leaked, ...supplied });
    if (replaced === undefined) throw new Error("nothing is published");
    expect(replaced).toMatchObject(supplied);
    target.checkSuccession(replaced, leaked, true);
    await target.install(replaced, leaked, attempt);
    const taken = (held: StripeValue): readonly boolean[] =>
      forgeries.map((forgery) => acceptsEvent(held, forgery, PAYLOAD, w.secret.clock.now()));
    expect([taken(leaked), taken(replaced)]).toEqual([
      [true, true, true],
      [false, false, false],
    ]);
    // Until pods have the new value, the old endpoint goes on sending what they understand.
    w.receiver.pods = [leaked];
    expect((await w.emit()).map(({ status }) => status).sort()).toEqual([200, 400]);
    w.stripe.expireKey(leaked.secretKey);
    const secret = { secretName: w.secret.name, secretArn: attempt.secretArn };
    const retirement = { secret, retired: leaked, kept: [replaced], refreshedBy: undefined, emergency: true };
    for (const _ of [1, 2]) await target.retire(retirement);
    expect(w.endpoints().map(({ id, status }) => [id, status])).toEqual([
      [replaced.webhookSecrets.current?.id, "enabled"],
    ]);
    w.receiver.pods = [replaced];
    expect(await w.emit()).toEqual([expect.objectContaining({ status: 200 })]);
  });
});

describe("a version that is given up before anybody was served it", () => {
  test("takes its endpoint along, and no other", async () => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    w.arrived();
    const second = await w.secret.operate("second", w.keys());
    w.arrived();
    await w.secret.phase("promote", second);
    w.arrived();
    const { versionId: third, steps } = await w.secret.supply("third", w.keys());
    await w.secret.run({ versionId: third, steps: steps.slice(0, 2) });
    const { current } = w.current().webhookSecrets;
    expect(w.endpoints()).toHaveLength(2);
    await w.secret.phase("rollback", third);
    expect(w.endpoints().map(({ id, status }) => [id, status])).toEqual([[current?.id, "enabled"]]);
  });

  test("while the overlap runs, the endpoint before stays: it still tries what failed", async () => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    w.arrived();
    const second = await w.secret.operate("second", w.keys());
    w.arrived();
    await w.secret.phase("promote", second);
    const held = w.current();
    const given = {
      ...held,
      webhookSecrets: { ...held.webhookSecrets, next: { id: "we_gone", secret: "whsec_x" } },
    };
    const target = w.target();
    const secret = { secretName: w.secret.name, secretArn: ATTEMPT.secretArn };
    await target.retire({ secret, retired: given, kept: [held], refreshedBy: undefined, emergency: false });
    expect(w.endpoints().map(({ status }) => status)).toEqual(["enabled", "enabled"]);
  });

  test("even where its value was never stored", async () => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    w.arrived();
    const held = w.endpoints().map(({ id }) => id);
    const { versionId: second } = await w.secret.supply("second", w.keys());
    w.secret.secrets.stage(w.secret.name, second);
    w.hooks.after = async (call) => {
      if (call === "createEndpoint") throw new Crash("dead");
    };
    await expect(w.secret.step("createSecret", second)).rejects.toThrow(/dead/);
    delete w.hooks.after;
    expect(w.endpoints()).toHaveLength(2);
    await w.secret.phase("rollback", second);
    expect(w.endpoints().map(({ id }) => id)).toEqual(held);
  });
});

describe("the mark of an endpoint", () => {
  test("one of a secret of the same name in another AWS account is left alone", async () => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    w.arrived();
    const foreign = await w.api.createEndpoint(w.current().secretKey, {
      url: w.receiver.url,
      connect: false,
      apiVersion: null,
      description: null,
      metadata: {},
      mark: { secretName: w.secret.name, owner: "0123456789abcdef", versionId: versionId("of others") },
    });
    w.secret.clock.advance(30 * 24 * HOUR);
    const second = await w.secret.operate("second", w.keys());
    w.arrived();
    await w.secret.phase("promote", second);
    expect(w.endpoints().map(({ id }) => id)).toContain(foreign.id);
  });

  test("a value that names an endpoint of others takes nothing away from them", async () => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    const foreign = w.stripe.createEndpoint(w.account, "test", `${w.receiver.url}/others`);
    const retired = {
      ...w.current(),
      webhookSecrets: { next: null, current: { id: foreign.id, secret: foreign.secret }, previous: null },
    };
    const target = w.target();
    const secret = { secretName: w.secret.name, secretArn: ATTEMPT.secretArn };
    const retirement = { secret, retired, kept: [w.current()], refreshedBy: undefined, emergency: false };
    await expect(target.retire(retirement)).rejects.toMatchObject({ code: "user-mismatch" });
    expect(w.endpoints().map(({ id }) => id)).toContain(foreign.id);
  });
});

/** Event that somebody would have us believe. */
const PAYLOAD = JSON.stringify({ id: "evt_forged", type: "charge.succeeded" });

describe("a crash at every call", () => {
  /** A world in which a rotation with webhooks has come so far. */
  const prepared = async (upTo: "rotation" | "promote" | "decommission") => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    w.arrived();
    const [before, held] = [w.secret.currentVersion ?? "", w.current()];
    w.receiver.pods = [held];
    const supplied = w.keys();
    if (upTo !== "rotation") {
      const version = await w.secret.operate("second", supplied);
      w.receiver.pods = [held, w.current()];
      w.arrived();
      // By now every pod has it.
      w.receiver.pods = [w.current()];
      if (upTo === "decommission") {
        await w.secret.phase("promote", version);
        w.receiver.pods = [w.current()];
        w.arrived();
        w.stripe.expireKey(held.secretKey);
      }
    }
    const version = versionId("second");
    const holds = async (): Promise<void> => {
      const deliveries = await w.emit();
      expect(deliveries.length).toBeGreaterThan(0);
      for (const { status } of deliveries) expect(status).toBe(200);
      for (const pod of [...w.receiver.pods, w.current()])
        expect(await w.api.isLive(pod.secretKey)).toBe(false);
    };
    const endpointsAreThoseOfTheValue = (): void => {
      const { next, current, previous } = w.current().webhookSecrets;
      const named = [next, current, previous].flatMap((key) => key?.id ?? []);
      expect(
        w
          .endpoints()
          .map(({ id }) => id)
          .sort(),
      ).toEqual(named.sort());
      for (const { id, status } of w.endpoints()) {
        expect([id, status]).toEqual([id, id === next?.id ? "disabled" : "enabled"]);
      }
    };
    return { w, before, version, supplied, holds, endpointsAreThoseOfTheValue };
  };

  test("converges, no orphan is left, and what pods hold goes on working", async () => {
    const points = { first: 0, rotation: 0, promote: 0, rollback: 0, decommission: 0 };
    points.first = await crashEverywhere(async () => {
      const w = await world();
      const rotation = await w.secret.supply("first", w.keys());
      return {
        work: (plan) => w.secret.run(rotation, plan),
        afterCrash: async () => undefined,
        afterAll: async () => {
          expect(w.endpoints()).toEqual([
            expect.objectContaining({ id: w.current().webhookSecrets.current?.id, status: "enabled" }),
          ]);
        },
      };
    });
    points.rotation = await crashEverywhere(async () => {
      const { w, supplied, holds, endpointsAreThoseOfTheValue } = await prepared("rotation");
      const rotation = await w.secret.supply("second", supplied);
      return {
        work: (plan) => w.secret.run(rotation, plan),
        afterCrash: holds,
        afterAll: async () => {
          await holds();
          expect(w.current()).toMatchObject({ ...supplied, webhookSecrets: { next: expect.any(Object) } });
          endpointsAreThoseOfTheValue();
        },
      };
    });
    const phase = (name: "promote" | "decommission") => async () => {
      const { w, before, version, holds, endpointsAreThoseOfTheValue } = await prepared(name);
      return {
        work: (plan?: CrashPlan) =>
          w.secret.phase(name, name === "promote" ? version : before, plan === undefined ? {} : { plan }),
        afterCrash: holds,
        afterAll: async () => {
          await holds();
          expect(w.current().webhookSecrets).toMatchObject({
            next: null,
            previous: name === "promote" ? expect.any(Object) : null,
          });
          endpointsAreThoseOfTheValue();
        },
      };
    };
    points.promote = await crashEverywhere(phase("promote"));
    points.decommission = await crashEverywhere(phase("decommission"));
    points.rollback = await crashEverywhere(async () => {
      const { w, version, holds, endpointsAreThoseOfTheValue } = await prepared("promote");
      await w.secret.phase("promote", version);
      const promoted = w.secret.currentVersion ?? "";
      return {
        work: (plan) => w.secret.phase("rollback", promoted, plan === undefined ? {} : { plan }),
        afterCrash: holds,
        afterAll: async () => {
          await holds();
          expect(w.secret.currentVersion).toBe(version);
          endpointsAreThoseOfTheValue();
        },
      };
    });
    const list = Object.entries(points).map(([name, count]) => `${count} in a ${name}`);
    process.stdout.write(`Stripe: crash points: ${list.join(", ")}\n`);
    for (const count of Object.values(points)) expect(count).toBeGreaterThan(8);
  }, 240_000);

  test.each<[string, InjectedFailure["how"], string]>([
    ["429", { status: 429 }, "throttled"],
    ["500", { status: 500 }, "target-unreachable"],
    ["a lost request", { lost: "request" }, "target-unreachable"],
    ["a lost answer", { lost: "answer" }, "target-unreachable"],
  ])(
    "%s at every request is a retryable answer, and the same call again goes on",
    async (_name, how, code) => {
      let points = 0;
      for (let at = 1, reached = true; reached; at += 1) {
        const { w, supplied, holds, endpointsAreThoseOfTheValue } = await prepared("rotation");
        const rotation = await w.secret.supply("second", supplied);
        let calls = 0;
        w.hooks.before = () => {
          calls += 1;
          if (calls === at) w.stripe.failNext({ how });
        };
        const found = await codeOf(w.secret.run(rotation));
        delete w.hooks.before;
        reached = found !== "none";
        if (!reached) break;
        points += 1;
        expect(found).toBe(code);
        await holds();
        await w.secret.run(rotation);
        await holds();
        endpointsAreThoseOfTheValue();
      }
      expect(points).toBeGreaterThan(4);
    },
    60_000,
  );
});

describe("bad input", () => {
  const other = (key: string): string =>
    key.replace(/_(test|live)_/, (_, mode) => (mode === "test" ? "_live_" : "_test_"));

  /** Puts a value past the operator's tool, as a person with the AWS console does, and runs the function. */
  const byHand = async (w: World, change: (value: StripeValue) => object): Promise<string> => {
    const version = versionId("by hand");
    const store = new SecretsManagerStore(w.secret.secrets.client);
    await store.putPending(w.secret.name, version, JSON.stringify(change(w.current())));
    return codeOf(w.secret.run({ versionId: version, steps: ["setSecret", "testSecret", "finishSecret"] }));
  };

  test.each<[string, (w: World) => (value: StripeValue) => object, string]>([
    [
      "a wrong prefix",
      (w) => (value) => ({ ...value, secretKey: w.keys().publishableKey }),
      "value-malformed",
    ],
    [
      "a live key where the mode is test",
      (w) => (value) => ({ ...value, secretKey: other(w.keys().secretKey) }),
      "wrong-environment",
    ],
    [
      "a publishable key of the other mode",
      (w) => (value) => ({ ...value, ...w.keys(), publishableKey: other(value.publishableKey) }),
      "wrong-environment",
    ],
    [
      "a key of another account",
      (w) => (value) => ({ ...value, ...w.stripe.createKeys(w.stripe.createAccount(), "test") }),
      "user-mismatch",
    ],
    [
      "a key that Stripe does not know",
      () => (value) => ({ ...value, secretKey: `${value.secretKey}x` }),
      "target-refused",
    ],
    [
      "a restricted key that may not see endpoints",
      (w) => (value) => ({ ...value, ...w.stripe.createKeys(w.account, "test", ["balance_read"]) }),
      "right-missing",
    ],
    ["the current value again", () => (value) => value, "value-repeated"],
    [
      "webhook secrets of another value",
      (w) => (value) => ({
        ...value,
        ...w.keys(),
        webhookSecrets: { next: null, current: { id: "we_other", secret: "whsec_other" }, previous: null },
      }),
      "stale-version",
    ],
  ])("%s: refused, and nothing is lost", async (_name, change, code) => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    w.arrived();
    const [version, endpoints] = [w.secret.currentVersion, w.endpoints()];
    expect(await byHand(w, change(w))).toBe(code);
    expect(w.secret.currentVersion).toBe(version);
    expect(w.endpoints()).toEqual(endpoints);
  });

  test.each<[string, WorldProps, (w: World) => object, string]>([
    [
      "a test key in production",
      { mode: "live", webhook: false },
      (w) => w.stripe.createKeys(w.account, "test"),
      "wrong-environment",
    ],
    [
      "a live key in development",
      { webhook: false },
      (w) => w.stripe.createKeys(w.account, "live"),
      "wrong-environment",
    ],
    [
      "a key that Stripe does not know",
      { webhook: false },
      (w) => ({ ...w.keys(), secretKey: `${w.keys().secretKey}x` }),
      "target-refused",
    ],
    [
      "a key of another account than the settings name",
      { webhook: false, accountNamed: true },
      (w) => w.stripe.createKeys(w.stripe.createAccount(), "test"),
      "user-mismatch",
    ],
    [
      "a restricted key where the settings name the account",
      { webhook: false, accountNamed: true },
      (w) => w.stripe.createKeys(w.account, "test", ["balance_read"]),
      "right-missing",
    ],
    [
      "a restricted key that may not read the balance",
      { webhook: false },
      (w) => w.stripe.createKeys(w.account, "test", ["webhook_write"]),
      "right-missing",
    ],
  ])("%s, as the second value: refused", async (_name, props, supplied, code) => {
    const w = await world(props);
    await w.secret.operate("first", w.keys());
    const version = w.secret.currentVersion;
    expect(await codeOf(w.secret.operate("second", supplied(w)))).toBe(code);
    expect(w.secret.currentVersion).toBe(version);
  });

  test("a key of another account with webhooks: refused before an endpoint is made there", async () => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    w.arrived();
    const elsewhere = w.stripe.createAccount();
    expect(await codeOf(w.secret.operate("second", w.stripe.createKeys(elsewhere, "test")))).toBe(
      "user-mismatch",
    );
    expect(w.stripe.endpoints(elsewhere, "test")).toEqual([]);
  });

  test("sixteen endpoints are there already", async () => {
    const w = await world();
    for (let n = 0; n < 16; n += 1) w.stripe.createEndpoint(w.account, "test", `${w.receiver.url}/${n}`);
    await expect(w.secret.operate("first", w.keys())).rejects.toThrow(
      /target-misconfigured: .*delete one of the 16/,
    );
  });

  test("nothing was supplied", async () => {
    const w = await world({ webhook: false });
    await w.secret.operate("first", w.keys());
    w.arrived();
    expect(await codeOf(w.secret.rotate(versionId("second")))).toBe("operator-needed");
  });

  test("a value that was put by hand in between is not undone by the rotation that it overtook", async () => {
    const w = await world();
    await w.secret.operate("first", w.keys());
    w.arrived();
    const rotation = await w.secret.supply("second", w.keys());
    for (const step of ["createSecret", "setSecret"] as const) await w.secret.step(step, rotation.versionId);
    const stranger = { id: null, secret: "whsec_other" };
    const value = { ...w.current(), webhookSecrets: { next: null, current: stranger, previous: null } };
    w.secret.secrets.putByHand(w.secret.name, versionId("by hand"), JSON.stringify(value));
    expect(await codeOf(w.secret.step("finishSecret", rotation.versionId))).toBe("stale-version");
    expect(w.secret.currentVersion).toBe(versionId("by hand"));
  });

  test("a host that is not Stripe", async () => {
    const w = await world({ webhook: false });
    w.stripe.failNext({ how: { status: 404 } });
    expect(await codeOf(w.secret.operate("first", w.keys()))).toBe("target-misconfigured");
  });

  test("where every key is refused, the old one is not called dead", async () => {
    const w = await world({ webhook: false });
    const first = await w.secret.operate("first", w.keys());
    w.arrived();
    await w.secret.operate("second", w.keys());
    w.arrived();
    w.stripe.failNext({ how: { status: 401 }, times: 2 });
    expect(await codeOf(w.secret.phase("decommission", first))).toBe("target-refused");
  });

  test("an unreachable Stripe", async () => {
    const w = await world({ webhook: false });
    const rotation = await w.secret.supply("first", w.keys());
    await w.stripe.stop();
    expect(await codeOf(w.secret.run(rotation))).toBe("target-unreachable");
  });
});

test("restricted keys rotate, too, when they may read the balance and change webhook endpoints", async () => {
  const w = await world({ permissions: ["balance_read", "webhook_read", "webhook_write"] });
  await w.secret.operate("first", w.keys());
  w.arrived();
  await wholeRotation(w, "second");
  expect(w.endpoints()).toHaveLength(1);
});

test("ten rotations without webhooks: the old key works through the overlap and is dead after decommission", async () => {
  const w = await world({ webhook: false });
  await w.secret.operate("first", w.keys());
  for (let n = 1; n <= 10; n += 1) {
    const [version, held] = [w.secret.currentVersion ?? "", w.current()];
    await w.secret.operate(`rotation ${n}`, w.keys());
    w.secret.confirm();
    for (const { secretKey } of [held, w.current()]) expect(await w.api.accepts(secretKey)).toBe(true);
    expect(await codeOf(w.secret.phase("decommission", version))).toBe("overlap-running");
    w.arrived();
    await expect(w.secret.phase("decommission", version)).rejects.toThrow(
      /expire the old secret key .*dashboard/,
    );
    w.stripe.expireKey(held.secretKey);
    for (const _ of [1, 2]) await w.secret.phase("decommission", version);
    expect([await w.api.accepts(held.secretKey), await w.api.accepts(w.current().secretKey)]).toEqual([
      false,
      true,
    ]);
  }
});

test("no log line and no error holds a value, whatever fails", async () => {
  const w = await world();
  let written = "";
  const take = (chunk: unknown): boolean => {
    written += String(chunk);
    return true;
  };
  const spies = [jest.spyOn(process.stdout, "write"), jest.spyOn(process.stderr, "write")].map((spy) =>
    spy.mockImplementation(take),
  );
  const canaries = new Set<string>();
  try {
    const redaction = new Redaction();
    const handler = handlerOf(
      {
        kind: "stripe",
        environment: "test",
        region: "eu-central-1",
        publicationsTable: "publications",
        auditKeyAlias: "alias/audit",
        secrets: {
          [w.secret.name]: {
            settings: w.settings,
            rotation: "operator-assisted",
            inbox: w.secret.inbox,
            acceptedBy: "target",
            overlap: { seconds: HOUR },
            publishLead: { seconds: HOUR },
          },
        },
      },
      {
        store: new SecretsManagerStore(w.secret.secrets.client),
        publications: w.secret.publications,
        proofs: w.secret.proofs,
        runs: w.secret.implied,
        clock: w.secret.clock,
        random: testRandom,
        log: jsonLog("test", { kind: "stripe" }, redaction.redact),
        redaction,
      },
      ({ settings, rotation, clock, random }) =>
        stripeTarget({
          settings,
          mode: rotation,
          stripe: new StripeApi(settings),
          keys: stripeKeysApi(settings, () => Promise.reject(new Error("people make these keys"))),
          clock,
          random,
        }),
    );
    const call = async (event: object): Promise<void> => {
      await handler({ SecretId: w.secret.name, ...event }).catch((failure: unknown) => {
        written += `${failure instanceof Error ? failure.stack : ""}${JSON.stringify(failure)}`;
      });
      const value = w.secret.current;
      for (const key of Object.values(value?.webhookSecrets ?? {}))
        if (key !== null) canaries.add(key.secret);
      for (const key of [value?.secretKey, value?.publishableKey]) if (key !== undefined) canaries.add(key);
    };
    for (const [n, status] of [undefined, 401, 403, 429, 500].entries()) {
      const keys = w.keys();
      canaries.add(keys.secretKey).add(keys.publishableKey);
      const { versionId: version, steps } = await w.secret.supply(`rotation ${n}`, keys);
      for (const Step of steps) {
        if (status !== undefined) w.stripe.failNext({ how: { status } });
        for (const _ of [1, 2]) await call({ Step, ClientRequestToken: version });
      }
      w.arrived();
      for (const Phase of ["promote", "decommission", "verify", "rollback"] as const) {
        w.secret.implied.imply(Phase, version, { runId: `${Phase}-${n}`, emergency: false });
        await call({ Phase, RunId: `${Phase}-${n}` });
        w.arrived();
      }
    }
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  expect(written).toContain("createSecret");
  expect(written).toContain("throttled");
  expect(canaries.size).toBeGreaterThan(10);
  for (const canary of canaries) expect(written).not.toContain(canary);
});
