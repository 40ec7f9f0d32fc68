import { randomBytes, randomUUID } from "node:crypto";
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  ListAccessKeysCommand,
} from "@aws-sdk/client-iam";
import {
  CancelRotateSecretCommand,
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { GetWebIdentityTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { zipSync } from "fflate";
import { type Credentials, loadFunction } from "../../lib/rehearsal/load";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../lib/rehearsal/servers";
import { type AwsShim, SHIM_RULES, type ShimRuleName, startAwsShim } from "../../lib/rehearsal/shim";

const ACCOUNT = "111122223333";
const REGION = "eu-central-1";
const ISSUER = "https://abc123.tokens.sts.global.api.aws";
const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/registry/dev/rotator`;

let group: ServerGroup;
let aws: EmbeddedAws;
let shim: AwsShim;

type ClientType<T> = new (settings: {
  endpoint: string;
  region: string;
  credentials: Credentials;
  maxAttempts: number;
}) => T;

const clientAt = <T>(endpoint: string, type: ClientType<T>, credentials?: Credentials): T =>
  new type({
    endpoint,
    region: REGION,
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

/** What came of a call: `ok`, or the error's name. */
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
  "function-role-trusts-lambda": {
    async act(at) {
      const endpoint = at === client ? shim.endpoint : aws.endpoint;
      const access = { endpoint, credentials: aws.rootCredentials(ACCOUNT) };
      return outcome(loadFunction(access, functionOf(`function-${++count}`, ROLE_ARN)));
    },
    shim: "InvalidParameterValueException",
    embedded: "ok",
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
