import { createHash } from "node:crypto";
import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  ListExecutionsCommand,
  SFNClient,
} from "@aws-sdk/client-sfn";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { RecorderEvent } from "../../../lib/contracts/procedure-events";
import { readRotationRecord } from "../../../lib/contracts/rotation-record";
import { readVersionFingerprints } from "../../../lib/contracts/version-fingerprints";
import { awsWatcherSinks } from "../../../lib/rotation/adapters/aws-watcher-sinks";
import { DynamoDbPublications } from "../../../lib/rotation/adapters/dynamodb-publications";
import { DynamoDbRuns } from "../../../lib/rotation/adapters/dynamodb-runs";
import { S3RecordArchive } from "../../../lib/rotation/adapters/s3-record-archive";
import { SecretsManagerLook } from "../../../lib/rotation/adapters/secrets-manager-look";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import { StepFunctionsExecutions } from "../../../lib/rotation/adapters/step-functions-executions";
import { Dispatcher } from "../../../lib/rotation/procedure/dispatcher";
import type { DispatcherRequest } from "../../../lib/rotation/procedure/dispatcher-event";
import { Recorder, recorderEvent } from "../../../lib/rotation/procedure/recorder";
import { Watcher } from "../../../lib/rotation/procedure/watcher";
import type { ProofChecks } from "../../../lib/rotation/protocol/ports";
import { type ProofLabel, proofLabel } from "../../../lib/rotation/protocol/version-proof";
import { createSecretTable, createTable } from "../../../packages/rehearsal/src/load";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../../packages/rehearsal/src/servers";
import { startAwsShim } from "../../../packages/rehearsal/src/shim";
import { crashEverywhere } from "../models/crash-everywhere";
import { CrashPlan } from "../models/crash-plan";
import { silentLog, TestClock, versionId } from "../models/rehearsed-secret";
import { NOBODY } from "../models/sts-model";

const ACCOUNT = "111122223333";
const REGION = "eu-central-1";
const BUCKET = `acme-test-${ACCOUNT}-${REGION}-rotation-records`;
const RUNS = "acme-test-secret-runs";
const CHANGES = "acme-test-secret-changes";
const PUBLICATIONS = "acme-test-secret-publications";
const FUNCTION = "acme-test--rotate-stripe";
const REQUESTER = `arn:aws:sts::${ACCOUNT}:assumed-role/operator/ana@example.com`;
const APPROVER = `arn:aws:sts::${ACCOUNT}:assumed-role/approver/ben@example.com`;

let group: ServerGroup;
let aws: EmbeddedAws;
let dynamoDb: DynamoDBClient;
let s3: S3Client;
let secretsManager: SecretsManagerClient;
let stepFunctions: SFNClient;
let machineArn = "";
let count = 0;

const clientOf = () => ({
  region: REGION,
  endpoint: aws.endpoint,
  credentials: aws.rootCredentials(ACCOUNT),
});

beforeAll(async () => {
  group = ServerGroup.open();
  aws = await startEmbeddedAws({ group });
  const shim = await startAwsShim({ group, upstream: aws });
  const ours = { ...clientOf(), endpoint: shim.endpoint };
  dynamoDb = new DynamoDBClient(ours);
  s3 = new S3Client({ ...ours, forcePathStyle: true });
  secretsManager = new SecretsManagerClient(ours);
  stepFunctions = new SFNClient(ours);
  await createSecretTable(dynamoDb, RUNS, "run");
  await createTable(dynamoDb, CHANGES, "change");
  await createSecretTable(dynamoDb, PUBLICATIONS, "version");
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET, ObjectLockEnabledForBucket: true }));
  await s3.send(
    new PutObjectLockConfigurationCommand({
      Bucket: BUCKET,
      ObjectLockConfiguration: {
        ObjectLockEnabled: "Enabled",
        Rule: { DefaultRetention: { Mode: "GOVERNANCE", Days: 400 } },
      },
    }),
  );
  await new IAMClient(clientOf()).send(
    new CreateRoleCommand({
      RoleName: "procedure",
      AssumeRolePolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { Service: "states.amazonaws.com" }, Action: "sts:AssumeRole" },
        ],
      }),
    }),
  );
  const { stateMachineArn = "" } = await stepFunctions.send(
    new CreateStateMachineCommand({
      name: "acme-test-secret-rotation",
      roleArn: `arn:aws:iam::${ACCOUNT}:role/procedure`,
      definition: JSON.stringify({
        StartAt: "Wait",
        States: { Wait: { Type: "Wait", Seconds: 300, End: true } },
      }),
    }),
  );
  machineArn = stateMachineArn;
}, 120_000);

afterAll(async () => {
  for (const client of [dynamoDb, s3, secretsManager, stepFunctions]) client?.destroy();
  await group?.stop();
});

/** A proof of this world: no key of KMS makes it. */
const looksProved = (version: string): ProofLabel =>
  proofLabel(createHash("sha256").update(version).digest());
const PROOFS: ProofChecks = {
  proves: async (_arn, version, labels) => labels.includes(looksProved(version)),
};

/** A secret of its own, with a current value and, where asked for, one that waits. */
async function secretWith(
  pending: boolean,
): Promise<{ name: string; key: string; first: string; next: string }> {
  count += 1;
  const key = `payments/stripe-${count}`;
  const name = `test/${key}`;
  const [first, next] = [versionId(`${name} first`), versionId(`${name} next`)];
  await secretsManager.send(new CreateSecretCommand({ Name: name }));
  await secretsManager.send(
    new PutSecretValueCommand({ SecretId: name, ClientRequestToken: first, SecretString: '{"value":"one"}' }),
  );
  await new SecretsManagerStore(secretsManager).moveLabel(name, looksProved(first), { to: first });
  if (pending) {
    await secretsManager.send(
      new PutSecretValueCommand({
        SecretId: name,
        ClientRequestToken: next,
        SecretString: '{"value":"two"}',
        VersionStages: ["AWSPENDING"],
      }),
    );
  }
  return { name, key, first, next };
}

function recorderOf(name: string, key: string, clock: TestClock, plan = new CrashPlan(0, "before")) {
  return new Recorder({
    settings: {
      registry: "acme",
      environment: "test",
      region: REGION,
      runsTable: RUNS,
      changesTable: CHANGES,
      recordsBucket: BUCKET,
      secrets: { [name]: { key, kind: "stripe" } },
    },
    runs: plan.wrap(new DynamoDbRuns(dynamoDb, RUNS, CHANGES)),
    archive: plan.wrap(new S3RecordArchive(s3, BUCKET)),
    clock,
  });
}

const objectsOf = async (key: string): Promise<readonly string[]> => {
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: BUCKET }));
  return Versions.flatMap(({ Key = "" }) => (Key.includes(`/${key.replace("/", "--")}/`) ? [Key] : []));
};

const textAt = async (name: string): Promise<string> => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: name }));
  return (await Body?.transformToString()) ?? "";
};

const recordAt = async (name: string) => readRotationRecord(await textAt(name)).record;

describe("the dispatcher on AWS's services", () => {
  /** A dispatcher whose rotation function moves the label at the last step. */
  const dispatcherOf = (
    { name, key }: { name: string; key: string },
    clock: TestClock,
    plan = new CrashPlan(0, "before"),
  ) =>
    new Dispatcher({
      settings: {
        registry: "acme",
        environment: "test",
        region: REGION,
        runsTable: RUNS,
        changesTable: CHANGES,
        publicationsTable: PUBLICATIONS,
        auditKeyAlias: "alias/audit",
        stateMachineArn: machineArn,
        changeRequest: "none",
        secrets: {
          [name]: {
            key,
            kind: "stripe",
            rotation: "operator-assisted",
            supplied: true,
            publishes: false,
            function: FUNCTION,
            overlapSeconds: 0,
            publishLeadSeconds: 0,
            restart: [],
            checks: ["backend/health"],
            approval: true,
          },
        },
      },
      runs: plan.wrap(new DynamoDbRuns(dynamoDb, RUNS, CHANGES)),
      store: plan.wrap(new SecretsManagerStore(secretsManager)),
      publications: new DynamoDbPublications(dynamoDb, PUBLICATIONS),
      proofs: PROOFS,
      rotations: { start: async () => undefined },
      functions: plan.wrap({
        invoke: async (called: string, event: object) => {
          if (called !== FUNCTION) return recorderOf(name, key, clock).run(event as RecorderEvent);
          const { Step, ClientRequestToken: to } = event as { Step: string; ClientRequestToken: string };
          const store = new SecretsManagerStore(secretsManager);
          const { labels } = await store.describe(name);
          const [from = ""] = [...labels].find(([, held]) => held.includes("AWSCURRENT")) ?? [];
          if (Step !== "finishSecret" || from === to) return {};
          await store.moveLabel(name, looksProved(to), { to });
          await store.moveLabel(name, "AWSCURRENT", { from, to });
          return {};
        },
      }),
      identities: NOBODY,
      executions: plan.wrap(new StepFunctionsExecutions(stepFunctions, machineArn)),
      clock,
      log: silentLog,
      newVersion: () => versionId(`${name} generated`),
    });

  const executionsOf = async (key: string) => {
    const { executions = [] } = await stepFunctions.send(
      new ListExecutionsCommand({ stateMachineArn: machineArn, maxResults: 1_000 }),
    );
    return executions.filter(({ name = "" }) => name.includes(key.replace("/", "--")));
  };
  const rotate = (key: string): DispatcherRequest => ({
    action: "rotate",
    key,
    requester: REQUESTER,
    emergency: false,
  });

  test("a forged lock keeps nobody out for good: the sweep frees what belongs to no run, and nothing else", async () => {
    const [forged, ended, open] = [await secretWith(true), await secretWith(true), await secretWith(true)];
    const clock = new TestClock();
    const runs = new DynamoDbRuns(dynamoDb, RUNS, CHANGES);
    const lock = (secret: string, holder: string | undefined) =>
      dynamoDb.send(
        new PutItemCommand({
          TableName: RUNS,
          Item: {
            secret: { S: secret },
            run: { S: "#lock" },
            ...(holder === undefined ? {} : { holder: { S: holder } }),
          },
        }),
      );
    const begin = ({ name, next }: { name: string; next: string }) =>
      runs.begin(
        { secret: name, run: next, kind: "rotation", newVersion: next, startedBy: "schedule" },
        clock.now(),
      );
    await lock(forged.name, "no-such-run");
    await runs.end(await begin(ended), "failed");
    await lock(ended.name, ended.next);
    const held = await begin(open);
    const dispatch = (secret: { name: string; key: string }, request: DispatcherRequest) =>
      dispatcherOf(secret, clock).run(request);
    const refused = dispatch(forged, rotate(forged.key));
    await expect(refused).rejects.toMatchObject({ code: "throttled" });
    expect(await dispatch(forged, { action: "sweep" })).toMatchObject({ freed: 1, failed: 0 });
    expect(await dispatch(ended, { action: "sweep" })).toMatchObject({ freed: 1, failed: 0 });
    expect(await dispatch(open, { action: "sweep" })).toMatchObject({ freed: 0, failed: 0 });
    expect(await dispatch(forged, rotate(forged.key))).toMatchObject({ result: "under-way" });
    expect(await runs.open(open.name)).toMatchObject({ run: held.run });
    await lock(ended.name, undefined);
    expect(await dispatch(ended, { action: "sweep" })).toMatchObject({ freed: 1, failed: 0 });
  }, 60_000);

  test("begins and hands on once, wherever it dies", async () => {
    const points = await crashEverywhere(async () => {
      const secret = await secretWith(true);
      const clock = new TestClock();
      const runs = new DynamoDbRuns(dynamoDb, RUNS, CHANGES);
      return {
        work: (plan) => dispatcherOf(secret, clock, plan).run(rotate(secret.key)),
        afterCrash: async () => {
          const started = await executionsOf(secret.key);
          expect(started.length).toBeLessThanOrEqual(1);
          // Nothing follows a run that is not there.
          if (started.length === 1) expect(await runs.open(secret.name)).toBeDefined();
        },
        afterAll: async () => {
          const [execution, ...more] = await executionsOf(secret.key);
          expect(more).toEqual([]);
          const { input = "{}" } = await stepFunctions.send(
            new DescribeExecutionCommand({ executionArn: execution?.executionArn }),
          );
          expect(JSON.parse(input)).toEqual({ secret: secret.name, run: secret.next });
          const load = (of: string): Promise<unknown> =>
            dispatcherOf(secret, clock).run({
              action: "load",
              secretName: secret.name,
              run: secret.next,
              execution: of,
            });
          expect(await load(execution?.name ?? "")).toEqual({
            result: "loaded",
            secret: secret.name,
            key: secret.key,
            run: secret.next,
            kind: "rotation",
            newVersion: secret.next,
            oldVersion: secret.first,
            function: FUNCTION,
            overlapSeconds: 0,
            restart: [],
            checks: ["backend/health"],
            approval: true,
            emergency: false,
            back: false,
          });
          await expect(load("another")).rejects.toMatchObject({ code: "run-mismatch" });
          expect(await runs.open(secret.name)).toMatchObject({ run: secret.next, status: "proving" });
        },
      };
    });
    process.stdout.write(`dispatcher: ${points} crash points\n`);
    expect(points).toBeGreaterThanOrEqual(20);
  }, 300_000);

  test("takes the secret from a run only when its execution has ended", async () => {
    const secret = await secretWith(true);
    const clock = new TestClock();
    const dispatcher = dispatcherOf(secret, clock);
    await dispatcher.run(rotate(secret.key));
    const other = versionId(`${secret.name} other`);
    await secretsManager.send(
      new PutSecretValueCommand({
        SecretId: secret.name,
        ClientRequestToken: other,
        SecretString: '{"value":"three"}',
        VersionStages: ["AWSPENDING"],
      }),
    );
    const next = { ...rotate(secret.key), versionId: other } as DispatcherRequest;
    await expect(dispatcher.run(next)).rejects.toMatchObject({ code: "run-under-way" });
    const [{ name = "" } = {}] = await executionsOf(secret.key);
    await new StepFunctionsExecutions(stepFunctions, machineArn).stop(name);
    await expect(dispatcher.run(next)).resolves.toMatchObject({ run: { run: other, status: "proving" } });
    expect(await new DynamoDbRuns(dynamoDb, RUNS, CHANGES).read(secret.name, secret.next)).toMatchObject({
      status: "failed",
    });
    const [dead = ""] = await objectsOf(secret.key);
    expect(await recordAt(dead)).toMatchObject({
      end: { outcome: "failed", reason: "execution-ended in Dispatcher" },
    });
  });

  test("turns a run back by a second execution, and stops the first", async () => {
    const secret = await secretWith(true);
    const dispatcher = dispatcherOf(secret, new TestClock());
    await dispatcher.run(rotate(secret.key));
    await dispatcher.run({ action: "rollback", key: secret.key, requester: REQUESTER });
    await dispatcher.run({ action: "rollback", key: secret.key, requester: REQUESTER });
    const states = (await executionsOf(secret.key)).map(({ name = "", status }) => [
      name.endsWith(".back"),
      status,
    ]);
    expect(states.sort()).toEqual([
      [false, "ABORTED"],
      [true, "RUNNING"],
    ]);
  });

  test("refuses before anything has changed", async () => {
    const secret = await secretWith(false);
    const dispatcher = dispatcherOf(secret, new TestClock());
    await expect(dispatcher.run(rotate(secret.key))).rejects.toMatchObject({ code: "operator-needed" });
    await expect(dispatcher.run(rotate("no/such"))).rejects.toMatchObject({ code: "secret-not-ours" });
    await expect(
      dispatcher.run({ action: "rollback", key: secret.key, requester: REQUESTER }),
    ).rejects.toMatchObject({
      code: "run-missing",
    });
    await expect(
      dispatcher.run({ ...rotate(secret.key), action: "promote" } as DispatcherRequest),
    ).rejects.toMatchObject({ code: "nothing-published" });
    await expect(
      dispatcher.run({ action: "label-moved", secretName: secret.name, versionId: secret.first }),
    ).resolves.toEqual({ result: "nothing-to-do" });
    expect(await new DynamoDbRuns(dynamoDb, RUNS, CHANGES).latest(secret.name, 10)).toEqual([]);
    expect(await executionsOf(secret.key)).toEqual([]);
  });
});

describe("the recorder on AWS's services", () => {
  const at = (minute: number): string =>
    new Date(Date.parse("2026-01-01T00:00:00Z") + minute * 60_000).toISOString();
  const phase = (name: "verify" | "approve" | "decommission" | "rollback", from: number, fault?: string) => ({
    phase: name,
    startedAt: at(from),
    endedAt: at(from + 1),
    outcome: fault === undefined ? ("done" as const) : ("failed" as const),
    ...(fault === undefined ? {} : { fault }),
  });
  const decommissioned = (name: string, run: string): RecorderEvent => ({
    Secret: name,
    Run: run,
    Outcome: "decommissioned",
    Phases: [phase("verify", 1), phase("verify", 10), phase("approve", 12), phase("decommission", 14)],
    Checks: [
      {
        at: at(2),
        tries: 2,
        results: [
          {
            name: "backend/health",
            type: "health",
            url: "https://b.example.com",
            status: 200,
            outcome: "passed",
          },
        ],
      },
    ],
    Fault: null,
  });
  async function begun(more: object = {}) {
    count += 1;
    const [key, run] = [`db/app-${count}`, versionId(`run ${count}`)];
    const name = `test/${key}`;
    const clock = new TestClock();
    const runs = new DynamoDbRuns(dynamoDb, RUNS, CHANGES);
    const begun = await runs.begin(
      {
        secret: name,
        run,
        kind: "rotation",
        newVersion: run,
        oldVersion: versionId(`old ${count}`),
        startedBy: REQUESTER,
        ...more,
      },
      clock.now(),
    );
    clock.advance(1_200);
    /** Decides as the approval gate does. */
    const approve = async (by: string) => {
      await runs.advance(begun, "awaiting-approval");
      await runs.decide(begun, { answer: "approved", by, at: clock.now() });
    };
    return { key, name, run, clock, runs, approve };
  }

  test("writes one record, ends the run and lets go of the secret, wherever it dies", async () => {
    const points = await crashEverywhere(async () => {
      const { key, name, run, clock, runs, approve } = await begun({ startedByIs: "proven" });
      await approve(APPROVER);
      return {
        work: (plan) => {
          // A later call finds the day gone by.
          clock.advance(86_400);
          return recorderOf(name, key, clock, plan).run(decommissioned(name, run));
        },
        afterCrash: async () => {
          const ended = (await runs.open(name)) === undefined;
          if (ended) expect(await objectsOf(key)).toHaveLength(1);
        },
        afterAll: async () => {
          const [object = "", ...more] = await objectsOf(key);
          expect(more).toEqual([]);
          const folder = key.replace("/", "--");
          expect(object).toMatch(new RegExp(`^2026/01/0[23]/${folder}/${run}\\.json$`));
          expect(await recordAt(object)).toMatchObject({
            id: run,
            secret: key,
            change: "not-required",
            actors: { started: REQUESTER, approved: APPROVER, proven: ["started", "approved"] },
            end: { outcome: "decommissioned", at: at(15) },
          });
          expect(await runs.read(name, run)).toMatchObject({ status: "decommissioned" });
          expect(await runs.open(name)).toBeUndefined();
        },
      };
    });
    process.stdout.write(`recorder: ${points} crash points\n`);
    expect(points).toBeGreaterThanOrEqual(8);
  }, 120_000);

  test("gives what was recorded first, whatever comes later", async () => {
    const { key, name, run, clock } = await begun();
    await recorderOf(name, key, clock).run(decommissioned(name, run));
    const later: RecorderEvent = { ...decommissioned(name, run), Outcome: "failed", Fault: null };
    await expect(recorderOf(name, key, clock).run(later)).resolves.toMatchObject({
      status: "decommissioned",
    });
  });

  test("an approval by who started it is a failure, and is recorded as one", async () => {
    const { key, name, run, clock, approve } = await begun();
    await approve(REQUESTER);
    const { record = "" } = await recorderOf(name, key, clock).run(decommissioned(name, run));
    expect(await recordAt(record)).toMatchObject({
      end: { outcome: "failed", reason: "approved by who started it" },
    });
  });

  test("an approval that is forged in the event is nobody's, and a name without a proof stands as said", async () => {
    const { key, name, run, clock } = await begun();
    const event = recorderEvent.parse({ ...decommissioned(name, run), Approver: APPROVER });
    const { record = "" } = await recorderOf(name, key, clock).run(event);
    expect((await recordAt(record))?.actors).toEqual({ started: REQUESTER, proven: [] });
  });

  test.each([
    [
      "a rollback",
      {
        Outcome: "rolled-back" as const,
        Phases: [phase("verify", 1, "target-refused"), phase("rollback", 3)],
        Checks: [],
        Fault: { state: "Verify", code: "target-refused" },
      },
      "rolled-back",
      { outcome: "rolled-back", at: at(4), reason: "target-refused in Verify" },
    ],
    [
      "a publication",
      { Outcome: "published" as const, Phases: [phase("verify", 1)] },
      "published",
      { outcome: "published" },
    ],
    [
      "a failure",
      {
        Outcome: "failed" as const,
        Phases: [],
        Checks: [],
        Fault: { state: "Restart", code: "RolloutFailed" },
      },
      "failed",
      { outcome: "failed", reason: "RolloutFailed in Restart" },
    ],
  ])("records %s", async (_, event, status, end) => {
    const { key, name, run, clock, runs } = await begun();
    const outcome = await recorderOf(name, key, clock).run({
      ...decommissioned(name, run),
      ...event,
    });
    expect(outcome.status).toBe(status);
    expect(await recordAt(outcome.record ?? "")).toMatchObject({ end });
    expect(await runs.open(name)).toBeUndefined();
  });

  const FINGERPRINTS = {
    new: `hmac-sha256:key-1:${"a".repeat(64)}`,
    old: `hmac-sha256:key-1:${"b".repeat(64)}`,
  };
  test.each([
    ["both", FINGERPRINTS, FINGERPRINTS],
    ["the new one alone", { new: FINGERPRINTS.new }, { new: FINGERPRINTS.new }],
    ["none", null, undefined],
    ["none, by an earlier definition", undefined, undefined],
    ["what is none", { new: "correct horse battery staple" }, undefined],
  ])("records fingerprints: %s", async (_, Fingerprints, recorded) => {
    const { key, name, run, clock } = await begun();
    const { record = "" } = await recorderOf(name, key, clock).run(
      recorderEvent.parse({
        ...decommissioned(name, run),
        ...(Fingerprints === undefined ? {} : { Fingerprints }),
      }),
    );
    expect((await recordAt(record))?.fingerprints).toEqual(recorded);
  });

  const TEXTS = { password: `hmac-sha256:key-1:${"c".repeat(64)}` };
  const keeping = (name: string, run: string, Texts: unknown = TEXTS) =>
    recorderEvent.parse({ Secret: name, Run: run, Version: run, Texts });

  test("keeps the fingerprints of a version's texts once, while the run is under way", async () => {
    const { key, name, run, clock, runs } = await begun();
    const recorder = recorderOf(name, key, clock);
    const { record = "", status } = await recorder.run(keeping(name, run));
    const { newVersion } = (await runs.read(name, run)) ?? {};
    expect(record).toBe(`fingerprints/${key.replaceAll("/", "--")}/${newVersion}.json`);
    const first = await textAt(record);
    expect(readVersionFingerprints(first)).toMatchObject({
      secret: key,
      name,
      versionId: newVersion,
      run,
      texts: TEXTS,
    });
    clock.advance(60);
    await recorder.run(keeping(name, run, { password: `hmac-sha256:key-1:${"d".repeat(64)}` }));
    expect(await textAt(record)).toBe(first);
    expect(status).toBe("kept");
    expect(await runs.open(name)).toMatchObject({ status: "rotating" });
  });

  test("keeps the fingerprints of a first value, which no run follows", async () => {
    const { key, name, clock } = await begun();
    const event = recorderEvent.parse({ Secret: name, Version: "first", Texts: TEXTS });
    const { record = "" } = await recorderOf(name, key, clock).run(event);
    expect(readVersionFingerprints(await textAt(record))).toMatchObject({ versionId: "first", texts: TEXTS });
    expect(readVersionFingerprints(await textAt(record))).not.toHaveProperty("run");
  });

  test.each([
    ["none could be made", null],
    ["the value has no secret text", {}],
  ])("keeps no fingerprints where %s", async (_, none) => {
    const { key, name, run, clock } = await begun();
    expect(await recorderOf(name, key, clock).run(keeping(name, run, none))).toEqual({
      status: "nothing-to-keep",
    });
    expect(await objectsOf(key)).toEqual([]);
  });

  test.each([
    ["a value", { password: "correct horse battery staple" }],
    ["a place with other letters", { "pass word": TEXTS.password }],
  ])("refuses %s among the fingerprints", (_, texts) => {
    expect(() => keeping("prod/db/app", "run", texts)).toThrow();
  });

  test("a scheduled run is Secrets Manager's, a promotion ends as promoted", async () => {
    const { key, name, run, clock } = await begun({ kind: "promotion", startedBy: "schedule" });
    const { record = "", status } = await recorderOf(name, key, clock).run(decommissioned(name, run));
    expect(status).toBe("promoted");
    expect(await recordAt(record)).toMatchObject({
      change: "scheduled",
      actors: { started: "secretsmanager.amazonaws.com" },
    });
  });

  test("a retirement begins with its proof, and names the change request that another run has used up", async () => {
    const change = { id: "2026-01-01-db--app", digest: `sha256:${"c".repeat(64)}` };
    const { key, name, run, clock } = await begun({ kind: "retirement", change });
    const { record = "", status } = await recorderOf(name, key, clock).run(decommissioned(name, run));
    expect(status).toBe("decommissioned");
    const written = await recordAt(record);
    expect(written?.phases.map((entry) => entry.phase)).toEqual([
      "verify",
      "verify",
      "approve",
      "decommission",
    ]);
    expect(written?.change).toEqual(change);
  });

  test("does not record a success while the run is being called back", async () => {
    const { key, name, run, clock, runs } = await begun();
    const open = await runs.read(name, run);
    if (open === undefined) throw new Error("no run");
    await runs.advance(open, "proving");
    await runs.turnBack(open);
    await expect(recorderOf(name, key, clock).run(decommissioned(name, run))).rejects.toMatchObject({
      code: "run-turned-back",
    });
    expect(await objectsOf(key)).toEqual([]);
  });
});

describe("the watcher on AWS's services", () => {
  test("counts states with explicit zeros, and reminds each owner once a day", async () => {
    const old = await secretWith(false);
    const fresh = await secretWith(false);
    const byHand = await secretWith(false);
    const forged = await secretWith(false);
    for (const { name } of [byHand, forged]) {
      const VersionStages = ["AWSCURRENT", ...(name === forged.name ? [`VERIFIED.${"0".repeat(64)}`] : [])];
      await secretsManager.send(
        new PutSecretValueCommand({ SecretId: name, SecretString: '{"value":"by hand"}', VersionStages }),
      );
    }
    const [sns, sqs, cloudWatch] = [
      new SNSClient(clientOf()),
      new SQSClient(clientOf()),
      new CloudWatchClient(clientOf()),
    ];
    const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: "reminders" }));
    const { QueueUrl = "" } = await sqs.send(
      new CreateQueueCommand({
        QueueName: "owner",
        Attributes: {
          Policy: JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              {
                Effect: "Allow",
                Principal: { Service: "sns.amazonaws.com" },
                Action: "sqs:SendMessage",
                Resource: "*",
              },
            ],
          }),
        },
      }),
    );
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
    );
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: Attributes?.QueueArn }));
    const watched = ({ key }: { key: string }, rotateEverySeconds: number) => ({
      key,
      owner: "payments",
      rotation: "operator-assisted" as const,
      rotateEverySeconds,
    });
    const settings = {
      registry: "acme",
      environment: "test",
      region: REGION,
      publicationsTable: PUBLICATIONS,
      auditKeyAlias: "alias/audit",
      remindersTopicArn: TopicArn,
      dueAheadSeconds: 14 * 86_400,
      stuckAfterSeconds: 3_600,
      secrets: {
        [old.name]: watched(old, 86_400),
        [fresh.name]: watched(fresh, 365 * 86_400),
        [byHand.name]: watched(byHand, 365 * 86_400),
        [forged.name]: watched(forged, 365 * 86_400),
        "test/no/such": watched({ key: "no/such" }, 86_400),
      },
    };
    const midnight = Math.floor(Date.now() / 86_400_000) * 86_400_000;
    const watcherAt = (hour: number) =>
      new Watcher({
        settings,
        secrets: new SecretsManagerLook(secretsManager, PROOFS),
        publications: new DynamoDbPublications(dynamoDb, PUBLICATIONS),
        sinks: awsWatcherSinks(cloudWatch, sns, settings),
        // The day after tomorrow.
        clock: { now: () => new Date(midnight + 2 * 86_400_000 + hour * 3_600_000) },
        log: silentLog,
      });
    const counts = { due: 0, overdue: 1, stuck: 5, unproven: 2 };
    await expect(watcherAt(7).run()).resolves.toEqual({ ...counts, reminded: [] });
    await expect(watcherAt(8).run()).resolves.toEqual({ ...counts, reminded: ["payments"] });
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 5 }),
    );
    expect(Messages).toHaveLength(1);
    const { Message } = JSON.parse(Messages[0]?.Body ?? "{}");
    expect(Message).toContain(`secrets-registry rotate ${old.key} --env test`);
    expect(Message).not.toContain(fresh.key);
    for (const [state, expected] of Object.entries(counts)) {
      const { Datapoints = [] } = await cloudWatch.send(
        new GetMetricStatisticsCommand({
          Namespace: "SecretsRegistry",
          MetricName: "Secrets",
          Dimensions: Object.entries({ registry: "acme", environment: "test", state }).map(
            ([Name, Value]) => ({
              Name,
              Value,
            }),
          ),
          StartTime: new Date(Date.now() - 3_600_000),
          EndTime: new Date(Date.now() + 3_600_000),
          Period: 86_400,
          Statistics: ["Maximum"],
        }),
      );
      expect(Datapoints.map(({ Maximum }) => Maximum)).toEqual([expected]);
    }
  }, 60_000);
});
