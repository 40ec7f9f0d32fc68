import { type KindSettings, type KindSettingsInput, settingsSchema } from "../../../lib/model/kinds";
import { datadogApi, datadogUrl } from "../../../lib/rotation/adapters/datadog-api";
import { STEPS } from "../../../lib/rotation/protocol/event";
import { once } from "../../../lib/rotation/protocol/once";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import {
  type DatadogAdmin,
  type DatadogValue,
  datadogAdminSchema,
  datadogTarget,
} from "../../../lib/rotation/targets/datadog";
import {
  type DatadogKeys,
  type DatadogServer,
  type DatadogServerOptions,
  startDatadog,
} from "../../../packages/rehearsal/src/vendors/datadog-server";
import type { InjectedFailure } from "../../../packages/rehearsal/src/vendors/vendor-server";
import { crashEverywhere } from "../models/crash-everywhere";
import type { CrashPlan } from "../models/crash-plan";
import { RehearsedSecret, TestClock, testRandom, versionId } from "../models/rehearsed-secret";
import { VendorFunction } from "../models/vendor-function";

jest.setTimeout(60_000);

const HOUR = 3_600;
const v = (n: number | string): string => versionId(`datadog rotation ${n}`);
const parsed = (settings: Partial<KindSettingsInput<"datadog">> = {}) =>
  settingsSchema("datadog").parse({
    org: "acme",
    serviceAccountId: "unknown",
    ...settings,
  }) as KindSettings<"datadog">;

const servers: DatadogServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function organisation(options: DatadogServerOptions = {}): Promise<DatadogServer> {
  const server = await startDatadog(options);
  servers.push(server);
  return server;
}

interface WorldProps extends DatadogServerOptions {
  readonly settings?: Partial<KindSettingsInput<"datadog">>;
  readonly adminOf?: (server: DatadogServer) => DatadogAdmin;
}

const versionsIn = (names: readonly string[]): readonly string[] =>
  names.map((name) => /@(.+)\./.exec(name)?.[1] ?? name);

/** A secret with its organisation at Datadog, whose clock is the secret's. */
async function world({ settings, adminOf = ({ admin }) => admin, ...options }: WorldProps = {}) {
  let clock = new TestClock();
  const datadog = await organisation({ now: () => clock.now(), ...options });
  const all = parsed({ apiUrl: datadog.url, serviceAccountId: datadog.serviceAccountId, ...settings });
  const adminKeys = adminOf(datadog);
  const secret: RehearsedSecret<DatadogValue> = new RehearsedSecret<DatadogValue>({
    target: (plan) => {
      const { admin } = plan.wrap({ admin: async () => adminKeys });
      const { apiKeys, appKeys, takesApiKey, takesBoth } = datadogApi(all, admin);
      return datadogTarget({
        settings: all,
        admin,
        datadog: {
          apiKeys: plan.wrap(apiKeys),
          appKeys: plan.wrap(appKeys),
          ...plan.wrap({ takesApiKey, takesBoth }),
        },
        clock: secret.clock,
        random: testRandom,
      });
    },
    overlap: HOUR,
  });
  clock = secret.clock;
  return {
    server: datadog,
    secret,
    /** Every Vault has the value, and the overlap is over. */
    arrived: (): void => {
      secret.confirm();
      secret.clock.advance(HOUR + 1);
    },
    current: (): DatadogValue => {
      if (secret.current === undefined) throw new Error("no current value");
      return secret.current;
    },
    works: (): boolean => secret.current !== undefined && datadog.takes(secret.current),
    /** Versions of the keys in the organisation, as their names tell: API keys, application keys. */
    versions: () => [versionsIn(datadog.apiKeyNames), versionsIn(datadog.appKeyNames)],
  };
}

/** Works as an agent does: it sends with the API key, and it reads with both. */
async function agentWorks(server: DatadogServer, { apiKey, appKey }: DatadogValue): Promise<boolean> {
  const headers = { "dd-api-key": apiKey, "dd-application-key": appKey };
  const sent = await fetch(`${server.url}/api/v2/series`, { method: "POST", headers });
  const read = await fetch(`${server.url}/api/v2/validate_keys`, { headers });
  return sent.status === 202 && read.status === 200;
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (failure: unknown) => (failure instanceof RotationError ? failure.code : String(failure)),
  );

test("ten rotations in a row, from an empty secret on: consumers with old and new keys never fail", async () => {
  const { server, secret, arrived, current, versions } = await world({ propagation: 2 });
  await secret.rotate(v(0));
  let held = [current()];
  let attempts = 0;
  let failed = 0;
  let running = true;
  let rounds = 0;
  const prober = (async () => {
    while (running) {
      rounds += 1;
      for (const value of held) {
        const worked = await agentWorks(server, value);
        attempts += 1;
        if (!worked && held.includes(value)) failed += 1;
      }
    }
  })();
  for (let n = 1; n <= 10; n += 1) {
    const before = current();
    arrived();
    await secret.rotate(v(n));
    expect(await agentWorks(server, before)).toBe(true);
    held = [before, current()];
    expect(versions()).toEqual([
      [v(n - 1), v(n)],
      [v(n - 1), v(n)],
    ]);
    held = [current()];
    // A request with the old pair may be under way.
    for (const from = rounds; rounds < from + 2; ) await new Promise(setImmediate);
    arrived();
    for (const _ of [1, 2]) await secret.phase("decommission", v(n - 1));
    expect(server.takes(before)).toBe(false);
    expect(versions()).toEqual([[v(n)], [v(n)]]);
  }
  running = false;
  await prober;
  process.stdout.write(`Datadog: ${attempts} times agents worked during 10 rotations, ${failed} failed\n`);
  expect(failed).toBe(0);
  expect(attempts).toBeGreaterThan(20);
});

test("a crash at every call converges: no orphan of either sort, what consumers hold goes on working", async () => {
  let rotations = 0;
  for (const earlier of [0, 1]) {
    rotations += await crashEverywhere(async () => {
      const { server, secret, arrived, works, versions } = await world();
      if (earlier > 0) {
        await secret.rotate(v(1));
        arrived();
      }
      const held = secret.current;
      const holds = async () => expect(held === undefined || server.takes(held)).toBe(true);
      return {
        work: (plan?: CrashPlan) => secret.rotate(v(9), plan),
        afterCrash: holds,
        afterAll: async () => {
          await holds();
          expect(works()).toBe(true);
          const left = earlier > 0 ? [v(1), v(9)] : [v(9)];
          expect(versions()).toEqual([left, left]);
        },
      };
    });
  }
  const decommissions = await crashEverywhere(async () => {
    const { secret, arrived, works, versions } = await world();
    await secret.rotate(v(1));
    arrived();
    await secret.rotate(v(2));
    arrived();
    return {
      work: (plan) => secret.phase("decommission", v(1), plan && { plan }),
      afterCrash: async () => expect(works()).toBe(true),
      afterAll: async () => {
        expect(works()).toBe(true);
        expect(versions()).toEqual([[v(2)], [v(2)]]);
      },
    };
  });
  process.stdout.write(
    `Datadog: ${rotations} crash points in two rotations, ${decommissions} in a decommission\n`,
  );
  expect(rotations).toBeGreaterThan(100);
  expect(decommissions).toBeGreaterThan(20);
}, 300_000);

test("lost requests and answers, 429, 500 and 503 at every request: the next try converges", async () => {
  const hows: readonly InjectedFailure["how"][] = [
    { lost: "request" },
    { lost: "answer" },
    { status: 429 },
    { status: 500 },
    { status: 503 },
  ];
  let injected = 0;
  for (const how of hows) {
    for (let skip = 0, reached = true; reached; skip += 1) {
      const { server, secret, arrived, current, works, versions } = await world();
      await secret.rotate(v(1));
      arrived();
      const held = current();
      server.failNext({ how, skip });
      const code = await codeOf(secret.rotate(v(2)));
      reached = code !== "none";
      if (reached) {
        injected += 1;
        expect(code).toBe("status" in how && how.status === 429 ? "throttled" : "target-unreachable");
        expect(server.takes(held)).toBe(true);
        await secret.rotate(v(2));
      }
      expect(works()).toBe(true);
      expect(versions()).toEqual([
        [v(1), v(2)],
        [v(1), v(2)],
      ]);
    }
  }
  process.stdout.write(`Datadog: ${injected} failures of the vendor during a rotation\n`);
  expect(injected).toBeGreaterThan(40);
});

describe("two invocations at once", () => {
  test.each<[string, string, readonly (typeof STEPS)[number][]]>([
    ["list of application keys", "GET /api/v2/service_accounts", STEPS],
    ["application key", "POST /api/v2/service_accounts", ["createSecret"]],
    ["application key", "POST /api/v2/service_accounts", STEPS],
    ["API key", "POST /api/v2/api_keys", ["createSecret", "setSecret"]],
    ["API key", "POST /api/v2/api_keys", STEPS],
  ])("one waits for its %s (%s) while another does %j: one pair, and it works", async (_what, on, steps) => {
    const { server, secret, works, versions } = await world();
    secret.secrets.stage(secret.name, v(1));
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.failNext({ how: { until }, on });
    const slow = secret.step("createSecret", v(1));
    while (!server.calls.some((call) => call.startsWith(on))) await new Promise(setImmediate);
    for (const step of steps) await secret.step(step, v(1));
    release();
    await slow;
    for (const step of STEPS) await secret.step(step, v(1));
    expect(works()).toBe(true);
    expect(versions()).toEqual([[v(1)], [v(1)]]);
  });

  test.each([2, 5])("%d calls for each step", async (count) => {
    const { secret, works, versions } = await world();
    secret.secrets.stage(secret.name, v(1));
    for (const step of STEPS) {
      const calls = Array.from({ length: count }, () => codeOf(secret.step(step, v(1))));
      expect(await Promise.all(calls)).toEqual(
        Array.from({ length: count }, () => expect.stringMatching(/^(none|label-moved)$/)),
      );
    }
    expect(works()).toBe(true);
    expect(versions()).toEqual([[v(1)], [v(1)]]);
  });
});

test("the pair of the version before stays until it is decommissioned, and goes with the next rotation at the latest", async () => {
  const { server, secret, arrived, versions } = await world();
  server.makeKeys("made by a person");
  for (let n = 1; n <= 5; n += 1) {
    await secret.rotate(v(n));
    arrived();
  }
  const left = ["made by a person", v(4), v(5)];
  expect(versions()).toEqual([left, left]);
});

test("keys on later pages are seen", async () => {
  const { server, secret, arrived, versions } = await world({ mostApiKeys: 500 });
  for (let n = 0; n < 150; n += 1) server.makeKeys(`key ${n}`);
  server.failNext({ how: { lost: "answer" }, on: "POST /api/v2/api_keys" });
  expect(await codeOf(secret.rotate(v(1)))).toBe("target-unreachable");
  await secret.rotate(v(1));
  arrived();
  for (const names of versions()) expect(names.filter((name) => !name.startsWith("key "))).toEqual([v(1)]);
});

test.each([400, 403] as const)(
  "an organisation without room (%d): says so, leaves nothing, and nothing is lost",
  async (fullStatus) => {
    const { server, secret, arrived, works, versions } = await world({ fullStatus });
    await secret.rotate(v(1));
    arrived();
    while (server.apiKeyNames.length < 49) server.makeKeys(`key ${server.apiKeyNames.length}`);
    for (const _ of [1, 2, 3]) {
      const failure = await secret.rotate(v(2)).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "target-misconfigured" });
      expect(String(failure)).toContain("there are 50 api_keys, and Datadog allows 50");
    }
    expect(works()).toBe(true);
    expect(versions().flat()).not.toContain(v(2));
  },
);

describe("what is refused", () => {
  const person =
    (...permissions: readonly string[]) =>
    (server: DatadogServer): DatadogAdmin =>
      server.makePerson(permissions);
  const reads = ["api_keys_read", "service_account_write"];

  test.each<[string, WorldProps, string, string]>([
    [
      "an admin API key that Datadog does not know",
      { adminOf: ({ admin }) => ({ ...admin, apiKey: "0".repeat(32) }) },
      "admin-refused",
      "127.0.0.1",
    ],
    [
      "an admin application key that Datadog does not know",
      { adminOf: ({ admin }) => ({ ...admin, appKey: "ddapp_unknown" }) },
      "admin-refused",
      "127.0.0.1",
    ],
    [
      "an admin without a right to the service account",
      { adminOf: person("api_keys_read", "api_keys_write") },
      "right-missing",
      "service_account_write",
    ],
    ["an admin that cannot make API keys", { adminOf: person(...reads) }, "right-missing", "api_keys_write"],
    [
      "a service account that is not there",
      { settings: { serviceAccountId: "0b2c/../x" } },
      "target-misconfigured",
      "there is no service account 0b2c/../x",
    ],
    [
      "a scope that Datadog does not have",
      { settings: { appKeyScopes: ["metrics_read", "metrics_raed"] } },
      "target-misconfigured",
      "does not grant metrics_read, metrics_raed",
    ],
  ])("%s", async (_what, props, code, text) => {
    const { server, secret } = await world(props);
    const failure = await secret.rotate(v(1)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect(String(failure)).toContain(text);
    expect(secret.current).toBeUndefined();
    expect(versionsIn(server.appKeyNames)).toEqual([]);
  });

  test("an admin of another site", async () => {
    const { admin } = await organisation();
    const { secret } = await world({ adminOf: () => admin });
    expect(await codeOf(secret.rotate(v(1)))).toBe("admin-refused");
  });

  test("keys of an account that was disabled, and an API key that is gone", async () => {
    const { server, secret, current } = await world();
    await secret.rotate(v(1));
    secret.secrets.putByHand(
      secret.name,
      v("hand"),
      JSON.stringify({ ...current(), apiKey: "0".repeat(32) }),
    );
    expect(await codeOf(secret.phase("verify", v("hand")))).toBe("target-refused");
    server.disableServiceAccount();
    const failure = await secret.phase("verify", v(1)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "target-refused" });
    expect(String(failure)).toContain(`service account ${server.serviceAccountId}`);
  });
});

test("an application key gets the scopes of the settings", async () => {
  const { secret, works } = await world({ settings: { appKeyScopes: ["metrics_read"] } });
  await secret.rotate(v(1));
  expect(works()).toBe(true);
});

describe("decommission", () => {
  test("waits for a consumer that still presents the old API key, unless it is an emergency", async () => {
    const { server, secret, arrived, current } = await world();
    await secret.rotate(v(1));
    const old = current();
    arrived();
    await secret.rotate(v(2));
    arrived();
    secret.clock.advance(60);
    expect(await agentWorks(server, old)).toBe(true);
    expect(await codeOf(secret.phase("decommission", v(1)))).toBe("still-presented");
    expect(await agentWorks(server, old)).toBe(true);
    const leak = await secret.phase("decommission", v(1), { emergency: true });
    expect(leak).toMatchObject({ evidence: { lookedBy: "not-looked" } });
    expect(await agentWorks(server, old)).toBe(false);
    expect(await agentWorks(server, current())).toBe(true);
  });

  test("records when Datadog saw the retired keys last", async () => {
    const { server, secret, arrived, current } = await world();
    await secret.rotate(v(1));
    const old = current();
    arrived();
    await secret.rotate(v(2));
    expect(await agentWorks(server, old)).toBe(true);
    const since = secret.clock.now().toISOString();
    arrived();
    expect(await secret.phase("decommission", v(1))).toMatchObject({
      evidence: { lookedBy: "last-use", since },
    });
  });

  /** A value by hand, and the rotation after it. */
  async function rotatedAfter(byHand: (server: DatadogServer, made: DatadogKeys) => DatadogValue) {
    const all = await world();
    const { server, secret, arrived } = all;
    await secret.rotate(v(1));
    arrived();
    const made = server.makeKeys("made in the web application");
    secret.secrets.putByHand(secret.name, v("hand"), JSON.stringify(byHand(server, made)));
    arrived();
    await secret.rotate(v(2));
    arrived();
    return { ...all, made };
  }

  test("ends a pair that was put by hand", async () => {
    const { server, secret, made, works } = await rotatedAfter((_server, made) => made);
    expect(server.takes(made)).toBe(true);
    await secret.phase("decommission", v("hand"));
    expect(server.takes(made)).toBe(false);
    expect(works()).toBe(true);
  });

  test("does not take an id's word for the key", async () => {
    const { server, secret, made } = await rotatedAfter((server, made) => ({
      ...made,
      apiKeyId: server.makeKeys("innocent").apiKeyId,
    }));
    expect(await codeOf(secret.phase("decommission", v("hand")))).toBe("user-mismatch");
    expect(server.apiKeyNames).toContain("innocent");
    expect(server.takes(made)).toBe(true);
  });

  test("does not call a key retired that works on elsewhere", async () => {
    const { secret } = await rotatedAfter((_server, made) => ({ ...made, apiKeyId: "wrong" }));
    expect(await codeOf(secret.phase("decommission", v("hand")))).toBe("target-busy");
  });

  test("ends no key that was made for another secret", async () => {
    const { server, secret, made } = await rotatedAfter((server) => {
      const [ours = ""] = server.apiKeyNames.filter((name) => name.includes("#"));
      return server.makeKeys(ours.replace(/^[^#]+/, "stage/observability/other"));
    });
    expect(await codeOf(secret.phase("decommission", v("hand")))).toBe("target-not-ours");
    expect(server.takes(made)).toBe(true);
  });

  test("spares the admin's keys", async () => {
    const { server, secret } = await rotatedAfter(({ admin }) => admin);
    expect(await codeOf(secret.phase("decommission", v("hand")))).toBe("user-mismatch");
    expect(server.takes(server.admin)).toBe(true);
  });
});

test.each<[Partial<KindSettingsInput<"datadog">>, string]>([
  [{}, "https://api.datadoghq.eu"],
  [{ site: "us5.datadoghq.com" }, "https://api.us5.datadoghq.com"],
  [{ site: "ap2.datadoghq.com" }, "https://api.ap2.datadoghq.com"],
  [{ site: "uk1.datadoghq.com" }, "https://api.uk1.datadoghq.com"],
  [{ site: "ddog-gov.com" }, "https://api.ddog-gov.com"],
  [{ site: "us2.ddog-gov.com" }, "https://api.us2.ddog-gov.com"],
  [{ apiUrl: "https://proxy.example.com/dd" }, "https://proxy.example.com/dd"],
])("%j: %s", (settings, url) => {
  expect(datadogUrl(parsed(settings))).toBe(url);
});

test("no key in any log line or error, whatever goes wrong", async () => {
  let written = "";
  const spies = [jest.spyOn(process.stdout, "write"), jest.spyOn(process.stderr, "write")].map((spy) =>
    spy.mockImplementation((chunk: unknown) => {
      written += String(chunk);
      return true;
    }),
  );
  try {
    const server = await organisation();
    const { apiKey, appKey } = server.admin;
    const rotated = new VendorFunction({
      kind: "datadog",
      settings: parsed({ apiUrl: server.url, serviceAccountId: server.serviceAccountId }),
      adminValue: { apiKey, appKey },
      targetOf: ({ settings, readAdmin, clock, random }) => {
        const admin = once(() => readAdmin(datadogAdminSchema));
        return datadogTarget({ settings, admin, datadog: datadogApi(settings, admin), clock, random });
      },
    });
    const outcomes: unknown[] = [];
    // As bad as it gets: a vendor that quotes the keys.
    const body = { errors: [apiKey, appKey] };
    const hows = [
      { status: 400, body },
      { status: 403, body },
      { status: 500, body },
      { lost: "answer" },
    ] as const;
    for (const [n, how] of hows.entries()) {
      for (const step of STEPS) {
        for (const on of ["GET", "POST"]) server.failNext({ how, on });
        for (const _ of [1, 2, 3]) outcomes.push(await rotated.step(step, v(n)));
      }
    }
    const value = rotated.secrets.current<DatadogValue>(rotated.name);
    const shown = outcomes.map((outcome) =>
      outcome instanceof Error ? `${outcome.stack}${JSON.stringify(outcome)}` : JSON.stringify(outcome),
    );
    expect(written).toContain("target-unreachable");
    expect(written).toContain('"result":"done"');
    expect(value?.appKey).toHaveLength(40);
    for (const key of [apiKey, appKey, value?.apiKey, value?.appKey]) {
      expect(`${written}${shown.join("")}`).not.toContain(key);
    }
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
});
