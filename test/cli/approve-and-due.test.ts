import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from "@aws-sdk/client-sfn";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { run } from "../../lib/cli/program";
import { changesTable, publicationsTable, runsTable, secretName } from "../../lib/model/names";
import { createSecretTable, createTable } from "../../lib/rehearsal/load";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../lib/rehearsal/servers";
import { DynamoDbRuns } from "../../lib/rotation/adapters/dynamodb-runs";
import { registry } from "../../registry";
import { FakeTerminal } from "./fake-terminal";
import { cli } from "./run-cli";

const ROOT = join(__dirname, "../../registry");

const ENVIRONMENT = "stage";
const { account, regions } = registry.environment(ENVIRONMENT);
const KEY = "payments/stripe";
const NAME = secretName(ENVIRONMENT, KEY);
const OPERATOR = `arn:aws:sts::${account}:assumed-role/operator/ana@example.com`;

let group: ServerGroup;
let aws: EmbeddedAws;
let before: NodeJS.ProcessEnv;
let runs: DynamoDbRuns;
let caller = "";
let count = 0;

/** The embedded AWS in place of AWS, as a person's shell would name it. */
const settings = () => ({
  region: regions.primary,
  endpoint: aws.endpoint,
  credentials: aws.rootCredentials(account),
});

beforeAll(async () => {
  group = ServerGroup.open();
  aws = await startEmbeddedAws({ group });
  const { accessKeyId, secretAccessKey } = aws.rootCredentials(account);
  before = { ...process.env };
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  });
  const dynamoDb = new DynamoDBClient(settings());
  for (const [name, sortKey] of [
    [runsTable(registry.id, ENVIRONMENT), "run"],
    [publicationsTable(registry.id, ENVIRONMENT), "version"],
  ] as const) {
    await createSecretTable(dynamoDb, name, sortKey);
  }
  await createTable(dynamoDb, changesTable(registry.id, ENVIRONMENT), "change");
  runs = new DynamoDbRuns(
    dynamoDb,
    runsTable(registry.id, ENVIRONMENT),
    changesTable(registry.id, ENVIRONMENT),
  );
  await new IAMClient(settings()).send(
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
  caller = (await new STSClient(settings()).send(new GetCallerIdentityCommand({}))).Arn ?? "";
}, 120_000);

afterAll(async () => {
  process.env = before;
  await group?.stop();
});

/** A run whose execution waits for an answer. */
async function waiting(startedBy: string, requester = "ana@example.com") {
  count += 1;
  const id = `run-${count}`;
  const digest = `sha256:${String(count).repeat(64)}`;
  const change = { id: "2026-12-01-payments--stripe", digest, key: KEY, requester };
  await runs.approve({ ...change, from: "2026-12-01", until: "2026-12-31" }, new Date());
  const begun = await runs.begin(
    {
      secret: NAME,
      run: id,
      kind: "rotation",
      newVersion: id,
      startedBy,
      change: { id: change.id, digest, requester },
    },
    new Date(),
  );
  const [sfn, sqs] = [new SFNClient(settings()), new SQSClient(settings())];
  const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: id }));
  const { stateMachineArn } = await sfn.send(
    new CreateStateMachineCommand({
      name: id,
      roleArn: `arn:aws:iam::${account}:role/procedure`,
      definition: JSON.stringify({
        StartAt: "Ask",
        States: {
          Ask: {
            Type: "Task",
            Resource: "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            Parameters: { QueueUrl, "MessageBody.$": "$$.Task.Token" },
            End: true,
          },
        },
      }),
    }),
  );
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input: "{}" }));
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
  const message = { environment: ENVIRONMENT, secret: KEY, run: id, token: Messages[0]?.Body ?? "" };
  return {
    run: id,
    message,
    release: () => runs.end(begun, "failed"),
    execution: () => sfn.send(new DescribeExecutionCommand({ executionArn })),
  };
}

async function approve(runId: string, message: object | string, ...more: string[]) {
  const input = typeof message === "string" ? message : JSON.stringify(message);
  const terminal = new FakeTerminal({ input });
  const code = await run(["--registry", ROOT, "approve", runId, "--env", ENVIRONMENT, ...more], terminal);
  return { code, out: terminal.printed, err: terminal.told };
}

/** Executions go on by themselves. */
async function ended<T extends { readonly status?: string | undefined }>(look: () => Promise<T>): Promise<T> {
  for (let tries = 0; tries < 100; tries += 1) {
    const state = await look();
    if (state.status !== "RUNNING") return state;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("still running");
}

describe("approve", () => {
  test("answers with the caller's ARN, once", async () => {
    const { run, message, execution, release } = await waiting(OPERATOR);
    const answer = await approve(run, message);
    expect(answer).toEqual({
      code: 0,
      out: `approved: run ${run} of ${KEY} in ${ENVIRONMENT}, by ${caller}\n`,
      err: "",
    });
    const { status, output = "{}" } = await ended(execution);
    expect(status).toBe("SUCCEEDED");
    expect(JSON.parse(output)).toEqual({ approver: caller });
    const again = await approve(run, message);
    expect(again).toMatchObject({ code: 2, out: "" });
    expect(again.err).toContain("Nobody waits for this answer");
    await release();
  }, 60_000);

  test("--reject fails the request", async () => {
    const { run, message, execution, release } = await waiting(OPERATOR);
    expect(await approve(run, message, "--reject")).toMatchObject({ code: 0 });
    expect(await ended(execution)).toMatchObject({ status: "FAILED", error: "Rejected" });
    await release();
  }, 60_000);

  test("refuses who started the run or asked for the change; they may reject", async () => {
    for (const [startedBy, requester] of [
      [caller, "ana@example.com"],
      [OPERATOR, caller],
    ] as const) {
      const { run, message, execution, release } = await waiting(startedBy, requester);
      const refused = await approve(run, message);
      expect(refused).toMatchObject({ code: 2, out: "" });
      expect(refused.err).toContain("an approver is never the requester");
      expect((await execution()).status).toBe("RUNNING");
      expect(await approve(run, message, "--reject")).toMatchObject({ code: 0 });
      await release();
    }
  }, 60_000);

  test("refuses a message about something else, without showing its token", async () => {
    const { run, message, release } = await waiting(OPERATOR);
    const cases: readonly (readonly [string, object | string])[] = [
      ["about run other", { ...message, run: "other" }],
      ["in prod", { ...message, environment: "prod" }],
      ["whole request", message.token],
      ["has no run", { ...message, run: "no-such" }],
    ];
    for (const [text, input] of cases) {
      const result = await approve(text === "has no run" ? "no-such" : run, input);
      expect(result).toMatchObject({ code: 2, out: "" });
      expect(result.err).toContain(text);
      expect(result.err).not.toContain(message.token);
    }
    await release();
  }, 60_000);
});

describe("due", () => {
  test("ends with 1 while something has no value, and with 0 when all is well", async () => {
    const empty = await cli("due", "--env", ENVIRONMENT, "--format", "json");
    expect(empty.code).toBe(1);
    const report = JSON.parse(empty.out);
    const keys = registry
      .secretsIn(ENVIRONMENT)
      .filter(({ store }) => store === "aws")
      .map(({ key }) => key);
    expect(report.secrets.map(({ key }: { key: string }) => key)).toEqual(keys);
    expect(report).toMatchObject({ environment: ENVIRONMENT, well: false });
    const client = new SecretsManagerClient(settings());
    for (const { physicalKey, store } of registry.secretsIn(ENVIRONMENT)) {
      if (store !== "aws") continue;
      const SecretId = secretName(ENVIRONMENT, physicalKey);
      await client.send(new CreateSecretCommand({ Name: SecretId }));
      await client.send(new PutSecretValueCommand({ SecretId, SecretString: "{}" }));
    }
    const well = await cli("due", "--env", ENVIRONMENT);
    expect(well).toMatchObject({ code: 0, err: "" });
    expect(well.out).toMatch(/^SECRET +OWNER +ROTATION +ROTATED +CADENCE ENDS +NEXT +CADENCE +STUCK\n/);
    expect(well.out).toMatch(/payments\/stripe +\S+ +operator-assisted +\S+ +\S+ +by people +kept +no\n/);
    expect((await cli("due", "--env", ENVIRONMENT, "--format", "md")).out).toContain("| payments/stripe |");
  }, 60_000);

  test("says what is missing without credentials", async () => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    Object.assign(process.env, {
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: "/nowhere/config",
      AWS_SHARED_CREDENTIALS_FILE: "/nowhere/credentials",
    });
    const result = await cli("due", "--env", ENVIRONMENT);
    Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
    expect(result).toMatchObject({ code: 2, out: "" });
    expect(result.err).toMatch(/^AWS has no good credentials from you .* Log in, then say which to use/);
  }, 60_000);
});
