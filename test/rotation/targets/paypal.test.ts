import { jsonLog } from "../../../lib/lambda/json-log";
import { type KindSettings, settingsSchema } from "../../../lib/model/kinds";
import { PayPalApi } from "../../../lib/rotation/adapters/paypal-api";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import { handlerOf } from "../../../lib/rotation/entries/rotation-handler";
import { STEPS } from "../../../lib/rotation/protocol/event";
import { Redaction } from "../../../lib/rotation/protocol/redaction";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { type PayPalValue, payPalTarget } from "../../../lib/rotation/targets/paypal";
import { startPayPalServer } from "../../../packages/rehearsal/src/vendors/paypal-server";
import type { InjectedFailure } from "../../../packages/rehearsal/src/vendors/vendor-server";
import { crashEverywhere } from "../models/crash-everywhere";
import { OperatedSecret } from "../models/operated-secret";
import { testRandom, versionId } from "../models/rehearsed-secret";
import { READINGS, type Readings } from "../models/secrets-manager-model";

const HOUR = 3_600;

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

/** One of PayPal's worlds with an app, and the secret with its operator. */
async function world({
  mode = "sandbox",
  readings,
}: {
  mode?: "sandbox" | "live";
  readings?: Readings;
} = {}) {
  const paypal = await startPayPalServer();
  running.push(paypal);
  const settings = settingsSchema("paypal").parse({
    mode,
    account: "shop",
    apiUrl: paypal.url,
  }) as KindSettings<"paypal">;
  const tokens = new PayPalApi(settings);
  const secret: OperatedSecret<PayPalValue> = new OperatedSecret<PayPalValue>(
    { kind: "paypal", settings },
    {
      target: (plan) => payPalTarget({ settings, tokens: plan.wrap(tokens) }),
      overlap: HOUR,
      ...(readings === undefined ? {} : { readings }),
    },
  );
  const app = paypal.createApp();
  /** Every Vault has the value, and the overlap is over. */
  const arrived = (): void => {
    secret.confirm();
    secret.clock.advance(HOUR + 1);
  };
  const current = (): PayPalValue => {
    if (secret.current === undefined) throw new Error("no value yet");
    return secret.current;
  };
  return { paypal, settings, tokens, secret, app, arrived, current };
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (failure: unknown) => (failure instanceof RotationError ? failure.code : String(failure)),
  );

test("ten rotations in a row: two pods that refresh at different times always get a token; the old secret is dead after decommission", async () => {
  const { paypal, secret, tokens, app, arrived, current } = await world();
  await secret.operate("first", app);
  let tries = 0;
  const consumersWork = async (...held: readonly PayPalValue[]): Promise<void> => {
    for (const value of held) {
      tries += 1;
      expect(await tokens.lets(value)).toBe(true);
    }
  };
  for (let n = 1; n <= 10; n += 1) {
    const [version, held] = [secret.currentVersion ?? "", current()];
    await consumersWork(held, held);
    await secret.operate(`rotation ${n}`, paypal.addSecret(app.clientId));
    // The one pod has refreshed, the other one has not.
    await consumersWork(held, current());
    secret.confirm();
    expect(await codeOf(secret.phase("decommission", version))).toBe("overlap-running");
    arrived();
    await consumersWork(current(), current());
    await expect(secret.phase("decommission", version)).rejects.toThrow(
      /still-accepted: disable the old secret/,
    );
    paypal.setStatus(held, "disabled");
    for (const _ of [1, 2]) await secret.phase("decommission", version);
    expect(await tokens.lets(held)).toBe(false);
    paypal.deleteSecret(held);
    await secret.phase("decommission", version);
  }
  process.stdout.write(`PayPal: ${tries} token requests by consumers during 10 rotations, 0 failed\n`);
});

test.each(READINGS)("the first value, in reading %j", async (readings) => {
  const { secret, app } = await world({ readings });
  await secret.operate("first", app);
  expect(secret.proved).toEqual([secret.currentVersion]);
  expect(secret.secrets.versionWith(secret.name, "AWSPENDING")).toBeUndefined();
});

test("a crash at every call converges, and what consumers hold goes on working", async () => {
  const points = { rotation: 0, decommission: 0 };
  const prepared = async () => {
    const w = await world();
    await w.secret.operate("first", w.app);
    w.arrived();
    return { ...w, held: w.current(), before: w.secret.currentVersion ?? "" };
  };
  points.rotation = await crashEverywhere(async () => {
    const { paypal, secret, tokens, app, held, current } = await prepared();
    const fresh = paypal.addSecret(app.clientId);
    const rotation = await secret.supply("second", fresh);
    const holds = async () => {
      for (const value of [held, current()]) expect(await tokens.lets(value)).toBe(true);
    };
    return {
      work: (plan) => secret.run(rotation, plan),
      afterCrash: holds,
      afterAll: async () => {
        await holds();
        expect(current()).toEqual(fresh);
      },
    };
  });
  points.decommission = await crashEverywhere(async () => {
    const { paypal, secret, tokens, app, held, before, arrived, current } = await prepared();
    await secret.operate("second", paypal.addSecret(app.clientId));
    arrived();
    paypal.deleteSecret(held);
    return {
      work: (plan) => secret.phase("decommission", before, plan === undefined ? {} : { plan }),
      afterCrash: async () => expect(await tokens.lets(current())).toBe(true),
      afterAll: async () => expect(await tokens.lets(current())).toBe(true),
    };
  });
  process.stdout.write(
    `PayPal: ${points.rotation} crash points in a rotation, ${points.decommission} in a decommission\n`,
  );
  expect(points.rotation).toBeGreaterThan(15);
  expect(points.decommission).toBeGreaterThan(5);
}, 60_000);

test.each<[string, InjectedFailure["how"], string]>([
  ["429", { status: 429 }, "throttled"],
  ["500", { status: 500 }, "target-unreachable"],
  ["a lost request", { lost: "request" }, "target-unreachable"],
  ["a lost answer", { lost: "answer" }, "target-unreachable"],
])(
  "%s is a retryable answer in test and in decommission, and no proof of death",
  async (_name, how, code) => {
    const { paypal, secret, app, arrived, current } = await world();
    await secret.operate("first", app);
    const [before, held] = [secret.currentVersion ?? "", current()];
    arrived();
    const rotation = await secret.supply("second", paypal.addSecret(app.clientId));
    paypal.failNext({ how });
    const failure: unknown = await secret.run(rotation).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, retryable: true });
    expect(current()).toEqual(held);
    await secret.run(rotation);
    arrived();
    paypal.failNext({ how });
    expect(await codeOf(secret.phase("decommission", before))).toBe(code);
  },
);

test("where every credential is refused, the old one is not called dead", async () => {
  const { paypal, secret, app, arrived } = await world();
  const first = await secret.operate("first", app);
  arrived();
  await secret.operate("second", paypal.addSecret(app.clientId));
  arrived();
  paypal.failNext({ how: { status: 401 }, times: 2 });
  expect(await codeOf(secret.phase("decommission", first))).toBe("target-refused");
});

test("two invocations at once", async () => {
  const { paypal, secret, app } = await world();
  await secret.operate("first", app);
  const fresh = paypal.addSecret(app.clientId);
  const { versionId: version, steps } = await secret.supply("second", fresh);
  for (const step of steps) {
    const codes = await Promise.all([1, 2].map(() => codeOf(secret.step(step, version))));
    for (const code of codes) expect(["none", "label-moved"]).toContain(code);
  }
  await secret.run({ versionId: version, steps });
  expect(secret.current).toEqual(fresh);
});

describe("bad input: refused, and nothing is lost", () => {
  test.each<[string, (w: Awaited<ReturnType<typeof world>>) => Promise<object> | object, string]>([
    [
      "a secret of the other world",
      async () => {
        const live = await startPayPalServer();
        running.push(live);
        return live.createApp();
      },
      "target-refused",
    ],
    ["an unknown secret", ({ app }) => ({ ...app, clientSecret: `${app.clientSecret}x` }), "target-refused"],
    [
      "a secret that is disabled",
      ({ paypal, app }) => {
        const fresh = paypal.addSecret(app.clientId);
        paypal.setStatus(fresh, "disabled");
        return fresh;
      },
      "target-refused",
    ],
    ["the current secret again", ({ app }) => app, "value-repeated"],
    [
      "a line break at the end",
      ({ app }) => ({ ...app, clientSecret: `${app.clientSecret}\n` }),
      "value-malformed",
    ],
    [
      "id and secret in one text",
      ({ app }) => ({ ...app, clientId: `${app.clientId}:x` }),
      "value-malformed",
    ],
    ["an empty secret", ({ app }) => ({ ...app, clientSecret: "" }), "value-malformed"],
  ])("%s", async (_name, supplied, code) => {
    const w = await world();
    await w.secret.operate("first", w.app);
    const before = w.secret.currentVersion;
    const value = await supplied(w);
    expect(await codeOf(w.secret.operate("second", value))).toBe(code);
    // Past the operator's tool, the function refuses it as well, and nothing of it is left to be asked for by a label.
    const version = versionId("by hand");
    const store = new SecretsManagerStore(w.secret.secrets.client);
    await store.putCurrent(w.secret.inbox, version, JSON.stringify(value));
    expect(await codeOf(w.secret.run({ versionId: version, steps: STEPS }))).toBe(code);
    expect(w.secret.currentVersion).toBe(before);
    expect(w.secret.supplied.join()).not.toContain("clientId");
  });

  test("two later values push the first out of the inbox: its run is refused and told so, each of them has its own", async () => {
    const w = await world();
    const first = await w.secret.supply("first", w.app);
    await w.secret.supply("second", w.paypal.addSecret(w.app.clientId));
    const third = await w.secret.supply("third", { ...w.app, clientSecret: "another-secret" });
    w.secret.removePushedOut();
    const refusal = await w.secret.run(first).catch((failure: unknown) => failure);
    expect(refusal).toMatchObject({ code: "operator-needed" });
    expect(String(refusal)).toContain(versionId("second"));
    expect(String(refusal)).toContain(versionId("third"));
    expect(w.secret.current).toBeUndefined();
    await w.secret.run({ ...third, versionId: versionId("second") });
    expect(w.secret.currentVersion).toBe(versionId("second"));
  });

  test("using up one value leaves what was supplied after it to a run of its own", async () => {
    const w = await world();
    await w.secret.operate("first", w.app);
    const wrong = await w.secret.supply("wrong", { ...w.app, clientSecret: `${w.app.clientSecret}x` });
    const right = w.paypal.addSecret(w.app.clientId);
    const rotation = await w.secret.supply("right", right);
    expect(await codeOf(w.secret.run(wrong))).toBe("target-refused");
    expect(w.secret.supplied.join()).toContain(right.clientSecret);
    await w.secret.run(rotation);
    expect(w.secret.current).toMatchObject(right);
    expect(w.secret.supplied.join()).not.toContain("clientId");
  });

  test("a host that is not PayPal", async () => {
    const { paypal, secret, app } = await world();
    paypal.failNext({ how: { status: 404 } });
    expect(await codeOf(secret.operate("first", app))).toBe("target-misconfigured");
  });

  test("an unreachable host", async () => {
    const { paypal, secret, app } = await world();
    await paypal.stop();
    expect(await codeOf(secret.operate("first", app))).toBe("target-unreachable");
  });

  test("nothing was supplied", async () => {
    const { secret, app, arrived } = await world();
    await secret.operate("first", app);
    arrived();
    expect(await codeOf(secret.rotate(versionId("second")))).toBe("operator-needed");
  });
});

test("a value that was put by hand in between stays, and can be rotated away from", async () => {
  const { paypal, secret, app, arrived, current } = await world();
  await secret.operate("first", app);
  arrived();
  const byHand = paypal.createApp();
  secret.secrets.putByHand(secret.name, versionId("by hand"), JSON.stringify(byHand));
  await secret.phase("verify", versionId("by hand"));
  await secret.operate("second", paypal.addSecret(byHand.clientId));
  expect(current()).toMatchObject({ clientId: byHand.clientId });
  expect(current()).not.toEqual(byHand);
});

test("after a rollback it is the new secret that has to die", async () => {
  const { paypal, secret, app, tokens, arrived, current } = await world();
  await secret.operate("first", app);
  arrived();
  const fresh = paypal.addSecret(app.clientId);
  const version = await secret.operate("second", fresh);
  await secret.phase("rollback", version);
  expect(current()).toEqual(app);
  arrived();
  expect(await codeOf(secret.phase("decommission", version))).toBe("still-accepted");
  paypal.deleteSecret(fresh);
  await secret.phase("decommission", version);
  expect(await tokens.lets(app)).toBe(true);
});

test("the hosts of the two worlds differ", async () => {
  const asked: string[] = [];
  const spy = jest.spyOn(globalThis, "fetch").mockImplementation(async (url) => {
    asked.push(String(url));
    return new Response(JSON.stringify({ token_type: "Bearer" }), { status: 200 });
  });
  try {
    for (const mode of ["sandbox", "live"] as const) {
      await new PayPalApi({ mode, apiUrl: undefined }).lets({ clientId: "id", clientSecret: "secret" });
    }
  } finally {
    spy.mockRestore();
  }
  expect(asked).toEqual([
    "https://api-m.sandbox.paypal.com/v1/oauth2/token",
    "https://api-m.paypal.com/v1/oauth2/token",
  ]);
});

test("no log line and no error holds a value, whatever fails", async () => {
  const { paypal, settings, tokens, secret, app } = await world();
  let written = "";
  const take = (chunk: unknown): boolean => {
    written += String(chunk);
    return true;
  };
  const spies = [jest.spyOn(process.stdout, "write"), jest.spyOn(process.stderr, "write")].map((spy) =>
    spy.mockImplementation(take),
  );
  const fresh = paypal.addSecret(app.clientId);
  try {
    const redaction = new Redaction();
    const handler = handlerOf(
      {
        kind: "paypal",
        environment: "test",
        region: "eu-central-1",
        publicationsTable: "publications",
        auditKeyAlias: "alias/audit",
        secrets: {
          [secret.name]: {
            settings,
            rotation: "operator-assisted",
            inbox: secret.inbox,
            acceptedBy: "target",
            overlap: { seconds: 0 },
            publishLead: { seconds: 0 },
          },
        },
      },
      {
        store: new SecretsManagerStore(secret.secrets.client),
        publications: secret.publications,
        proofs: secret.proofs,
        runs: secret.implied,
        clock: secret.clock,
        random: testRandom,
        log: jsonLog("test", { kind: "paypal" }, redaction.redact),
        redaction,
      },
      () => payPalTarget({ settings, tokens }),
    );
    const call = (event: object): Promise<void> =>
      handler({ SecretId: secret.name, ...event }).then(
        () => undefined,
        (failure: unknown) => {
          written += `${failure instanceof Error ? failure.stack : ""}${JSON.stringify(failure)}`;
        },
      );
    for (const [name, supplied] of Object.entries({ first: app, second: fresh })) {
      const { versionId: version, steps } = await secret.supply(name, supplied);
      for (const Step of steps) {
        for (const status of Step === "testSecret" ? [401, 429, 500] : []) {
          paypal.failNext({ how: { status } });
          await call({ Step, ClientRequestToken: version });
        }
        await call({ Step, ClientRequestToken: version });
      }
    }
    secret.implied.imply("decommission", versionId("first"), { runId: "1", emergency: false });
    await call({ Phase: "decommission", RunId: "1" });
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  for (const word of ["still-accepted", "throttled", "target-refused"]) expect(written).toContain(word);
  const forms = [app, fresh].flatMap(({ clientId, clientSecret }) => [
    clientSecret,
    Buffer.from(`${clientId}:${clientSecret}`).toString("base64"),
  ]);
  for (const form of forms) expect(written).not.toContain(form);
});
