import { createServer, type Server } from "node:http";
import { httpCheck } from "../../../lib/rotation/adapters/http-check";
import { checkerHandlerOf } from "../../../lib/rotation/entries/checker-handler";
import { HttpsTarget } from "../models/https-target";
import { silentLog, TestClock } from "../models/rehearsed-secret";

/** Paths and what they answer. */
const PAGES: Readonly<Record<string, { status: number; body: string; location?: string }>> = {
  "/healthz": { status: 200, body: "ok: database, queue" },
  "/version": { status: 200, body: '{"secrets":{"db/app":"v2"}}' },
  "/old-version": { status: 200, body: '{"secrets":{"db/app":"v1"}}' },
  "/broken": { status: 500, body: "token=s3cr3t-in-a-page" },
  "/moved": { status: 302, body: "", location: "http://127.0.0.1:1/elsewhere" },
};

let server: Server;
let url = "";
const seen: string[] = [];
const target = new HttpsTarget();

beforeAll(async () => {
  await target.start();
  server = createServer((request, response) => {
    seen.push(request.url ?? "");
    const page = PAGES[request.url ?? ""];
    if (page === undefined) return;
    response.writeHead(page.status, page.location === undefined ? {} : { location: page.location });
    response.end(page.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address === "object" && address !== null) url = `http://127.0.0.1:${address.port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  await Promise.all([new Promise((resolve) => server.close(resolve)), target.stop()]);
});

const check = (path: string, more: object = {}) => ({
  workload: "backend",
  name: "check",
  type: "health" as const,
  url: path.startsWith("http") ? path : `${url}${path}`,
  status: 200,
  timeout: { seconds: 5 },
  ...more,
});

const run = (
  checks: Record<string, ReturnType<typeof check>>,
  names = Object.keys(checks),
  event: object = {},
) =>
  checkerHandlerOf({
    settings: { registry: "acme", environment: "test", region: "eu-central-1", checks },
    http: httpCheck,
    clock: new TestClock(),
    log: silentLog,
  })({ Checks: names, Environment: "test", Secret: "test/db/app", Version: "v2", ...event });

describe("the checker", () => {
  test("gives every check's result when all pass", async () => {
    const checks = {
      "backend/health": check("/healthz", { contains: "database" }),
      "backend/expects-500": check("/broken", { status: 500, type: "synthetic" }),
    };
    await expect(run(checks)).resolves.toEqual({
      passed: true,
      results: [
        {
          name: "backend/health",
          type: "health",
          url: `${url}/healthz`,
          status: 200,
          outcome: "passed",
          ms: 0,
        },
        {
          name: "backend/expects-500",
          type: "synthetic",
          url: `${url}/broken`,
          status: 500,
          outcome: "passed",
          ms: 0,
        },
      ],
    });
  });

  test("runs all of them, and names those that failed without what they said", async () => {
    seen.length = 0;
    const checks = {
      "a/broken": check("/broken"),
      "b/health": check("/healthz"),
      "c/other-text": check("/healthz", { contains: "cache" }),
      "d/moved": check("/moved"),
      "e/silent": check("/silent", { timeout: { seconds: 4 } }),
      "f/untrusted": check(target.url("127.0.0.1")),
    };
    const failure: Error = await run(checks).then(
      () => new Error("passed"),
      (reason: Error) => reason,
    );
    expect(failure.name).toBe("CheckFailed");
    expect(failure.message).toBe(
      "a/broken: 500, c/other-text: 200, d/moved: 302, e/silent: no answer, f/untrusted: no answer",
    );
    expect(JSON.stringify(failure)).not.toContain("s3cr3t");
    expect(seen.sort()).toEqual(["/broken", "/healthz", "/healthz", "/moved", "/silent"]);
  });

  test("asks applications for the version that they use, once all should have it", async () => {
    const checks = {
      "a/new": check("/version", { reports: "version" }),
      "b/old": check("/old-version", { reports: "version" }),
      "c/silent-of-it": check("/old-version"),
    };
    const names = Object.keys(checks);
    await expect(run(checks)).resolves.toMatchObject({ passed: true });
    await expect(run(checks, names, { InUse: false })).resolves.toMatchObject({ passed: true });
    await expect(run(checks, names, { InUse: true })).rejects.toMatchObject({
      name: "CheckFailed",
      message: "b/old: 200",
    });
    await expect(run(checks, ["a/new"], { InUse: true })).resolves.toMatchObject({ passed: true });
  });

  test("a check that it does not know is a fault of the settings, and nothing is asked", async () => {
    seen.length = 0;
    await expect(run({ "a/health": check("/healthz") }, ["a/health", "b/health"])).rejects.toMatchObject({
      code: "settings-malformed",
    });
    expect(seen).toEqual([]);
  });
});
