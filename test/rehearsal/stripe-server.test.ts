import { createDecipheriv, generateKeyPairSync, privateDecrypt } from "node:crypto";
import { createServer } from "node:http";
import {
  type StripeServer,
  type StripeServerProps,
  startStripeServer,
} from "../../packages/rehearsal/src/vendors/stripe-server";

/** Stripe's model refuses what Stripe's documents say that Stripe refuses. Each row names the page. */

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

const PREVIEW = "2026-08-26.preview";

async function started(props: StripeServerProps = {}) {
  let time = Date.parse("2026-01-01T00:00:00Z");
  const stripe = await startStripeServer({ now: () => new Date(time), ...props });
  running.push(stripe);
  const account = stripe.createAccount();
  const { secretKey } = stripe.createKeys(account, "test");
  const live = stripe.createKeys(account, "live").secretKey;
  const call = async (
    on: string,
    body: Readonly<Record<string, string>> | URLSearchParams = {},
    headers: Readonly<Record<string, string>> = {},
  ) => {
    const [method = "GET", path = "/"] = on.split(" ");
    const response = await fetch(`${stripe.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${secretKey}`, ...headers },
      ...(method === "POST" ? { body: new URLSearchParams(body) } : {}),
    });
    const text = await response.text();
    const answer = JSON.parse(text === "" ? "{}" : text);
    return {
      status: response.status,
      answer,
      message: String(answer.error?.message),
      headers: response.headers,
    };
  };
  const asJson = async (on: string, token: string, json: unknown, headers: Record<string, string> = {}) => {
    const [method = "GET", path = "/"] = on.split(" ");
    const response = await fetch(`${stripe.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "stripe-version": PREVIEW,
        "stripe-context": account,
        ...headers,
      },
      ...(method === "POST" ? { body: JSON.stringify(json) } : {}),
    });
    const answer = JSON.parse(await response.text());
    return { status: response.status, answer, message: String(answer.error?.message) };
  };
  const advance = (seconds: number): void => {
    time += seconds * 1_000;
  };
  return { stripe, account, secretKey, live, call, asJson, advance };
}

const ENDPOINT = { url: "https://example.com/stripe", "enabled_events[]": "*" };

describe("webhook endpoints: https://docs.stripe.com/api/webhook_endpoints", () => {
  test.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ["no URL", { "enabled_events[]": "*" }, /Missing required param: url/],
    ["no URL at all", { ...ENDPOINT, url: "nowhere" }, /Not a valid URL/],
    ["HTTP instead of HTTPS", { ...ENDPOINT, url: "http://example.com" }, /Invalid URL/],
    ["no events", { url: ENDPOINT.url }, /Missing required param: enabled_events/],
    [
      "an event that there is not",
      { ...ENDPOINT, "enabled_events[]": "charge.succeded" },
      /valid event type/,
    ],
    ["a version that is no date", { ...ENDPOINT, api_version: "latest" }, /Invalid api_version/],
    ["a parameter that there is not", { ...ENDPOINT, secret: "whsec_mine" }, /unknown parameter: secret/],
    ["connect that is neither", { ...ENDPOINT, connect: "yes" }, /Invalid boolean/],
    [
      "a metadata key of 41 characters",
      { ...ENDPOINT, [`metadata[${"k".repeat(41)}]`]: "x" },
      /40 characters/,
    ],
    ["a metadata value of 501", { ...ENDPOINT, "metadata[k]": "x".repeat(501) }, /500 characters/],
  ])("refuses %s", async (_name, form, message) => {
    const { stripe, account, call } = await started();
    expect(await call("POST /v1/webhook_endpoints", form)).toMatchObject({
      status: 400,
      message: expect.stringMatching(message),
    });
    expect(stripe.endpoints(account, "test")).toEqual([]);
  });

  test("refuses a seventeenth, of each mode: https://docs.stripe.com/webhooks", async () => {
    const { call, live } = await started();
    for (let n = 0; n < 16; n += 1) {
      expect(await call("POST /v1/webhook_endpoints", ENDPOINT)).toMatchObject({ status: 200 });
    }
    expect(await call("POST /v1/webhook_endpoints", ENDPOINT)).toMatchObject({ status: 400 });
    const other = { authorization: `Bearer ${live}` };
    expect(await call("POST /v1/webhook_endpoints", ENDPOINT, other)).toMatchObject({ status: 200 });
  });

  test.each([
    ["connect", "true"],
    ["api_version", "2024-06-20"],
  ])("refuses to change %s afterwards", async (name, value) => {
    const { call } = await started();
    const { answer } = await call("POST /v1/webhook_endpoints", { ...ENDPOINT, connect: "true" });
    expect(answer).toMatchObject({ application: expect.stringMatching(/^ca_/), secret: expect.any(String) });
    const path = `/v1/webhook_endpoints/${answer.id}`;
    expect(await call(`POST ${path}`, { [name]: value })).toMatchObject({
      status: 400,
      answer: { error: { code: "parameter_unknown" } },
    });
    // The secret is shown once.
    expect((await call(`GET ${path}`)).answer.secret).toBeUndefined();
  });

  test("gives one page of a list, and refuses a longer one: https://docs.stripe.com/api/pagination", async () => {
    const { call } = await started();
    for (let n = 0; n < 12; n += 1) await call("POST /v1/webhook_endpoints", ENDPOINT);
    const { answer } = await call("GET /v1/webhook_endpoints");
    expect([answer.data.length, answer.has_more]).toEqual([10, true]);
    const rest = await call(`GET /v1/webhook_endpoints?starting_after=${answer.data[9].id}`);
    expect([rest.answer.data.length, rest.answer.has_more]).toEqual([2, false]);
    expect(await call("GET /v1/webhook_endpoints?limit=101")).toMatchObject({ status: 400 });
  });

  test("knows no endpoint of another account or mode", async () => {
    const { stripe, account, call, live } = await started();
    const { id } = stripe.createEndpoint(stripe.createAccount(), "test", ENDPOINT.url);
    for (const on of [`POST /v1/webhook_endpoints/${id}`, `DELETE /v1/webhook_endpoints/${id}`]) {
      expect(await call(on, { disabled: "true" })).toMatchObject({ status: 404 });
    }
    const own = stripe.createEndpoint(account, "test", ENDPOINT.url);
    const headers = { authorization: `Bearer ${live}` };
    expect(await call(`DELETE /v1/webhook_endpoints/${own.id}`, {}, headers)).toMatchObject({ status: 404 });
  });
});

describe("keys and headers", () => {
  test.each([
    ["no key", {}, 401, /did not provide/],
    ["a key that there is not", { authorization: "Bearer sk_test_other" }, 401, /Invalid API Key/],
    ["a version that there is not", { "stripe-version": "newest" }, 400, /Invalid Stripe API version/],
    ["an idempotency key of 256 characters", { "idempotency-key": "k".repeat(256) }, 400, /255/],
  ])("refuses %s", async (name, headers, status, message) => {
    const { call } = await started();
    const all = { ...(name === "no key" ? { authorization: "" } : {}), ...headers };
    expect(await call("POST /v1/webhook_endpoints", ENDPOINT, all)).toMatchObject({
      status,
      message: expect.stringMatching(message),
    });
  });

  test("answers an idempotency key once, and refuses it for another request: https://docs.stripe.com/api/idempotent_requests", async () => {
    const { stripe, account, call } = await started();
    const headers = { "idempotency-key": "one" };
    const [first, again] = [
      await call("POST /v1/webhook_endpoints", ENDPOINT, headers),
      await call("POST /v1/webhook_endpoints", ENDPOINT, headers),
    ];
    expect(again.answer).toEqual(first.answer);
    expect(stripe.endpoints(account, "test")).toHaveLength(1);
    const other = { ...ENDPOINT, url: "https://example.com/other" };
    expect(await call("POST /v1/webhook_endpoints", other, headers)).toMatchObject({
      status: 400,
      answer: { error: { type: "idempotency_error" } },
    });
  });

  test("refuses more requests in a second than an account may make: https://docs.stripe.com/rate-limits", async () => {
    const { call, advance } = await started({ requestsPerSecond: 25 });
    for (let n = 0; n < 25; n += 1) expect((await call("GET /v1/balance")).status).toBe(200);
    const refused = await call("GET /v1/balance");
    expect([refused.status, refused.headers.get("stripe-rate-limited-reason")]).toEqual([429, "global-rate"]);
    advance(1);
    expect((await call("GET /v1/balance")).status).toBe(200);
  });

  test("an organisation's key opens nothing without account and version: https://docs.stripe.com/keys/organization-api-keys", async () => {
    const { stripe, account, call } = await started();
    const key = { authorization: `Bearer ${stripe.createOrganisationKey([account], "test")}` };
    const version = { "stripe-version": "2026-09-30.endive" };
    const context = { "stripe-context": account };
    expect(await call("GET /v1/balance", {}, key)).toMatchObject({ status: 400 });
    expect(await call("GET /v1/balance", {}, { ...key, ...version })).toMatchObject({ status: 400 });
    expect(await call("GET /v1/balance", {}, { ...key, ...context })).toMatchObject({ status: 400 });
    const all = { ...key, ...version, ...context };
    expect(await call("GET /v1/account", {}, all)).toMatchObject({ status: 200, answer: { id: account } });
    const elsewhere = { ...all, "stripe-context": stripe.createAccount() };
    expect(await call("GET /v1/balance", {}, elsewhere)).toMatchObject({ status: 403 });
  });
});

describe("API keys: https://docs.stripe.com/stripe-apps/api-authentication/managed-api-keys", () => {
  const pair = generateKeyPairSync("rsa", {
    modulusLength: 2_048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const publicKey = (data: string) => ({ public_key: { pem_key: { algorithm: "RSA", data } } });
  const KEY = { type: "secret_key", name: "n", permissions: ["balance_read"], ...publicKey(pair.publicKey) };

  test("no key of the account itself can make one; an app's can, where it is installed", async () => {
    const { stripe, account, secretKey, asJson } = await started();
    expect(await asJson("POST /v2/iam/api_keys", secretKey, KEY)).toMatchObject({ status: 403 });
    const app = stripe.createApp(account, "test");
    expect(await asJson("POST /v2/iam/api_keys", app.apiKey, KEY)).toMatchObject({ status: 200 });
    const elsewhere = { "stripe-context": stripe.createAccount() };
    expect(await asJson("POST /v2/iam/api_keys", app.apiKey, KEY, elsewhere)).toMatchObject({ status: 403 });
    app.uninstall();
    expect(await asJson("POST /v2/iam/api_keys", app.apiKey, KEY)).toMatchObject({ status: 403 });
  });

  test.each<[string, object, Record<string, string>, number]>([
    ["a version that is no preview", KEY, { "stripe-version": "2026-09-30.endive" }, 404],
    ["a field that there is not", { ...KEY, status: "active" }, {}, 400],
    ["a restriction to addresses", { ...KEY, ip_allowlist: ["10.0.0.1"] }, {}, 400],
    ["no permission", { ...KEY, permissions: [] }, {}, 400],
    ["a permission that is none", { ...KEY, permissions: ["everything"] }, {}, 400],
    ["a public key that is none", { ...KEY, ...publicKey("none") }, {}, 400],
  ])("refuses %s", async (_name, json, headers, status) => {
    const { stripe, account, asJson } = await started();
    const { apiKey } = stripe.createApp(account, "test");
    expect(await asJson("POST /v2/iam/api_keys", apiKey, json, headers)).toMatchObject({ status });
    expect(stripe.managedKeys(account, "test")).toEqual([]);
  });

  test("in live mode wants a public key, and shows the key once, encrypted for it", async () => {
    const { stripe, account, asJson } = await started();
    const { apiKey } = stripe.createApp(account, "live");
    const { public_key: _, ...without } = KEY;
    expect(await asJson("POST /v2/iam/api_keys", apiKey, without)).toMatchObject({ status: 400 });
    const { answer } = await asJson("POST /v2/iam/api_keys", apiKey, KEY);
    expect(answer.secret_key.token).toBeUndefined();
    const token = decrypted(answer.secret_key.encrypted_secret.ciphertext, pair.privateKey);
    expect(token).toMatch(/^rk_live_/);
    const again = await asJson(`GET /v2/iam/api_keys/${answer.id}`, apiKey, undefined);
    expect(JSON.stringify(again.answer)).not.toContain("encrypted_secret");
    expect(JSON.stringify(again.answer)).not.toContain(token);
  });

  test("takes an empty list of permissions, and changes nothing", async () => {
    const { stripe, account, asJson } = await started();
    const { apiKey } = stripe.createApp(account, "test");
    const { answer } = await asJson("POST /v2/iam/api_keys", apiKey, KEY);
    const updated = await asJson(`POST /v2/iam/api_keys/${answer.id}`, apiKey, { permissions: [] });
    expect([updated.status, updated.answer.permissions]).toEqual([200, ["balance_read"]]);
  });

  test("an expired key works for a while, one that is rotated dies at once; a person's is not to be had", async () => {
    const { stripe, account, asJson, call, advance } = await started();
    const { apiKey } = stripe.createApp(account, "test");
    const works = async (token: string): Promise<boolean> =>
      (await call("GET /v1/balance", {}, { authorization: `Bearer ${token}` })).status === 200;
    const { answer: first } = await asJson("POST /v2/iam/api_keys", apiKey, KEY);
    await asJson(`POST /v2/iam/api_keys/${first.id}/expire`, apiKey, {});
    expect(await works(first.secret_key.token)).toBe(true);
    advance(10);
    expect(await works(first.secret_key.token)).toBe(false);
    expect(await asJson(`POST /v2/iam/api_keys/${first.id}/expire`, apiKey, {})).toMatchObject({
      status: 404,
    });
    const { answer: second } = await asJson("POST /v2/iam/api_keys", apiKey, KEY);
    const { answer: third } = await asJson(`POST /v2/iam/api_keys/${second.id}/rotate`, apiKey, {});
    expect([await works(second.secret_key.token), await works(third.secret_key.token)]).toEqual([
      false,
      true,
    ]);
    const long = { expire_current_key_in_minutes: 10_081 };
    expect(await asJson(`POST /v2/iam/api_keys/${third.id}/rotate`, apiKey, long)).toMatchObject({
      status: 400,
    });
    const { answer: listed } = await asJson("GET /v2/iam/api_keys?limit=100", apiKey, undefined);
    const byHand = listed.data.find((key: { managed_by?: unknown }) => key.managed_by === undefined);
    expect(await asJson(`POST /v2/iam/api_keys/${byHand.id}/expire`, apiKey, {})).toMatchObject({
      status: 403,
    });
    expect(await asJson("GET /v2/iam/api_keys?limit=200", apiKey, undefined)).toMatchObject({
      status: 400,
      message: expect.stringContaining("maximum page limit is 100"),
    });
  });
});

function decrypted(jwe: string, privateKey: string): string {
  const [header = "", wrapped = "", iv = "", ciphertext = "", tag = ""] = jwe.split(".");
  const bytes = (part: string): Buffer => Buffer.from(part, "base64url");
  const key = privateDecrypt({ key: privateKey, oaepHash: "sha256" }, bytes(wrapped));
  const cipher = createDecipheriv("aes-256-gcm", key, bytes(iv)).setAuthTag(bytes(tag));
  cipher.setAAD(Buffer.from(header, "ascii"));
  return `${cipher.update(bytes(ciphertext), undefined, "utf8")}${cipher.final("utf8")}`;
}

describe("deliveries: https://docs.stripe.com/webhooks#automatic-retries", () => {
  /** A receiver that answers with what it is told to. */
  async function receiver() {
    const state = { status: 500, came: 0 };
    const server = createServer((_request, response) => {
      state.came += 1;
      response.writeHead(state.status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    running.push({ stop: () => new Promise((resolve) => server.close(() => resolve())) });
    const address = server.address();
    return { state, url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/` };
  }

  const hours = async (
    stripe: StripeServer,
    advance: (seconds: number) => void,
    count: number,
  ): Promise<void> => {
    for (let n = 0; n < count; n += 1) {
      advance(3_600);
      await stripe.retryDue();
    }
  };

  test.each([
    ["live", 73, 8],
    ["test", 4, 3],
  ] as const)(
    "%s: tries again, further and further apart, until %i hours are over",
    async (mode, until, least) => {
      const { stripe, account, advance } = await started();
      const { state, url } = await receiver();
      stripe.createEndpoint(account, mode, url);
      await stripe.emit(account, mode, "charge.succeeded");
      await hours(stripe, advance, until);
      expect(stripe.waiting).toEqual([]);
      expect(state.came).toBeGreaterThanOrEqual(least);
      const came = state.came;
      await hours(stripe, advance, 24);
      expect(state.came).toBe(came);
    },
  );

  test.each(["disabled", "deleted"] as const)("gives a %s endpoint no more tries", async (how) => {
    const { stripe, account, advance, call } = await started();
    const { state, url } = await receiver();
    const { id } = stripe.createEndpoint(account, "test", url);
    await stripe.emit(account, "test", "charge.succeeded");
    if (how === "deleted") stripe.deleteEndpoint(id);
    else await call(`POST /v1/webhook_endpoints/${id}`, { disabled: "true" });
    await hours(stripe, advance, 2);
    expect([state.came, stripe.waiting]).toEqual([1, []]);
  });

  test("an endpoint that is on again before the next try gets it, with a signature of its own", async () => {
    const { stripe, account, advance, call } = await started();
    const { state, url } = await receiver();
    const { id } = stripe.createEndpoint(account, "test", url);
    await stripe.emit(account, "test", "charge.succeeded");
    for (const disabled of ["true", "false"]) await call(`POST /v1/webhook_endpoints/${id}`, { disabled });
    state.status = 200;
    await hours(stripe, advance, 1);
    const [first, second] = stripe.deliveries;
    expect([first?.status, second?.status, first?.eventId]).toEqual([500, 200, second?.eventId]);
    expect(first?.signature).not.toBe(second?.signature);
  });
});
