import { randomBytes, randomUUID, verify } from "node:crypto";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import {
  CreateTableCommand,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import {
  AddTagsToResourceCommand,
  CreateReplicationGroupCommand,
  ElastiCacheClient,
  ListTagsForResourceCommand,
} from "@aws-sdk/client-elasticache";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteRolePolicyCommand,
  GetAccessKeyLastUsedCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListAccessKeysCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  GetBucketPolicyCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import {
  CancelRotateSecretCommand,
  CreateSecretCommand,
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  GetSecretValueCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
  RemoveRegionsFromReplicationCommand,
  ReplicateSecretToRegionsCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  StopReplicationToReplicaCommand,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { AssumeRoleCommand, GetWebIdentityTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { zipSync } from "fflate";
import {
  allowSecretsManager,
  type Credentials,
  createSecretTable,
  loadFunction,
} from "../../packages/rehearsal/src/load";
import {
  type EmbeddedAws,
  ServerGroup,
  startEmbeddedAws,
  startOpenBao,
} from "../../packages/rehearsal/src/servers";
import {
  type AwsShim,
  SHIM_RULES,
  type ShimRuleName,
  startAwsShim,
  usesByPrincipal,
} from "../../packages/rehearsal/src/shim";
import { type SignedRequest, sendSigned } from "./signed-request";

const ACCOUNT = "111122223333";
const REGION = "eu-central-1";
const ISSUER = "https://abc123.tokens.sts.global.api.aws";
const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/registry/dev/rotator`;

let group: ServerGroup;
let aws: EmbeddedAws;
let shim: AwsShim;
/** Credentials of the role, whose policy the tests write. */
let session: Credentials;

type ClientType<T> = new (settings: {
  endpoint: string;
  region: string;
  credentials: Credentials;
  maxAttempts: number;
}) => T;

const clientAt = <T>(
  endpoint: string,
  type: ClientType<T>,
  credentials?: Credentials,
  region: string = REGION,
): T =>
  new type({
    endpoint,
    region,
    credentials: credentials ?? aws.rootCredentials(ACCOUNT),
    maxAttempts: 1,
  });
const client = <T>(type: ClientType<T>, credentials?: Credentials): T =>
  clientAt(shim.endpoint, type, credentials);

const trust = (principal: object, action = "sts:AssumeRole") =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: principal, Action: action }],
  });

beforeAll(async () => {
  group = ServerGroup.open();
  aws = await startEmbeddedAws({ group });
  shim = await startAwsShim({ upstream: aws, group, tokenIssuers: { [ACCOUNT]: ISSUER } });
  await client(IAMClient).send(
    new CreateRoleCommand({
      RoleName: "rotator",
      Path: "/registry/dev/",
      AssumeRolePolicyDocument: trust({ AWS: `arn:aws:iam::${ACCOUNT}:root` }),
    }),
  );
  const { Credentials: taken } = await client(STSClient).send(
    new AssumeRoleCommand({ RoleArn: ROLE_ARN, RoleSessionName: "test" }),
  );
  session = {
    accessKeyId: taken?.AccessKeyId ?? "",
    secretAccessKey: taken?.SecretAccessKey ?? "",
    sessionToken: taken?.SessionToken ?? "",
  };
  await client(IAMClient).send(
    new CreateRoleCommand({
      RoleName: "function",
      Path: "/registry/dev/",
      AssumeRolePolicyDocument: trust({ Service: "lambda.amazonaws.com" }),
    }),
  );
}, 300_000);

afterAll(() => group?.stop());

afterEach(() => shim.faults.clear());

const value = () => randomBytes(16).toString("hex");
let count = 0;
const nextName = () => `dev/secret-number-${++count}`;

async function newSecret(SecretString: string | undefined = value()): Promise<string> {
  const Name = nextName();
  await client(SecretsManagerClient).send(
    new CreateSecretCommand({ Name, ...(SecretString === "" ? {} : { SecretString }) }),
  );
  return Name;
}

/** Outcome of a call: `ok`, or the error's name. */
const outcome = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "ok",
    (error: Error) => error.name,
  );

/** One rule: the same calls at the shim and at the embedded AWS alone, and what comes of them. */
interface Contract {
  readonly act: (at: <T>(type: ClientType<T>) => T) => Promise<unknown>;
  readonly shim: unknown;
  readonly embedded: unknown;
}

const put = (at: <T>(type: ClientType<T>) => T, SecretId: string, more: object) =>
  at(SecretsManagerClient).send(new PutSecretValueCommand({ SecretId, ...more }));
const describeAt = (at: <T>(type: ClientType<T>) => T, SecretId: string) =>
  at(SecretsManagerClient).send(new DescribeSecretCommand({ SecretId }));

async function emptySecretAt(at: <T>(type: ClientType<T>) => T): Promise<string> {
  const Name = nextName();
  await at(SecretsManagerClient).send(new CreateSecretCommand({ Name }));
  return Name;
}

const functionOf = (name: string, roleArn: string) => ({
  name,
  region: REGION,
  roleArn,
  zip: zipSync({ "index.js": Buffer.from("exports.handler = async () => null;") }),
  timeoutSeconds: 3,
  memoryMb: 128,
});

/** Asks CloudWatch by a form. */
const askCloudWatch = (
  endpoint: string,
  credentials: Credentials,
  Action: string,
  fields: Record<string, string>,
) =>
  sendSigned({
    endpoint,
    credentials,
    region: REGION,
    service: "monitoring",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ Action, Version: "2010-08-01", ...fields }).toString(),
  });

/** A bucket with a policy of one Deny, and the role's hands on it. */
async function guardedBucketAt(at: <T>(type: ClientType<T>) => T, Action: string, Condition: object) {
  const Bucket = `bucket-${++count}`;
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Other",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:DeleteObject",
        Resource: `arn:aws:s3:::${Bucket}/*`,
      },
      {
        Sid: "Guard",
        Effect: "Deny",
        Principal: "*",
        Action,
        Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`],
        Condition,
      },
    ],
  });
  await allowRole(allow("s3:*"));
  const role = clientAt(at === client ? shim.endpoint : aws.endpoint, S3Client, session);
  await role.send(
    new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: REGION } }),
  );
  await role.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  return { Bucket, Policy, role };
}

const CONTRACTS: Record<ShimRuleName, Contract> = {
  "token-names-one-value": {
    async act(at) {
      const secret = await newSecret();
      const token = randomUUID();
      const same = value();
      const pending = (SecretString: string) =>
        outcome(put(at, secret, { ClientRequestToken: token, SecretString, VersionStages: ["AWSPENDING"] }));
      return [await pending(same), await pending(same), await pending(value())];
    },
    shim: ["ok", "ok", "ResourceExistsException"],
    embedded: ["ok", "ok", "ok"],
  },
  "token-length": {
    act: async (at) =>
      outcome(put(at, await newSecret(), { ClientRequestToken: "short", SecretString: value() })),
    shim: "InvalidParameterException",
    embedded: "ok",
  },
  "one-value": {
    async act(at) {
      const secret = await newSecret();
      const both = { SecretString: value(), SecretBinary: randomBytes(4) };
      return [await outcome(put(at, secret, both)), await outcome(put(at, secret, {}))];
    },
    shim: ["InvalidParameterException", "InvalidParameterException"],
    embedded: ["ok", "ok"],
  },
  "value-size": {
    async act(at) {
      const secret = await newSecret();
      const sized = (bytes: number) => outcome(put(at, secret, { SecretString: "x".repeat(bytes) }));
      return [await sized(65_536), await sized(65_537)];
    },
    shim: ["ok", "InvalidParameterException"],
    embedded: ["ok", "ok"],
  },
  "label-on-one-version": {
    async act(at) {
      const secret = await newSecret();
      for (const _ of [1, 2]) await put(at, secret, { SecretString: value(), VersionStages: ["AWSPENDING"] });
      const { VersionIdsToStages = {} } = await describeAt(at, secret);
      return Object.values(VersionIdsToStages).flat().sort();
    },
    shim: ["AWSCURRENT", "AWSPENDING"],
    embedded: ["AWSCURRENT", "AWSPENDING", "AWSPENDING"],
  },
  "first-value-is-current": {
    async act(at) {
      const secret = await emptySecretAt(at);
      const before = Object.values((await describeAt(at, secret)).VersionIdsToStages ?? {});
      await put(at, secret, { SecretString: value(), VersionStages: ["AWSPENDING"] });
      const after = Object.values((await describeAt(at, secret)).VersionIdsToStages ?? {});
      return [before, after.map((labels) => [...labels].sort())];
    },
    shim: [[], [["AWSCURRENT", "AWSPENDING"]]],
    embedded: [[["AWSCURRENT"]], [["AWSCURRENT"], ["AWSPENDING"]]],
  },
  "no-empty-value": {
    act: async (at) =>
      outcome(
        at(SecretsManagerClient).send(new GetSecretValueCommand({ SecretId: await emptySecretAt(at) })),
      ),
    shim: "ResourceNotFoundException",
    embedded: "ok",
  },
  "current-stays": {
    async act(at) {
      const SecretId = await newSecret();
      const { VersionIdsToStages = {} } = await describeAt(at, SecretId);
      const [RemoveFromVersionId] = Object.keys(VersionIdsToStages);
      return outcome(
        at(SecretsManagerClient).send(
          new UpdateSecretVersionStageCommand({ SecretId, VersionStage: "AWSCURRENT", RemoveFromVersionId }),
        ),
      );
    },
    shim: "InvalidParameterException",
    embedded: "ok",
  },
  "replicas-at-creation": {
    async act(at) {
      const SecretId = nextName();
      await at(SecretsManagerClient).send(
        new CreateSecretCommand({
          Name: SecretId,
          SecretString: value(),
          AddReplicaRegions: [{ Region: "eu-west-1", KmsKeyId: "alias/there" }],
        }),
      );
      const { ReplicationStatus = [] } = await describeAt(at, SecretId);
      return ReplicationStatus.map(({ Region, KmsKeyId, Status }) => [Region, KmsKeyId, Status]);
    },
    shim: [["eu-west-1", "alias/there", "InSync"]],
    embedded: [],
  },
  "remove-replicas": {
    async act(at) {
      const SecretId = await newSecret();
      const manager = at(SecretsManagerClient);
      const AddReplicaRegions = [{ Region: "eu-west-1" }, { Region: "us-east-1" }];
      await manager.send(new ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions }));
      const removed = await outcome(
        manager.send(
          new RemoveRegionsFromReplicationCommand({ SecretId, RemoveReplicaRegions: ["eu-west-1"] }),
        ),
      );
      const { ReplicationStatus = [] } = await describeAt(at, SecretId);
      const there = clientAt(shim.endpoint, SecretsManagerClient, undefined, "eu-west-1");
      return [
        removed,
        ReplicationStatus.map(({ Region }) => Region),
        await outcome(there.send(new DescribeSecretCommand({ SecretId }))),
      ];
    },
    shim: ["ok", ["us-east-1"], "ResourceNotFoundException"],
    embedded: ["InvalidRequestException", ["eu-west-1", "us-east-1"], "ok"],
  },
  "policy-is-json": {
    act: async (at) =>
      outcome(
        at(SecretsManagerClient).send(
          new PutResourcePolicyCommand({ SecretId: await newSecret(), ResourcePolicy: "{" }),
        ),
      ),
    shim: "MalformedPolicyDocumentException",
    embedded: "ok",
  },
  rotation: {
    async act(at) {
      const SecretId = await newSecret();
      return outcome(at(SecretsManagerClient).send(new RotateSecretCommand({ SecretId })));
    },
    shim: "InvalidRequestException",
    embedded: "ok",
  },
  "cancel-rotation": {
    act: async (at) =>
      outcome(at(SecretsManagerClient).send(new CancelRotateSecretCommand({ SecretId: await newSecret() }))),
    shim: "ok",
    embedded: "InvalidRequestException",
  },
  "promote-replica": {
    async act(at) {
      const SecretId = await newSecret();
      const secrets = at(SecretsManagerClient);
      await secrets.send(
        new ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions: [{ Region: "eu-west-1" }] }),
      );
      const there = new SecretsManagerClient({
        endpoint: at === client ? shim.endpoint : aws.endpoint,
        region: "eu-west-1",
        credentials: aws.rootCredentials(ACCOUNT),
        maxAttempts: 1,
      });
      const write = () => outcome(there.send(new PutSecretValueCommand({ SecretId, SecretString: value() })));
      const promote = () => outcome(there.send(new StopReplicationToReplicaCommand({ SecretId })));
      return [await write(), await promote(), await write(), await promote()];
    },
    shim: ["InvalidRequestException", "ok", "ok", "InvalidRequestException"],
    embedded: [
      "InvalidRequestException",
      "InvalidRequestException",
      "InvalidRequestException",
      "InvalidRequestException",
    ],
  },
  "two-access-keys": {
    async act(at) {
      const UserName = `user-${++count}`;
      const iam = at(IAMClient);
      await iam.send(new CreateUserCommand({ UserName }));
      const create = () => outcome(iam.send(new CreateAccessKeyCommand({ UserName })));
      const outcomes = [await create(), await create(), await create()];
      const { AccessKeyMetadata = [] } = await iam.send(new ListAccessKeysCommand({ UserName }));
      return [...outcomes, AccessKeyMetadata.length];
    },
    shim: ["ok", "ok", "LimitExceededException", 2],
    embedded: ["ok", "ok", "ok", 3],
  },
  "access-key-last-used": {
    async act(at) {
      const UserName = `user-${++count}`;
      const iam = at(IAMClient);
      await iam.send(new CreateUserCommand({ UserName }));
      const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
      const { AccessKeyId = "", SecretAccessKey = "" } = AccessKey ?? {};
      const service = async () => {
        const { AccessKeyLastUsed } = await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId }));
        return [AccessKeyLastUsed?.ServiceName, AccessKeyLastUsed?.LastUsedDate instanceof Date];
      };
      const before = await service();
      const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey };
      const endpoint = at === client ? shim.endpoint : aws.endpoint;
      await outcome(describeAt((type) => clientAt(endpoint, type, credentials), "dev/none"));
      return [before, await service()];
    },
    shim: [
      ["N/A", false],
      ["secretsmanager", true],
    ],
    embedded: [
      ["N/A", false],
      ["N/A", false],
    ],
  },
  "access-key-belongs-to-user": {
    async act(at) {
      const UserName = `user-${++count}`;
      const iam = at(IAMClient);
      await iam.send(new CreateUserCommand({ UserName }));
      const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
      const askWithRightTo = async (resource: string) => {
        await iam.send(
          new PutRolePolicyCommand({
            RoleName: "rotator",
            PolicyName: "last-used",
            PolicyDocument: JSON.stringify({
              Version: "2012-10-17",
              Statement: [
                { Sid: "Ask", Effect: "Allow", Action: ["iam:GetAccessKeyLastUsed"], Resource: [resource] },
              ],
            }),
          }),
        );
        const endpoint = at === client ? shim.endpoint : aws.endpoint;
        return outcome(
          clientAt(endpoint, IAMClient, session).send(
            new GetAccessKeyLastUsedCommand({ AccessKeyId: AccessKey?.AccessKeyId }),
          ),
        );
      };
      return [
        await askWithRightTo(`arn:aws:iam::${ACCOUNT}:user/${UserName}`),
        await askWithRightTo(`arn:aws:iam::${ACCOUNT}:user/another`),
      ];
    },
    shim: ["ok", "AccessDenied"],
    embedded: ["AccessDenied", "AccessDenied"],
  },
  "tags-belong-to-their-group": {
    async act(at) {
      const ReplicationGroupId = `group-${++count}`;
      await at(ElastiCacheClient).send(
        new CreateReplicationGroupCommand({ ReplicationGroupId, ReplicationGroupDescription: "tags" }),
      );
      const arnOf = (id: string) => `arn:aws:elasticache:${REGION}:${ACCOUNT}:replicationgroup:${id}`;
      const askWithRightTo = async (resource: string) => {
        await at(IAMClient).send(
          new PutRolePolicyCommand({
            RoleName: "rotator",
            PolicyName: "tags",
            PolicyDocument: JSON.stringify({
              Version: "2012-10-17",
              Statement: [
                {
                  Sid: "Tags",
                  Effect: "Allow",
                  Action: ["elasticache:AddTagsToResource", "elasticache:ListTagsForResource"],
                  Resource: [resource],
                },
              ],
            }),
          }),
        );
        const asked = clientAt(at === client ? shim.endpoint : aws.endpoint, ElastiCacheClient, session);
        const ResourceName = arnOf(ReplicationGroupId);
        const Tags = [{ Key: "secrets-registry:secret", Value: "dev/redis/app" }];
        const put = await outcome(asked.send(new AddTagsToResourceCommand({ ResourceName, Tags })));
        const list = asked.send(new ListTagsForResourceCommand({ ResourceName }));
        return [
          put,
          await list.then(
            ({ TagList }) => TagList,
            () => "refused",
          ),
        ];
      };
      return [await askWithRightTo(arnOf(ReplicationGroupId)), await askWithRightTo(arnOf("another"))];
    },
    shim: [
      ["ok", [{ Key: "secrets-registry:secret", Value: "dev/redis/app" }]],
      ["AccessDenied", "refused"],
    ],
    embedded: [
      ["AccessDenied", "refused"],
      ["AccessDenied", "refused"],
    ],
  },
  "function-role-trusts-lambda": {
    async act(at) {
      const endpoint = at === client ? shim.endpoint : aws.endpoint;
      const access = { endpoint, credentials: aws.rootCredentials(ACCOUNT) };
      return outcome(loadFunction(access, functionOf(`function-${++count}`, ROLE_ARN)));
    },
    shim: "InvalidParameterValueException",
    embedded: "ok",
  },
  "alarms-in-forms": {
    async act(at) {
      const AlarmName = `alarm-${++count}`;
      const endpoint = at === client ? shim.endpoint : aws.endpoint;
      const ask = (Action: string, fields: Record<string, string>) =>
        askCloudWatch(endpoint, aws.rootCredentials(ACCOUNT), Action, fields);
      await ask("PutMetricAlarm", {
        AlarmName,
        AlarmDescription: "more than <none> & any",
        "AlarmActions.member.1": "arn:topic",
        ComparisonOperator: "GreaterThanThreshold",
        "Dimensions.member.1.Name": "FunctionName",
        "Dimensions.member.1.Value": "checker",
        EvaluationPeriods: "1",
        MetricName: "Errors",
        Namespace: "AWS/Lambda",
        Period: "300",
        Statistic: "Sum",
        Threshold: "0",
      });
      const { body } = await ask("DescribeAlarms", { "AlarmNames.member.1": AlarmName });
      return [
        "<MetricName>Errors</MetricName>",
        "<AlarmDescription>more than &#60;none&#62; &#38; any</AlarmDescription>",
        "<AlarmActions><member>arn:topic</member></AlarmActions>",
        "<Dimensions><member><Name>FunctionName</Name><Value>checker</Value></member></Dimensions>",
        "<Period>300</Period>",
        "<Statistic>Sum</Statistic>",
        "<TreatMissingData>missing</TreatMissingData>",
        "<ActionsEnabled>true</ActionsEnabled>",
      ].map((element) => body.includes(element));
    },
    shim: [true, true, true, true, true, true, true, true],
    embedded: [true, false, false, false, false, false, false, false],
  },
  "secure-transport": {
    async act(at) {
      const { Bucket, role } = await guardedBucketAt(at, "s3:*", {
        Bool: { "aws:SecureTransport": "false" },
      });
      return [
        await outcome(role.send(new GetBucketPolicyCommand({ Bucket }))),
        await outcome(role.send(new DeleteBucketPolicyCommand({ Bucket }))),
        await outcome(role.send(new DeleteBucketCommand({ Bucket }))),
      ];
    },
    shim: ["ok", "ok", "ok"],
    embedded: ["AccessDenied", "AccessDenied", "AccessDenied"],
  },
  "if-none-match-key": {
    async act(at) {
      const { Bucket, Policy, role } = await guardedBucketAt(at, "s3:PutObject", {
        Null: { "s3:if-none-match": "true" },
      });
      const write = (more: object) =>
        outcome(role.send(new PutObjectCommand({ Bucket, Key: "record", Body: "text", ...more })));
      const guarded = [await write({}), await write({ IfNoneMatch: "*" }), await write({ IfNoneMatch: "*" })];
      const read = await role.send(new GetBucketPolicyCommand({ Bucket }));
      await role.send(new DeleteBucketPolicyCommand({ Bucket }));
      return [...guarded, read.Policy === Policy, await write({})];
    },
    shim: ["AccessDenied", "ok", "PreconditionFailed", true, "ok"],
    embedded: ["AccessDenied", "AccessDenied", "AccessDenied", true, "ok"],
  },
  "leading-keys": {
    async act(at) {
      const TableName = `items-${++count}`;
      await createSecretTable(client(DynamoDBClient), TableName, "run");
      const items = (keys: readonly string[]) => ({
        ...allow(["dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query"]),
        Condition: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": keys } },
      });
      await allowRole(items(["dev/ours"]), items(["dev/also"]));
      const role = clientAt(at === client ? shim.endpoint : aws.endpoint, DynamoDBClient, session);
      const key = (secret: string) => ({ secret: { S: secret }, run: { S: "#lock" } });
      const write = (secret: string) =>
        outcome(role.send(new PutItemCommand({ TableName, Item: key(secret) })));
      const query = (secret: string) =>
        outcome(
          role.send(
            new QueryCommand({
              TableName,
              KeyConditionExpression: "secret = :secret",
              ExpressionAttributeValues: { ":secret": { S: secret } },
            }),
          ),
        );
      const both = outcome(
        role.send(
          new TransactWriteItemsCommand({
            TransactItems: [
              { Put: { TableName, Item: key("dev/also") } },
              { Delete: { TableName, Key: key("dev/theirs") } },
            ],
          }),
        ),
      );
      return [
        await write("dev/ours"),
        await write("dev/also"),
        await write("dev/theirs"),
        await query("dev/ours"),
        await query("dev/theirs"),
        await both,
      ];
    },
    shim: ["ok", "ok", "AccessDeniedException", "ok", "AccessDeniedException", "AccessDeniedException"],
    embedded: ["ok", "ok", "ok", "ok", "ok", "ok"],
  },
  "source-function-key": {
    async act(at) {
      const SecretId = await emptySecretAt(at);
      const endpoint = at === client ? shim.endpoint : aws.endpoint;
      const functionArn = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:own`;
      const PolicyDocument = JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            ...allow("secretsmanager:DescribeSecret"),
            Condition: { ArnEquals: { "lambda:SourceFunctionArn": functionArn } },
          },
        ],
      });
      const named = { RoleName: "rotator", PolicyName: "source" };
      await at(IAMClient).send(new PutRolePolicyCommand({ ...named, PolicyDocument }));
      const sts = clientAt(endpoint, STSClient);
      const taken = async () => {
        const { Credentials } = await sts.send(
          new AssumeRoleCommand({ RoleArn: ROLE_ARN, RoleSessionName: "borrowed" }),
        );
        return {
          accessKeyId: Credentials?.AccessKeyId ?? "",
          secretAccessKey: Credentials?.SecretAccessKey ?? "",
          sessionToken: Credentials?.SessionToken ?? "",
        };
      };
      const describe = (credentials: Credentials) =>
        outcome(
          clientAt(endpoint, SecretsManagerClient, credentials).send(new DescribeSecretCommand({ SecretId })),
        );
      const [borrowed, other, own] = [await taken(), await taken(), await taken()];
      if (at === client) {
        shim.callers.actFor(other.accessKeyId, `${functionArn}-other`);
        shim.callers.actFor(own.accessKeyId, functionArn);
      }
      const outcomes = [await describe(borrowed), await describe(other), await describe(own)];
      const read = await at(IAMClient).send(new GetRolePolicyCommand(named));
      await at(IAMClient).send(new DeleteRolePolicyCommand(named));
      return [...outcomes, decodeURIComponent(read.PolicyDocument ?? "") === PolicyDocument];
    },
    shim: ["AccessDeniedException", "AccessDeniedException", "ok", true],
    embedded: ["AccessDeniedException", "AccessDeniedException", "AccessDeniedException", true],
  },
  "web-identity-token": {
    async act(at) {
      const { WebIdentityToken = "" } = await at(STSClient).send(
        new GetWebIdentityTokenCommand({ Audience: ["vault-dev"], SigningAlgorithm: "ES384" }),
      );
      const { iss } = JSON.parse(Buffer.from(WebIdentityToken.split(".")[1] ?? "", "base64url").toString());
      return iss;
    },
    shim: ISSUER,
    embedded: "https://sts.amazonaws.com",
  },
};

describe.each(Object.keys(SHIM_RULES) as ShimRuleName[])("rule %s", (name) => {
  const contract = CONTRACTS[name];

  test("holds at the shim", async () => {
    expect(await contract.act(client)).toEqual(contract.shim);
  });

  test("is missing in the embedded AWS", async () => {
    const direct = <T>(type: ClientType<T>) => clientAt(aws.endpoint, type);
    expect(await contract.act(direct)).toEqual(contract.embedded);
  });
});

test("a promoted replica has all that it had: versions, labels, key, tags, policy; and its primary knows it no more", async () => {
  const SecretId = nextName();
  const at = (region: string) =>
    new SecretsManagerClient({
      endpoint: shim.endpoint,
      region,
      credentials: aws.rootCredentials(ACCOUNT),
      maxAttempts: 1,
    });
  const [home, away] = [at(REGION), at("eu-west-1")];
  const Tags = [{ Key: "owner", Value: "team-a" }];
  await home.send(new CreateSecretCommand({ Name: SecretId, Description: "one", Tags }));
  for (const label of ["FIRST", "SECOND"]) {
    const { VersionId } = await home.send(new PutSecretValueCommand({ SecretId, SecretString: value() }));
    await home.send(
      new UpdateSecretVersionStageCommand({ SecretId, VersionStage: label, MoveToVersionId: VersionId }),
    );
  }
  await home.send(
    new PutSecretValueCommand({ SecretId, SecretString: value(), VersionStages: ["AWSPENDING"] }),
  );
  await home.send(
    new PutResourcePolicyCommand({
      SecretId,
      ResourcePolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ ...allow("secretsmanager:GetSecretValue"), Principal: { AWS: ROLE_ARN } }],
      }),
    }),
  );
  const AddReplicaRegions = [{ Region: "eu-west-1", KmsKeyId: "alias/away" }, { Region: "us-east-1" }];
  await home.send(new ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions }));
  const seen = async () => {
    const found = await away.send(new DescribeSecretCommand({ SecretId }));
    const { Description, KmsKeyId, VersionIdsToStages = {}, PrimaryRegion } = found;
    const versions = await Promise.all(
      Object.entries(VersionIdsToStages).map(async ([VersionId, labels]) => {
        const { SecretString } = await away.send(new GetSecretValueCommand({ SecretId, VersionId }));
        return [VersionId, [...labels].sort(), SecretString];
      }),
    );
    const { ResourcePolicy } = await away.send(new GetResourcePolicyCommand({ SecretId }));
    return {
      PrimaryRegion,
      same: { Description, KmsKeyId, Tags: found.Tags, ResourcePolicy, versions: versions.sort() },
    };
  };
  const before = await seen();
  expect(before.same.versions.map(([, labels]) => labels)).toHaveLength(3);
  await away.send(new StopReplicationToReplicaCommand({ SecretId }));
  const after = await seen();
  expect(after.same).toEqual(before.same);
  expect([before.PrimaryRegion, after.PrimaryRegion]).toEqual([REGION, undefined]);
  const { ReplicationStatus = [] } = await home.send(new DescribeSecretCommand({ SecretId }));
  expect(ReplicationStatus.map(({ Region }) => Region)).toEqual(["us-east-1"]);
});

test("of two values for one token, sent at once, one is taken", async () => {
  const SecretId = await newSecret();
  for (let round = 0; round < 5; round += 1) {
    const token = randomUUID();
    const send = () =>
      outcome(
        put(client, SecretId, {
          ClientRequestToken: token,
          SecretString: value(),
          VersionStages: ["AWSPENDING"],
        }),
      );
    expect((await Promise.all([send(), send()])).sort()).toEqual(["ResourceExistsException", "ok"]);
  }
});

/** Makes these statements all that the role may do. */
async function allowRole(...statements: object[]): Promise<void> {
  await client(IAMClient).send(
    new PutRolePolicyCommand({
      RoleName: "rotator",
      PolicyName: "access",
      PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: statements }),
    }),
  );
}

const allow = (Action: string | string[], Resource = "*") => ({ Effect: "Allow", Action, Resource });
const asRole = <T>(type: ClientType<T>): T => client(type, session);

describe("rights", () => {
  test("are the caller's in all that the shim answers itself", async () => {
    const SecretId = await newSecret();
    const token = randomUUID();
    const first = { ClientRequestToken: token, SecretString: value(), VersionStages: ["AWSPENDING"] };
    await put(client, SecretId, first);
    const attempts = () => ({
      put: outcome(put(asRole, SecretId, { ...first, SecretString: value() })),
      putAgain: outcome(put(asRole, SecretId, first)),
      unlabel: outcome(
        asRole(SecretsManagerClient).send(
          new UpdateSecretVersionStageCommand({
            SecretId,
            VersionStage: "AWSCURRENT",
            RemoveFromVersionId: token,
          }),
        ),
      ),
      rotate: outcome(asRole(SecretsManagerClient).send(new RotateSecretCommand({ SecretId }))),
      cancel: outcome(asRole(SecretsManagerClient).send(new CancelRotateSecretCommand({ SecretId }))),
      promote: outcome(asRole(SecretsManagerClient).send(new StopReplicationToReplicaCommand({ SecretId }))),
      token: outcome(
        asRole(STSClient).send(
          new GetWebIdentityTokenCommand({ Audience: ["vault-dev"], SigningAlgorithm: "ES384" }),
        ),
      ),
      alarms: askCloudWatch(shim.endpoint, session, "DescribeAlarms", {}).then(({ status }) => status),
    });
    const outcomes = async () =>
      Object.fromEntries(
        await Promise.all(
          Object.entries(attempts()).map(async ([name, attempt]) => [name, await attempt] as const),
        ),
      );
    await allowRole(allow("secretsmanager:DescribeSecret"));
    expect(await outcomes()).toEqual({
      put: "AccessDeniedException",
      putAgain: "AccessDeniedException",
      unlabel: "AccessDeniedException",
      rotate: "AccessDeniedException",
      cancel: "AccessDeniedException",
      promote: "AccessDeniedException",
      token: "AccessDenied",
      alarms: 403,
    });
    await allowRole(allow(["secretsmanager:*", "sts:GetWebIdentityToken", "cloudwatch:DescribeAlarms"]));
    expect(await outcomes()).toEqual({
      put: "ResourceExistsException",
      putAgain: "ok",
      unlabel: "InvalidParameterException",
      rotate: "InvalidRequestException",
      cancel: "ok",
      promote: "InvalidRequestException",
      token: "ok",
      alarms: 200,
    });
  });

  test("are not had by a forged signature", async () => {
    const forged = { ...session, secretAccessKey: "wrong" };
    const SecretId = await newSecret();
    await allowRole(allow("secretsmanager:*"));
    await expect(
      client(SecretsManagerClient, forged).send(new GetSecretValueCommand({ SecretId })),
    ).rejects.toThrow("signature");
    await expect(
      client(SecretsManagerClient, forged).send(
        new PutSecretValueCommand({ SecretId, SecretString: value() }),
      ),
    ).rejects.toThrow("signature");
  });
});

describe("S3 Control, whose host has the account in front of the shim's", () => {
  let Bucket: string;
  const askAs = (credentials: Credentials, method: string, more: Partial<SignedRequest> = {}) => {
    const { host } = new URL(shim.endpoint);
    return sendSigned({
      endpoint: shim.endpoint,
      credentials,
      region: REGION,
      service: "s3",
      method,
      path: `/v20180820/tags/${encodeURIComponent(`arn:aws:s3:::${Bucket}`)}`,
      proxiedHost: `${ACCOUNT}.${host}`,
      ...more,
      headers: { "x-amz-account-id": ACCOUNT, ...more.headers },
    });
  };
  const tagOf = (Key: string, Value: string) => `<Tag><Key>${Key}</Key><Value>${Value}</Value></Tag>`;
  const tagging = (...tags: string[]) => ({
    headers: { "content-type": "application/xml" },
    body: `<TagResourceRequest xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"><Tags>${tags.join("")}</Tags></TagResourceRequest>`,
  });
  const tagsIn = ({ body }: { readonly body: string }) => /<Tags>(.*)<\/Tags>/.exec(body)?.[1];

  beforeAll(async () => {
    Bucket = `bucket-${++count}`;
    await client(S3Client).send(
      new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: REGION } }),
    );
  });

  test("tags buckets, under the caller's rights, and is in the record", async () => {
    const RESOURCE = `arn:aws:s3:::${Bucket}`;
    await allowRole(allow(["s3:TagResource", "s3:ListTagsForResource", "s3:UntagResource"], RESOURCE));
    shim.calls.clear();
    const tagged = await askAs(
      session,
      "POST",
      tagging(tagOf("registry", "acme"), tagOf("environment", "dev")),
    );
    const listed = await askAs(session, "GET");
    const untagged = await askAs(session, "DELETE", { query: { tagKeys: "environment" } });
    expect([tagged.status, listed.status, untagged.status]).toEqual([204, 200, 204]);
    expect(tagsIn(listed)).toBe(tagOf("registry", "acme") + tagOf("environment", "dev"));
    expect(tagsIn(await askAs(session, "GET"))).toBe(tagOf("registry", "acme"));
    expect(shim.calls.all.slice(0, 3)).toEqual(
      ["s3:TagResource", "s3:ListTagsForResource", "s3:UntagResource"].map((action) =>
        expect.objectContaining({ principal: ROLE_ARN, action, resource: RESOURCE, outcome: "allowed" }),
      ),
    );
  });

  test("is refused to who has no right, and to a forged signature", async () => {
    await allowRole(allow("s3:GetBucketTagging"));
    for (const credentials of [session, { ...session, secretAccessKey: "forged" }]) {
      expect(await askAs(credentials, "POST", tagging(tagOf("registry", "forged")))).toMatchObject({
        status: 403,
      });
    }
    expect((await askAs(aws.rootCredentials(ACCOUNT), "GET")).body).not.toContain("forged");
  });

  describe("and no other server's", () => {
    const asked: string[] = [];
    const other = createServer(({ url = "" }, response) => {
      asked.push(url);
      response.end();
    });
    let port: number;

    beforeAll(async () => {
      await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
      port = (other.address() as AddressInfo).port;
    });

    afterAll(() => other.close());

    test("the shim is no proxy of them", async () => {
      const refused = { status: 403, body: expect.stringContaining("no proxies") };
      for (const proxiedHost of [`127.0.0.1:${port}`, `${ACCOUNT}.127.0.0.1:${port}`, "example.com"]) {
        expect(await askAs(session, "GET", { proxiedHost })).toEqual(refused);
      }
      const { hostname, port: shimPort } = new URL(shim.endpoint);
      const tunnel = request({ hostname, port: shimPort, method: "CONNECT", path: `127.0.0.1:${port}` });
      await expect(
        new Promise((resolve, reject) => tunnel.once("connect", resolve).once("error", reject).end()),
      ).rejects.toThrow();
      expect(asked).toEqual([]);
    });
  });
});

describe("the record", () => {
  test("names role, action, resource and outcome of each call, and no value", async () => {
    const canary = value();
    const SecretId = await newSecret();
    const { ARN = "" } = await describeAt(client, SecretId);
    await allowRole(allow("secretsmanager:PutSecretValue", ARN));
    shim.calls.clear();
    await put(asRole, SecretId, { SecretString: canary });
    await outcome(asRole(SecretsManagerClient).send(new GetSecretValueCommand({ SecretId: ARN })));
    const common = { principal: ROLE_ARN, region: REGION, resource: ARN, injected: false };
    expect(shim.calls.all).toEqual([
      expect.objectContaining({ ...common, action: "secretsmanager:PutSecretValue", outcome: "allowed" }),
      expect.objectContaining({ ...common, action: "secretsmanager:GetSecretValue", outcome: "denied" }),
    ]);
    expect(shim.calls.all.every(({ requestId }) => requestId.length > 8)).toBe(true);
    expect(JSON.stringify(shim.calls.all)).not.toContain(canary);
    expect(usesByPrincipal(shim.calls.all)).toEqual({
      [ROLE_ARN]: [
        { action: "secretsmanager:GetSecretValue", resource: ARN, allowed: 0, denied: 1, implied: 0 },
        { action: "secretsmanager:PutSecretValue", resource: ARN, allowed: 1, denied: 0, implied: 0 },
      ],
    });
  });

  test("has the calls of users by their keys, and says what it does not know", async () => {
    const iam = client(IAMClient);
    await iam.send(new CreateUserCommand({ UserName: "s3-app" }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "s3-app" }));
    const { Credentials: past } = await clientAt(aws.endpoint, STSClient).send(
      new AssumeRoleCommand({ RoleArn: ROLE_ARN, RoleSessionName: "past-the-shim" }),
    );
    shim.calls.clear();
    for (const key of [AccessKey, past]) {
      const sessionToken = key !== undefined && "SessionToken" in key ? key.SessionToken : undefined;
      const credentials = {
        accessKeyId: key?.AccessKeyId ?? "",
        secretAccessKey: key?.SecretAccessKey ?? "",
        ...(sessionToken === undefined ? {} : { sessionToken }),
      };
      await outcome(describeAt((type) => client(type, credentials), "dev/none"));
    }
    expect(shim.calls.all.map(({ principal }) => principal)).toEqual([
      `arn:aws:iam::${ACCOUNT}:user/s3-app`,
      "unknown",
    ]);
  });

  test("has what IAM is asked for a transaction of DynamoDB: each of its items", async () => {
    const tables = client(DynamoDBClient);
    const TableName = `table-${++count}`;
    await tables.send(
      new CreateTableCommand({
        TableName,
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      }),
    );
    shim.calls.clear();
    await tables.send(
      new TransactWriteItemsCommand({
        TransactItems: [
          { Put: { TableName, Item: { id: { S: "one" } } } },
          { Delete: { TableName, Key: { id: { S: "two" } } } },
        ],
      }),
    );
    const resource = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${TableName}`;
    expect(shim.calls.all.map(({ action, resource, outcome }) => ({ action, resource, outcome }))).toEqual([
      { action: "dynamodb:PutItem", resource, outcome: "allowed" },
      { action: "dynamodb:DeleteItem", resource, outcome: "allowed" },
    ]);
  });

  test("has KMS under a write and a replication, in the region of each replica, too", async () => {
    const keyIn = async (region: string) => {
      const kms = new KMSClient({
        endpoint: shim.endpoint,
        region,
        credentials: aws.rootCredentials(ACCOUNT),
      });
      return (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? "";
    };
    const [primary, replica] = [await keyIn(REGION), await keyIn("eu-west-1")];
    const Name = nextName();
    const secrets = client(SecretsManagerClient);
    const replicate = (Region: string, KmsKeyId: string) =>
      secrets.send(
        new ReplicateSecretToRegionsCommand({ SecretId: Name, AddReplicaRegions: [{ Region, KmsKeyId }] }),
      );
    const impliedCalls = () => shim.calls.all.filter(({ outcome }) => outcome === "implied");
    const seen = () =>
      impliedCalls().map(({ action, resource, context }) => [action, resource, context["kms:ViaService"]]);
    const { ARN } = await secrets.send(new CreateSecretCommand({ Name, KmsKeyId: primary }));
    await replicate("us-east-1", await keyIn("us-east-1"));
    shim.calls.clear();
    await replicate("eu-west-1", replica);
    expect(seen()).toEqual([
      ["kms:Decrypt", primary, `secretsmanager.${REGION}.amazonaws.com`],
      ["kms:GenerateDataKey", replica, "secretsmanager.eu-west-1.amazonaws.com"],
      ["kms:Encrypt", replica, "secretsmanager.eu-west-1.amazonaws.com"],
    ]);
    shim.calls.clear();
    await put(client, Name, { SecretString: value() });
    expect(seen().filter(([, , service]) => service !== "secretsmanager.us-east-1.amazonaws.com")).toEqual([
      ["kms:GenerateDataKey", primary, `secretsmanager.${REGION}.amazonaws.com`],
      ["kms:Decrypt", primary, `secretsmanager.${REGION}.amazonaws.com`],
      ["kms:Encrypt", replica, "secretsmanager.eu-west-1.amazonaws.com"],
    ]);
    expect(impliedCalls().at(-1)?.context["kms:EncryptionContext:SecretARN"]).toBe(
      ARN?.replace(REGION, "eu-west-1"),
    );
  });
});

describe("rotation", () => {
  /** A rotation function that takes the time and fails in the step that it is told, and does nothing else. */
  const ROTATOR = `
    exports.handler = async ({ Step }) => {
      await new Promise((resolve) => setTimeout(resolve, Number(process.env.TAKES_MS ?? 0)));
      if (process.env.FAILS === Step) throw new Error("refused");
    };`;

  async function rotator(environment: Record<string, string> = {}): Promise<string> {
    const access = { endpoint: shim.endpoint, credentials: aws.rootCredentials(ACCOUNT) };
    return loadFunction(access, {
      ...functionOf(`rotator-${++count}`, `arn:aws:iam::${ACCOUNT}:role/registry/dev/function`),
      zip: zipSync({ "index.js": Buffer.from(ROTATOR) }),
      environment,
    });
  }

  const permit = (functionArn: string) =>
    allowSecretsManager({ endpoint: shim.endpoint, credentials: aws.rootCredentials(ACCOUNT) }, functionArn);

  const rotate = (SecretId: string, RotationLambdaARN: string, more: object = {}) =>
    client(SecretsManagerClient).send(
      new RotateSecretCommand({
        SecretId,
        RotationLambdaARN,
        RotationRules: { AutomaticallyAfterDays: 30 },
        ...more,
      }),
    );

  test("needs the function's permission for Secrets Manager", async () => {
    const SecretId = await newSecret();
    const functionArn = await rotator();
    await expect(rotate(SecretId, functionArn)).rejects.toThrow(
      "cannot invoke the specified Lambda function",
    );
    expect((await describeAt(client, SecretId)).RotationEnabled).toBeUndefined();
    await permit(functionArn);
    await expect(rotate(SecretId, functionArn)).resolves.toHaveProperty("VersionId");
    // The function does nothing, so its version never becomes AWSCURRENT.
    expect(await shim.rotations.settled(SecretId)).toMatchObject({ outcome: "failed", failures: [] });
  });

  test("leaves AWSPENDING empty and AWSCURRENT alone when the function fails, and tells EventBridge", async () => {
    const queueUrl = await rotationEvents();
    const held = value();
    const SecretId = await newSecret(held);
    const functionArn = await rotator({ FAILS: "setSecret" });
    await permit(functionArn);
    const { VersionId = "" } = await rotate(SecretId, functionArn);
    const result = await shim.rotations.settled(SecretId);
    expect(result).toMatchObject({ outcome: "failed", attempts: 3, versionId: VersionId });
    expect(result.failures).toEqual(
      [1, 2, 3].map((attempt) => ({
        attempt,
        step: "setSecret",
        errorType: "Runtime.HandlerError",
        errorMessage: "refused",
      })),
    );
    const { RotationEnabled, RotationRules, VersionIdsToStages } = await describeAt(client, SecretId);
    expect({ RotationEnabled, RotationRules }).toEqual({
      RotationEnabled: true,
      RotationRules: { AutomaticallyAfterDays: 30 },
    });
    expect(VersionIdsToStages?.[VersionId]).toEqual(["AWSPENDING"]);
    const read = (more: object) =>
      client(SecretsManagerClient).send(new GetSecretValueCommand({ SecretId, ...more }));
    expect((await read({})).SecretString).toBe(held);
    expect(await outcome(read({ VersionId }))).toBe("ResourceNotFoundException");
    await expect(rotate(SecretId, functionArn)).rejects.toThrow("A previous rotation isn't complete");
    await shim.rotations.settled(SecretId);
    expect((await namesOfEvents(queueUrl, 4)).slice(0, 4)).toEqual([
      "RotationStarted",
      "RotationFailed",
      "RotationStarted",
      "RotationFailed",
    ]);
  }, 30_000);

  test("without RotateImmediately calls testSecret alone, and leaves nothing", async () => {
    const SecretId = await newSecret();
    const functionArn = await rotator({ FAILS: "createSecret" });
    await permit(functionArn);
    await rotate(SecretId, functionArn, { RotateImmediately: false });
    expect(await shim.rotations.settled(SecretId)).toMatchObject({ outcome: "tested", failures: [] });
    const { RotationEnabled, VersionIdsToStages = {} } = await describeAt(client, SecretId);
    expect(RotationEnabled).toBe(true);
    expect(Object.values(VersionIdsToStages)).toEqual([["AWSCURRENT"]]);
  });

  test("is turned off by CancelRotateSecret", async () => {
    const SecretId = await newSecret();
    const functionArn = await rotator();
    await permit(functionArn);
    await rotate(SecretId, functionArn, { RotateImmediately: false });
    await client(SecretsManagerClient).send(new CancelRotateSecretCommand({ SecretId }));
    expect((await describeAt(client, SecretId)).RotationEnabled).toBe(false);
  });

  test("is abandoned when AWSPENDING is taken away", async () => {
    const SecretId = await newSecret();
    // The first attempt lasts until we have taken it.
    const functionArn = await rotator({ FAILS: "createSecret", TAKES_MS: "1500" });
    await permit(functionArn);
    const { VersionId = "" } = await rotate(SecretId, functionArn);
    await client(SecretsManagerClient).send(
      new UpdateSecretVersionStageCommand({
        SecretId,
        VersionStage: "AWSPENDING",
        RemoveFromVersionId: VersionId,
      }),
    );
    expect((await shim.rotations.settled(SecretId)).outcome).toBe("abandoned");
  });

  /** A queue that gets Secrets Manager's own events. */
  async function rotationEvents(): Promise<string> {
    const sqs = client(SQSClient);
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: "rotation-events" }));
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
    );
    const events = client(EventBridgeClient);
    await events.send(
      new PutRuleCommand({
        Name: "rotation-events",
        EventPattern: JSON.stringify({
          source: ["aws.secretsmanager"],
          "detail-type": ["AWS Service Event via CloudTrail"],
        }),
      }),
    );
    await events.send(
      new PutTargetsCommand({
        Rule: "rotation-events",
        Targets: [{ Id: "queue", Arn: Attributes?.QueueArn }],
      }),
    );
    return QueueUrl;
  }

  async function namesOfEvents(QueueUrl: string, wanted: number): Promise<readonly string[]> {
    const names: string[] = [];
    while (names.length < wanted) {
      const { Messages = [] } = await client(SQSClient).send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 1, WaitTimeSeconds: 5 }),
      );
      for (const { Body = "{}" } of Messages) names.push(JSON.parse(Body).detail.eventName);
      if (Messages.length === 0) break;
    }
    return names;
  }
});

describe("web identity", () => {
  test("is a token for the role, with its path, that the public key verifies", async () => {
    await allowRole(allow("sts:GetWebIdentityToken"));
    const { WebIdentityToken = "" } = await asRole(STSClient).send(
      new GetWebIdentityTokenCommand({
        Audience: ["vault-dev"],
        SigningAlgorithm: "ES384",
        DurationSeconds: 600,
      }),
    );
    const [header = "", claims = "", signature = ""] = WebIdentityToken.split(".");
    const key = { key: shim.webIdentity.publicKeyPem, dsaEncoding: "ieee-p1363" } as const;
    const content = Buffer.from(`${header}.${claims}`);
    expect(verify("sha384", content, key, Buffer.from(signature, "base64url"))).toBe(true);
    expect(JSON.parse(Buffer.from(header, "base64url").toString())).toMatchObject({ alg: "ES384" });
    const { exp, iat, ...rest } = JSON.parse(Buffer.from(claims, "base64url").toString());
    expect(exp - iat).toBe(600);
    expect(rest).toEqual({
      iss: ISSUER,
      aud: "vault-dev",
      sub: ROLE_ARN,
      jti: expect.any(String),
      "https://sts.amazonaws.com/": { aws_account: ACCOUNT, principal_id: ROLE_ARN, source_region: REGION },
    });
  });

  test("logs in to OpenBao, which has the public key", async () => {
    const bao = await startOpenBao({ group });
    await bao.call("POST", "sys/auth/aws", { body: { type: "jwt" } });
    await bao.call("POST", "auth/aws/config", {
      body: { jwt_validation_pubkeys: shim.webIdentity.publicKeysPem, bound_issuer: ISSUER },
    });
    await bao.call("POST", "auth/aws/role/mirror", {
      body: {
        role_type: "jwt",
        bound_audiences: ["vault-dev"],
        bound_subject: ROLE_ARN,
        user_claim: "sub",
        token_policies: ["mirror"],
      },
    });
    await allowRole(allow("sts:GetWebIdentityToken"));
    const logIn = async (audience: string, SigningAlgorithm: "ES384" | "RS256") => {
      const { WebIdentityToken: jwt } = await asRole(STSClient).send(
        new GetWebIdentityTokenCommand({ Audience: [audience], SigningAlgorithm }),
      );
      return bao.call("POST", "auth/aws/login", { token: null, body: { role: "mirror", jwt } });
    };
    for (const algorithm of ["ES384", "RS256"] as const) {
      expect((await logIn("vault-dev", algorithm)).auth?.token_policies).toContain("mirror");
    }
    await expect(logIn("vault-prod", "ES384")).rejects.toThrow();
    await bao.stop();
  }, 60_000);

  test("is refused in an account without federation", async () => {
    const other = aws.rootCredentials("999988887777");
    const asked = new GetWebIdentityTokenCommand({ Audience: ["vault-dev"], SigningAlgorithm: "ES384" });
    expect(await outcome(client(STSClient, other).send(asked))).toBe(
      "OutboundWebIdentityFederationDisabledException",
    );
  });
});

test("a fault behind the shim is not taken for an answer of AWS", async () => {
  const orphan = await startAwsShim({ upstream: { endpoint: "http://127.0.0.1:1" }, group });
  const asked = describeAt((type) => clientAt(orphan.endpoint, type), "dev/any");
  await expect(asked).rejects.toMatchObject({ name: "ShimFault" });
  await orphan.stop();
});

describe("faults", () => {
  const describeSecrets = ({ action }: { readonly action: string }) =>
    action === "secretsmanager:DescribeSecret";

  test("come about as often as ordered, for the calls that match", async () => {
    const SecretId = await newSecret();
    const order = shim.faults.on(describeSecrets, { kind: "throttle" }, 2);
    const read = () => outcome(client(SecretsManagerClient).send(new GetSecretValueCommand({ SecretId })));
    expect(await outcome(describeAt(client, SecretId))).toBe("ThrottlingException");
    expect(await read()).toBe("ok");
    expect(order.spent).toBe(false);
    expect(await outcome(describeAt(client, SecretId))).toBe("ThrottlingException");
    expect(order.spent).toBe(true);
    expect(await outcome(describeAt(client, SecretId))).toBe("ok");
  });

  test("of the server are errors that say so", async () => {
    shim.faults.on(describeSecrets, { kind: "server-error" });
    shim.calls.clear();
    expect(await outcome(describeAt(client, await newSecret()))).toBe("InternalFailure");
    expect(shim.calls.all.at(-1)).toMatchObject({ outcome: "InternalFailure", injected: true });
  });

  test("lose the response of work that is done", async () => {
    const SecretId = await newSecret();
    const written = value();
    shim.faults.on(({ action }) => action === "secretsmanager:PutSecretValue", { kind: "lost-response" });
    expect(await outcome(put(client, SecretId, { SecretString: written }))).not.toBe("ok");
    const read = await client(SecretsManagerClient).send(new GetSecretValueCommand({ SecretId }));
    expect(read.SecretString).toBe(written);
  });

  test("kill no process but a function's", async () => {
    const SecretId = await newSecret();
    shim.faults.on(describeSecrets, { kind: "kill", when: "before" });
    expect(await outcome(describeAt(client, SecretId))).not.toBe("ok");
    expect(await outcome(describeAt(client, SecretId))).toBe("ok");
  });
});
