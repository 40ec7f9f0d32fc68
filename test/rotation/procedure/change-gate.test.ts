import { createServer, type Server } from "node:http";
import { stringify } from "yaml";
import { changeDigest } from "../../../lib/contracts/change-request";
import { believedJobs, type ChangesInput, changesSchema } from "../../../lib/model/changes";
import { changeAudience } from "../../../lib/model/names";
import { jwksJobTokens } from "../../../lib/rotation/adapters/jwks-job-tokens";
import { ChangeGate } from "../../../lib/rotation/procedure/change-gate";
import { TestClock } from "../models/rehearsed-secret";
import { RunTableModel } from "../models/run-table-model";

/** jose is an ES module. */
const loadJose = () => import("jose");

/** The test clock begins on 2026-01-01. */
const CHANGE = {
  id: "2025-12-20-jwt--signing",
  secret: "jwt/signing",
  owner: "identity",
  requester: "ana@example.com",
  approvers: ["ben@example.com"],
  reason: "Quarterly rotation",
  schedule: { prod: "2026-01-05" },
  environments: {
    prod: {
      mode: "manual-dual-publish",
      approval: "required",
      regions: ["eu-central-1"],
      vaults: ["eu"],
      consumers: [],
      dependents: [],
      publishLeadHours: 7,
      overlapHours: 8,
      checks: [],
      unwatched: [],
      breaks: "logins",
      rollback: "the version before is put back",
    },
  },
};
const textOf = (change: object): string => `---\n${stringify(change)}---\n`;
const FILE = textOf(CHANGE);
const AUDIENCE = changeAudience("acme", "prod", changeDigest(FILE));

type Claims = Readonly<Record<string, string>>;
const JOB: Claims = {
  repository: "acme/infrastructure",
  ref: "refs/heads/main",
  ref_protected: "true",
  event_name: "push",
  sub: "repo:acme/infrastructure:ref:refs/heads/main",
};

type Jose = Awaited<ReturnType<typeof loadJose>>;

let jose: Jose;
let keys: Awaited<ReturnType<Jose["generateKeyPair"]>>;
let foreign: typeof keys;
let server: Server;
let issuer = "";
let fetched = 0;

beforeAll(async () => {
  jose = await loadJose();
  [keys, foreign] = await Promise.all([jose.generateKeyPair("RS256"), jose.generateKeyPair("RS256")]);
  const jwk = { ...(await jose.exportJWK(keys.publicKey)), kid: "ci", alg: "RS256", use: "sig" };
  server = createServer((request, response) => {
    fetched += 1;
    response.writeHead(request.url === "/.well-known/jwks" ? 200 : 404, {
      "content-type": "application/json",
    });
    response.end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address === "object" && address !== null) issuer = `http://127.0.0.1:${address.port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

interface TokenProps {
  readonly claims?: Claims;
  readonly audience?: string;
  readonly issuer?: string;
  readonly foreign?: boolean;
  /** Seconds since it was given out, and after which it is no good. */
  readonly age?: number;
  readonly life?: number;
}

function token({ claims = JOB, age = 0, life = 300, ...props }: TokenProps = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  return new jose.SignJWT({ ...claims })
    .setProtectedHeader({ alg: "RS256", kid: "ci" })
    .setIssuer(props.issuer ?? issuer)
    .setAudience(props.audience ?? AUDIENCE)
    .setIssuedAt(now - age)
    .setExpirationTime(now - age + life)
    .sign(props.foreign ? foreign.privateKey : keys.privateKey);
}

const GITHUB: ChangesInput = { repository: "acme/infrastructure" };

/** The gate as the registry's `changes` make it, with the test's issuer and its keys. */
function gate(changesInput: ChangesInput = GITHUB, settings: object = {}) {
  const changes = new RunTableModel();
  const { claims } = believedJobs(changesSchema.parse(changesInput));
  const places = { issuer, keySet: `${issuer}/.well-known/jwks` };
  return {
    changes,
    gate: new ChangeGate({
      settings: {
        registry: "acme",
        environment: "prod",
        region: "eu-central-1",
        changesTable: "changes",
        ...places,
        claims,
        keys: ["jwt/signing"],
        ...settings,
      },
      tokens: jwksJobTokens(places),
      changes,
      clock: new TestClock(),
    }),
  };
}

describe("the change gate", () => {
  test("remembers a change that a job of the protected branch vouches for", async () => {
    const { gate: it, changes } = gate();
    const event = { Change: FILE, Token: await token() };
    const digest = changeDigest(FILE);
    await expect(it.run(event)).resolves.toEqual({
      id: CHANGE.id,
      digest,
      from: "2026-01-05",
      until: "2026-02-04",
    });
    await it.run(event);
    expect(await changes.approved(digest)).toEqual({
      id: CHANGE.id,
      digest,
      key: "jwt/signing",
      requester: "ana@example.com",
      from: "2026-01-05",
      until: "2026-02-04",
    });
  });

  test("asks for the issuer's keys once", async () => {
    const { gate: it } = gate();
    fetched = 0;
    await it.run({ Change: FILE, Token: await token() });
    await it.run({ Change: FILE, Token: await token() });
    expect(fetched).toBe(1);
  });

  test.each<readonly [string, TokenProps]>([
    ["another repository's", { claims: { ...JOB, repository: "mallory/infrastructure" } }],
    ["another branch's", { claims: { ...JOB, ref: "refs/heads/feature" } }],
    ["a tag's", { claims: { ...JOB, ref: "refs/tags/main" } }],
    ["an unprotected branch's", { claims: { ...JOB, ref_protected: "false" } }],
    ...[
      "pull_request",
      "pull_request_target",
      "pull_request_review",
      "pull_request_review_comment",
      "issue_comment",
      "issues",
      "workflow_run",
      "workflow_call",
      "repository_dispatch",
      "schedule",
      "merge_group",
      "PUSH",
      "",
    ].map(
      (event_name) => [`a job of ${event_name || "no event"}'s`, { claims: { ...JOB, event_name } }] as const,
    ),
    ["no job's", { claims: { sub: "somebody" } }],
    ["another change's", { audience: changeAudience("acme", "prod", `sha256:${"0".repeat(64)}`) }],
    ["another environment's", { audience: changeAudience("acme", "dev", changeDigest(FILE)) }],
    ["one for AWS", { audience: "sts.amazonaws.com" }],
    ["another issuer's", { issuer: "https://token.example.com" }],
    ["a forged one", { foreign: true }],
    ["an expired one", { age: 600, life: 300 }],
    ["an old one that does not expire", { age: 3_600, life: 36_000 }],
  ])("refuses %s token, and remembers nothing", async (_, props) => {
    const { gate: it, changes } = gate();
    const text = await token(props);
    const failure = await it.run({ Change: FILE, Token: text }).catch((reason: Error) => reason);
    expect(failure).toMatchObject({ code: "token-refused" });
    expect(String(failure)).not.toContain(text);
    expect(await changes.approved(changeDigest(FILE))).toBeUndefined();
  });

  test("believes jobs that reviewers of the branch have started", async () => {
    for (const event_name of ["push", "workflow_dispatch"]) {
      const { gate: it } = gate();
      const Token = await token({ claims: { ...JOB, event_name } });
      await expect(it.run({ Change: FILE, Token })).resolves.toMatchObject({ id: CHANGE.id });
    }
  });

  const WORKFLOW = "acme/infrastructure/.github/workflows/vouch.yml@refs/heads/main";
  test.each([
    ["repositoryId", "repository_id", "1234", "4321"],
    ["repositoryOwnerId", "repository_owner_id", "77", "78"],
    ["workflow", "job_workflow_ref", WORKFLOW, WORKFLOW.replace("vouch", "other")],
  ])("holds the job to %s, where the registry says so", async (setting, claim, right, wrong) => {
    const { gate: it, changes } = gate({ ...GITHUB, [setting]: right });
    for (const claims of [JOB, { ...JOB, [claim]: wrong }]) {
      const event = { Change: FILE, Token: await token({ claims }) };
      await expect(it.run(event)).rejects.toMatchObject({ code: "token-refused" });
    }
    expect(await changes.approved(changeDigest(FILE))).toBeUndefined();
    const Token = await token({ claims: { ...JOB, [claim]: right } });
    await expect(it.run({ Change: FILE, Token })).resolves.toMatchObject({ id: CHANGE.id });
  });

  const GITLAB: ChangesInput = {
    provider: "gitlab",
    project: "acme/platform/infrastructure",
    projectId: "20",
    config: "gitlab.com/acme/platform/infrastructure//.gitlab-ci.yml@refs/heads/main",
  };
  /** https://docs.gitlab.com/ci/secrets/id_token_authentication/#token-payload */
  const GITLAB_JOB: Claims = {
    namespace_id: "72",
    namespace_path: "acme/platform",
    project_id: "20",
    project_path: "acme/platform/infrastructure",
    user_id: "1",
    pipeline_id: "574",
    pipeline_source: "push",
    job_id: "302",
    ref: "main",
    ref_type: "branch",
    ref_path: "refs/heads/main",
    ref_protected: "true",
    ci_config_ref_uri: "gitlab.com/acme/platform/infrastructure//.gitlab-ci.yml@refs/heads/main",
    sub: "project_path:acme/platform/infrastructure:ref_type:branch:ref:main",
  };
  const OIDC: ChangesInput = {
    provider: "oidc",
    issuer: "https://agent.buildkite.com",
    keySet: "https://agent.buildkite.com/.well-known/jwks",
    subject: "organization:acme:pipeline:vouch:ref:refs/heads/main:commit::step:vouch",
    claims: { pipeline_slug: "vouch", build_number: "7" },
  };
  const OIDC_JOB: Claims = {
    sub: "organization:acme:pipeline:vouch:ref:refs/heads/main:commit::step:vouch",
    pipeline_slug: "vouch",
    // Not all issuers write texts.
    build_number: 7 as unknown as string,
  };

  test.each([
    ["GitLab CI", GITLAB, GITLAB_JOB],
    ["another issuer", OIDC, OIDC_JOB],
  ])("believes a job of %s by each claim that the registry names, and by no fewer", async (_, from, job) => {
    const { gate: it, changes } = gate(from);
    const event = async (claims: Claims) => ({ Change: FILE, Token: await token({ claims }) });
    for (const name of Object.keys(believedJobs(changesSchema.parse(from)).claims)) {
      const { [name]: _left, ...without } = job;
      for (const claims of [without, { ...job, [name]: "another" }, { ...job, [name]: "" }]) {
        const failure = await it.run(await event(claims)).catch((reason: Error) => reason);
        expect(failure).toMatchObject({ code: "token-refused" });
        expect(String(failure)).toContain(name);
      }
      const list = { ...job, [name]: [job[name]] as unknown as string };
      await expect(it.run(await event(list))).rejects.toMatchObject({ code: expect.any(String) });
    }
    expect(await changes.approved(changeDigest(FILE))).toBeUndefined();
    await expect(it.run(await event(job))).resolves.toMatchObject({ id: CHANGE.id });
  });

  test.each([
    "merge_request_event",
    "web",
    "api",
    "trigger",
    "schedule",
    "parent_pipeline",
    "pipeline",
    "chat",
  ])(
    "refuses a pipeline of GitLab that %s started: what it works on, or its variables, may be a stranger's",
    async (pipeline_source) => {
      const event = { Change: FILE, Token: await token({ claims: { ...GITLAB_JOB, pipeline_source } }) };
      await expect(gate(GITLAB).gate.run(event)).rejects.toMatchObject({ code: "token-refused" });
    },
  );

  test("no CI's job passes for another's", async () => {
    const as = async (from: ChangesInput, claims: Claims) =>
      gate(from).gate.run({ Change: FILE, Token: await token({ claims }) });
    await expect(as(GITLAB, JOB)).rejects.toMatchObject({ code: "token-refused" });
    await expect(as(GITHUB, GITLAB_JOB)).rejects.toMatchObject({ code: "token-refused" });
    await expect(as(OIDC, JOB)).rejects.toMatchObject({ code: "token-refused" });
  });

  test.each([
    ["no change request", "hello", "change-malformed"],
    ["an approver who asks", textOf({ ...CHANGE, approvers: ["Ana@example.com"] }), "change-malformed"],
    [
      "a change of another environment",
      textOf({
        ...CHANGE,
        schedule: { stage: "2026-01-05" },
        environments: { stage: CHANGE.environments.prod },
      }),
      "change-not-open",
    ],
    ["a change of long ago", textOf({ ...CHANGE, schedule: { prod: "2025-11-01" } }), "change-not-open"],
  ])("refuses %s", async (_, file, code) => {
    await expect(gate().gate.run({ Change: file, Token: await token() })).rejects.toMatchObject({ code });
  });

  test("refuses a secret that the environment does not have", async () => {
    await expect(
      gate(GITHUB, { keys: [] }).gate.run({ Change: FILE, Token: await token() }),
    ).rejects.toMatchObject({
      code: "secret-not-ours",
    });
  });

  test("says that the issuer is away, which may pass", async () => {
    const away = jwksJobTokens({ issuer: "http://127.0.0.1:1", keySet: "http://127.0.0.1:1/keys" });
    await expect(away.verify(await token({ issuer: "http://127.0.0.1:1" }), AUDIENCE)).rejects.toMatchObject({
      code: "target-unreachable",
      retryable: true,
    });
  });
});
