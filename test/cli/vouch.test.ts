import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { FunctionAnswer, RotationCloud } from "../../lib/cli/cloud/rotation-cloud";
import { run } from "../../lib/cli/program";
import { changeDigest } from "../../lib/contracts";
import { FakeTerminal } from "./fake-terminal";
import { cli, withFolder } from "./run-cli";

/** The gate's answers are its own tests' matter (`test/rotation/procedure`, `test/rehearsal/procedure`). */
const ACCOUNT = "333333333333";
const APPROVED: FunctionAnswer = {
  answered: true,
  payload: { id: "x", digest: "sha256:y", from: "2026-12-08", until: "2027-01-07" },
};

type Sent = { readonly name: string; readonly event: { readonly Change: string; readonly Token: string } };

/** Runs `change vouch` with CI's credentials as they would be. */
async function vouch(
  args: readonly string[],
  { answers = [], account = ACCOUNT }: { answers?: FunctionAnswer[]; account?: string } = {},
) {
  const sent: Sent[] = [];
  const cloud = {
    callerAccount: async () => account,
    invoke: async (name: string, event: object) => {
      sent.push({ name, event: event as Sent["event"] });
      return answers[sent.length - 1] ?? APPROVED;
    },
  };
  const terminal = new FakeTerminal();
  const code = await run(
    ["--registry", join(__dirname, "../../registry"), "change", "vouch", "--env", "prod", ...args],
    terminal,
    { cloudIn: () => cloud as unknown as RotationCloud },
  );
  return { code, out: terminal.printed, err: terminal.told, sent };
}

const day = (offset: number): string => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);

async function write(folder: string, key: string, ...schedule: string[]): Promise<string> {
  const made = await cli(
    ...["change", "new", key, "--reason", "Quarterly rotation", "--out", folder, "--date", day(0)],
    ...["--requester", "alice@example.com", "--format", "json", "--schedule", ...schedule],
  );
  return JSON.parse(made.out).file;
}

let server: Server;
let asked: { readonly audience: string | null; readonly bearer: string | undefined }[] = [];
let statuses: number[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "/", "http://localhost");
    asked.push({ audience: searchParams.get("audience"), bearer: request.headers.authorization });
    const status = statuses.shift() ?? 200;
    response
      .writeHead(status, { "content-type": "application/json" })
      .end(JSON.stringify(status === 200 ? { value: `token.of.${asked.length}` } : { message: "canary" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const VARIABLES = ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "PROD_TOKEN"];
function asJob(): void {
  process.env.ACTIONS_ID_TOKEN_REQUEST_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?api-version=2.0`;
  process.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN = "bearer-of-the-job";
}
beforeEach(() => {
  asked = [];
  statuses = [];
  for (const name of VARIABLES) delete process.env[name];
});
afterAll(() => {
  for (const name of VARIABLES) delete process.env[name];
});

test("in a job of GitHub, each open change of the environment is vouched for by a token that names it", async () => {
  await withFolder(async (folder) => {
    asJob();
    const jwt = await write(folder, "jwt/signing", `dev=${day(1)}`, `prod=${day(9)}`);
    const stripe = await write(folder, "payments/stripe", `prod=${day(9)}`);
    await write(folder, "db/app-primary", `dev=${day(1)}`);
    const { code, out, sent } = await vouch(["--folder", folder]);
    expect(code).toBe(0);
    expect(out).toMatch(/jwt--signing\.md: vouched for in prod, good from 2026-12-08 until 2027-01-07/);
    expect(out).toMatch(/db--app-primary\.md: skipped, it is not for prod/);
    const texts = [jwt, stripe].map((file) => readFileSync(file, "utf8"));
    expect(sent).toEqual(
      texts.map((text, index) => ({
        name: "acme-prod--change-gate",
        event: { Change: text, Token: `token.of.${index + 1}` },
      })),
    );
    expect(asked).toEqual(
      texts.map((text) => ({
        audience: `secrets-registry:acme:prod:${changeDigest(text)}`,
        bearer: "Bearer bearer-of-the-job",
      })),
    );
    expect(out).not.toContain("token.of");
  });
});

test("one file that is at fault, or that the gate refuses, ends with 1 and holds up no other", async () => {
  await withFolder(async (folder) => {
    asJob();
    const broken = await write(folder, "jwt/signing", `prod=${day(9)}`);
    writeFileSync(broken, readFileSync(broken, "utf8").replace(/owner: .*/, "owner: nobody"));
    await write(folder, "payments/stripe", `prod=${day(9)}`);
    await write(folder, "db/app-primary", `prod=${day(9)}`);
    const refused: FunctionAnswer = {
      answered: false,
      errorType: "RotationError",
      errorMessage: "token-refused: only jobs of push are believed",
    };
    const { code, out } = await vouch(["--folder", folder, "--format", "json"], {
      answers: [refused, APPROVED],
    });
    expect(code).toBe(1);
    const { files, ...rest } = JSON.parse(out);
    expect(rest).toEqual({ environment: "prod", complete: false });
    expect(files).toMatchObject([
      { outcome: "refused", why: "token-refused: only jobs of push are believed" },
      { outcome: "refused", why: expect.stringContaining("owner\n  found:") },
      { outcome: "vouched", from: "2026-12-08" },
    ]);
    // What is no error of the gate's own may quote what it was sent.
    const failed = await vouch([broken.replace("jwt--signing", "payments--stripe")], {
      answers: [{ answered: false, errorType: "Runtime.Crash", errorMessage: "canary" }],
    });
    expect(failed.code).toBe(1);
    expect(failed.out).toContain("/aws/lambda/acme-prod--change-gate");
    expect(failed.out).not.toContain("canary");
  });
});

test("a token comes from a variable for one file, or from a command that knows the audience", async () => {
  await withFolder(async (folder) => {
    const file = await write(folder, "jwt/signing", `prod=${day(9)}`);
    process.env.PROD_TOKEN = "made.by.gitlab";
    const given = await vouch([file, "--token-variable", "PROD_TOKEN"]);
    expect(given).toMatchObject({ code: 0, sent: [{ event: { Token: "made.by.gitlab" } }] });
    expect((await vouch([file, "--token-variable", "OTHER"])).err).toContain("OTHER holds no token");
    expect((await vouch(["--folder", folder, "--token-variable", "PROD_TOKEN"])).code).toBe(2);
    const printed = await vouch([
      file,
      "--token-command",
      'printf "a.%s.c" "$(printf %s "$AUDIENCE" | tr -d :)"',
    ]);
    const digest = changeDigest(readFileSync(file, "utf8")).replaceAll(":", "");
    expect(printed.sent[0]?.event.Token).toBe(`a.secrets-registryacmeprod${digest}.c`);
    const failing = await vouch([file, "--token-command", "echo canary; exit 3"]);
    expect(failing).toMatchObject({ code: 2, err: expect.stringContaining("it ended with 3") });
    const none = await vouch([file, "--token-command", "echo canary"]);
    expect(none).toMatchObject({ code: 2, err: expect.stringContaining("is no token") });
    expect(failing.err + none.err).not.toContain("canary");
  });
});

test("no token, another account or a service that is away is the caller's to correct", async () => {
  await withFolder(async (folder) => {
    const file = await write(folder, "jwt/signing", `prod=${day(9)}`);
    const none = await vouch([file]);
    expect(none).toMatchObject({ code: 2, err: expect.stringContaining("id-token: write"), sent: [] });
    asJob();
    const elsewhere = await vouch([file], { account: "111111111111" });
    expect(elsewhere).toMatchObject({ code: 2, err: expect.stringContaining("account 111111111111") });
    statuses = [503, 200];
    expect((await vouch([file])).code).toBe(0);
    statuses = [403];
    const denied = await vouch([file]);
    expect(denied).toMatchObject({ code: 2, err: expect.stringContaining("status 403"), sent: [] });
    expect(denied.err).not.toContain("canary");
    expect((await vouch([join(folder, "none.md")])).code).toBe(2);
    expect((await vouch(["--folder", join(folder, "none")])).out).toBe("No change requests.\n");
  });
});
