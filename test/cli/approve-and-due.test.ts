import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { CloudTrailClient, CreateTrailCommand, StartLoggingCommand } from "@aws-sdk/client-cloudtrail";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { strToU8, zipSync } from "fflate";
import { blueprint, prerequisitesOf } from "../../lib/blueprint";
import { run } from "../../lib/cli/program";
import { callerProof, proofBinding } from "../../lib/contracts/caller-proof";
import type { PolicyDocument } from "../../lib/model";
import {
  changesTable,
  procedureFunctionName,
  publicationsTable,
  runsTable,
  secretName,
} from "../../lib/model/names";
import { StsCallerIdentities } from "../../lib/rotation/adapters/sts-caller-identities";

import {
  type Credentials,
  createSecretTable,
  createTable,
  loadFunction,
  takeHumanRole,
} from "../../packages/rehearsal/src/load";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../packages/rehearsal/src/servers";
import { registry } from "../../registry";
import { FakeTerminal } from "./fake-terminal";
import { cli } from "./run-cli";

const ROOT = join(__dirname, "../../registry");

const ENVIRONMENT = "stage";
const { account, regions } = registry.environment(ENVIRONMENT);
const KEY = "payments/stripe";
const NAME = secretName(ENVIRONMENT, KEY);

let group: ServerGroup;
let aws: EmbeddedAws;
let before: NodeJS.ProcessEnv;
let control: Server;
let ben: Credentials;
const caller = `arn:aws:sts::${account}:assumed-role/approver/ben@example.com`;

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
  const roleArn = `arn:aws:iam::${account}:role/gate`;
  await new IAMClient(settings()).send(
    new CreateRoleCommand({
      RoleName: "gate",
      AssumeRolePolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
        ],
      }),
    }),
  );
  control = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      asked.push(JSON.parse(Buffer.concat(chunks).toString("utf8")));
      response.end(JSON.stringify({ refusal }));
    });
  });
  await new Promise<void>((resolve) => control.listen(0, "127.0.0.1", resolve));
  await loadFunction(
    { endpoint: aws.endpoint, credentials: aws.rootCredentials(account) },
    {
      name: procedureFunctionName(registry.id, ENVIRONMENT, "approval-gate"),
      region: regions.primary,
      roleArn,
      zip: zipSync({ "index.js": strToU8(GATE) }),
      environment: { CONTROL: `http://127.0.0.1:${(control.address() as AddressInfo).port}` },
      timeoutSeconds: 30,
      memoryMb: 128,
    },
  );
  const plan = blueprint(registry, ENVIRONMENT);
  ben = await takeHumanRole({ endpoint: aws.endpoint, credentials: aws.rootCredentials(account) }, plan, {
    arn: `arn:aws:iam::${account}:role/people/approver`,
    policy: plan.procedure?.people.approver as PolicyDocument,
    session: "ben@example.com",
  });
}, 120_000);

afterAll(async () => {
  process.env = before;
  await group?.stop();
  control?.close();
});

/** Requests to the approval gate, and its refusal: a fault's text, or nothing. */
const asked: Record<string, unknown>[] = [];
let refusal: string | undefined;

/** The gate's place is taken: it is tried by itself, and here is what the command sends and tells. */
const GATE = `exports.handler = async (event) => {
  const answer = await (await fetch(process.env.CONTROL, { method: "POST", body: JSON.stringify(event) })).json();
  if (answer.refusal) throw Object.assign(new Error(answer.refusal), { name: "RotationError" });
  return { result: "approved" };
};`;

const REQUEST = { environment: ENVIRONMENT, secret: KEY, run: "run-1" };

async function approve(runId: string, message: object | string, ...more: string[]) {
  const input = typeof message === "string" ? message : JSON.stringify(message);
  const terminal = new FakeTerminal({ input });
  asked.length = 0;
  const root = { ...process.env };
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: ben.accessKeyId,
    AWS_SECRET_ACCESS_KEY: ben.secretAccessKey,
    AWS_SESSION_TOKEN: ben.sessionToken,
  });
  const code = await run(["--registry", ROOT, "approve", runId, "--env", ENVIRONMENT, ...more], terminal);
  process.env = root;
  return { code, out: terminal.printed, err: terminal.told };
}

describe("approve", () => {
  test.each([
    ["approve", "approved", []],
    ["reject", "rejected", ["--reject"]],
  ])(
    "asks the gate to %s, with a proof of who asks for just that",
    async (Action, done, flags) => {
      refusal = undefined;
      expect(await approve("run-1", REQUEST, ...flags)).toEqual({
        code: 0,
        out: `${done}: run run-1 of ${KEY} in ${ENVIRONMENT}, by ${caller}\n`,
        err: "",
      });
      const event = { Action, Secret: NAME, Run: "run-1" };
      const [{ Proof, ...sent } = {}] = asked;
      expect(sent).toEqual(event);
      const identities = new StsCallerIdentities({
        region: regions.primary,
        endpoint: aws.endpoint,
        clock: { now: () => new Date() },
      });
      const place = { registry: registry.id, environment: ENVIRONMENT };
      await expect(
        identities.of(callerProof.parse(Proof), proofBinding(place, "approval-gate", event)),
      ).resolves.toEqual({ arn: caller, account });
      expect(JSON.stringify(Proof)).not.toContain(ben.secretAccessKey);
    },
    60_000,
  );

  test("tells why the gate refuses, and nothing else that it says", async () => {
    refusal = "approver-refused: ana asked for this. To do: let somebody else approve.";
    const refused = await approve("run-1", REQUEST);
    expect(refused).toMatchObject({ code: 2, out: "" });
    expect(refused.err).toContain("ana asked for this");
    refusal = "Cannot read properties of undefined (reading 'x')";
    const failed = await approve("run-1", REQUEST);
    expect(failed).toMatchObject({ code: 2, out: "" });
    expect(failed.err).toContain("Look at its log");
    expect(failed.err).not.toContain("properties");
  }, 60_000);

  test("refuses a message about something else, and asks nobody", async () => {
    const cases: readonly (readonly [string, object | string])[] = [
      ["about run other", { ...REQUEST, run: "other" }],
      ["in prod", { ...REQUEST, environment: "prod" }],
      ["whole request", "run-1"],
    ];
    for (const [text, input] of cases) {
      const result = await approve("run-1", input);
      expect(result).toMatchObject({ code: 2, out: "" });
      expect(result.err).toContain(text);
      expect(asked).toEqual([]);
    }
  }, 60_000);
});

/** A trail in each region in which the environment needs one. */
async function startTrail(): Promise<void> {
  const s3 = new S3Client({ ...settings(), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: "trail" }));
  for (const region of prerequisitesOf(registry, ENVIRONMENT).trailRegions) {
    const trails = new CloudTrailClient({ ...settings(), region });
    await trails.send(
      new CreateTrailCommand({ Name: `trail-${region}`, S3BucketName: "trail", IsMultiRegionTrail: true }),
    );
    await trails.send(new StartLoggingCommand({ Name: `trail-${region}` }));
  }
}

/** The deployer's role with every right: the embedded AWS simulates without a request's context, so no condition holds. */
async function giveDeployerRights(): Promise<void> {
  const { principals } = blueprint(registry, ENVIRONMENT);
  const client = new IAMClient(settings());
  const RoleName = principals.deployer.split("/").at(-1) ?? "";
  const policyOf = (...Statement: readonly object[]): string =>
    JSON.stringify({ Version: "2012-10-17", Statement });
  await client
    .send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policyOf() }))
    .catch((failure: Error) => {
      if (failure.name !== "EntityAlreadyExistsException") throw failure;
    });
  const PolicyDocument = policyOf({ Effect: "Allow", Action: "*", Resource: "*" });
  await client.send(new PutRolePolicyCommand({ RoleName, PolicyName: "all", PolicyDocument }));
}

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
    const blind = await cli("due", "--env", ENVIRONMENT);
    expect(blind).toMatchObject({ code: 1, err: "" });
    expect(blind.out).toMatch(/\nAROUND IT +STATE +FOUND +TO DO\n/);
    expect(blind.out).toMatch(/trail in \S+ +missing +none/);
    expect(blind.out).toMatch(/rights of deployer +missing +/);
    expect(blind.out).toMatch(/audit devices of Vault stage +not checked +/);
    await startTrail();
    await giveDeployerRights();
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
