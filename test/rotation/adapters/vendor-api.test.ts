import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import * as z from "zod/mini";
import { basic, bearer, VendorApi } from "../../../lib/rotation/adapters/vendor-api";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { loopbackCertificate } from "../../../packages/rehearsal/src/servers/loopback-certificate";
import {
  startVendorServer,
  type VendorCall,
  type VendorServer,
} from "../../../packages/rehearsal/src/vendors/vendor-server";

const CANARY = "canary-token-5b1f7c0d9e";
const where = { path: "/things", headers: bearer(CANARY), presents: "credential" } as const;

describe("requests to vendors", () => {
  let server: VendorServer;
  let seen: VendorCall | undefined;
  let api: VendorApi;

  beforeEach(async () => {
    server = await startVendorServer({
      refusal: (status) => ({ status, body: { error: CANARY } }),
      routes: ["GET", "POST", "DELETE"].map((method) => ({
        on: `${method} /base/things`,
        answer: (call) => {
          seen = call;
          return { status: 200, body: { id: "thing-1", secret: CANARY } };
        },
      })),
    });
    api = new VendorApi({ baseUrl: `${server.url}/base` });
  });

  afterEach(() => server.stop());

  const failureOf = async (work: Promise<unknown>): Promise<RotationError> => {
    const failure: unknown = await work.catch((error: unknown) => error);
    if (!(failure instanceof RotationError)) throw new Error(`no RotationError: ${String(failure)}`);
    expect(`${failure.message}${failure.stack}${JSON.stringify(failure)}`).not.toContain(CANARY);
    expect(failure).not.toHaveProperty("cause");
    return failure;
  };

  test("JSON goes out and comes in", async () => {
    const answer = await api.call({ ...where, method: "POST", query: { a: "b c" }, json: { n: 1 } });
    expect(api.read(answer, z.object({ id: z.string() }))).toEqual({ id: "thing-1" });
    expect(seen).toMatchObject({ json: { n: 1 }, headers: { authorization: `Bearer ${CANARY}` } });
    expect(seen?.query.get("a")).toBe("b c");
  });

  test("forms go out, with user and password", async () => {
    await api.call({
      ...where,
      method: "POST",
      headers: basic("user", "pass:word"),
      form: { "events[]": "*", url: "https://example.com/?a=b&c" },
    });
    expect([...(seen?.form ?? [])]).toEqual([
      ["events[]", "*"],
      ["url", "https://example.com/?a=b&c"],
    ]);
    expect(seen?.headers.authorization).toBe(`Basic ${Buffer.from("user:pass:word").toString("base64")}`);
  });

  test.each([
    [401, "credential", "target-refused"],
    [401, "admin", "admin-refused"],
    [403, "admin", "right-missing"],
    [429, "admin", "throttled"],
    [500, "admin", "target-unreachable"],
    [503, "admin", "target-unreachable"],
    [302, "admin", "target-misconfigured"],
    [400, "admin", "unexpected"],
    [404, "admin", "unexpected"],
  ] as const)("status %d to the %s's request: %s", async (status, presents, code) => {
    server.failNext({ how: { status, headers: { location: `${server.url}/base/things` } } });
    const failure = await failureOf(api.call({ ...where, presents }));
    expect(failure).toMatchObject({ code, origin: `HTTP-${status}` });
    expect(failure.message).toContain("GET /things at 127.0.0.1");
    // No try but the one, and no redirect followed.
    expect(server.calls).toEqual(["GET /base/things"]);
  });

  test("a status that is an answer to the caller is none to the rule", async () => {
    server.failNext({ how: { status: 404 } });
    expect((await api.call({ ...where, answers: [404] })).status).toBe(404);
  });

  test.each([["request"], ["answer"]] as const)("a lost %s", async (lost) => {
    server.failNext({ how: { lost } });
    expect(await failureOf(api.call({ ...where, method: "POST", json: {} }))).toMatchObject({
      code: "target-unreachable",
    });
    expect(server.calls).toHaveLength(1);
  });

  test("an answer that does not come", async () => {
    let release = (): void => undefined;
    server.failNext({ how: { until: new Promise<void>((resolve) => (release = resolve)) } });
    const impatient = new VendorApi({ baseUrl: `${server.url}/base`, timeoutMs: 200 });
    expect(await failureOf(impatient.call(where))).toMatchObject({
      code: "target-unreachable",
      origin: "timeout",
    });
    release();
  });

  test("nobody there, a name that nobody has, a header that cannot be sent", async () => {
    await server.stop();
    expect(await failureOf(api.call(where))).toMatchObject({
      code: "target-unreachable",
      origin: "ECONNREFUSED",
    });
    const nowhere = new VendorApi({ baseUrl: "https://vendor.invalid" });
    expect(await failureOf(nowhere.call(where))).toMatchObject({ code: "target-unreachable" });
    expect(await failureOf(api.call({ ...where, headers: bearer(`${CANARY}\n.`) }))).toMatchObject({
      code: "unexpected",
    });
  });

  test("a host whose certificate nobody knows is told nothing", async () => {
    const { certificatePem, privateKeyPem } = loopbackCertificate("Vendor");
    const stranger = createServer({ cert: certificatePem, key: privateKeyPem }, () => {
      throw new Error("the request got through");
    });
    await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
    const { port } = stranger.address() as AddressInfo;
    const elsewhere = new VendorApi({ baseUrl: `https://127.0.0.1:${port}` });
    expect(await failureOf(elsewhere.call(where))).toMatchObject({ code: "target-not-trusted" });
    stranger.close();
  });

  test("an answer without what is needed is told by the fields", async () => {
    const answer = await api.call(where);
    const wanted = z.object({ id: z.number(), key: z.string() });
    const failure = await failureOf(Promise.resolve().then(() => api.read(answer, wanted)));
    expect(failure).toMatchObject({ code: "unexpected", origin: "HTTP-200" });
    expect(failure.message).toContain("answers without id, key");
  });
});
