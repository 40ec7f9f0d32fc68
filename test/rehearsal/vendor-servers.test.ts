import { randomBytes, randomUUID } from "node:crypto";
import { AuthTokens } from "../../packages/rehearsal/src/targets/auth-tokens";
import {
  type DatadogKeys,
  type DatadogServer,
  type DatadogServerOptions,
  startDatadog,
} from "../../packages/rehearsal/src/vendors/datadog-server";
import { startPayPalServer } from "../../packages/rehearsal/src/vendors/paypal-server";
import {
  type SendGridServerOptions,
  startSendGrid,
} from "../../packages/rehearsal/src/vendors/sendgrid-server";
import { AccessKeysModel } from "../rotation/models/access-keys-model";
import { TestClock } from "../rotation/models/rehearsed-secret";

/** Models of vendors refuse what the vendors' documents say that they refuse. Each group names its page. */

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

async function ask(
  url: string,
  on: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown,
): Promise<{ readonly status: number; readonly answer: Record<string, unknown> }> {
  const [method = "GET", path = "/"] = on.split(" ");
  const isForm = body instanceof URLSearchParams;
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...headers, ...(body === undefined || isForm ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, answer: JSON.parse(text === "" ? "{}" : text) };
}

describe("SendGrid's API keys: https://www.twilio.com/docs/sendgrid/api-reference/api-keys", () => {
  async function started(options: SendGridServerOptions = {}) {
    const server = await startSendGrid(options);
    running.push(server);
    const call = (on: string, body?: unknown, key = server.adminKey, more: Record<string, string> = {}) =>
      ask(server.url, on, { authorization: `Bearer ${key}`, ...more }, body);
    return { server, call };
  }
  const NEW = "POST /v3/api_keys";

  // "400, 401, 403": https://www.twilio.com/docs/sendgrid/api-reference/api-keys/create-api-keys
  test.each<[string, unknown, number]>([
    ['no name: "a name property is required"', { scopes: ["mail.send"] }, 400],
    ["an empty name", { name: "" }, 400],
    ["a name that is no text", { name: 5 }, 400],
    ["no body", undefined, 400],
    ["scopes that are no list", { name: "app", scopes: "mail.send" }, 400],
    ["a scope that there is not", { name: "app", scopes: ["mail.fly"] }, 400],
  ])("refuses to create a key with %s", async (_, body, status) => {
    const { server, call } = await started();
    expect(await call(NEW, body)).toMatchObject({
      status,
      answer: { errors: [{ message: expect.any(String) }] },
    });
    expect(server.keyNames).toEqual([]);
  });

  test("refuses a scope that the calling key does not have", async () => {
    const { server, call } = await started();
    const { key } = server.makeKey("maker", ["api_keys.create", "mail.send"]);
    expect((await call(NEW, { name: "app", scopes: ["stats.read"] }, key)).status).toBe(400);
    expect((await call(NEW, { name: "app", scopes: ["mail.send"] }, key)).status).toBe(201);
  });

  test("shows a key once, of 69 characters, and takes two of one name", async () => {
    const { server, call } = await started();
    const { status, answer } = await call(NEW, { name: "app", scopes: ["mail.send"] });
    expect([status, String(answer.api_key).length]).toEqual([201, 69]);
    const shown = await call(`GET /v3/api_keys/${answer.api_key_id}`);
    expect([shown.status, "api_key" in shown.answer]).toEqual([200, false]);
    expect(JSON.stringify((await call("GET /v3/api_keys")).answer)).not.toContain(String(answer.api_key));
    expect((await call(NEW, { name: "app" })).status).toBe(201);
    expect(server.keyNames).toEqual(["app", "app"]);
  });

  test('refuses the 101st: "If the number of maximum keys, 100, is reached, a 403 status will be returned"', async () => {
    const { call } = await started();
    for (let count = 1; count < 100; count += 1) expect((await call(NEW, { name: "app" })).status).toBe(201);
    expect((await call(NEW, { name: "one more" })).status).toBe(403);
  });

  // https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/authentication
  test.each([
    ["no key", ""],
    ["a key that there is not", `SG.${"a".repeat(22)}.${"b".repeat(43)}`],
  ])("answers 401 to %s", async (_, key) => {
    const { call } = await started();
    for (const on of [NEW, "GET /v3/api_keys", "GET /v3/scopes", "POST /v3/mail/send"])
      expect([on, (await call(on, undefined, key)).status]).toEqual([on, 401]);
  });

  test.each([
    [NEW, { name: "app" }],
    ["GET /v3/api_keys", undefined],
    ["GET /v3/api_keys/some", undefined],
    ["DELETE /v3/api_keys/some", undefined],
    ["POST /v3/mail/send", {}],
  ])("answers 403 to a key without the scope of %s", async (on, body) => {
    const { server, call } = await started();
    expect((await call(on, body, server.makeKey("reader", ["stats.read"]).key)).status).toBe(403);
  });

  test.each(["GET", "DELETE"])(
    "answers 404 to %s of a key that there is not, or is no more",
    async (method) => {
      const { server, call } = await started();
      const { id } = server.makeKey("app");
      expect((await call(`DELETE /v3/api_keys/${id}`)).status).toBe(204);
      expect((await call(`${method} /v3/api_keys/${id}`)).status).toBe(404);
    },
  );

  test("a deleted key is nobody's", async () => {
    const { server, call } = await started();
    const { id, key } = server.makeKey("app");
    expect((await call("GET /v3/scopes", undefined, key)).status).toBe(200);
    await call(`DELETE /v3/api_keys/${id}`);
    expect((await call("GET /v3/scopes", undefined, key)).status).toBe(401);
  });

  // https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/on-behalf-of
  test("acts on behalf of a subuser of its own, and of nobody else", async () => {
    const { server, call } = await started();
    const behalf = (who: string) => ({ "on-behalf-of": who });
    const made = await call(NEW, { name: "theirs" }, server.adminKey, behalf(server.subuser));
    expect(made.status).toBe(201);
    expect([server.keyNames, server.subuserKeyNames]).toEqual([[], ["theirs"]]);
    const theirs = `/v3/api_keys/${made.answer.api_key_id}`;
    // The parent's own list does not have it, nor may a subuser act for others.
    expect((await call(`GET ${theirs}`)).status).toBe(404);
    expect((await call("GET /v3/api_keys", undefined, server.adminKey, behalf("stranger"))).status).toBe(403);
    const key = String(made.answer.api_key);
    expect((await call("GET /v3/api_keys", undefined, key, behalf(server.subuser))).status).toBe(403);
  });

  // https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions/retrieve-a-list-of-scopes-for-which-this-user-has-access
  test("may refuse scopes to a restricted key: 403 is among the answers of GET /v3/scopes", async () => {
    const { call } = await started({ scopesUntold: true });
    const { answer } = await call(NEW, { name: "app", scopes: ["mail.send"] });
    expect((await call("GET /v3/scopes", undefined, String(answer.api_key))).status).toBe(403);
    expect((await call("GET /v3/scopes")).status).toBe(200);
  });

  // https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
  test("refuses a message without its parts, and delivers none in sandbox mode", async () => {
    const { call } = await started();
    expect((await call("POST /v3/mail/send", { from: { email: "a@example.com" } })).status).toBe(400);
    const message = {
      personalizations: [{ to: [{ email: "b@example.com" }] }],
      from: { email: "a@example.com" },
      mail_settings: { sandbox_mode: { enable: true } },
    };
    expect((await call("POST /v3/mail/send", message)).status).toBe(200);
  });
});

describe("Datadog's keys: https://docs.datadoghq.com/api/latest/key-management/", () => {
  async function started(options: DatadogServerOptions = {}) {
    const server = await startDatadog(options);
    running.push(server);
    const call = (on: string, body?: unknown, keys: Partial<DatadogKeys> = server.admin) =>
      ask(server.url, on, { "dd-api-key": keys.apiKey ?? "", "dd-application-key": keys.appKey ?? "" }, body);
    return { server, call };
  }
  const API_KEYS = "/api/v2/api_keys";
  const appKeys = ({ serviceAccountId }: Pick<DatadogServer, "serviceAccountId">) =>
    `/api/v2/service_accounts/${serviceAccountId}/application_keys`;
  const newKey = (type: string, attributes: object) => ({ data: { type, attributes } });

  // "400 Bad Request, 403 Forbidden, 429 Too many requests"
  test.each<[string, unknown]>([
    ["no body", undefined],
    ["no name", newKey("api_keys", {})],
    ["an empty name", newKey("api_keys", { name: "" })],
    ["another type", newKey("application_keys", { name: "app" })],
    ["no data", { name: "app" }],
  ])("refuses to create an API key with %s", async (_, body) => {
    const { server, call } = await started();
    expect(await call(`POST ${API_KEYS}`, body)).toMatchObject({
      status: 400,
      answer: { errors: [expect.any(String)] },
    });
    expect(server.apiKeyNames).toEqual([]);
  });

  // "Key names must be unique across your organization": https://docs.datadoghq.com/account_management/api-app-keys/
  test("refuses a second API key of one name, and takes a second application key", async () => {
    const { server, call } = await started();
    const apiKey = newKey("api_keys", { name: "app" });
    const appKey = newKey("application_keys", { name: "app" });
    expect((await call(`POST ${API_KEYS}`, apiKey)).status).toBe(201);
    expect((await call(`POST ${API_KEYS}`, apiKey)).status).toBe(400);
    expect((await call(`POST ${appKeys(server)}`, appKey)).status).toBe(201);
    expect((await call(`POST ${appKeys(server)}`, appKey)).status).toBe(201);
  });

  // "Your org must have at least one API key and at most 50 API keys": https://docs.datadoghq.com/account_management/api-app-keys/
  test.each([400, 403] as const)(
    "refuses one more than the organization has room for, by %d",
    async (fullStatus) => {
      const { server, call } = await started({ mostApiKeys: 3, fullStatus });
      for (const name of ["one", "two"])
        expect((await call(`POST ${API_KEYS}`, newKey("api_keys", { name }))).status).toBe(201);
      expect((await call(`POST ${API_KEYS}`, newKey("api_keys", { name: "three" }))).status).toBe(fullStatus);
      expect(server.apiKeyNames).toEqual(["one", "two"]);
    },
  );

  test("has room for 50, the default", async () => {
    const { call } = await started();
    for (let count = 1; count < 50; count += 1)
      expect((await call(`POST ${API_KEYS}`, newKey("api_keys", { name: `key-${count}` }))).status).toBe(201);
    expect((await call(`POST ${API_KEYS}`, newKey("api_keys", { name: "more" }))).status).toBe(400);
  });

  test("shows a key once: lists have its last four characters", async () => {
    const { server, call } = await started();
    const made = await call(`POST ${API_KEYS}`, newKey("api_keys", { name: "app" }));
    const { key } = (made.answer.data as { attributes: { key: string } }).attributes;
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    const listed = JSON.stringify((await call(`GET ${API_KEYS}`)).answer);
    expect([listed.includes(key), listed.includes(key.slice(-4))]).toEqual([false, true]);
    expect(server.apiKeyNames).toEqual(["app"]);
  });

  test.each<[string, (server: DatadogServer) => Partial<DatadogKeys>]>([
    ["no key at all", () => ({})],
    ["an API key that there is not", ({ admin }) => ({ ...admin, apiKey: randomBytes(16).toString("hex") })],
    [
      "an application key that there is not",
      ({ admin }) => ({ ...admin, appKey: `ddapp_${"a".repeat(34)}` }),
    ],
    ["a person without the permission", (server) => server.makePerson(["metrics_read"])],
  ])("answers 403 to %s, which are not told apart", async (_, keysOf) => {
    const { server, call } = await started();
    const keys = keysOf(server);
    for (const on of [
      `GET ${API_KEYS}`,
      `POST ${API_KEYS}`,
      `DELETE ${API_KEYS}/${server.admin.apiKeyId}`,
      `GET ${appKeys(server)}`,
    ])
      expect([on, (await call(on, undefined, keys)).status]).toEqual([on, 403]);
  });

  test.each([API_KEYS, "application keys"])(
    "answers 404 to the deletion of %s that are not there",
    async (path) => {
      const { server, call } = await started();
      const of = path === API_KEYS ? API_KEYS : appKeys(server);
      expect((await call(`DELETE ${of}/${randomUUID()}`)).status).toBe(404);
    },
  );

  // https://docs.datadoghq.com/api/latest/service-accounts/
  test("answers 404 to a service account that there is not", async () => {
    const { call } = await started();
    expect((await call(`GET ${appKeys({ serviceAccountId: randomUUID() })}`)).status).toBe(404);
  });

  test("refuses a scope that there is not", async () => {
    const { server, call } = await started();
    const wanted = newKey("application_keys", { name: "app", scopes: ["everything"] });
    expect((await call(`POST ${appKeys(server)}`, wanted)).status).toBe(400);
    expect(server.appKeyNames).toEqual([]);
  });

  // A disabled account's application keys are revoked: https://docs.datadoghq.com/account_management/api-app-keys/
  test("takes no application key of an account that was disabled", async () => {
    const { server, call } = await started();
    const keys = server.makeKeys("app");
    expect((await call("GET /api/v2/validate_keys", undefined, keys)).status).toBe(200);
    server.disableServiceAccount();
    expect((await call("GET /api/v2/validate_keys", undefined, keys)).status).toBe(403);
  });

  test("gives ten keys a page unless it is asked for more, and a hundred at most", async () => {
    const { call } = await started({ mostApiKeys: 200 });
    for (let count = 0; count < 105; count += 1)
      await call(`POST ${API_KEYS}`, newKey("api_keys", { name: `key-${count}` }));
    const page = async (query: string) =>
      ((await call(`GET ${API_KEYS}?${query}`)).answer.data as object[]).length;
    expect([await page(""), await page("page[size]=20"), await page("page[size]=500")]).toEqual([
      10, 20, 100,
    ]);
    expect(await page("page[size]=100&page[number]=1")).toBe(6);
  });
});

describe("PayPal's tokens: https://developer.paypal.com/api/rest/authentication/", () => {
  async function started() {
    const server = await startPayPalServer();
    running.push(server);
    const token = (authorization: string | undefined, form: Record<string, string>) =>
      ask(
        server.url,
        "POST /v1/oauth2/token",
        authorization === undefined ? {} : { authorization },
        new URLSearchParams(form),
      );
    return { server, token };
  }
  const basic = (id: string, secret: string): string =>
    `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`;
  const GRANT = { grant_type: "client_credentials" };

  // "invalid_client: Client Authentication failed": https://developer.paypal.com/api/rest/responses/
  test.each<[string, (credential: { clientId: string; clientSecret: string }) => string | undefined]>([
    ["no credential", () => undefined],
    ["an empty one", () => basic("", "")],
    [
      "another app's id",
      ({ clientSecret }) => basic(`A${randomBytes(59).toString("base64url")}`, clientSecret),
    ],
    ["another secret", ({ clientId }) => basic(clientId, `E${randomBytes(59).toString("base64url")}`)],
    ["a bearer's header", ({ clientSecret }) => `Bearer ${clientSecret}`],
    ["text that is no base64 of two parts", () => "Basic bm9uZQ=="],
  ])("answers 401 to %s", async (_, header) => {
    const { server, token } = await started();
    expect(await token(header(server.createApp()), GRANT)).toMatchObject({
      status: 401,
      answer: { error: "invalid_client" },
    });
  });

  // RFC 6749, section 5.2
  test.each<[string, Record<string, string>]>([
    ["none", {}],
    ["another one", { grant_type: "password" }],
  ])("answers 400 to a grant type that is %s", async (_, form) => {
    const { server, token } = await started();
    const { clientId, clientSecret } = server.createApp();
    expect(await token(basic(clientId, clientSecret), form)).toMatchObject({
      status: 400,
      answer: { error: "unsupported_grant_type" },
    });
  });

  // https://www.paypal-engineering.com/2015/11/11/credential-rotation/
  test("an app has two secrets, each of which works until it is disabled or deleted", async () => {
    const { server, token } = await started();
    const first = server.createApp();
    const second = server.addSecret(first.clientId);
    const status = async (secret: typeof first) =>
      (await token(basic(secret.clientId, secret.clientSecret), GRANT)).status;
    expect([await status(first), await status(second)]).toEqual([200, 200]);
    expect(() => server.addSecret(first.clientId)).toThrow("two secrets");
    server.setStatus(first, "disabled");
    expect([await status(first), await status(second)]).toEqual([401, 200]);
    server.setStatus(first, "enabled");
    expect(await status(first)).toBe(200);
    server.deleteSecret(first);
    expect([await status(first), await status(second)]).toEqual([401, 200]);
  });

  // "429 RATE_LIMIT_REACHED": https://developer.paypal.com/api/rest/reference/rate-limiting/
  test("refuses too many requests by that name", async () => {
    const { server, token } = await started();
    server.failNext({ how: { status: 429 } });
    const { clientId, clientSecret } = server.createApp();
    expect(await token(basic(clientId, clientSecret), GRANT)).toMatchObject({
      status: 429,
      answer: { name: "RATE_LIMIT_REACHED" },
    });
  });
});

describe("ElastiCache's AUTH tokens: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html", () => {
  const text = (): string => randomBytes(24).toString("hex");
  const change = (tokens: AuthTokens, strategy: string | undefined, token: string): string => {
    const outcome = tokens.change({ strategy, token });
    if (typeof outcome !== "function") return outcome.code;
    outcome();
    return "done";
  };

  // "Tokens, or passwords, must be 16–128 printable characters. Nonalphanumeric characters are restricted to (!, &, #, $, ^, <, >, -)."
  test.each([
    ["fifteen characters", "a".repeat(15)],
    ["129 characters", "a".repeat(129)],
    ["a space", `${"a".repeat(16)} b`],
    ["an @", `${"a".repeat(16)}@`],
    ["a slash", `${"a".repeat(16)}/`],
    ["a letter beyond ASCII", `${"a".repeat(16)}ä`],
  ])("refuses a token with %s", (_, token) => {
    const tokens = new AuthTokens(text());
    expect(change(tokens, "ROTATE", token)).toBe("InvalidParameterValue");
    expect(tokens.accepted).toHaveLength(1);
  });

  test.each(["a".repeat(16), "a".repeat(128), `${"a".repeat(16)}!&#$^<>-`])("takes %j", (token) => {
    expect(change(new AuthTokens(text()), "ROTATE", token)).toBe("done");
  });

  // "AUTH can only be enabled for encryption in-transit enabled ... clusters."
  test("refuses any token where nothing is encrypted in transit", () => {
    const tokens = new AuthTokens(undefined, { encryptedInTransit: () => false });
    expect(change(tokens, "ROTATE", text())).toBe("InvalidParameterCombination");
  });

  // "the cluster will support the previous AUTH token in addition"; "the oldest AUTH token will also be removed"
  test("accepts the two tokens that were rotated last, whichever is in use", () => {
    const [first, second, third] = [text(), text(), text()];
    const tokens = new AuthTokens(first);
    expect([change(tokens, "ROTATE", second), tokens.accepted]).toEqual(["done", [first, second]]);
    expect([change(tokens, "ROTATE", third), tokens.accepted]).toEqual(["done", [second, third]]);
  });

  test('rotates where no strategy is named: "ROTATE ... if no update strategy is provided"', () => {
    const [first, second] = [text(), text()];
    const tokens = new AuthTokens(first);
    expect([change(tokens, undefined, second), tokens.accepted]).toEqual(["done", [first, second]]);
  });

  // "SET - allowed only after ROTATE": API_ModifyReplicationGroup
  test("refuses SET before a ROTATE, a second SET, and SET of a token that is not the one rotated last", () => {
    const [first, second] = [text(), text()];
    const tokens = new AuthTokens(first);
    expect(change(tokens, "SET", first)).toBe("InvalidParameterCombination");
    change(tokens, "ROTATE", second);
    expect(change(tokens, "SET", first)).toBe("InvalidParameterValue");
    expect(change(tokens, "SET", text())).toBe("InvalidParameterValue");
    expect([change(tokens, "SET", second), tokens.accepted]).toEqual(["done", [second]]);
    expect(change(tokens, "SET", second)).toBe("InvalidParameterCombination");
  });

  // "the cluster supports the AUTH token ... in addition to supporting connecting without authentication"
  test("leaves a group open that had no token, until SET", () => {
    const token = text();
    const tokens = new AuthTokens(undefined);
    change(tokens, "ROTATE", token);
    expect([tokens.open, tokens.accepted]).toEqual([true, [token]]);
    change(tokens, "SET", token);
    expect([tokens.open, tokens.accepted]).toEqual([false, [token]]);
  });

  // "DELETE - allowed only when transitioning to RBAC": API_ModifyReplicationGroup
  test("refuses DELETE, and a strategy that there is not", () => {
    const tokens = new AuthTokens(text());
    expect(change(tokens, "DELETE", text())).toBe("InvalidParameterCombination");
    expect(change(tokens, "SWAP", text())).toBe("InvalidParameterValue");
  });
});

describe("IAM's access keys: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html", () => {
  const user = "s3-app";
  const started = () => new AccessKeysModel(() => new TestClock(), 0, user);
  const refused = (code: string, also = "") =>
    expect.objectContaining({ code, message: expect.stringContaining(also) });

  // "LimitExceeded": https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, access keys of a user: 2
  test("a user has two, and a third is refused", async () => {
    const keys = started();
    await keys.create(user);
    const { id } = await keys.create(user);
    await expect(keys.create(user)).rejects.toEqual(refused("target-busy", "LimitExceeded"));
    await keys.remove(user, id);
    await expect(keys.create(user)).resolves.toMatchObject({ id: expect.stringMatching(/^AKIA/) });
  });

  // "NoSuchEntity"
  test("a user that there is not is refused, and has nobody's keys removed", async () => {
    const keys = started();
    const { id } = await keys.create(user);
    for (const call of [
      () => keys.list("nobody"),
      () => keys.create("nobody"),
      () => keys.tags("nobody"),
      () => keys.putTag("nobody", "key", "value"),
    ])
      await expect(call()).rejects.toEqual(refused("target-misconfigured", "nobody"));
    await keys.remove("nobody", id);
    expect(keys.ids).toEqual([id]);
  });

  // "InvalidInput": https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html
  test.each([
    ["a key of 129 characters", "k".repeat(129), "value"],
    ["an empty key", "", "value"],
    ["a key with a letter that there is not", "key;", "value"],
    ["a value of 257 characters", "key", "v".repeat(257)],
    ["a value with a line's end", "key", "a\nb"],
  ])("refuses a tag with %s", async (_, key, value) => {
    const keys = started();
    await expect(keys.putTag(user, key, value)).rejects.toEqual(refused("unexpected", "InvalidInput"));
    expect(keys.userTags.size).toBe(0);
  });

  // "LimitExceeded": tags of a user: 50
  test("a user has fifty tags, and a fifty-first is refused; one that is there is changed", async () => {
    const keys = started();
    for (let count = 0; count < 50; count += 1) await keys.putTag(user, `tag-${count}`, "value");
    await expect(keys.putTag(user, "tag-50", "value")).rejects.toEqual(
      refused("unexpected", "LimitExceeded"),
    );
    await expect(keys.putTag(user, "tag-0", "other")).resolves.toBeUndefined();
  });
});
