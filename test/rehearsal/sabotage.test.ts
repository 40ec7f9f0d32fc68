import { randomBytes } from "node:crypto";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateSecretCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
  ReplicateSecretToRegionsCommand,
} from "@aws-sdk/client-secrets-manager";
import type { RolePlan, SecretPlan } from "../../lib/blueprint";
import type { PolicyStatement } from "../../lib/model";
import { defineRegistry } from "../../lib/model";
import { secretsManager } from "../../packages/rehearsal/src/load";
import { iam } from "../../packages/rehearsal/src/load/aws-account";
import { rehearse } from "../../packages/rehearsal/src/rehearse/rehearse";
import type { RehearsalReport } from "../../packages/rehearsal/src/rehearse/report";
import { ServerGroup } from "../../packages/rehearsal/src/servers";
import type { RehearsedWorld } from "../../packages/rehearsal/src/world";
import { type Draft, draft } from "../model/sample";

/** A secret for each thing that goes wrong; only the database's is rotated, which takes its time. */
function registry() {
  const sample = draft();
  const supplied = (consumer: string): Draft => ({
    kind: "generic",
    description: "Key of a partner",
    owner: "team-a",
    consumers: [consumer],
    rotateEvery: sample.secrets["admin/db"].rotateEvery,
    store: "aws",
    rotation: "operator-assisted",
    settings: { fields: ["key"] },
  });
  return defineRegistry({
    ...sample,
    environments: { dev: sample.environments.dev },
    // An agent that fails may leave other files of its pod unwritten.
    workloads: { ...sample.workloads, batch: { namespace: "batch" } },
    secrets: {
      "admin/db": sample.secrets["admin/db"],
      "db/app": {
        ...sample.secrets["db/app"],
        environments: { dev: { settings: { host: "db.example.com" } } },
      },
      "grant/added": supplied("payments"),
      "grant/removed": supplied("backend"),
      "replica/lagging": supplied("payments"),
      "valid/untouched": supplied("payments"),
      "template/wrong": supplied("batch"),
    },
  });
}

let group: ServerGroup;
let report: RehearsalReport;

beforeAll(async () => {
  group = ServerGroup.open();
  ({ report } = await rehearse({
    registry: registry(),
    environment: "dev",
    group,
    logFolder: group.folder,
    progress: { step: (_, work) => work(() => undefined) },
    meddleLater: sabotage,
  }));
}, 240_000);

afterAll(() => group?.stop());

/** Everything that the issue names, each at a secret of its own, when all is rotated and nobody has read yet. */
async function sabotage(world: RehearsedWorld): Promise<void> {
  const backend = roleOf(world, "backend");
  const removed = secretOf(world, "grant/removed");
  const added = secretOf(world, "grant/added");
  await changeReaders(world, backend, (resources) => [
    ...resources.filter((resource) => resource !== removed.arnPattern),
    added.arnPattern,
  ]);
  await openPolicy(world, added, backend);
  await storeWrongPassword(world, secretOf(world, "db/app"));
  await letLag(world, secretOf(world, "replica/lagging"), "eu-west-1");
  nameMissingKey(world, "batch", "template/wrong");
}

type AwsSecret = Extract<SecretPlan, { readonly store: "aws" }>;

function secretOf({ plan }: RehearsedWorld, key: string): AwsSecret {
  const found = plan.secrets.find((secret) => secret.key === key);
  if (found?.store !== "aws") throw new Error(`no ${key}`);
  return found;
}

function roleOf({ plan }: RehearsedWorld, workload: string): RolePlan {
  const found = plan.workloads.find(({ name }) => name === workload);
  if (!found) throw new Error(`no ${workload}`);
  return found.role;
}

async function changeReaders(
  { as, plan }: RehearsedWorld,
  { name, policies }: RolePlan,
  change: (resources: readonly string[]) => readonly string[],
): Promise<void> {
  const [policy] = policies.inline;
  if (!policy) throw new Error("the role has no policy of its own");
  const changed = policy.document.Statement.map((statement: PolicyStatement) =>
    statement.Sid === "ReadSecrets"
      ? { ...statement, Resource: change([statement.Resource ?? []].flat()) }
      : statement,
  );
  await iam(as.root, plan.regions.primary).send(
    new PutRolePolicyCommand({
      RoleName: name,
      PolicyName: policy.name,
      PolicyDocument: JSON.stringify({ ...policy.document, Statement: changed }),
    }),
  );
}

/** Adds a reader to the exceptions of a secret's own policy. Its replicas get the policy with it. */
async function openPolicy({ as, plan }: RehearsedWorld, secret: AwsSecret, { arn }: RolePlan) {
  const text = JSON.stringify(secret.policy).replaceAll(
    '"aws:PrincipalArn":[',
    `"aws:PrincipalArn":[${JSON.stringify(arn)},`,
  );
  await secretsManager(as.root, plan.regions.primary).send(
    new PutResourcePolicyCommand({ SecretId: secret.name, ResourcePolicy: text }),
  );
}

/** Leaves what a rotation leaves that stores another password than it has set. */
async function storeWrongPassword({ as, plan }: RehearsedWorld, { name }: AwsSecret): Promise<void> {
  await secretsManager(as.root, plan.regions.primary).send(
    new PutSecretValueCommand({
      SecretId: name,
      SecretString: JSON.stringify({ username: "app", password: randomBytes(24).toString("hex") }),
    }),
  );
}

/** Another version in one region. Replicas take no writes, so that it becomes the replica of another secret. */
async function letLag({ aws, as }: RehearsedWorld, { name }: AwsSecret, region: string): Promise<void> {
  const elsewhere = secretsManager({ ...as.root, endpoint: aws.endpoint }, "us-east-1");
  const value = JSON.stringify({ key: randomBytes(24).toString("hex") });
  await elsewhere.send(new CreateSecretCommand({ Name: name, SecretString: value }));
  await elsewhere.send(
    new ReplicateSecretToRegionsCommand({
      SecretId: name,
      AddReplicaRegions: [{ Region: region }],
      ForceOverwriteReplicaSecret: true,
    }),
  );
}

function nameMissingKey({ plan }: RehearsedWorld, workload: string, secret: string): void {
  const [pod] = plan.workloads.find(({ name }) => name === workload)?.pods ?? [];
  const annotations = pod?.annotations as Record<string, string>;
  for (const [name, text] of Object.entries(annotations)) {
    // A value names its own fields; without settings, the registry does.
    if (text.includes(`/${secret}"`))
      annotations[name] = text.replaceAll(".key", ".misspelt").replaceAll("index $d $n", "$d.misspelt");
  }
}

/** Rows of the report that tell of a secret. */
const about = (key: string) =>
  report.differences
    .filter((difference) => difference.about === key)
    .map(({ expected, seen }) => ({ expected, seen }));
const row = (key: string) => report.secrets.find(({ secret }) => secret === key);

test("a grant that was removed is seen in every region, and only by who lost it", () => {
  expect(about("grant/removed")).toEqual([
    { expected: "backend reads it in eu-central-1", seen: "refused" },
    { expected: "backend reads it in eu-west-1", seen: "refused" },
  ]);
  expect(row("grant/removed")).toMatchObject({ consumers: ["backend"], readBy: [] });
});

test("a grant that was added is seen where it works", () => {
  expect(about("grant/added")).toEqual([
    { expected: "backend is refused in eu-central-1", seen: "it was read" },
    { expected: "backend is refused in eu-west-1", seen: "it was read" },
  ]);
});

test("a password that the database does not take is seen, and that Vault serves another version", () => {
  expect(about("db/app")).toEqual([
    { expected: "backend reads the current version in the Vault of dev-one", seen: "another one" },
    { expected: "a current value that its target accepts", seen: "refused" },
  ]);
  expect(row("db/app")).toMatchObject({ current: "refused", rotated: "automatic", readBy: [] });
});

test("a replica that lags is seen", () => {
  expect(about("replica/lagging")).toEqual([
    { expected: "the current version in eu-west-1", seen: "another, or none" },
  ]);
  expect(row("replica/lagging")).toMatchObject({ regionsInSync: ["eu-central-1"] });
});

test("an agent's template that names a missing key is seen, with the agent's own words and its log", () => {
  expect(about("template/wrong")).toEqual([
    {
      expected: expect.stringContaining("batch finds template/wrong"),
      seen: expect.stringContaining("misspelt"),
    },
  ]);
  const [{ log } = { log: "" }] = report.differences.filter(({ about: key }) => key === "template/wrong");
  expect(log).toMatch(/agent.*\.log$/);
});

test("nothing else is told, and every line names a log", () => {
  const broken = ["db/app", "grant/added", "grant/removed", "replica/lagging", "template/wrong"];
  expect([...new Set(report.differences.map(({ about: key }) => key))].sort()).toEqual(broken);
  expect(report.differences.every(({ log }) => log !== undefined)).toBe(true);
  expect(row("valid/untouched")).toMatchObject({
    regionsInSync: ["eu-central-1", "eu-west-1"],
    readBy: ["payments"],
  });
});
