import {
  DeleteObjectCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { blueprint } from "../../lib/blueprint";
import type { PolicyDocument } from "../../lib/model";
import {
  type AwsAccess,
  type Credentials,
  loadProcedure,
  takeHumanRole,
} from "../../packages/rehearsal/src/load";
import { ServerGroup, startEmbeddedAws } from "../../packages/rehearsal/src/servers";
import { type AwsShim, startAwsShim } from "../../packages/rehearsal/src/shim";
import { registry } from "../../registry";

const plan = blueprint(registry, "prod");
const { procedure } = plan;
if (!procedure) throw new Error("prod has no procedure");
const recorder = plan.functions.find(({ bundle }) => bundle === "recorder");
if (!recorder) throw new Error("prod has no recorder");

/** A role that may do everything, so that what it may not do is the bucket's doing. */
const ALL: PolicyDocument = {
  Version: "2012-10-17",
  Statement: [{ Sid: "All", Effect: "Allow", Action: ["*"], Resource: ["*"] }],
};

let group: ServerGroup;
let shim: AwsShim;
const people: Record<"deployer" | "operator" | "recorder", Credentials> = {} as never;

const s3 = (who: keyof typeof people) =>
  new S3Client({
    endpoint: shim.endpoint,
    region: plan.regions.primary,
    credentials: people[who],
    forcePathStyle: true,
    maxAttempts: 1,
  });

const record = (Key: string, Body: string) =>
  new PutObjectCommand({ Bucket: procedure.records.name, Key, Body, IfNoneMatch: "*" });

beforeAll(async () => {
  group = ServerGroup.open();
  const aws = await startEmbeddedAws({ group });
  shim = await startAwsShim({ upstream: aws, group });
  const root: AwsAccess = { endpoint: shim.endpoint, credentials: aws.rootCredentials(plan.account) };
  const take = (arn: string, policy: PolicyDocument) => takeHumanRole(root, plan, { arn, policy });
  const [document] = recorder.role.policies.inline;
  if (!document) throw new Error("the recorder has no rights");
  people.deployer = await take(plan.principals.deployer, ALL);
  people.operator = await take(plan.principals.operators[0] ?? "", ALL);
  people.recorder = await take(recorder.role.arn, document.document);
  // Its rights are good for its own function alone, whose part the test takes.
  shim.callers.actFor(people.recorder.accessKeyId, recorder.arn);
  await loadProcedure({ endpoint: shim.endpoint, credentials: people.deployer }, plan);
}, 300_000);

afterAll(() => group?.stop());

test("a record is written by the recorder, once, and read again", async () => {
  await s3("recorder").send(record("2026/11/25/one/run.json", "first"));
  await expect(s3("recorder").send(record("2026/11/25/one/run.json", "second"))).rejects.toMatchObject({
    name: "PreconditionFailed",
  });
  const { Body } = await s3("recorder").send(
    new GetObjectCommand({ Bucket: procedure.records.name, Key: "2026/11/25/one/run.json" }),
  );
  expect(await Body?.transformToString()).toBe("first");
});

test("a record is not written by a write that would replace another, even by the recorder", async () => {
  const Bucket = procedure.records.name;
  const write = s3("recorder").send(
    new PutObjectCommand({ Bucket, Key: "2026/11/25/run.json", Body: "any" }),
  );
  await expect(write).rejects.toThrow("explicit deny in a resource-based policy");
});

test("the bucket has the policy of the plan, whole", async () => {
  const { Policy = "" } = await s3("deployer").send(
    new GetBucketPolicyCommand({ Bucket: procedure.records.name }),
  );
  expect(JSON.parse(Policy)).toEqual(procedure.records.policy);
});

test.each(["operator", "deployer"] as const)(
  "the %s writes none, whatever other rights it has",
  async (who) => {
    await expect(s3(who).send(record(`2026/11/25/two/${who}.json`, "forged"))).rejects.toThrow(
      "explicit deny in a resource-based policy",
    );
  },
);

test.each(["operator", "deployer", "recorder"] as const)(
  "the %s deletes none, no version of it either",
  async (who) => {
    const Key = `2026/11/25/three/${who}.json`;
    await s3("recorder").send(record(Key, "stays"));
    const { Versions = [] } = await s3("deployer").send(
      new ListObjectVersionsCommand({ Bucket: procedure.records.name, Prefix: Key }),
    );
    expect(Versions).toHaveLength(1);
    const Bucket = procedure.records.name;
    const { VersionId } = Versions[0] ?? {};
    for (const how of [{}, { VersionId }, { VersionId, BypassGovernanceRetention: true }]) {
      await expect(s3(who).send(new DeleteObjectCommand({ Bucket, Key, ...how }))).rejects.toThrow(
        // By the policy: the lock alone would let a deletion hide a record behind a marker.
        who === "recorder" ? "not authorized" : "explicit deny in a resource-based policy",
      );
    }
  },
);
