import { type KindSettings, type KindSettingsInput, settingsSchema } from "../../../lib/model/kinds";
import { sendGridApi, sendGridUrl } from "../../../lib/rotation/adapters/sendgrid-api";
import { STEPS } from "../../../lib/rotation/protocol/event";
import { once } from "../../../lib/rotation/protocol/once";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import {
  type SendGridValue,
  sendGridAdminSchema,
  sendGridKeyId,
  sendGridTarget,
} from "../../../lib/rotation/targets/sendgrid";
import {
  type SendGridServer,
  type SendGridServerOptions,
  startSendGrid,
} from "../../../packages/rehearsal/src/vendors/sendgrid-server";
import type { InjectedFailure } from "../../../packages/rehearsal/src/vendors/vendor-server";
import { crashEverywhere } from "../models/crash-everywhere";
import { CrashPlan } from "../models/crash-plan";
import { RehearsedSecret, testRandom, versionId } from "../models/rehearsed-secret";
import { VendorFunction } from "../models/vendor-function";

jest.setTimeout(60_000);

const HOUR = 3_600;
const v = (n: number | string): string => versionId(`sendgrid rotation ${n}`);
const parsed = (settings: Partial<KindSettingsInput<"sendgrid">> = {}) =>
  settingsSchema("sendgrid").parse({ account: "acme", ...settings }) as KindSettings<"sendgrid">;

const servers: SendGridServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function account(options: number | SendGridServerOptions = 0): Promise<SendGridServer> {
  const server = await startSendGrid(typeof options === "number" ? { propagation: options } : options);
  servers.push(server);
  return server;
}

interface WorldProps {
  readonly server?: SendGridServer;
  readonly settings?: Partial<KindSettingsInput<"sendgrid">>;
  readonly adminKey?: string;
}

/** A secret with its account at SendGrid. */
async function world({ server, settings, adminKey }: WorldProps = {}) {
  const sendGrid = server ?? (await account());
  const all = parsed({ apiUrl: sendGrid.url, ...settings });
  const secret: RehearsedSecret<SendGridValue> = new RehearsedSecret<SendGridValue>({
    target: (plan) => {
      const { admin } = plan.wrap({ admin: async () => ({ apiKey: adminKey ?? sendGrid.adminKey }) });
      const api = sendGridApi(all, admin);
      return sendGridTarget({
        settings: all,
        admin,
        sendGrid: {
          ...plan.wrap({ scopesOf: api.scopesOf, shownScopes: api.shownScopes, maySend: api.maySend }),
          keys: plan.wrap(api.keys),
        },
        clock: secret.clock,
        random: testRandom,
      });
    },
    overlap: HOUR,
  });
  return {
    server: sendGrid,
    secret,
    /** Every Vault has the value, and the overlap is over. */
    arrived: (): void => {
      secret.confirm();
      secret.clock.advance(HOUR + 1);
    },
    current: (): string => secret.current?.apiKey ?? "none",
    works: (): boolean => sendGrid.takes(secret.current?.apiKey ?? "none"),
    /** Versions of the keys in the account, as their names tell. */
    versions: (): readonly string[] => sendGrid.keyNames.map((name) => /@(.+)\./.exec(name)?.[1] ?? name),
  };
}

/** Sends as a consumer does. */
const sends = async (server: SendGridServer, apiKey: string): Promise<boolean> =>
  (
    await fetch(`${server.url}/v3/mail/send`, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}` },
    })
  ).status === 202;

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (failure: unknown) => (failure instanceof RotationError ? failure.code : String(failure)),
  );

test("ten rotations in a row, from an empty secret on: consumers with old and new keys never fail", async () => {
  const { server, secret, arrived, current, versions } = await world({ server: await account(2) });
  await secret.rotate(v(0));
  let held = [current()];
  let attempts = 0;
  let failed = 0;
  let running = true;
  const prober = (async () => {
    while (running) {
      for (const key of held) {
        const sent = await sends(server, key);
        attempts += 1;
        if (!sent && held.includes(key)) failed += 1;
      }
    }
  })();
  for (let n = 1; n <= 10; n += 1) {
    const before = current();
    arrived();
    await secret.rotate(v(n));
    expect(await sends(server, before)).toBe(true);
    held = [before, current()];
    expect(versions()).toEqual([v(n - 1), v(n)]);
    arrived();
    held = [current()];
    for (const _ of [1, 2]) await secret.phase("decommission", v(n - 1));
    expect(await sends(server, before)).toBe(false);
    expect(versions()).toEqual([v(n)]);
  }
  running = false;
  await prober;
  process.stdout.write(`SendGrid: ${attempts} mails by consumers during 10 rotations, ${failed} refused\n`);
  expect(failed).toBe(0);
  expect(attempts).toBeGreaterThan(20);
});

test("a key has the scopes of the settings, and a name that tells secret and version", async () => {
  const scopes = ["mail.send", "stats.read"];
  const { server, secret, current } = await world({ settings: { scopes } });
  await secret.rotate(v(1));
  const granted = await sendGridApi(parsed({ apiUrl: server.url }), async () => ({ apiKey: "" })).scopesOf(
    current(),
  );
  expect(granted).toEqual(expect.arrayContaining(scopes));
  expect(granted).not.toContain("api_keys.create");
  expect(server.keyNames).toEqual([
    expect.stringMatching(new RegExp(`^${secret.name}#[0-9a-f]{8}@${v(1)}\\.\\w{14}$`)),
  ]);
});

test("a crash at every call converges: no orphan, what consumers hold goes on working", async () => {
  let rotations = 0;
  for (const earlier of [0, 1]) {
    rotations += await crashEverywhere(async () => {
      const { server, secret, arrived, current, works, versions } = await world();
      if (earlier > 0) {
        await secret.rotate(v(1));
        arrived();
      }
      const held = current();
      const holds = async () => expect(earlier === 0 || server.takes(held)).toBe(true);
      return {
        work: (plan) => secret.rotate(v(9), plan),
        afterCrash: holds,
        afterAll: async () => {
          await holds();
          expect(works()).toBe(true);
          expect(versions()).toEqual(earlier > 0 ? [v(1), v(9)] : [v(9)]);
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
        expect(versions()).toEqual([v(2)]);
      },
    };
  });
  process.stdout.write(
    `SendGrid: ${rotations} crash points in two rotations, ${decommissions} in a decommission\n`,
  );
  expect(rotations).toBeGreaterThan(80);
  expect(decommissions).toBeGreaterThan(8);
});

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
      expect(versions()).toEqual([v(1), v(2)]);
    }
  }
  process.stdout.write(`SendGrid: ${injected} failures of the vendor during a rotation\n`);
  expect(injected).toBeGreaterThan(20);
});

test("a slow vendor is waited for", async () => {
  const { server, secret, works } = await world();
  const late = new Promise((resolve) => setTimeout(resolve, 300));
  server.failNext({ how: { until: late }, times: 3 });
  await secret.rotate(v(1));
  expect(works()).toBe(true);
});

describe("two invocations at once", () => {
  /** Lets one call wait for an answer, by default that with its key, and does something else meanwhile. */
  async function overtaken(
    meanwhile: (secret: RehearsedSecret<SendGridValue>, server: SendGridServer) => Promise<void>,
    on = "POST /v3/api_keys",
  ) {
    const { server, secret, works, versions } = await world();
    secret.secrets.stage(secret.name, v(1));
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.failNext({ how: { until }, on });
    const slow = secret.step("createSecret", v(1));
    while (!server.calls.includes(on)) await new Promise(setImmediate);
    await meanwhile(secret, server);
    release();
    await slow;
    return { secret, works, versions };
  }

  test.each<[string, readonly (typeof STEPS)[number][]]>([
    ["created its value", ["createSecret"]],
    ["installed it", ["createSecret", "setSecret"]],
    ["finished", STEPS],
  ])("the second has %s before the first gets its key: one key, and it works", async (_what, steps) => {
    const { secret, works, versions } = await overtaken(async (secret) => {
      for (const step of steps) await secret.step(step, v(1));
    });
    for (const step of STEPS) await secret.step(step, v(1));
    expect(works()).toBe(true);
    expect(versions()).toEqual([v(1)]);
  });

  test("the second has finished before the first asks for its key: the first takes it back", async () => {
    const finish = async (secret: RehearsedSecret<SendGridValue>) => {
      for (const step of STEPS) await secret.step(step, v(1));
    };
    const { works, versions } = await overtaken(finish, "GET /v3/api_keys");
    expect(works()).toBe(true);
    expect(versions()).toEqual([v(1)]);
  });

  test("the second dies with a key in hand, and the first stores its own: the second's goes", async () => {
    const { secret, works, versions } = await overtaken(async (secret, server) => {
      // The description, the value, the run, the list and the admin key for it, the new key.
      await expect(secret.step("createSecret", v(1), new CrashPlan(6, "after"))).rejects.toThrow("call 6");
      expect(server.keyNames).toHaveLength(2);
    });
    for (const step of STEPS) await secret.step(step, v(1));
    expect(works()).toBe(true);
    expect(versions()).toEqual([v(1)]);
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
    expect(versions()).toEqual([v(1)]);
  });
});

describe("what is left behind", () => {
  /** A rotation that died between the vendor and the store, and was given up. */
  async function givenUp() {
    const all = await world();
    const { secret, arrived, server } = all;
    await secret.rotate(v(1));
    arrived();
    secret.secrets.stage(secret.name, v("given up"));
    server.failNext({ how: { lost: "answer" }, on: "POST" });
    await expect(secret.step("createSecret", v("given up"))).rejects.toThrow("target-unreachable");
    return all;
  }

  test("is spared while its maker may be about to store it, and removed after that", async () => {
    const { secret, arrived, versions } = await givenUp();
    secret.clock.advance(14 * 60);
    await secret.rotate(v(2));
    expect(versions()).toEqual([v(1), v("given up"), v(2)]);
    arrived();
    await secret.rotate(v(3));
    expect(versions()).toEqual([v(2), v(3)]);
  });

  test("is nothing that others made, whatever their names look like", async () => {
    const { server, secret, arrived } = await givenUp();
    const [ours = ""] = server.keyNames;
    const foreign = [
      "mail of a person",
      secret.name,
      ours.replace(secret.name, `${secret.name}-2`),
      // The same secret name in another AWS account.
      ours.replace(/#\w{8}@/, "#00000000@"),
      `${ours}-copy`,
      ours.replace(/\..*$/, ""),
    ];
    for (const name of foreign) server.makeKey(name);
    arrived();
    await secret.rotate(v(2));
    arrived();
    await secret.phase("decommission", v(1));
    await secret.rotate(v(3));
    expect(server.keyNames).toEqual(expect.arrayContaining(foreign));
    expect(server.keyNames).toHaveLength(foreign.length + 2);
  });

  test("the key of the version before stays until it is decommissioned, and goes with the next rotation at the latest", async () => {
    const { secret, arrived, versions } = await world();
    for (let n = 1; n <= 4; n += 1) {
      await secret.rotate(v(n));
      arrived();
    }
    expect(versions()).toEqual([v(3), v(4)]);
    await secret.rotate(v(5));
    expect(versions()).toEqual([v(4), v(5)]);
  });
});

test("an account without room: says so, and nothing is lost", async () => {
  const { server, secret, arrived, works, versions } = await world();
  await secret.rotate(v(1));
  arrived();
  while (server.keyNames.length < 99) server.makeKey(`key ${server.keyNames.length}`);
  const failure = await secret.rotate(v(2)).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "target-misconfigured" });
  expect(String(failure)).toContain("the account has 100 API keys, and SendGrid allows 100");
  expect(works()).toBe(true);
  expect(versions()).not.toContain(v(2));
});

describe("what is refused", () => {
  test.each<[string, WorldProps & { readonly adminScopes?: readonly string[] }, string, string]>([
    [
      "a scope that the account has not",
      { settings: { scopes: ["mail.send", "mail.sned"] } },
      "target-misconfigured",
      "does not grant mail.send, mail.sned",
    ],
    ["an unknown admin key", { adminKey: "SG.unknown.key" }, "admin-refused", "GET /v3/api_keys"],
    [
      "an admin key that cannot list keys",
      { adminScopes: ["mail.send", "api_keys.create"] },
      "right-missing",
      "GET /v3/api_keys",
    ],
    [
      "an admin key that cannot make keys",
      { adminScopes: ["mail.send", "api_keys.read"] },
      "right-missing",
      "api_keys.create",
    ],
    [
      "an admin key that cannot give the scope",
      { adminScopes: ["api_keys.create", "api_keys.read"] },
      "target-misconfigured",
      "give them to the admin key",
    ],
  ])("%s", async (_what, { adminScopes, ...props }, code, text) => {
    const server = await account();
    const adminKey = adminScopes === undefined ? props.adminKey : server.makeKey("admin", adminScopes).key;
    const { secret } = await world({ ...props, server, ...(adminKey === undefined ? {} : { adminKey }) });
    const failure = await secret.rotate(v(1)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect(String(failure)).toContain(text);
    expect(secret.current).toBeUndefined();
  });

  test("an admin key of the global host at the EU host", async () => {
    const { secret } = await world({ adminKey: (await account()).adminKey });
    expect(await codeOf(secret.rotate(v(1)))).toBe("admin-refused");
  });

  test("a key by hand that may too little, or that SendGrid does not know", async () => {
    const { server, secret } = await world();
    const weak = server.makeKey("by hand", ["stats.read"]).key;
    for (const [id, apiKey, code] of [
      [v("weak"), weak, "right-missing"],
      [v("unknown"), "SG.never.made", "target-refused"],
    ] as const) {
      secret.secrets.putByHand(secret.name, id, JSON.stringify({ apiKey }));
      expect(await codeOf(secret.phase("verify", id))).toBe(code);
    }
  });
});

describe("a key that may not ask for its own scopes", () => {
  test.each([false, true])(
    "is tried by a message that is not delivered, unverified sender: %s",
    async (unverifiedSender) => {
      const { server, secret, arrived, works, current } = await world({
        server: await account({ scopesUntold: true, unverifiedSender }),
        settings: { scopes: ["mail.send", "stats.read"] },
      });
      await secret.rotate(v(1));
      const before = current();
      arrived();
      await secret.rotate(v(2));
      arrived();
      await secret.phase("decommission", v(1));
      expect([server.takes(before), works()]).toEqual([false, true]);
      expect(server.calls).toContain("POST /v3/mail/send");
    },
  );

  test("lacks a scope: the admin key sees it, and so does SendGrid when mail is handed over", async () => {
    const { server, secret } = await world({ server: await account({ scopesUntold: true }) });
    const weak = server.makeKey("by hand", ["stats.read", "2fa_required"]).key;
    secret.secrets.putByHand(secret.name, v("weak"), JSON.stringify({ apiKey: weak }));
    await expect(secret.phase("verify", v("weak"))).rejects.toThrow(
      "right-missing: the key lacks the scopes mail.send",
    );
    const api = sendGridApi(parsed({ apiUrl: server.url }), async () => ({ apiKey: server.adminKey }));
    expect(await api.maySend(weak)).toBe(false);
    expect(await api.maySend("SG.never.made")).toBe(false);
  });
});

describe("a subuser", () => {
  test("has its own keys, which the parent's admin key makes and ends", async () => {
    const server = await account();
    const { secret, arrived, works, current } = await world({
      server,
      settings: { subuser: server.subuser },
    });
    await secret.rotate(v(1));
    const before = current();
    arrived();
    await secret.rotate(v(2));
    expect([server.keyNames.length, server.subuserKeyNames.length]).toEqual([0, 2]);
    arrived();
    await secret.phase("decommission", v(1));
    expect([server.takes(before), works()]).toEqual([false, true]);
    expect(server.subuserKeyNames).toHaveLength(1);
  });

  test("that the account does not have is refused", async () => {
    const { secret } = await world({ settings: { subuser: "somebody-else" } });
    expect(await codeOf(secret.rotate(v(1)))).toBe("right-missing");
  });
});

describe("marks", () => {
  test("a key that was made for another secret is not ended, even when its value stands in this one", async () => {
    const all = await world();
    const { server, secret, arrived } = all;
    await secret.rotate(v(1));
    arrived();
    const [ours = ""] = server.keyNames;
    const foreign = server.makeKey(ours.replace(secret.name, `${secret.name}-2`), ["mail.send"]).key;
    secret.secrets.putByHand(secret.name, v("hand"), JSON.stringify({ apiKey: foreign }));
    arrived();
    await secret.rotate(v(2));
    arrived();
    expect(await codeOf(secret.phase("decommission", v("hand")))).toBe("target-not-ours");
    expect(server.takes(foreign)).toBe(true);
  });

  test("a run that is given up before its key is stored leaves none of its own, and nobody else's is touched", async () => {
    const { server, secret, arrived, versions } = await world();
    await secret.rotate(v(1));
    arrived();
    const { key } = server.makeKey("mail of a person", ["mail.send"]);
    secret.secrets.stage(secret.name, v(2));
    server.failNext({ how: { lost: "answer" }, on: "POST /v3/api_keys" });
    await secret.step("createSecret", v(2)).catch(() => undefined);
    expect(versions()).toContain(v(2));
    await secret.phase("rollback", v(2));
    expect(versions()).toEqual([v(1), "mail of a person"]);
    expect(server.takes(key)).toBe(true);
  });
});

describe("after a change by hand", () => {
  /** A value by hand, and the rotation after it. */
  async function rotatedAfter(apiKeyOf: (server: SendGridServer) => string | Promise<string>) {
    const all = await world();
    const { server, secret, arrived } = all;
    await secret.rotate(v(1));
    arrived();
    const apiKey = await apiKeyOf(server);
    secret.secrets.putByHand(secret.name, v("hand"), JSON.stringify({ apiKey }));
    arrived();
    await secret.rotate(v(2));
    arrived();
    return { ...all, apiKey };
  }

  test("the next rotation goes on from it, and its key ends like any other", async () => {
    const { server, secret, apiKey, versions, works } = await rotatedAfter(
      (server) => server.makeKey("made in the web application", ["mail.send"]).key,
    );
    expect(server.takes(apiKey)).toBe(true);
    await secret.phase("decommission", v("hand"));
    expect(server.takes(apiKey)).toBe(false);
    // The version that the hand pushed aside.
    await secret.phase("decommission", v(1)).catch(() => undefined);
    expect(works()).toBe(true);
    expect(versions()).toContain(v(2));
  });

  test("a key that never worked ends at once", async () => {
    const { secret } = await rotatedAfter(() => "not even a key");
    await secret.phase("decommission", v("hand"));
  });

  test("a key that works and is not the account's is not called retired", async () => {
    const { server, secret, apiKey } = await rotatedAfter(
      (server) => server.makeKey("other", ["mail.send"]).key,
    );
    // SendGrid's list of another account does not know it.
    server.failNext({ how: { status: 404 }, on: "DELETE", times: 9 });
    expect(await codeOf(secret.phase("decommission", v("hand")))).toBe("target-busy");
    expect(server.takes(apiKey)).toBe(true);
  });

  test("the admin key is never removed", async () => {
    const { server, secret } = await rotatedAfter((server) => server.adminKey);
    expect(await codeOf(secret.phase("decommission", v("hand")))).toBe("user-mismatch");
    expect(server.takes(server.adminKey)).toBe(true);
  });
});

test("a rollback returns to the key before, while it is there", async () => {
  const { secret, arrived, current, works } = await world();
  await secret.rotate(v(1));
  const before = current();
  arrived();
  await secret.rotate(v(2));
  await secret.phase("rollback", v(2));
  expect(current()).toBe(before);
  arrived();
  await secret.phase("decommission", v(2));
  await secret.rotate(v(3));
  expect(works()).toBe(true);
});

test.each<[Partial<KindSettingsInput<"sendgrid">>, string]>([
  [{}, "https://api.sendgrid.com"],
  [{ host: "api.eu.sendgrid.com" }, "https://api.eu.sendgrid.com"],
  [{ host: "api.eu.sendgrid.com", apiUrl: "https://proxy.example.com/sg" }, "https://proxy.example.com/sg"],
  [{ apiUrl: "http://127.0.0.1:8080" }, "http://127.0.0.1:8080"],
])("%j: %s", (settings, url) => {
  expect(sendGridUrl(parsed(settings))).toBe(url);
});

test.each(["http://api.sendgrid.com", "https://user@api.sendgrid.com", "https://api.sendgrid.com/"])(
  "%s is no place to send keys to",
  (apiUrl) => {
    expect(() => parsed({ apiUrl })).toThrow();
  },
);

test("the id of a key is its middle part", () => {
  expect(sendGridKeyId("SG.qfTQ6KG0QBiwWdJ0-pCLCA.secret_part-1")).toBe("qfTQ6KG0QBiwWdJ0-pCLCA");
  for (const other of ["qfTQ6KG0QBiwWdJ0-pCLCA", "SG.a", "SG.a.b.c", "SG.a/b.c", ""]) {
    expect(sendGridKeyId(other)).toBeUndefined();
  }
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
    const server = await account();
    const rotated = new VendorFunction({
      kind: "sendgrid",
      settings: parsed({ apiUrl: server.url }),
      adminValue: { apiKey: server.adminKey },
      targetOf: ({ settings, readAdmin, clock, random }) => {
        const admin = once(() => readAdmin(sendGridAdminSchema));
        return sendGridTarget({ settings, admin, sendGrid: sendGridApi(settings, admin), clock, random });
      },
    });
    const outcomes: unknown[] = [];
    // As bad as it gets: a vendor that quotes the key.
    const body = { errors: [{ field: "scopes", message: server.adminKey }] };
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
    const keys = [server.adminKey, rotated.secrets.current<SendGridValue>(rotated.name)?.apiKey ?? ""];
    const shown = outcomes.map((outcome) =>
      outcome instanceof Error ? `${outcome.stack}${JSON.stringify(outcome)}` : JSON.stringify(outcome),
    );
    expect(written).toContain("target-unreachable");
    expect(written).toContain('"result":"done"');
    for (const key of keys) {
      const secretPart = key.split(".")[2] ?? "";
      expect(secretPart).toHaveLength(43);
      expect(`${written}${shown.join("")}`).not.toContain(secretPart);
    }
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
});
