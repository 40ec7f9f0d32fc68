import { UpdateAssumeRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { build } from "esbuild";
import { zipSync } from "fflate";
import { type Blueprint, blueprint, type FunctionPlan } from "../../lib/blueprint";
import { defineRegistry, type PolicyDocument, type Registry } from "../../lib/model";
import { evaluateAccess } from "../../packages/rehearsal/src/evaluator";
import { invokeFunction, loadFunction } from "../../packages/rehearsal/src/load";
import { iam, loadRole } from "../../packages/rehearsal/src/load/aws-account";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../packages/rehearsal/src/servers";
import { type AwsShim, startAwsShim } from "../../packages/rehearsal/src/shim";
import { BUNDLE_OPTIONS } from "../../scripts/bundle-options";
import { draft } from "../model/sample";

/**
 * An attacker with `iam:PassRole` and `lambda:CreateFunction` in the account makes a function with the mirror's role.
 * The embedded AWS knows no `lambda:SourceFunctionArn`: what is refused here, the shim refuses, and the evaluator
 * decides the same by the policies.
 */
let group: ServerGroup;
let aws: EmbeddedAws;
let shim: AwsShim;
let plan: Blueprint;
let mirror: FunctionPlan;
let zip: Uint8Array;

const root = () => ({ endpoint: shim.endpoint, credentials: aws.rootCredentials(plan.account) });
const SECRET = "dev/payments/stripe";

/** Code of whoever borrows a role: reads a secret, and asks for a token by which Vault lets the mirror in. */
const PROBE = `
import { GetSecretValueCommand, DescribeSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { GetWebIdentityTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { GetItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
const settings = { maxAttempts: 1 };
const outcome = (call) => call.then(() => "ok", (error) => error.name);
exports.handler = async ({ secret, audience, table }) => ({
  read: await outcome(new SecretsManagerClient(settings).send(new GetSecretValueCommand({ SecretId: secret }))),
  describe: await outcome(new SecretsManagerClient(settings).send(new DescribeSecretCommand({ SecretId: secret }))),
  token: await outcome(new STSClient(settings).send(new GetWebIdentityTokenCommand({ Audience: [audience], SigningAlgorithm: "ES384", DurationSeconds: 60 }))),
  ledger: await outcome(new DynamoDBClient(settings).send(new GetItemCommand({ TableName: table, Key: { secret: { S: secret }, version: { S: "mirror" } } }))),
});`;

beforeAll(async () => {
  group = ServerGroup.open();
  plan = blueprint(defineRegistry(draft()) as Registry, "dev");
  const found = plan.functions.find(({ bundle }) => bundle === "mirror");
  if (found === undefined) throw new Error("no mirror");
  mirror = found;
  aws = await startEmbeddedAws({ group });
  shim = await startAwsShim({
    upstream: aws,
    group,
    tokenIssuers: { [plan.account]: "https://aws.example.com" },
  });
  const { outputFiles } = await build({
    stdin: { contents: PROBE, resolveDir: __dirname },
    ...BUNDLE_OPTIONS,
    write: false,
  });
  zip = zipSync({ "index.js": outputFiles[0]?.contents ?? new Uint8Array() });
  const settings = { ...root(), region: plan.regions.primary };
  await new KMSClient(settings).send(new CreateKeyCommand({}));
  const secrets = new SecretsManagerClient(settings);
  await secrets.send(new CreateSecretCommand({ Name: SECRET }));
  await secrets.send(new PutSecretValueCommand({ SecretId: SECRET, SecretString: "{}" }));
  await loadRole(root(), plan, mirror.role);
}, 300_000);

afterAll(() => group?.stop());

/** Answer to a function with the mirror's role. */
async function probe(name: string): Promise<unknown> {
  const arn = await loadFunction(root(), {
    name,
    region: plan.regions.primary,
    roleArn: mirror.role.arn,
    zip,
    timeoutSeconds: 30,
    memoryMb: 256,
  });
  const [audience] = audiences();
  const { payload, logs } = await invokeFunction(root(), arn, {
    secret: SECRET,
    audience,
    table: plan.operations?.publicationsTable,
  });
  if (payload === undefined) throw new Error(logs);
  return payload;
}

const statements = () =>
  [...mirror.role.policies.inline, ...mirror.role.policies.managed].flatMap(
    ({ document }) => document.Statement,
  );

const audiences = (): readonly string[] =>
  statements().find(({ Sid }) => Sid === "ProveIdentityToVault")?.Condition?.["ForAllValues:StringEquals"]?.[
    "sts:IdentityTokenAudience"
  ] ?? [];

test("the mirror's own function reads, and proves who it is", async () => {
  expect(await probe(mirror.name)).toMatchObject({ read: "ok", describe: "ok", token: "ok" });
}, 120_000);

test("another function with the mirror's role does neither", async () => {
  const refused = expect.stringMatching(/^AccessDenied/);
  expect(await probe("evil")).toEqual({ read: refused, describe: refused, token: refused, ledger: refused });
}, 120_000);

test("nor does a session of the role that no function has", async () => {
  const region = plan.regions.primary;
  const { name: RoleName, arn: RoleArn } = mirror.role;
  const trust = {
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${plan.account}:root` }, Action: "sts:AssumeRole" },
    ],
  };
  await iam(root(), region).send(
    new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: JSON.stringify(trust) }),
  );
  const { Credentials: taken } = await new STSClient({ ...root(), region }).send(
    new AssumeRoleCommand({ RoleArn, RoleSessionName: "borrowed" }),
  );
  const credentials = {
    accessKeyId: taken?.AccessKeyId ?? "",
    secretAccessKey: taken?.SecretAccessKey ?? "",
    sessionToken: taken?.SessionToken ?? "",
  };
  const { GetSecretValueCommand } = await import("@aws-sdk/client-secrets-manager");
  const read = new SecretsManagerClient({
    endpoint: shim.endpoint,
    region,
    credentials,
    maxAttempts: 1,
  }).send(new GetSecretValueCommand({ SecretId: SECRET }));
  await expect(read).rejects.toMatchObject({ name: "AccessDeniedException" });
});

test("by the policies, no right of any function is another's, but what Lambda and AWS's services ask for", () => {
  let decided = 0;
  const left = new Set<string>();
  for (const entry of plan.functions) {
    const identity: readonly PolicyDocument[] = [
      ...entry.role.policies.inline,
      ...entry.role.policies.managed,
    ].map(({ document }) => document);
    for (const { Effect, Sid, Action, Resource = [], Condition = {} } of identity.flatMap(
      (document) => document.Statement,
    )) {
      if (Effect !== "Allow") continue;
      const context = Object.fromEntries(
        Object.values(Condition).flatMap((keys) =>
          Object.entries(keys).map(([key, [value = ""]]) => [key, value]),
        ),
      );
      for (const action of Action) {
        for (const resource of Resource) {
          decided += 2;
          const request = { action, resource, principal: entry.role.arn };
          const own = { ...context, "lambda:SourceFunctionArn": entry.arn };
          if (Sid !== "LambdaJoinsNetwork")
            expect(evaluateAccess({ ...request, context: own }, { identity }).allowed).toBe(true);
          const evil = { ...context, "lambda:SourceFunctionArn": `${entry.arn}-evil` };
          if (evaluateAccess({ ...request, context: evil }, { identity }).allowed) left.add(Sid);
        }
      }
    }
  }
  process.stdout.write(`${decided} decisions about function roles, evaluated\n`);
  expect([...left].sort()).toEqual([
    "CallFunctions",
    "DecryptThroughSecretsManager",
    "EncryptDeadLetters",
    "EncryptMessages",
    "SendDeadLetters",
    "UseKeysThroughSecretsManager",
    "WriteLog",
  ]);
});
