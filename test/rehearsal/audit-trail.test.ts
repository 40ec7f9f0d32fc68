import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  PutEventsCommand,
} from "@aws-sdk/client-eventbridge";
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { CreateKeyCommand } from "@aws-sdk/client-kms";
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { type OcsfEvent, resourceOf } from "../../lib/audit";
import { type Blueprint, blueprint } from "../../lib/blueprint";
import { awsAuditCloud } from "../../lib/cli/cloud/aws-audit-cloud";
import { auditCheck, auditReplay } from "../../lib/cli/verbs/audit-trail";
import { silentChanges } from "../../lib/cli/verbs/silent-changes";
import { VAULT_AUDIT_ENTRY, VAULT_SOURCE } from "../../lib/contracts/audit-events";
import { defineRegistry, type Registry } from "../../lib/model";
import { cloudTrailEvent } from "../../packages/rehearsal/src/audit/cloudtrail-model";
import { rehearsedZips } from "../../packages/rehearsal/src/audit/rehearsed-trail";
import { type SiemReceiver, startSiemReceiver } from "../../packages/rehearsal/src/audit/siem-receiver";
import { type AwsAccess, kms, type LoadedAudit, loadAudit } from "../../packages/rehearsal/src/load";
import { clientSettings } from "../../packages/rehearsal/src/load/aws-account";
import { createSecretTable } from "../../packages/rehearsal/src/load/tables";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../packages/rehearsal/src/servers";
import { type AwsShim, startAwsShim } from "../../packages/rehearsal/src/shim";
import { ocsfCheck } from "../audit/audit-world";
import { draft } from "../model/sample";
import { rightsOf, rightsUsed } from "./rights-used";

/**
 * The audit trail's real functions under their own roles on the embedded AWS, from the queue to a receiver that speaks Splunk's HTTP
 * Event Collector. What the embedded AWS does not deliver, CloudTrail's records, is put into the queue in its place, by
 * `cloudTrailEvent`; Secrets Manager's own event and our own come by EventBridge.
 */
let group: ServerGroup;
let aws: EmbeddedAws;
let shim: AwsShim;
let receiver: SiemReceiver;
let plan: Blueprint;
let loaded: LoadedAudit;
let root: AwsAccess;
let region: string;
let registry: Registry;
let auditSetting: object;
const token = randomBytes(18).toString("base64url");

const auditOf = () => {
  if (plan.audit === undefined) throw new Error("no audit trail");
  return plan.audit;
};

beforeAll(async () => {
  group = ServerGroup.open();
  aws = await startEmbeddedAws({ group });
  shim = await startAwsShim({ upstream: aws, group });
  receiver = await startSiemReceiver(token);
  const definition = draft();
  const { account } = definition.environments.prod;
  region = "eu-central-1";
  root = { endpoint: shim.endpoint, credentials: aws.rootCredentials(account) };
  const secrets = new SecretsManagerClient(clientSettings(root, region));
  const { KeyMetadata: key } = await kms(root, region).send(new CreateKeyCommand({}));
  const { ARN: secretArn } = await secrets.send(
    new CreateSecretCommand({
      Name: "siem/splunk",
      KmsKeyId: key?.Arn,
      SecretString: JSON.stringify({ token }),
    }),
  );
  definition.environments.prod.audit = {
    trail: "organization",
    sinks: [
      {
        type: "splunk-hec",
        name: "splunk",
        url: receiver.url,
        caPem: receiver.caPem,
        token: { secretArn, field: "token" },
      },
    ],
  };
  auditSetting = definition.environments.prod.audit;
  registry = defineRegistry(definition);
  plan = blueprint(registry, "prod");
  await createSecretTable(new DynamoDBClient(clientSettings(root, region)), "acme-prod-secret-runs", "run");
  loaded = await loadAudit(root, plan, auditOf(), rehearsedZips(root, plan));
}, 180_000);

afterAll(async () => {
  await receiver?.close();
  await group?.stop();
}, 60_000);

const queueUrl = (name: string): string => loaded.queues.get(name) ?? "";

async function put(...messages: readonly (object | string)[]): Promise<void> {
  const client = new SQSClient(clientSettings(root, region));
  for (const message of messages) {
    await client.send(
      new SendMessageCommand({
        QueueUrl: queueUrl(auditOf().events.name),
        MessageBody: typeof message === "string" ? message : JSON.stringify(message),
      }),
    );
  }
}

async function archived(): Promise<readonly OcsfEvent[]> {
  const client = new S3Client({ ...clientSettings(root, region), forcePathStyle: true });
  const Bucket = auditOf().archive.name;
  const { Contents: objects = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  return Promise.all(
    objects.map(async ({ Key }) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      return JSON.parse((await Body?.transformToString()) ?? "") as OcsfEvent;
    }),
  );
}

async function until<T>(look: () => Promise<T>, isThere: (found: T) => boolean): Promise<T> {
  const end = Date.now() + 60_000;
  for (;;) {
    const found = await look();
    if (isThere(found) || Date.now() > end) return found;
    await sleep(250);
  }
}

const until60 = (isThere: () => boolean) =>
  until(
    async () => isThere(),
    (there) => there,
  );

const idsOf = (events: readonly OcsfEvent[]): readonly string[] =>
  [...new Set(events.map(({ metadata }) => metadata.uid))].sort();

test("every change and read reaches archive and SIEM once per id, valid and without a value; nothing is missing", async () => {
  const canary = `canary-${randomBytes(18).toString("base64url")}`;
  const secrets = new SecretsManagerClient(clientSettings(root, region));
  const name = "prod/db/app";
  await secrets.send(new CreateSecretCommand({ Name: name, SecretString: canary }));
  await secrets.send(new PutSecretValueCommand({ SecretId: name, SecretString: `${canary}2` }));
  await secrets.send(new GetSecretValueCommand({ SecretId: name }));
  const record = (operation: string, more: object = {}): object =>
    cloudTrailEvent({
      service: "secretsmanager",
      operation,
      account: plan.account,
      region,
      identity: { is: "session", roleArn: plan.workloads[0]?.role.arn ?? "", session: "pod" },
      request: { SecretId: name, SecretString: canary },
      ...more,
    });
  const read = record("GetSecretValue");
  await put(
    record("CreateSecret", { request: { Name: name, SecretString: canary } }),
    record("PutSecretValue"),
    read,
    read,
    record("GetSecretValue", { error: "AccessDeniedException" }),
    record("DeleteSecret"),
    "not JSON",
    record("GetSecretValue", { request: { SecretId: "other/secret" } }),
  );
  await new EventBridgeClient(clientSettings(root, region)).send(
    new PutEventsCommand({
      Entries: [
        {
          Source: VAULT_SOURCE,
          DetailType: VAULT_AUDIT_ENTRY,
          Detail: JSON.stringify({
            vault: "main",
            entry: {
              time: new Date().toISOString(),
              type: "response",
              auth: { display_name: "kubernetes-backend", policies: ["acme-prod-backend"] },
              request: {
                id: randomUUID(),
                operation: "read",
                path: "kv-prod/data/db/app",
                remote_address: "10.0.0.1",
              },
              response: { data: { data: { password: canary }, metadata: { version: 3 } } },
            },
          }),
        },
      ],
    }),
  );
  // Create, put, read, refused read, delete, Vault's read; the label events of create and put beside them.
  const expected = 6;
  const operations = (events: readonly OcsfEvent[]) => events.map(({ api }) => api.operation).sort();
  const found = await until(archived, (events) => {
    const others = events.filter(({ api }) => api.operation !== "SecretLabelUpdated").length;
    // Label events come by themselves, sooner or later than the others.
    return others >= expected && others < events.length;
  });
  const labels = found.filter(({ api }) => api.operation === "SecretLabelUpdated");
  expect(operations(found.filter((event) => !labels.includes(event)))).toEqual([
    "CreateSecret",
    "DeleteSecret",
    "GetSecretValue",
    "GetSecretValue",
    "PutSecretValue",
    "read",
  ]);
  expect(labels.length).toBeGreaterThan(0);
  const received = await until(
    async () => idsOf(receiver.received),
    (ids) => ids.length >= found.length,
  );
  expect(received).toEqual(idsOf(found));
  const check = await ocsfCheck();
  expect(found.flatMap((event) => check(event))).toEqual([]);
  expect(JSON.stringify([found, receiver.received])).not.toContain(canary);
  const dead = await new SQSClient(clientSettings(root, region)).send(
    new ReceiveMessageCommand({ QueueUrl: queueUrl(auditOf().deadLetters.name), MaxNumberOfMessages: 10 }),
  );
  // A message may come twice, which is more likely here: what is not taken in two seconds comes again.
  expect([...new Set(dead.Messages?.map(({ Body }) => Body))]).toEqual(["not JSON"]);
  const changes = found.filter(({ class_uid }) => class_uid === 3004).length;
  process.stdout.write(
    `${changes} changes, ${found.length - changes} reads and refusals, ${found.length} events, 0 missing; 1 dead letter; CloudTrail's records by a stand-in\n`,
  );
}, 180_000);

test("each other kind of change and use, on both stores, reaches archive and SIEM with who and what", async () => {
  const { account, environment } = plan;
  const [breakGlass = ""] = plan.principals.breakGlass;
  const byRole = (roleArn: string) => ({ is: "session", roleArn, session: "jane" }) as const;
  const SecretId = "prod/db/app";
  const ofAws = (operation: string, roleArn: string, request: object = {}, service = "secretsmanager") =>
    cloudTrailEvent({
      service,
      operation,
      account,
      region,
      identity: byRole(roleArn),
      request: service === "secretsmanager" ? { SecretId, ...request } : { ...request },
    });
  const operator = plan.principals.operators[0] ?? breakGlass;
  const aws = [
    ["RotateSecret", operator],
    ["UpdateSecretVersionStage", operator],
    ["PutResourcePolicy", operator],
    ["ReplicateSecretToRegions", operator],
    ["RestoreSecret", operator],
    ["GetSecretValue", breakGlass],
  ] as const;
  const mount = auditOf().normaliser.settings as { scope: { vault: { authMounts: readonly string[] } } };
  const [authMount = ""] = mount.scope.vault.authMounts;
  const vault = [
    ["update", "kv-prod/data/db/app", "db/app"],
    ["read", "kv-prod/data/db/app", "db/app"],
    ["update", `auth/${authMount}/login`, authMount],
    ["update", "sys/policies/acl/acme-prod-backend", "acme-prod-backend"],
    ["delete", "sys/audit/file", "file"],
  ] as const;
  const ids = new Map(vault.map((row) => [row, randomUUID()]));
  const canary = `canary-${randomBytes(18).toString("base64url")}`;
  const messages = aws.map(([operation, who]) => ofAws(operation, who, { Description: canary }));
  const requestIds = messages.map(
    (message) => (message as { detail: { requestID: string } }).detail.requestID,
  );
  await put(...messages);
  await new EventBridgeClient(clientSettings(root, region)).send(
    new PutEventsCommand({
      Entries: vault.map((row) => ({
        Source: VAULT_SOURCE,
        DetailType: VAULT_AUDIT_ENTRY,
        Detail: JSON.stringify({
          vault: "main",
          entry: {
            time: new Date().toISOString(),
            type: "response",
            auth: { display_name: "kubernetes-backend", policies: ["acme-prod-backend"] },
            request: { id: ids.get(row), operation: row[0], path: row[1], data: { password: canary } },
            response: { data: { password: canary } },
          },
        }),
      })),
    }),
  );
  const wanted = [...requestIds, ...ids.values()];
  const ofThese = (events: readonly OcsfEvent[]) =>
    events.filter(({ api }) => wanted.includes(api.request?.uid ?? ""));
  const found = ofThese(await until(archived, (events) => ofThese(events).length >= wanted.length));
  expect(found.map(({ api }) => api.request?.uid).sort()).toEqual([...wanted].sort());
  await until60(() => new Set(idsOf(ofThese(receiver.received))).size >= wanted.length);
  expect(idsOf(ofThese(receiver.received))).toEqual(idsOf(found));
  const check = await ocsfCheck();
  expect(found.flatMap((event) => check(event))).toEqual([]);
  const eventOf = (id: string | undefined) => found.find(({ api }) => api.request?.uid === id);
  for (const [at, [operation, who]] of aws.entries()) {
    const event = eventOf(requestIds[at]);
    expect(event?.api.operation).toBe(operation);
    expect(event?.actor.session?.issuer).toBe(who);
    expect(event && resourceOf(event)).toMatchObject({ name: "db/app", data: { environment } });
    expect(event?.class_uid).toBe(operation === "GetSecretValue" ? 6003 : 3004);
  }
  for (const [row, id] of ids) {
    const event = eventOf(id);
    expect(event && resourceOf(event)?.name).toBe(row[2]);
    expect(event?.actor.user?.name).toBe("kubernetes-backend");
  }
  expect(JSON.stringify([found, receiver.received])).not.toContain(canary);
}, 180_000);

test("a receiver that is down keeps nothing back, and gets everything when it is up again", async () => {
  receiver.mode = { is: "status", status: 503 };
  const before = (await archived()).length;
  const events = Array.from({ length: 5 }, () =>
    cloudTrailEvent({
      service: "secretsmanager",
      operation: "GetSecretValue",
      account: plan.account,
      region,
      identity: { is: "session", roleArn: plan.workloads[0]?.role.arn ?? "", session: "pod" },
      request: { SecretId: "prod/db/app" },
    }),
  );
  await put(...events);
  const found = await until(archived, (all) => all.length >= before + 5);
  expect(found).toHaveLength(before + 5);
  receiver.mode = { is: "up" };
  const received = await until(
    async () => idsOf(receiver.received),
    (ids) => ids.length >= found.length,
  );
  expect(received).toEqual(idsOf(found));
}, 180_000);

test("a replay brings the events of its time again, under the ids that they have", async () => {
  const all = await archived();
  const before = receiver.received.length;
  const times = all.map(({ time }) => time);
  const from = new Date(Math.min(...times));
  const until = new Date(Math.max(...times) + 1);
  const cloud = awsAuditCloud(clientSettings(root, region));
  const here = ({ name }: { readonly name: string }): string => queueUrl(name);
  const report = await auditReplay(
    registry,
    { environment: "prod", from, until, sink: "splunk" },
    cloud,
    here,
  );
  expect(report).toEqual({
    environment: "prod",
    read: all.length,
    replayed: all.length,
    sinks: ["splunk"],
    unreadable: [],
  });
  await until60(() => receiver.received.length >= before + all.length);
  expect(receiver.received.length).toBe(before + all.length);
  expect(idsOf(receiver.received)).toEqual(idsOf(all));
  const none = { environment: "prod", from: new Date(0), until: new Date(3_600_000) };
  expect(await auditReplay(registry, none, cloud, here)).toMatchObject({ read: 0, replayed: 0 });
  await expect(auditReplay(registry, { ...none, sink: "elsewhere" }, cloud, here)).rejects.toThrow(
    "no sink elsewhere; there are: splunk",
  );
}, 120_000);

/** Credentials of a user who has one policy and nothing else, and the user's ARN. */
async function userWith(policy: object) {
  const iam = new IAMClient(clientSettings(root, region));
  const UserName = `reviewer-${randomBytes(4).toString("hex")}`;
  const { User: user } = await iam.send(new CreateUserCommand({ UserName }));
  await iam.send(
    new PutUserPolicyCommand({ UserName, PolicyName: "given", PolicyDocument: JSON.stringify(policy) }),
  );
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  const access: AwsAccess = {
    endpoint: shim.endpoint,
    credentials: {
      accessKeyId: key?.AccessKeyId ?? "",
      secretAccessKey: key?.SecretAccessKey ?? "",
    },
  };
  return { access, arn: user?.Arn ?? "" };
}

test("a change whose event somebody kept away is silent, and nothing else is", async () => {
  const secrets = new SecretsManagerClient(clientSettings(root, region));
  const rules = new EventBridgeClient(clientSettings(root, region));
  const reviewer = await userWith(auditOf().people.reviewer);
  const cloud = awsAuditCloud(clientSettings(reviewer.access, region));
  // As if half an hour had gone by: what is younger may be on its way.
  const compared = (hours = 2) =>
    silentChanges(registry, "prod", { hours, now: new Date(Date.now() + 31 * 60_000) }, cloud);
  const labels = auditOf().rules.find(({ word }) => word === "audit-labels");
  if (labels === undefined) throw new Error("no rule of labels");
  const SecretId = "prod/crypto/webhook";
  await secrets.send(new CreateSecretCommand({ Name: SecretId, SecretString: "generated" }));
  // Embedded, a first value has no event of its own; the record of the call has its version.
  const { VersionId: first } = await secrets.send(
    new PutSecretValueCommand({ SecretId, SecretString: randomUUID() }),
  );
  await until(archived, (events) => events.some((event) => versionOf(event) === first));
  const before = await compared();
  expect(before.silent.filter(({ version }) => version === first)).toEqual([]);
  expect(before.changes).toBeGreaterThan(1);

  await rules.send(new DisableRuleCommand({ Name: labels.name }));
  const { VersionId: hidden } = await secrets.send(
    new PutSecretValueCommand({ SecretId, SecretString: randomUUID() }),
  );
  await rules.send(new EnableRuleCommand({ Name: labels.name }));
  const after = await compared();
  const added = after.silent.filter(
    ({ version }) => !before.silent.some((known) => known.version === version),
  );
  expect(added).toEqual([
    { key: "crypto/webhook", secret: SecretId, version: hidden, at: expect.stringMatching(/Z$/) },
  ]);
  // With the reviewer's rights, and no others.
  const calls = shim.calls.by(reviewer.arn);
  expect([...new Set(calls.map(({ action, outcome }) => `${action} ${outcome}`))].sort()).toEqual([
    "s3:GetObject allowed",
    "s3:ListBucket allowed",
    // Of those that were never made here.
    "secretsmanager:DescribeSecret ResourceNotFoundException",
    "secretsmanager:DescribeSecret allowed",
    "secretsmanager:ListSecretVersionIds allowed",
  ]);
  const nobody = await userWith({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "sts:GetCallerIdentity", Resource: "*" }],
  });
  await expect(
    silentChanges(
      registry,
      "prod",
      { hours: 2, now: new Date() },
      awsAuditCloud(clientSettings(nobody.access, region)),
    ),
  ).rejects.toThrow(/not authorized/);
  // A change that made no version: a policy, a label, a key, when nothing else had an event.
  const lastChanged = new Date(Date.now() - 90 * 60_000);
  const { silent } = await silentChanges(
    registry,
    "prod",
    { hours: 2, now: new Date() },
    {
      ...cloud,
      history: async (name) => (name === SecretId ? { lastChanged, versions: [] } : undefined),
    },
  );
  expect(silent).toEqual([{ key: "crypto/webhook", secret: SecretId, at: lastChanged.toISOString() }]);
  // A change of the last half hour is left out.
  expect(await silentChanges(registry, "prod", { hours: 2, now: new Date() }, cloud)).toMatchObject({
    changes: 0,
    silent: [],
  });
}, 180_000);

const versionOf = (event: OcsfEvent): string | undefined =>
  event.class_uid === 3004 ? event.entity.version : undefined;

test("audit check: no setting, no SIEM, a trail that leaves reads out", async () => {
  const trail = {
    name: "organization",
    isMultiRegion: true,
    includesGlobalServices: true,
    isLogging: true,
    logsWrites: true,
    logsReads: true,
    excludedSources: [],
    dataResources: [],
  };
  const account = (logsReads: boolean) => ({
    callerAccount: async () => plan.account,
    trails: async () => [{ ...trail, logsReads }],
  });
  const missing = async (change: (definition: ReturnType<typeof draft>) => void, logsReads = true) => {
    const definition = draft();
    definition.environments.prod.audit = JSON.parse(JSON.stringify(auditSetting));
    change(definition);
    const { checks } = await auditCheck(defineRegistry(definition), "prod", account(logsReads));
    return checks.filter(({ state }) => state === "missing").map(({ check }) => check);
  };
  expect(await missing(() => undefined)).toEqual([]);
  expect(await missing((definition) => delete definition.environments.prod.audit)).toEqual(["audit trail"]);
  expect(await missing((definition) => delete definition.environments.prod.audit.sinks)).toEqual(["SIEM"]);
  expect((await missing(() => undefined, false)).every((check) => check.startsWith("trail in "))).toBe(true);
  expect((await missing(() => undefined, false)).length).toBeGreaterThan(0);
});

test("the functions' roles: every statement is used, none is missing", () => {
  const { normaliser, sinks } = auditOf();
  const used = rightsUsed(
    Object.fromEntries(
      [normaliser, ...sinks.map((sink) => sink.function)].map(({ role }) => [
        role.name,
        [rightsOf(role, shim.calls)],
      ]),
    ),
  );
  process.stdout.write(`${used.lines.join("\n")}\n`);
  expect(used.missing).toEqual([]);
  // Lambda's own taking of messages passes no shim.
  expect(used.unused.map((line) => line.split(" ").slice(1).join(" ")).sort()).toEqual(
    [
      "LambdaTakesMessages sqs:DeleteMessage",
      "LambdaTakesMessages sqs:DeleteMessage",
      "LambdaTakesMessages sqs:GetQueueAttributes",
      "LambdaTakesMessages sqs:GetQueueAttributes",
      "LambdaTakesMessages sqs:ReceiveMessage",
      "LambdaTakesMessages sqs:ReceiveMessage",
    ].sort(),
  );
});
