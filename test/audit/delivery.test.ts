import { randomBytes, randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import type { OcsfEvent } from "../../lib/audit";
import { httpsPost } from "../../lib/audit/adapters/https-post";
import { hourPrefixes } from "../../lib/audit/delivery/archive-key";
import { Deliverer, httpSink } from "../../lib/audit/delivery/deliverer";
import { Normaliser } from "../../lib/audit/delivery/normaliser";
import type { QueuedMessage } from "../../lib/audit/delivery/ports";
import { messagesOf } from "../../lib/audit/delivery/queued-messages";
import type { HttpSink } from "../../lib/audit/delivery/requests";
import type { AuditCount } from "../../lib/contracts/audit-settings";
import { cloudTrailEvent, type TrailCaller } from "../../packages/rehearsal/src/audit/cloudtrail-model";
import { type SiemReceiver, startSiemReceiver } from "../../packages/rehearsal/src/audit/siem-receiver";
import { propertyRuns } from "../property-runs";
import { ACCOUNT, REGION, ROLES, SCOPE, SECRET } from "./audit-world";

const silence = { info: () => undefined, warn: () => undefined };
const session = (roleArn: string): TrailCaller => ({ is: "session", roleArn, session: "s" });
const read = (eventId: string, roleArn = ROLES.backend, more: object = {}): string =>
  JSON.stringify(
    cloudTrailEvent({
      service: "secretsmanager",
      operation: "GetSecretValue",
      account: ACCOUNT,
      region: REGION,
      identity: session(roleArn),
      request: { SecretId: SECRET },
      eventId,
      time: new Date("2026-12-01T09:30:00Z"),
      ...more,
    }),
  );
const message = (body: string): QueuedMessage => ({ messageId: randomUUID(), body });

/** The outside of the normaliser, which may die before or after any call. */
class World {
  readonly objects = new Map<string, string>();
  readonly queues = new Map<string, string[]>([
    ["siem-a", []],
    ["siem-b", []],
    ["dead", []],
  ]);
  readonly counted: Partial<Record<AuditCount, number>> = {};
  calls = 0;
  /** Call that dies, and whether it was done. */
  death: { readonly call: number; readonly done: boolean } | undefined;

  readonly normaliser = new Normaliser({
    settings: { scope: SCOPE, archive: "archive", sinkQueues: ["siem-a", "siem-b"], deadLetters: "dead" },
    archive: {
      writeOnce: (key, text) =>
        this.#call(() => {
          if (!this.objects.has(key)) this.objects.set(key, text);
        }),
    },
    outlet: {
      send: (queue, bodies) => this.#call(() => void this.queues.get(queue)?.push(...bodies)),
    },
    facts: { of: async () => ({ run: { run: "r1", change: "CH-1" } }) },
    counts: {
      add: async (counts) => {
        for (const [what, by] of Object.entries(counts) as [AuditCount, number][])
          this.counted[what] = (this.counted[what] ?? 0) + by;
      },
    },
    log: silence,
  });

  async #call(act: () => void): Promise<void> {
    const at = this.calls++;
    const dies = this.death?.call === at;
    if (dies && !this.death?.done) throw new Error("killed before");
    act();
    if (dies) throw new Error("killed after");
  }

  /** Brings messages until none comes again, as SQS does. */
  async drain(messages: readonly QueuedMessage[]): Promise<void> {
    let left = messages;
    for (let round = 0; left.length > 0; round += 1) {
      if (round > 5) throw new Error("messages come again for ever");
      const { batchItemFailures } = await this.normaliser.run(left);
      left = left.filter(({ messageId }) =>
        batchItemFailures.some((item) => item.itemIdentifier === messageId),
      );
    }
  }

  idsIn(queue: string): ReadonlySet<string> {
    return new Set(
      (this.queues.get(queue) ?? []).map((text) => (JSON.parse(text) as OcsfEvent).metadata.uid),
    );
  }
}

describe("the normaliser", () => {
  it("loses nothing and doubles nothing, wherever it is killed", async () => {
    const ids = Array.from({ length: 3 }, () => randomUUID());
    const batch = [
      ...ids.map((id) => message(read(id))),
      message(read(ids[0] ?? "")), // the same call by another rule
      message("{"),
      message(read(randomUUID(), ROLES.backend, { request: { SecretId: "stage/x" } })),
    ];
    const whole = new World();
    await whole.drain(batch);
    const calls = whole.calls;
    let deaths = 0;
    for (let call = 0; call < calls; call += 1) {
      for (const done of [false, true]) {
        const world = new World();
        world.death = { call, done };
        await world.drain(batch);
        deaths += 1;
        expect([...world.objects.keys()].sort()).toEqual([...whole.objects.keys()].sort());
        expect(world.idsIn("siem-a")).toEqual(whole.idsIn("siem-a"));
        expect(world.idsIn("siem-b")).toEqual(whole.idsIn("siem-b"));
        expect(new Set(world.queues.get("dead"))).toEqual(new Set(["{"]));
      }
    }
    expect(whole.objects.size).toBe(3);
    process.stdout.write(
      `normaliser killed ${deaths} times over ${calls} calls: ${batch.length} messages in, 3 events, 1 dead letter, 1 not ours; 0 lost, 0 doubled by id\n`,
    );
  });

  it("counts what alarms look at", async () => {
    const world = new World();
    await world.drain([
      message(read(randomUUID())),
      message(read(randomUUID(), ROLES.stranger)),
      message(read(randomUUID(), ROLES.breakGlass)),
      message(read(randomUUID(), ROLES.stranger, { error: "AccessDeniedException" })),
      message(
        JSON.stringify({
          source: "aws.events",
          "detail-type": "Scheduled Event",
          time: "2026-12-01T10:00:00Z",
        }),
      ),
      message("[]"),
    ]);
    expect(world.counted).toEqual({
      reads: 3,
      "foreign-reads": 1,
      "break-glass-reads": 1,
      refusals: 1,
      silent: 0,
      malformed: 1,
    });
  });

  it("takes whatever bytes there are without an exception", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.string(), fc.json()), { maxLength: 5 }), async (bodies) => {
        const world = new World();
        await world.drain(bodies.map(message));
        expect(world.objects.size).toBe(0);
        expect(world.queues.get("dead")).toHaveLength(bodies.length);
      }),
      propertyRuns("malformed messages", { ci: 100, nightly: 10_000 }),
    );
  });
});

it("reads lines of a log group as entries of an audit device", () => {
  const data = gzipSync(
    JSON.stringify({
      logEvents: [
        { id: "1", message: '{"type":"response"}' },
        { id: "2", message: "no JSON" },
      ],
    }),
  ).toString("base64");
  expect(messagesOf({ awslogs: { data } }).map(({ body }) => body)).toEqual([
    '{"source":"secrets-registry.vault","detail-type":"Vault Audit Entry","detail":{"type":"response"}}',
    "no JSON",
  ]);
  expect(() => messagesOf({})).toThrow("neither");
});

it("names the hours of a range", () => {
  expect(hourPrefixes(new Date("2026-11-30T22:59:59Z"), new Date("2026-12-01T00:00:00Z"))).toEqual([
    "events/2026/11/30/22/",
    "events/2026/11/30/23/",
    "events/2026/12/01/00/",
  ]);
});

describe("delivery to a receiver that speaks HTTPS", () => {
  const token = randomBytes(18).toString("base64url");
  let receiver: SiemReceiver;
  beforeEach(async () => {
    receiver = await startSiemReceiver(token);
  });
  afterEach(() => receiver.close());

  const credential = { secretArn: `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:siem/token-Ab12Cd` };
  const sinks = (): readonly HttpSink[] => [
    {
      type: "splunk-hec",
      name: "splunk",
      url: receiver.url,
      caPem: receiver.caPem,
      index: "audit",
      token: credential,
    },
    { type: "datadog", name: "datadog", url: receiver.url, caPem: receiver.caPem, apiKey: credential },
    {
      type: "https",
      name: "header",
      url: `${receiver.url}/in`,
      caPem: receiver.caPem,
      auth: "header",
      credential,
    },
    {
      type: "https",
      name: "signed",
      url: `${receiver.url}/in`,
      caPem: receiver.caPem,
      auth: "signature",
      credential,
    },
  ];

  /** A queue with its deliverer. */
  function queueTo(sink: HttpSink, secrets: { current: string } = { current: token }) {
    const dead: string[] = [];
    let cached: string | undefined;
    const deliverer = new Deliverer({
      settings: { deadLetters: "dead" },
      sink: httpSink(sink, {
        send: httpsPost(300),
        secret: async (fresh) => {
          if (fresh || cached === undefined) cached = secrets.current;
          return cached;
        },
        now: () => new Date(),
      }),
      outlet: { send: async (_queue, bodies) => void dead.push(...bodies) },
      log: silence,
    });
    let waiting: readonly QueuedMessage[] = [];
    return {
      dead,
      put: (bodies: readonly string[]) => {
        waiting = [...waiting, ...bodies.map(message)];
      },
      get waiting() {
        return waiting.length;
      },
      async turn() {
        const { batchItemFailures } = await deliverer.run(waiting);
        waiting = waiting.filter(({ messageId }) =>
          batchItemFailures.some((item) => item.itemIdentifier === messageId),
        );
      },
    };
  }

  async function someEvents(count: number): Promise<readonly string[]> {
    const world = new World();
    await world.drain(Array.from({ length: count }, () => message(read(randomUUID()))));
    return world.queues.get("siem-a") ?? [];
  }
  const idOf = (text: string): string => (JSON.parse(text) as OcsfEvent).metadata.uid;
  const receivedIds = (): readonly string[] => receiver.received.map(({ metadata }) => metadata.uid);

  it.each([0, 1, 2, 3])("sink %i: everything arrives, as its vendor takes it", async (at) => {
    const queue = queueTo(sinks()[at] as HttpSink);
    const events = await someEvents(5);
    queue.put(events);
    await queue.turn();
    expect(queue.waiting).toBe(0);
    expect([...receivedIds()].sort()).toEqual(events.map(idOf).sort());
    expect(receiver.received[0]?.actor.user?.uid).toContain("acme-prod-backend");
    expect(queue.dead).toEqual([]);
  });

  it.each([0, 1, 2, 3])(
    "sink %i: down, slow, 4xx, 5xx, half an answer: nothing is lost, nothing is doubled by id",
    async (at) => {
      const sink = sinks()[at] as HttpSink;
      const secrets = { current: token };
      const queue = queueTo(sink, secrets);
      const sent: string[] = [];
      const put = async (count: number): Promise<void> => {
        const events = await someEvents(count);
        sent.push(...events);
        queue.put(events);
      };
      for (const mode of [
        { is: "reset" },
        { is: "status", status: 500 },
        { is: "status", status: 503, body: JSON.stringify({ text: "Server is busy", code: 9 }) },
        { is: "status", status: 429 },
        { is: "status", status: 404 },
        { is: "status", status: 301 },
        { is: "slow", ms: 500 },
        { is: "half" },
      ] as const) {
        receiver.mode = mode;
        await put(2);
        await queue.turn();
        expect(queue.waiting).toBe(sent.length);
      }
      receiver.mode = { is: "up" };
      // The credential was rotated at the sink: the new one is read when the old one is refused.
      secrets.current = randomBytes(18).toString("base64url");
      receiver.credential = secrets.current;
      await queue.turn();
      expect(queue.waiting).toBe(0);
      expect(queue.dead).toEqual([]);
      expect(new Set(receivedIds())).toEqual(new Set(sent.map(idOf)));
      process.stdout.write(
        `${sink.name}: ${sent.length} events in, ${new Set(receivedIds()).size} out by id, ${receiver.received.length} deliveries, 0 lost\n`,
      );
    },
  );

  it.each([0, 1, 2])("sink %i: one event that it never takes goes to the dead letters, alone", async (at) => {
    const queue = queueTo(sinks()[at] as HttpSink);
    const events = await someEvents(7);
    receiver.mode = { is: "refuse-some", ids: [idOf(events[4] ?? "")] };
    queue.put([...events, "not an event"]);
    await queue.turn();
    expect(queue.waiting).toBe(0);
    expect([...queue.dead].sort()).toEqual([events[4], "not an event"].sort());
    expect(new Set(receivedIds()).size).toBe(6);
  });

  it("a wrong index or a token that is off are settings: the events wait", async () => {
    const [sink] = sinks();
    const queue = queueTo(sink as HttpSink);
    queue.put(await someEvents(2));
    receiver.mode = { is: "status", status: 400, body: JSON.stringify({ text: "Incorrect index", code: 7 }) };
    await queue.turn();
    receiver.mode = { is: "status", status: 403, body: JSON.stringify({ text: "Token disabled", code: 1 }) };
    await queue.turn();
    expect([queue.waiting, queue.dead.length]).toEqual([2, 0]);
  });

  it("trusts no other certificate", async () => {
    const { caPem: _, ...sink } = sinks()[0] as HttpSink;
    const queue = queueTo(sink);
    queue.put(await someEvents(1));
    await queue.turn();
    expect([queue.waiting, receiver.requests]).toEqual([1, 0]);
  });
});
