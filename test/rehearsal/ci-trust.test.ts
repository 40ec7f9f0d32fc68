import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { blueprint } from "../../lib/blueprint";
import { type ChangesInput, defineRegistry, type PolicyDocument, type Registry } from "../../lib/model";
import { evaluateAccess } from "../../packages/rehearsal/src/evaluator";
import { takeWorkloadRole } from "../../packages/rehearsal/src/load";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../packages/rehearsal/src/servers";
import { SigningKey } from "../../packages/rehearsal/src/servers/signing-key";
import { draft } from "../model/sample";

const ACCOUNT = "444455556666";
const CI = `arn:aws:iam::${ACCOUNT}:role/ci`;
const REGION = "eu-central-1";

let group: ServerGroup;
let aws: EmbeddedAws;
let key: SigningKey;

beforeAll(async () => {
  group = ServerGroup.open();
  [aws, key] = await Promise.all([startEmbeddedAws({ group }), SigningKey.generate("RS256")]);
}, 300_000);

afterAll(() => group?.stop(), 60_000);

/** The trust that a synth writes for CI's role, as `policies/ci-trust.json`. */
function trustOf(changes: ChangesInput): PolicyDocument {
  const definition = draft();
  definition.environments.prod.principals.ci = CI;
  definition.environments.prod.changes = changes;
  const { procedure } = blueprint(defineRegistry(definition) as Registry, "prod");
  if (procedure?.trusts.ci === undefined) throw new Error("no trust of CI's role");
  return procedure.trusts.ci;
}

/** Claims of the token of a job that may vouch, and of jobs that differ in one of them. */
interface Jobs {
  readonly changes: ChangesInput;
  readonly issuer: string;
  readonly right: Readonly<Record<string, string>>;
  readonly wrong: readonly Readonly<Record<string, string>>[];
}

const GITLAB: Jobs = {
  changes: { provider: "gitlab", project: "acme/infrastructure", issuer: "https://gitlab.example.com" },
  issuer: "https://gitlab.example.com",
  right: { aud: "sts.amazonaws.com", sub: "project_path:acme/infrastructure:ref_type:branch:ref:main" },
  wrong: [
    { sub: "project_path:acme/infrastructure:ref_type:branch:ref:feature" },
    { sub: "project_path:acme/infrastructure:ref_type:tag:ref:main" },
    { sub: "project_path:mallory/infrastructure:ref_type:branch:ref:main" },
    { aud: "https://gitlab.example.com" },
    { iss: "https://gitlab.com" },
  ],
};

const OIDC: Jobs = {
  changes: {
    provider: "oidc",
    issuer: "https://agent.buildkite.com",
    keySet: "https://agent.buildkite.com/.well-known/jwks",
    subject: "organization:acme:pipeline:vouch:ref:refs/heads/main",
  },
  issuer: "https://agent.buildkite.com",
  right: { aud: "sts.amazonaws.com", sub: "organization:acme:pipeline:vouch:ref:refs/heads/main" },
  wrong: [
    { sub: "organization:acme:pipeline:vouch:ref:refs/heads/other" },
    { aud: "secrets-registry:acme:prod:sha256:0" },
    { iss: "https://agent.example.com" },
  ],
};

test.each([
  ["GitLab", GITLAB],
  ["another issuer", OIDC],
])(
  "jobs of %s take CI's role by the trust that a synth writes, and others do not: enforced",
  async (_, jobs) => {
    const name = `ci-${jobs.issuer.length}`;
    const iam = new IAMClient({
      endpoint: aws.endpoint,
      region: REGION,
      credentials: aws.rootCredentials(ACCOUNT),
    });
    await iam.send(
      new CreateRoleCommand({
        RoleName: name,
        AssumeRolePolicyDocument: JSON.stringify(trustOf(jobs.changes)),
      }),
    );
    const take = (claims: Readonly<Record<string, string>>) =>
      takeWorkloadRole(
        aws.endpoint,
        REGION,
        `arn:aws:iam::${ACCOUNT}:role/${name}`,
        key.sign({ iss: jobs.issuer, exp: Math.floor(Date.now() / 1_000) + 300, ...jobs.right, ...claims }),
      );
    await expect(take({})).resolves.toHaveProperty("sessionToken");
    for (const claims of jobs.wrong) await expect(take(claims)).rejects.toThrow();
  },
);

/** The embedded AWS knows of a token its issuer, audience and subject alone, so GitHub's further claims are evaluated. */
test("jobs of GitHub take it by what AWS knows of their tokens, numbers in the subject or not: evaluated", () => {
  const WORKFLOW = "acme/infrastructure/.github/workflows/vouch.yml@refs/heads/main";
  const place = "token.actions.githubusercontent.com";
  const right = {
    aud: "sts.amazonaws.com",
    sub: "repo:acme/infrastructure:ref:refs/heads/main",
    repository: "acme/infrastructure",
    ref: "refs/heads/main",
    repository_id: "456789",
    job_workflow_ref: WORKFLOW,
  };
  const allows = (trust: PolicyDocument, claims: Readonly<Record<string, string>>): boolean =>
    evaluateAccess(
      {
        action: "sts:AssumeRoleWithWebIdentity",
        resource: CI,
        principal: CI,
        context: Object.fromEntries(
          Object.entries({ ...right, ...claims }).map(([claim, text]) => [`${place}:${claim}`, text]),
        ),
      },
      {
        identity: [{ ...trust, Statement: trust.Statement.map(({ Principal, ...statement }) => statement) }],
      },
    ).allowed;
  const named = trustOf({ repository: "acme/infrastructure" });
  const numbered = trustOf({
    repository: "acme/infrastructure",
    repositoryId: "456789",
    repositoryOwnerId: "123456",
    workflow: WORKFLOW,
  });
  for (const trust of [named, numbered]) {
    expect(trust.Statement[0]?.Principal).toEqual({
      Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/${place}`,
    });
    expect(allows(trust, {})).toBe(true);
    expect(allows(trust, { sub: "repo:acme@123456/infrastructure@456789:ref:refs/heads/main" })).toBe(true);
    for (const claims of [
      { aud: "secrets-registry:acme:prod:sha256:0" },
      { repository: "mallory/infrastructure" },
      { ref: "refs/heads/feature" },
      { sub: "repo:acme/infrastructure:pull_request" },
      { sub: "repo:acme/infrastructure:environment:prod" },
      { sub: "repo:acme/other:ref:refs/heads/main" },
      { sub: "repo:acme@123456/infrastructure@456789:ref:refs/heads/feature" },
    ]) {
      expect([claims, allows(trust, claims)]).toEqual([claims, false]);
    }
  }
  expect(allows(named, { sub: "repo:acme@1/infrastructure@2:ref:refs/heads/main" })).toBe(true);
  expect(allows(numbered, { sub: "repo:acme@1/infrastructure@2:ref:refs/heads/main" })).toBe(false);
  expect(allows(numbered, { repository_id: "2" })).toBe(false);
  expect(allows(numbered, { job_workflow_ref: WORKFLOW.replace("vouch", "other") })).toBe(false);
});
