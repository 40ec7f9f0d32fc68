import {
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  TestEventPatternCommand,
} from "@aws-sdk/client-eventbridge";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { blueprint, type RulePlan } from "../../lib/blueprint";
import { defineRegistry } from "../../lib/model";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../packages/rehearsal/src/servers";
import { registry } from "../../registry";
import { draft } from "../model/sample";

const plan = blueprint(registry, "prod");
const { account } = plan;
const region = plan.regions.primary;
const rules = plan.operations?.rules ?? [];

/** A call as CloudTrail records it: the bus that it reaches, and the fields that patterns look at. */
interface Attack {
  readonly rule: string;
  readonly source: string;
  readonly eventName: string;
  readonly requestParameters: object;
}

const ROLE = `arn:aws:iam::${account}:role/acme/prod/acme-prod--mirror`;
const SECRET = `arn:aws:secretsmanager:${region}:${account}:secret:prod/payments/stripe-AbCdEf`;
const MACHINE = `arn:aws:states:${region}:${account}:stateMachine:acme-prod-secret-rotation`;
const POLICY = `arn:aws:iam::${account}:policy/acme/prod/acme-prod-backend-read-1`;
const ISSUER = `arn:aws:iam::${account}:oidc-provider/${plan.clusters[0]?.issuer.replace(/^https:\/\//, "")}`;
const QUEUE = `https://sqs.${region}.amazonaws.com/${account}/acme-prod-secrets-dead-letters`;
const RUNS = `arn:aws:dynamodb:${region}:${account}:table/acme-prod-secret-runs`;
const RECORDS = { bucketName: `acme-prod-${account}-${region}-rotation-records` };
const TOPIC = `arn:aws:sns:${region}:${account}:acme-prod-secrets-alarms`;

/** Each way by which the protection of an environment is taken away, as CloudTrail records it. */
const ATTACKS: readonly Attack[] = [
  ["secret-unprotected", "secretsmanager", "DeleteResourcePolicy", { secretId: "prod/payments/stripe" }],
  ["secret-unprotected", "secretsmanager", "PutResourcePolicy", { secretId: SECRET }],
  ["secret-unprotected", "secretsmanager", "DeleteSecret", { secretId: SECRET }],
  ["secret-unprotected", "secretsmanager", "CancelRotateSecret", { secretId: SECRET }],
  ["secret-unprotected", "secretsmanager", "StopReplicationToReplica", { secretId: SECRET }],
  ["secret-unprotected", "secretsmanager", "ReplicateSecretToRegions", { secretId: SECRET }],
  [
    "rotation-redirected",
    "secretsmanager",
    "RotateSecret",
    { secretId: SECRET, rotationLambdaARN: `arn:aws:lambda:${region}:${account}:function:mine` },
  ],
  ["key-unprotected", "kms", "ReplicateKey", { keyId: "mrk-1234", replicaRegion: "ap-south-1" }],
  ["key-alias-moved", "kms", "UpdateAlias", { aliasName: "alias/acme-prod-secrets-audit", targetKeyId: "1" }],
  ["key-alias-moved", "kms", "DeleteAlias", { aliasName: "alias/acme-prod-secrets-audit" }],
  ["role-policy-changed", "iam", "CreatePolicyVersion", { policyArn: POLICY, setAsDefault: true }],
  ["role-policy-changed", "iam", "SetDefaultPolicyVersion", { policyArn: POLICY, versionId: "v1" }],
  [
    "identity-provider-changed",
    "iam",
    "AddClientIDToOpenIDConnectProvider",
    { openIDConnectProviderArn: ISSUER, clientID: "mine" },
  ],
  ["function-changed", "lambda", "CreateFunctionUrlConfig", { functionName: "acme-prod--mirror" }],
  ["function-changed", "lambda", "PutFunctionConcurrency20171031", { functionName: "acme-prod--mirror" }],
  ["alarm-changed", "monitoring", "PutMetricAlarm", { alarmName: "acme-prod-secrets-stuck", threshold: 99 }],
  [
    "alarm-changed",
    "monitoring",
    "SetAlarmState",
    { alarmName: "acme-prod-secrets-stuck", stateValue: "OK" },
  ],
  ["queue-dismantled", "sqs", "PurgeQueue", { queueUrl: QUEUE }],
  ["queue-dismantled", "sqs", "SetQueueAttributes", { queueUrl: QUEUE }],
  ["table-dismantled", "dynamodb", "UpdateTimeToLive", { tableName: "acme-prod-secret-runs" }],
  ["table-shared", "dynamodb", "PutResourcePolicy", { resourceArn: RUNS }],
  ["records-unprotected", "s3", "PutBucketLifecycle", RECORDS],
  ["records-unprotected", "s3", "PutBucketReplication", RECORDS],
  ["key-unprotected", "kms", "PutKeyPolicy", { keyId: "1234", policyName: "default" }],
  ["key-unprotected", "kms", "ScheduleKeyDeletion", { keyId: "1234" }],
  ["key-unprotected", "kms", "DisableKey", { keyId: "1234" }],
  ["role-changed", "iam", "UpdateAssumeRolePolicy", { roleName: "acme-prod--mirror" }],
  ["role-changed", "iam", "PutRolePolicy", { roleName: "acme-prod-backend" }],
  ["role-changed", "iam", "AttachRolePolicy", { roleName: "acme-prod-backend" }],
  ["role-changed", "iam", "DeleteRolePermissionsBoundary", { roleName: "acme-prod-backend" }],
  ["function-changed", "lambda", "UpdateFunctionCode20150331v2", { functionName: "acme-prod--mirror" }],
  [
    "function-changed",
    "lambda",
    "UpdateFunctionConfiguration20150331v2",
    { functionName: `arn:aws:lambda:${region}:${account}:function:acme-prod--rotate-stripe` },
  ],
  ["function-changed", "lambda", "AddPermission20150331v2", { functionName: "acme-prod--dispatcher" }],
  ["function-role-borrowed", "lambda", "CreateFunction20150331", { functionName: "innocent", role: ROLE }],
  ["state-machine-changed", "states", "UpdateStateMachine", { stateMachineArn: MACHINE }],
  ["execution-forged", "states", "StartExecution", { stateMachineArn: MACHINE }],
  ["rule-dismantled", "events", "DisableRule", { name: "acme-prod-secrets-rotation-failed" }],
  ["rule-dismantled", "events", "DeleteRule", { name: "acme-prod-secrets-label-updated" }],
  ["rule-target-changed", "events", "RemoveTargets", { rule: "acme-prod-secrets-watch", ids: ["watch"] }],
  ["trail-stopped", "cloudtrail", "StopLogging", { name: "organization" }],
  ["trail-stopped", "cloudtrail", "PutEventSelectors", { trailName: "organization" }],
  ["alarm-silenced", "monitoring", "DeleteAlarms", { alarmNames: ["other", "acme-prod-secrets-stuck"] }],
  ["topic-silenced", "sns", "DeleteTopic", { topicArn: TOPIC }],
  ["subscription-ended", "sns", "Unsubscribe", { subscriptionArn: `${TOPIC}:6a1b` }],
  ["table-dismantled", "dynamodb", "DeleteTable", { tableName: "acme-prod-secret-runs" }],
  [
    "records-unprotected",
    "s3",
    "DeleteBucketPolicy",
    { bucketName: `acme-prod-${account}-${region}-rotation-records` },
  ],
  ["logs-deleted", "logs", "DeleteLogGroup", { logGroupName: "/aws/lambda/acme-prod--rotate-stripe" }],
  [
    "break-glass-taken",
    "sts",
    "AssumeRole",
    { roleArn: `arn:aws:iam::${account}:role/break-glass`, roleSessionName: "ana" },
  ],
].map(([rule, source, eventName, requestParameters]) => ({
  rule: String(rule),
  source: String(source),
  eventName: String(eventName),
  requestParameters: Object(requestParameters),
}));

const issuedBy = (arn: string): object => ({
  type: "AssumedRole",
  arn: arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/").concat("/session"),
  accountId: account,
  sessionContext: { sessionIssuer: { type: "Role", arn, accountId: account } },
});
const SOMEBODY = issuedBy(`arn:aws:iam::${account}:role/admin`);
const ROOT = { type: "Root", arn: `arn:aws:iam::${account}:root`, accountId: account };
const DEPLOYER = issuedBy(plan.principals.deployer);

/**
 * CloudTrail's record of a call as EventBridge gets it.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
const recordOf = ({ source, eventName, requestParameters }: Attack, userIdentity: object) => ({
  id: "7bf73129-1428-4cd3-a780-95db273d1602",
  account,
  source: `aws.${source}`,
  time: "2026-11-30T12:00:00Z",
  region,
  resources: [],
  "detail-type": "AWS API Call via CloudTrail",
  detail: {
    eventVersion: "1.09",
    userIdentity,
    eventTime: "2026-11-30T12:00:00Z",
    eventSource: `${source}.amazonaws.com`,
    eventName,
    awsRegion: region,
    sourceIPAddress: "203.0.113.7",
    requestParameters,
    eventID: "3a7c1f0e-5b9d-4e21-8f64-9d2c7b1a0e55",
    eventType: "AwsApiCall",
    recipientAccountId: account,
  },
});

let group: ServerGroup;
let aws: EmbeddedAws;
let events: EventBridgeClient;
const settings = () => ({ region, endpoint: aws.endpoint, credentials: aws.rootCredentials(account) });

beforeAll(async () => {
  group = ServerGroup.open();
  aws = await startEmbeddedAws({ group });
  events = new EventBridgeClient(settings());
}, 120_000);

afterAll(async () => {
  events?.destroy();
  await group?.stop();
});

const patternOf = (rule: RulePlan): string => JSON.stringify("pattern" in rule.when ? rule.when.pattern : {});
const paging = rules.filter(({ target }) => "topic" in target && target.text !== undefined);

/** Rules that page for a record, by EventBridge's own matching. */
async function pagedBy(record: object): Promise<readonly string[]> {
  const found = paging.map(async (rule) => {
    const { Result } = await events.send(
      new TestEventPatternCommand({ EventPattern: patternOf(rule), Event: JSON.stringify(record) }),
    );
    return Result ? [rule.word] : [];
  });
  return (await Promise.all(found)).flat();
}

describe("whoever dismantles what protects production is paged", () => {
  test.each(ATTACKS)(
    "$eventName: $rule",
    async (attack) => {
      for (const identity of [SOMEBODY, ROOT]) {
        expect(await pagedBy(recordOf(attack, identity))).toEqual([attack.rule]);
      }
    },
    30_000,
  );

  test("an ordinary start of a rotation pages nobody", async () => {
    const start = {
      rule: "",
      source: "secretsmanager",
      eventName: "RotateSecret",
      requestParameters: { secretId: SECRET },
    };
    expect(await pagedBy(recordOf(start, SOMEBODY))).toEqual([]);
  });

  test("each rule has an attack of its own in the table", () => {
    expect([...new Set(ATTACKS.map(({ rule }) => rule))].sort()).toEqual(paging.map(({ word }) => word));
  });

  test("the deployer's own work pages nobody, but for what is never its work", async () => {
    const paged = await Promise.all(ATTACKS.map((attack) => pagedBy(recordOf(attack, DEPLOYER))));
    expect([...new Set(paged.flat())].sort()).toEqual([
      "break-glass-taken",
      "execution-forged",
      "subscription-ended",
      "trail-stopped",
    ]);
  }, 60_000);

  test("who may sign code, and to whom EKS gives a role, is watched where there is such a thing; the deployer pages too where signing is weakened", async () => {
    const definition = draft();
    Object.assign(definition.environments.prod, {
      identity: "pod-identity",
      codeSigning: {
        profiles: [`arn:aws:signer:${region}:444455556666:/signing-profiles/secrets/0a1b2c3d4e`],
      },
    });
    const other = blueprint(defineRegistry(definition), "prod");
    const attacks = [
      [
        "code-signing-weakened",
        "lambda",
        "UpdateCodeSigningConfig20200422",
        { codeSigningConfigArn: "csc-1" },
      ],
      [
        "code-signing-weakened",
        "lambda",
        "DeleteFunctionCodeSigningConfig20200422",
        { functionName: "acme-prod--mirror" },
      ],
      [
        "pod-identity-changed",
        "eks",
        "CreatePodIdentityAssociation",
        { roleArn: other.workloads[0]?.role.arn, namespace: "default", serviceAccount: "mine" },
      ],
    ] as const;
    for (const [word, source, eventName, requestParameters] of attacks) {
      const rule = other.operations?.rules.find((candidate) => candidate.word === word);
      if (rule === undefined) throw new Error(`no rule ${word}`);
      const pages = async (identity: object) => {
        const record = recordOf({ rule: word, source, eventName, requestParameters }, identity);
        const { Result } = await events.send(
          new TestEventPatternCommand({ EventPattern: patternOf(rule), Event: JSON.stringify(record) }),
        );
        return Result;
      };
      expect([word, await pages(SOMEBODY)]).toEqual([word, true]);
      expect([word, await pages(issuedBy(other.principals.deployer))]).toEqual([
        word,
        word === "code-signing-weakened",
      ]);
    }
    expect(rules.map(({ word }) => word)).not.toContain("code-signing-weakened");
  }, 30_000);

  test("another organisation's things in the account page nobody", async () => {
    const foreign = ATTACKS.filter(({ rule }) => !["key-unprotected", "trail-stopped"].includes(rule)).map(
      (attack) => ({
        ...attack,
        requestParameters: JSON.parse(
          JSON.stringify(attack.requestParameters)
            .replaceAll("acme-prod", "acme-product")
            .replaceAll("/acme/prod/", "/other/")
            .replaceAll("prod/payments", "product/payments")
            .replaceAll("break-glass", "glass")
            .replaceAll("oidc-provider/", "oidc-provider/other-"),
        ),
      }),
    );
    const paged = await Promise.all(foreign.map((attack) => pagedBy(recordOf(attack, SOMEBODY))));
    expect(paged.flat()).toEqual([]);
  }, 60_000);

  test("a page says who did what from where, and is an ordinary text", async () => {
    const sns = new SNSClient(settings());
    const sqs = new SQSClient(settings());
    const { TopicArn } = await sns.send(
      new CreateTopicCommand({
        Name: "acme-prod-secrets-alarms",
        Attributes: { Policy: JSON.stringify(plan.operations?.alarms.policy) },
      }),
    );
    const { QueueUrl = "" } = await sqs.send(
      new CreateQueueCommand({
        QueueName: "pager",
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
    await sns.send(
      new SubscribeCommand({
        TopicArn,
        Protocol: "sqs",
        Endpoint: Attributes?.QueueArn,
        Attributes: { RawMessageDelivery: "true" },
      }),
    );
    const rule = paging.find(({ word }) => word === "secret-unprotected");
    if (!rule || !("topic" in rule.target) || !rule.target.text) throw new Error("no such rule");
    // PutEvents refuses AWS's own sources, as AWS does: the event has one of our own, whose match is shown above.
    await events.send(
      new PutRuleCommand({
        Name: rule.name,
        EventPattern: patternOf(rule).replace("aws.secretsmanager", "acme.test"),
      }),
    );
    await events.send(
      new PutTargetsCommand({
        Rule: rule.name,
        Targets: [
          {
            Id: rule.word,
            Arn: TopicArn,
            InputTransformer: {
              InputPathsMap: rule.target.text.paths,
              InputTemplate: rule.target.text.template,
            },
          },
        ],
      }),
    );
    const [attack] = ATTACKS;
    if (!attack) throw new Error("no attack");
    const record = recordOf(attack, SOMEBODY);
    const { FailedEntryCount } = await events.send(
      new PutEventsCommand({
        Entries: [
          {
            Source: "acme.test",
            DetailType: record["detail-type"],
            Detail: JSON.stringify(record.detail),
          },
        ],
      }),
    );
    expect(FailedEntryCount).toBe(0);
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
    const text = Messages.map(({ Body }) => Body).join("");
    expect(text).toContain("A secret's policy, replicas, key or rotation were changed, or it was deleted.");
    expect(text).toContain(
      `DeleteResourcePolicy by arn:aws:sts::${account}:assumed-role/admin/session from 203.0.113.7 in ${region}`,
    );
    sns.destroy();
    sqs.destroy();
  }, 60_000);

  test("no pattern is larger than EventBridge takes", () => {
    const sizes = rules.map((rule) => patternOf(rule).length);
    // Quota "event pattern size": https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
    expect(Math.max(...sizes)).toBeLessThan(2_048);
  });
});

describe("events of other regions reach the primary one", () => {
  const forwarding = rules.filter(({ target }) => "bus" in target);

  test("IAM's come by the region of global services, the others' by their own", () => {
    const places = forwarding.map(({ word, region: place }) => [word.split("--")[0], place]);
    expect(places).toEqual(
      expect.arrayContaining([
        ["role-changed", "us-east-1"],
        ["key-unprotected", "eu-west-1"],
        ["secret-unprotected", "us-east-1"],
        ["trail-stopped", "eu-west-1"],
      ]),
    );
    for (const { target } of forwarding)
      expect(target).toEqual({ bus: `arn:aws:events:${region}:${account}:event-bus/default` });
  });

  test("each has a rule in the primary region that pages for the same pattern", () => {
    for (const rule of forwarding) {
      const [word = ""] = rule.word.split("--");
      const page = paging.find((candidate) => candidate.word === word);
      expect(page && patternOf(page)).toBe(patternOf(rule));
    }
  });
});
