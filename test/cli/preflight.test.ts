import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CloudTrailClient, CreateTrailCommand, StartLoggingCommand } from "@aws-sdk/client-cloudtrail";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { blueprint } from "../../lib/blueprint";
import { AwsPreflightCloud } from "../../lib/cli/cloud/aws-preflight-cloud";
import type { PreflightCloud, TrailFacts, Unanswered, VaultAudit } from "../../lib/cli/cloud/preflight-cloud";
import { vaultAudit } from "../../lib/cli/cloud/vault-audit";
import { renderPreflight } from "../../lib/cli/render/preflight";
import { preflight } from "../../lib/cli/verbs/preflight";
import { freelyNamed } from "../../lib/cli/verbs/session-names";
import {
  type EmbeddedAws,
  ServerGroup,
  startEmbeddedAws,
  startOpenBao,
} from "../../packages/rehearsal/src/servers";
import { registry } from "../../registry";

const ACCOUNT = "333333333333";

const TRAIL: TrailFacts = {
  name: "organization",
  isMultiRegion: true,
  includesGlobalServices: true,
  isLogging: true,
  logsWrites: true,
  logsReads: true,
  excludedSources: [],
  dataResources: ["AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::S3::Object"],
};

/** Trust that the synth writes as `policies/operator-trust.json`. */
const PINNED = blueprint(registry, "prod").procedure?.trusts.operator;
const [USERS] = PINNED?.Statement ?? [];
const trusting = (...Statement: readonly object[]) => ({
  trustOf: async () => ({ document: { Statement } }),
});
const anyName =
  /^session names of approvers: missing: arn:aws:iam::\d+:role\/secrets-approver takes any name/;

/** An account in which nothing is missing, but for what a test changes. */
const account = (changes: Partial<PreflightCloud> = {}): PreflightCloud => ({
  callerAccount: async () => ACCOUNT,
  trails: async () => [TRAIL],
  account: async () => ({ roles: 120, rolesQuota: 1_000 }),
  rolesBelow: async () => 0,
  principalExists: async () => true,
  denied: async () => [],
  trustOf: async () => ({ document: PINNED }),
  oidcAudiences: async () => ["sts.amazonaws.com"],
  tokenIssuer: async () => registry.environment("prod").awsTokenIssuer,
  ...changes,
});
const twoDevices: VaultAudit = { devices: async () => ["file/", "socket/"] };

const checksOf = async (changes: Partial<PreflightCloud>, audit = twoDevices) => {
  const { ready, checks } = await preflight(registry, "prod", account(changes), audit);
  return { ready, wrong: checks.filter(({ state }) => state !== "ok") };
};

test("an account that has everything is ready, in every format", async () => {
  const report = await preflight(registry, "prod", account(), twoDevices);
  expect(report.checks.filter(({ state }) => state !== "ok")).toEqual([]);
  expect(renderPreflight(report, "text")).toContain("prod has what it needs.");
  expect(renderPreflight(report, "md")).toContain("| trail in us-east-1 ");
  expect(JSON.parse(renderPreflight(report, "json"))).toMatchObject({ environment: "prod", ready: true });
});

describe("the deployer's rights", () => {
  test("an action that IAM does not allow is named, each once", async () => {
    const asked: string[] = [];
    const { ready, wrong } = await checksOf({
      denied: async (arn, { Action }) => {
        asked.push(arn);
        return Action.filter((action) => action === "secretsmanager:CreateSecret").map((action) => ({
          action,
          // What the generated policies themselves ask for is in the request: it is missing here because no policy allows it.
          missing: ["kms:ViaService", "aws:RequestTag/environment"],
        }));
      },
    });
    expect(new Set(asked)).toEqual(new Set([blueprint(registry, "prod").principals.deployer]));
    expect({ ready, wrong }).toEqual({
      ready: false,
      wrong: [
        {
          check: "rights of deployer",
          state: "missing",
          found: "denied: secretsmanager:CreateSecret",
          change: "attach what a synth writes as policies/deployer*.json",
        },
      ],
    });
  });

  test("an action that hangs on something else than the generated policies ask for is not decided, and not ignored", async () => {
    const { ready, wrong } = await checksOf({
      denied: async (_arn, { Action }) =>
        Action.filter((action) => /^iam:(Create|Delete)Role$/.test(action)).map((action) => ({
          action,
          missing: action === "iam:CreateRole" ? ["aws:SourceIp", "iam:PolicyARN"] : [],
        })),
    });
    expect({ ready, wrong }).toEqual({
      ready: false,
      wrong: [
        expect.objectContaining({ state: "missing", found: "denied: iam:DeleteRole" }),
        {
          check: "rights of deployer",
          state: "unknown",
          found: "not decided: iam:CreateRole",
          change: "its policies make them hang on aws:SourceIp, which a simulation cannot know",
        },
      ],
    });
  });

  test("are not checked where the caller may not simulate, and that is said", async () => {
    const { ready, wrong } = await checksOf({
      denied: async () => ({ unanswered: "the credentials may not ask iam:SimulatePrincipalPolicy" }),
    });
    expect(ready).toBe(true);
    expect(wrong).toMatchObject([
      { check: "rights of deployer", state: "unknown", found: expect.stringMatching(/^not checked/) },
    ]);
  });
});

/** AWS's answer to a simulation of three actions on two resources, in its own form; the embedded AWS knows none of the context. */
const SIMULATED = `<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>
<member><EvalActionName>iam:GetRole</EvalActionName><EvalDecision>allowed</EvalDecision><MissingContextValues/></member>
<member><EvalActionName>iam:PassRole</EvalActionName><EvalDecision>explicitDeny</EvalDecision><MissingContextValues><member>aws:SourceIp</member></MissingContextValues></member>
<member><EvalActionName>iam:TagRole</EvalActionName><EvalDecision>allowed</EvalDecision><MissingContextValues/><ResourceSpecificResults><member><EvalResourceName>b</EvalResourceName><EvalResourceDecision>implicitDeny</EvalResourceDecision><MissingContextValues><member>iam:PolicyARN</member></MissingContextValues></member></ResourceSpecificResults></member>
</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`;

test("a simulation is asked with the context that a statement's conditions let through, and read for each resource", async () => {
  const asked: URLSearchParams[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      asked.push(new URLSearchParams(body));
      response.setHeader("content-type", "text/xml").end(SIMULATED);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    const { port } = server.address() as AddressInfo;
    const cloud = new AwsPreflightCloud({
      region: "eu-central-1",
      endpoint: `http://127.0.0.1:${port}`,
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
    });
    const denied = await cloud.denied("arn:aws:iam::333333333333:role/deployer", {
      Sid: "Some",
      Effect: "Allow",
      Action: ["iam:GetRole", "iam:PassRole", "iam:TagRole"],
      Resource: ["a", "b"],
      Condition: {
        StringLike: { "kms:EncryptionContext:SecretARN": ["arn:*:x"] },
        Null: { "kms:ResourceAliases": ["true"] },
      },
    });
    expect(denied).toEqual([
      // A deny hangs on nothing that could be missing.
      { action: "iam:PassRole", missing: [] },
      { action: "iam:TagRole", missing: ["iam:PolicyARN"] },
    ]);
    expect(Object.fromEntries(asked[0] ?? [])).toMatchObject({
      "ContextEntries.member.1.ContextKeyName": "kms:EncryptionContext:SecretARN",
      "ContextEntries.member.1.ContextKeyValues.member.1": "arn:x:x",
      "ResourceArns.member.2": "b",
    });
    expect([...(asked[0]?.values() ?? [])]).not.toContain("kms:ResourceAliases");
  } finally {
    await new Promise((done) => server.close(done));
  }
});

const trail = (changes: Partial<TrailFacts>) => ({ trails: async () => [{ ...TRAIL, ...changes }] });
const refused = async (): Promise<Unanswered> => ({ unanswered: "the credentials may not ask" });

test.each<[string, Partial<PreflightCloud>, RegExp, boolean]>([
  ["no trail", { trails: async () => [] }, /^trail in eu-central-1: missing: none$/, false],
  ["a trail that was stopped", trail({ isLogging: false }), /organization is not logging/, false],
  [
    "a trail without reads",
    trail({ logsReads: false }),
    /events that read, GetSecretValue among them/,
    false,
  ],
  ["a trail without writes", trail({ logsWrites: false }), /events that write/, false],
  [
    "a trail without KMS",
    trail({ excludedSources: ["kms.amazonaws.com"] }),
    /leaves out kms.amazonaws/,
    false,
  ],
  [
    "a trail without IAM",
    trail({ includesGlobalServices: false }),
    /^trail in us-east-1: missing: organization leaves out global services/,
    false,
  ],
  ["no data events", trail({ dataResources: [] }), /^data events of AWS::DynamoDB::Table: advice/, true],
  [
    "credentials of another account",
    { callerAccount: async () => "111111111111" },
    /^account: missing/,
    false,
  ],
  ["no right to ask for trails", { trails: refused }, /^trail in eu-west-1: unknown/, true],
  [
    "an approver's role that is not there",
    { principalExists: async (arn) => !arn.endsWith("secrets-approver") },
    /^principal approvers: missing: no arn:aws:iam::333333333333:role\/secrets-approver$/,
    false,
  ],
  ["a role that may be taken by any name", trusting({ ...USERS, Condition: {} }), anyName, false],
  [
    "a role that may also be taken by any name",
    trusting(USERS ?? {}, {
      ...USERS,
      Action: "sts:*",
      Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } },
    }),
    anyName,
    false,
  ],
  [
    "a role that may be taken by a list of names",
    trusting({ ...USERS, Condition: { StringEquals: { "sts:RoleSessionName": ["ana", "ben"] } } }),
    anyName,
    false,
  ],
  [
    "a role whose session only begins with the holder's name",
    trusting({ ...USERS, Condition: { StringLike: { "sts:RoleSessionName": "${aws:username}*" } } }),
    anyName,
    false,
  ],
  [
    "a role that is pinned only where there is a name",
    trusting({ ...USERS, Condition: { StringEqualsIfExists: { "sts:RoleSessionName": "${aws:username}" } } }),
    anyName,
    false,
  ],
  [
    "a role that a token of any subject names",
    trusting({ Effect: "Allow", Action: "sts:AssumeRoleWithWebIdentity", Principal: { Federated: "x" } }),
    anyName,
    false,
  ],
  ["a trust of another form", trusting({ Effect: 1 }), anyName, false],
  ["no right to look at a trust", { trustOf: refused }, /^session names of operators: unknown/, true],
  [
    "no OIDC provider",
    { oidcAudiences: async () => undefined },
    /^OIDC provider of prod-eu-west: missing/,
    false,
  ],
  [
    "an OIDC provider for others",
    { oidcAudiences: async () => ["sigstore"] },
    /^OIDC provider of prod-eu-central: missing: audiences sigstore$/,
    false,
  ],
  ["no vouching by AWS", { tokenIssuer: async () => undefined }, /federation is off/, false],
  ["another issuer", { tokenIssuer: async () => "https://x.example.com" }, /^issuer of AWS's tokens/, false],
  [
    "no room for roles",
    { account: async () => ({ roles: 995, rolesQuota: 1_000 }) },
    /^IAM roles \(quota L-FE177D64\): missing: 995 of 1000/,
    false,
  ],
])("%s is said", async (_, changes, wanted, isReady) => {
  const { ready, wrong } = await checksOf(changes);
  const lines = wrong.map(({ check, state, found }) => `${check}: ${state}: ${found}`);
  expect(lines.some((line) => wanted.test(line))).toBe(true);
  expect(ready).toBe(isReady);
  // Whatever is wrong says how to go on.
  for (const { change } of wrong) expect(change).not.toBe("");
});

test("roles that are there already take no new room", async () => {
  const full = { account: async () => ({ roles: 1_000, rolesQuota: 1_000 }) };
  expect((await checksOf({ ...full, rolesBelow: async () => 1_000 })).ready).toBe(true);
});

test.each([
  [[], "missing"],
  [["file/"], "advice"],
  [["file/", "socket/"], undefined],
] as const)("audit devices %j", async (devices, state) => {
  const { wrong } = await checksOf({}, { devices: async () => devices });
  expect(wrong.map((check) => check.state)).toEqual(state === undefined ? [] : [state, state]);
});

describe("asked of real servers", () => {
  let group: ServerGroup;
  let aws: EmbeddedAws;
  const settings = () => ({
    region: "eu-central-1",
    endpoint: aws.endpoint,
    credentials: aws.rootCredentials(ACCOUNT),
  });

  beforeAll(async () => {
    group = ServerGroup.open();
    aws = await startEmbeddedAws({ group });
  }, 120_000);

  afterAll(() => group?.stop());

  test("a trail is found, and that it logs", async () => {
    const cloud = new AwsPreflightCloud(settings());
    expect(await cloud.callerAccount()).toBe(ACCOUNT);
    expect(await cloud.trails("eu-central-1")).toEqual([]);
    const s3 = new S3Client({ ...settings(), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "trail-of-tests" }));
    const trails = new CloudTrailClient(settings());
    await trails.send(
      new CreateTrailCommand({
        Name: "organization",
        S3BucketName: "trail-of-tests",
        IsMultiRegionTrail: true,
      }),
    );
    expect(await cloud.trails("eu-central-1")).toMatchObject([
      { name: "organization", isMultiRegion: true, isLogging: false },
    ]);
    await trails.send(new StartLoggingCommand({ Name: "organization" }));
    expect(await cloud.trails("eu-central-1")).toMatchObject([
      { isLogging: true, logsReads: true, logsWrites: true },
    ]);
    expect(await cloud.principalExists(`arn:aws:iam::${ACCOUNT}:role/nobody`)).toBe(false);
    expect(await cloud.trustOf(`arn:aws:iam::${ACCOUNT}:role/nobody`)).toBeUndefined();
    const iam = new IAMClient(settings());
    await iam.send(
      new CreateRoleCommand({
        RoleName: "approver",
        Path: "/people/",
        AssumeRolePolicyDocument: JSON.stringify(PINNED),
      }),
    );
    expect(await cloud.trustOf(`arn:aws:iam::${ACCOUNT}:role/people/approver`)).toEqual({ document: PINNED });
    for (const client of [s3, trails, iam]) client.destroy();
  }, 60_000);

  test("a Vault's audit devices are listed with a token that may, and unknown without", async () => {
    const bao = await startOpenBao({ group });
    const { readFileSync } = await import("node:fs");
    const vault = { name: "main", address: bao.address, caPem: readFileSync(bao.caFile, "utf8") };
    const { auth } = await bao.call("POST", "auth/token/create", { body: { policies: ["root"], ttl: "1h" } });
    expect(await vaultAudit(() => auth?.client_token).devices(vault)).toEqual([]);
    expect(await vaultAudit(() => undefined).devices(vault)).toEqual({ unanswered: "no token for it" });
    expect(await vaultAudit(() => "s.wrong").devices(vault)).toEqual({ unanswered: "it answers 403" });
  }, 120_000);
});

test.each([
  ["SAML, whose provider names the session", { Effect: "Allow", Action: "sts:AssumeRoleWithSAML" }],
  [
    "an OIDC provider's subject",
    {
      Effect: "Allow",
      Action: ["sts:AssumeRoleWithWebIdentity"],
      Condition: { StringEquals: { "sts:RoleSessionName": "${idp.example.com:sub}" } },
    },
  ],
  ["a deny", { Effect: "Deny", Action: "sts:AssumeRole" }],
])("a role's sessions bear their holders' names by %s", (_, statement) => {
  expect(freelyNamed({ Statement: statement })).toEqual([]);
});
