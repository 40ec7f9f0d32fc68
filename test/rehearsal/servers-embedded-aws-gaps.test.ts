import { randomUUID } from "node:crypto";
import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import {
  CreateRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateAliasCommand,
  CreateKeyCommand,
  EncryptCommand,
  GenerateMacCommand,
  KMSClient,
} from "@aws-sdk/client-kms";
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { SendTaskFailureCommand, SFNClient } from "@aws-sdk/client-sfn";
import { CreateQueueCommand, SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
} from "@aws-sdk/client-sts";
import { strToU8, zipSync } from "fflate";
import { invokeFunction, loadFunction } from "../../packages/rehearsal/src/load";
import {
  type ClusterIssuer,
  createReplicatedSecret,
  EMBEDDED_AWS_GAPS,
  type EmbeddedAwsGapName,
  ServerGroup,
  startClusterIssuer,
  startEmbeddedAws,
  TAUGHT_CONDITION_KEYS,
  type TaughtConditionKeyName,
} from "../../packages/rehearsal/src/servers";

/**
 * Each test holds one entry of EMBEDDED_AWS_GAPS against the server. One that fails after an upgrade is good
 * news: the embedded AWS has come closer to AWS. Remove the entry, its workaround, and what leans on it.
 */

const ACCOUNT = "111122223333";
const REGION = "eu-central-1";
const ISSUER = "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE";
const ROLE = "backend";
const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/registry/dev/${ROLE}`;

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

let group: ServerGroup;
let endpoint: string;
let root: Credentials;
let cluster: ClusterIssuer;
/** Credentials of the role, whose policies the tests write. */
let session: Credentials;

const client = <T>(
  type: new (settings: {
    endpoint: string;
    region: string;
    credentials: Credentials;
    maxAttempts: number;
  }) => T,
  credentials = root,
  region = REGION,
) => new type({ endpoint, region, credentials, maxAttempts: 1 });

beforeAll(async () => {
  group = ServerGroup.open();
  const aws = await startEmbeddedAws({ group });
  cluster = await startClusterIssuer({ group, issuer: `https://${ISSUER}`, algorithm: "ES256" });
  endpoint = aws.endpoint;
  root = aws.rootCredentials(ACCOUNT);
  const trust = [
    { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "sts:AssumeRole" },
    {
      Effect: "Allow",
      Principal: { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/${ISSUER}` },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: {
        StringEquals: {
          [`${ISSUER}:aud`]: "sts.amazonaws.com",
          [`${ISSUER}:sub`]: "system:serviceaccount:app:backend",
        },
      },
    },
  ];
  await client(IAMClient).send(
    new CreateRoleCommand({
      RoleName: ROLE,
      Path: "/registry/dev/",
      AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: trust }),
    }),
  );
  const { Credentials: issued } = await client(STSClient).send(
    new AssumeRoleCommand({ RoleArn: ROLE_ARN, RoleSessionName: "pod" }),
  );
  session = {
    accessKeyId: issued?.AccessKeyId ?? "",
    secretAccessKey: issued?.SecretAccessKey ?? "",
    sessionToken: issued?.SessionToken ?? "",
  };
}, 300_000);

afterAll(() => group?.stop());

/** Makes these statements all that the role may do. */
async function allowRole(...statements: object[]): Promise<void> {
  await client(IAMClient).send(
    new PutRolePolicyCommand({
      RoleName: ROLE,
      PolicyName: "access",
      PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: statements }),
    }),
  );
}

const READ = { Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: "*" };

async function newSecret(name: string, more: object = {}): Promise<string> {
  await client(SecretsManagerClient).send(
    new CreateSecretCommand({ Name: name, SecretString: "value", ...more }),
  );
  return name;
}

const readAsRole = (SecretId: string, VersionStage = "AWSCURRENT") =>
  client(SecretsManagerClient, session).send(new GetSecretValueCommand({ SecretId, VersionStage }));

const assumeWith = (token: string) =>
  client(STSClient).send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: ROLE_ARN,
      RoleSessionName: "pod",
      WebIdentityToken: token,
    }),
  );

const pod = { namespace: "app", serviceAccount: "backend", audience: "sts.amazonaws.com" } as const;

/** An HMAC key with an alias. */
async function newAuditKey(alias: string): Promise<string> {
  const { KeyMetadata } = await client(KMSClient).send(
    new CreateKeyCommand({ KeyUsage: "GENERATE_VERIFY_MAC", KeySpec: "HMAC_256" }),
  );
  await client(KMSClient).send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyMetadata?.KeyId }));
  return KeyMetadata?.Arn ?? "";
}

const macAsRole = (KeyId: string) =>
  client(KMSClient, session).send(
    new GenerateMacCommand({ KeyId, MacAlgorithm: "HMAC_SHA_256", Message: Buffer.from("x") }),
  );

const MAC = { Effect: "Allow", Action: "kms:GenerateMac" };

/** A function that throws an error with a name. */
const REFUSES = `exports.handler = async () => {
  throw Object.assign(new Error("code: detail"), { name: "RetryableRotationError" });
};`;

/** Proof of each gap by the server. */
const CONTRACTS: Record<EmbeddedAwsGapName, () => Promise<void>> = {
  "root-unchecked": async () => {
    const forged = { accessKeyId: ACCOUNT, secretAccessKey: "any other" };
    const identity = await client(STSClient, forged).send(new GetCallerIdentityCommand({}));
    expect(identity.Arn).toBe(`arn:aws:iam::${ACCOUNT}:root`);
  },

  "error-names": async () => {
    const functionArn = await loadFunction(
      { endpoint, credentials: root },
      {
        name: "refuses",
        region: REGION,
        roleArn: ROLE_ARN,
        zip: zipSync({ "index.js": strToU8(REFUSES) }),
        timeoutSeconds: 10,
        memoryMb: 128,
      },
    );
    const answer = await invokeFunction({ endpoint, credentials: root }, functionArn, {});
    expect(answer.payload).toMatchObject({ errorType: "Runtime.HandlerError", errorMessage: "code: detail" });
  },

  "task-answers": async () => {
    const answer = () =>
      client(SFNClient, session).send(new SendTaskFailureCommand({ taskToken: "of-no-task", error: "no" }));
    const ANSWER = { Effect: "Allow", Action: "states:SendTaskFailure" };
    await allowRole({ ...ANSWER, Resource: `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:*` });
    await expect(answer()).rejects.toThrow("not authorized");
    await allowRole({ ...ANSWER, Resource: "*" });
    await expect(answer()).rejects.not.toThrow("not authorized");
  },

  "metric-namespace-key": async () => {
    const write = () =>
      client(CloudWatchClient, session).send(
        new PutMetricDataCommand({ Namespace: "Ours", MetricData: [{ MetricName: "secrets", Value: 1 }] }),
      );
    const WRITE = { Effect: "Allow", Action: "cloudwatch:PutMetricData", Resource: "*" };
    await allowRole({ ...WRITE, Condition: { StringEquals: { "cloudwatch:namespace": "Ours" } } });
    await expect(write()).rejects.toThrow("not authorized");
    await allowRole(WRITE);
    await expect(write()).resolves.toBeDefined();
  },

  "batched-sends": async () => {
    const QueueUrl = `${endpoint}/${ACCOUNT}/batched`;
    await client(SQSClient).send(new CreateQueueCommand({ QueueName: "batched" }));
    const send = () =>
      client(SQSClient, session).send(
        new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: "0", MessageBody: "one" }] }),
      );
    await allowRole({ Effect: "Allow", Action: "sqs:SendMessage", Resource: "*" });
    await expect(send()).rejects.toThrow("not authorized");
    await allowRole({ Effect: "Allow", Action: ["sqs:SendMessage", "sqs:SendMessageBatch"], Resource: "*" });
    await expect(send()).resolves.toHaveProperty("Successful");
  },

  "key-alias-resource": async () => {
    const alias = "alias/by-alias";
    const keyArn = await newAuditKey(alias);
    const aliasArn = `arn:aws:kms:${REGION}:${ACCOUNT}:${alias}`;
    const Condition = { "ForAnyValue:StringEquals": { "kms:ResourceAliases": [alias] } };
    await allowRole({ ...MAC, Resource: keyArn });
    await expect(macAsRole(alias)).rejects.toThrow("not authorized");
    await expect(macAsRole(keyArn)).resolves.toHaveProperty("Mac");
    await allowRole({ ...MAC, Resource: keyArn, Condition });
    await expect(macAsRole(keyArn)).rejects.toThrow("not authorized");
    await allowRole({ ...MAC, Resource: aliasArn });
    await expect(macAsRole(alias)).resolves.toHaveProperty("KeyId", keyArn);
  },

  "web-identity-issuer-slash": async () => {
    const issuer = "northeurope.oic.prod-aks.azure.com/5a1d/77c0/";
    const slashed = await startClusterIssuer({ group, issuer: `https://${issuer}`, algorithm: "ES256" });
    const token = slashed.token({ ...pod, audienceForm: "text" });
    const trusting = (place: string) =>
      client(IAMClient).send(
        new UpdateAssumeRolePolicyCommand({
          RoleName: "slashed",
          PolicyDocument: JSON.stringify(trustIn(place)),
        }),
      );
    const trustIn = (place: string) => ({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/${place}` },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: { StringEquals: { [`${place}:aud`]: "sts.amazonaws.com" } },
        },
      ],
    });
    const { Role } = await client(IAMClient).send(
      new CreateRoleCommand({
        RoleName: "slashed",
        AssumeRolePolicyDocument: JSON.stringify(trustIn(issuer)),
      }),
    );
    const take = () =>
      client(STSClient).send(
        new AssumeRoleWithWebIdentityCommand({
          RoleArn: Role?.Arn,
          RoleSessionName: "pod",
          WebIdentityToken: token,
        }),
      );
    await expect(take()).rejects.toThrow("Not authorized");
    await trusting(issuer.replace(/\/$/, ""));
    await expect(take()).resolves.toHaveProperty("Credentials");
  },

  "mac-algorithm-key": async () => {
    const keyArn = await newAuditKey("alias/by-algorithm");
    const Condition = { StringEquals: { "kms:MacAlgorithm": "HMAC_SHA_256" } };
    await allowRole({ ...MAC, Resource: keyArn, Condition });
    await expect(macAsRole(keyArn)).rejects.toThrow("not authorized");
    await allowRole({ ...MAC, Resource: keyArn });
    await expect(macAsRole(keyArn)).resolves.toHaveProperty("Mac");
  },

  "replicas-at-creation": async () => {
    const name = await newSecret("replicas", { AddReplicaRegions: [{ Region: "eu-west-1" }] });
    const { ReplicationStatus } = await client(SecretsManagerClient).send(
      new DescribeSecretCommand({ SecretId: name }),
    );
    expect(ReplicationStatus ?? []).toEqual([]);
  },

  "empty-first-version": async () => {
    await client(SecretsManagerClient).send(new CreateSecretCommand({ Name: "empty" }));
    const read = await client(SecretsManagerClient).send(new GetSecretValueCommand({ SecretId: "empty" }));
    expect(read.VersionStages).toEqual(["AWSCURRENT"]);
    expect([read.SecretString, read.SecretBinary]).toEqual([undefined, undefined]);
  },

  "kms-not-asked": async () => {
    const { KeyMetadata } = await client(KMSClient).send(new CreateKeyCommand({}));
    const name = await newSecret("encrypted", { KmsKeyId: KeyMetadata?.Arn });
    await allowRole(READ, { Effect: "Deny", Action: "kms:*", Resource: "*" });
    expect(await readAsRole(name)).toMatchObject({ SecretString: "value" });
  },

  "encryption-context-key": async () => {
    const { KeyMetadata } = await client(KMSClient).send(new CreateKeyCommand({}));
    const Condition = { StringEquals: { "kms:EncryptionContext:SecretARN": "arn" } };
    const encrypt = () =>
      client(KMSClient, session).send(
        new EncryptCommand({
          KeyId: KeyMetadata?.Arn,
          Plaintext: Buffer.from("x"),
          EncryptionContext: { SecretARN: "arn" },
        }),
      );
    await allowRole({ Effect: "Allow", Action: "kms:Encrypt", Resource: "*" });
    await expect(encrypt()).resolves.toHaveProperty("CiphertextBlob");
    await allowRole({ Effect: "Allow", Action: "kms:Encrypt", Resource: "*", Condition });
    await expect(encrypt()).rejects.toThrow("not authorized");
    await allowRole(
      { Effect: "Allow", Action: "kms:Encrypt", Resource: "*" },
      { Effect: "Deny", Action: "kms:Encrypt", Resource: "*", Condition },
    );
    await expect(encrypt()).resolves.toHaveProperty("CiphertextBlob");
  },

  "resource-tag-key": async () => {
    const name = await newSecret("tagged", { Tags: [{ Key: "team", Value: "payments" }] });
    const Condition = { StringEquals: { "secretsmanager:ResourceTag/team": "payments" } };
    await allowRole({ ...READ, Condition });
    await expect(readAsRole(name)).rejects.toThrow("not authorized");
    await allowRole(READ, { ...READ, Effect: "Deny", Condition });
    await expect(readAsRole(name)).resolves.toHaveProperty("SecretString");
  },

  "web-identity-token-unverified": async () => {
    // No OIDC provider exists, the token has expired, and its signature is another token's.
    const token = cluster.token({ ...pod, audienceForm: "text", ttlSeconds: -60 });
    const [header, claims] = token.split(".");
    const [, , signature] = cluster.token({ ...pod, serviceAccount: "celery" }).split(".");
    await expect(assumeWith(`${header}.${claims}.${signature}`)).resolves.toHaveProperty("Credentials");
  },

  "web-identity-audience-list": async () => {
    await expect(assumeWith(cluster.token(pod))).rejects.toThrow("Not authorized");
    await expect(assumeWith(cluster.token({ ...pod, audienceForm: "text" }))).resolves.toHaveProperty(
      "Credentials",
    );
  },
};

test.each(Object.keys(EMBEDDED_AWS_GAPS) as EmbeddedAwsGapName[])(
  "the embedded AWS still has the gap %s",
  (name) => CONTRACTS[name](),
);

describe("of the condition keys that it is taught", () => {
  /** `true` where a policy lets a role read a secret that has one version AWSCURRENT and one AWSPENDING. */
  async function reads(at: string, statements: readonly object[], request: object): Promise<boolean> {
    const made = { endpoint: at, credentials: root, region: REGION, maxAttempts: 1 };
    const SecretId = `dev/taught-${randomUUID()}`;
    const asRoot = new SecretsManagerClient(made);
    await asRoot.send(new CreateSecretCommand({ Name: SecretId, SecretString: "current" }));
    await asRoot.send(
      new PutSecretValueCommand({ SecretId, SecretString: "pending", VersionStages: ["AWSPENDING"] }),
    );
    const iam = new IAMClient(made);
    const RoleName = `taught-${randomUUID().slice(0, 8)}`;
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName,
        Path: "/registry/dev/",
        AssumeRolePolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [
            { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "sts:AssumeRole" },
          ],
        }),
      }),
    );
    const Statement = JSON.parse(
      JSON.stringify([READ, ...statements]).replaceAll("ROLE_ARN", Role?.Arn ?? ""),
    );
    await iam.send(
      new PutRolePolicyCommand({
        RoleName,
        PolicyName: "reads",
        PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement }),
      }),
    );
    const { Credentials: issued } = await new STSClient(made).send(
      new AssumeRoleCommand({ RoleArn: Role?.Arn ?? "", RoleSessionName: "pod" }),
    );
    const credentials = {
      accessKeyId: issued?.AccessKeyId ?? "",
      secretAccessKey: issued?.SecretAccessKey ?? "",
      sessionToken: issued?.SessionToken ?? "",
    };
    return new SecretsManagerClient({ ...made, credentials })
      .send(new GetSecretValueCommand({ SecretId, ...request }))
      .then(
        () => true,
        (error: Error) => {
          if (!/explicit deny/.test(error.message)) throw error;
          return false;
        },
      );
  }

  const deny = (Condition: object) => [{ ...READ, Effect: "Deny", Condition }];
  const pending = { VersionStage: "AWSPENDING" };

  /** A denial, a request, and whether the request passes it as the server comes, and as AWS has it. */
  const CASES: Readonly<
    Record<TaughtConditionKeyName, readonly [denial: object, request: object, comes: boolean, aws: boolean][]>
  > = {
    "aws:PrincipalArn": [[{ ArnNotLike: { "aws:PrincipalArn": ["ROLE_ARN"] } }, {}, false, true]],
    "secretsmanager:VersionStage": [
      [{ StringEquals: { "secretsmanager:VersionStage": "AWSPENDING" } }, pending, true, false],
      [{ Null: { "secretsmanager:VersionStage": "true" } }, pending, false, true],
      [{ Null: { "secretsmanager:VersionStage": "true" } }, {}, false, false],
    ],
    "secretsmanager:VersionId": [
      [{ Null: { "secretsmanager:VersionId": "false" } }, { VersionId: "0" }, true, false],
      [{ Null: { "secretsmanager:VersionId": "false" } }, {}, true, true],
    ],
  };
  let asItComes: string;

  beforeAll(async () => {
    asItComes = (await startEmbeddedAws({ group, asItComes: true })).endpoint;
  }, 300_000);

  test.each(Object.keys(TAUGHT_CONDITION_KEYS) as TaughtConditionKeyName[])(
    "%s is still not AWS's in the server as it comes, and is in ours",
    async (name) => {
      for (const [denial, request, comes, aws] of CASES[name]) {
        const outcome = async (at: string) =>
          reads(at, deny(denial), request).catch((error: Error) => {
            // Passed the policy: there is no such version.
            if (/ResourceNotFound/.test(error.name)) return true;
            throw error;
          });
        expect([denial, request, await outcome(asItComes)]).toEqual([denial, request, comes]);
        expect([denial, request, await outcome(endpoint)]).toEqual([denial, request, aws]);
      }
    },
    60_000,
  );
});

/** Behaviour that the workarounds lean on. */
describe("the embedded AWS does enforce", () => {
  test.each([
    ["audience", { audience: "vault-dev" }],
    ["subject", { serviceAccount: "celery" }],
    ["subject's namespace", { namespace: "kube-system" }],
  ])("a web identity's %s", async (_what, change) => {
    await expect(assumeWith(cluster.token({ ...pod, audienceForm: "text", ...change }))).rejects.toThrow(
      "Not authorized",
    );
  });

  test("a web identity's issuer", async () => {
    const stranger = await startClusterIssuer({ group, issuer: "https://example.com", algorithm: "ES256" });
    await expect(assumeWith(stranger.token({ ...pod, audienceForm: "text" }))).rejects.toThrow(
      "Not authorized",
    );
  });

  test("the signature of a role's request", async () => {
    const forged = { ...session, secretAccessKey: "wrong" };
    await expect(client(STSClient, forged).send(new GetCallerIdentityCommand({}))).rejects.toThrow(
      "signature",
    );
  });

  test("that a role reads what it may read only, replicas included", async () => {
    for (const name of ["dev/a", "dev/b"]) {
      await createReplicatedSecret(client(SecretsManagerClient), {
        Name: name,
        SecretString: "value",
        AddReplicaRegions: [{ Region: "eu-west-1" }, { Region: "us-east-1" }],
      });
    }
    await allowRole({
      ...READ,
      Resource: `arn:aws:secretsmanager:*:${ACCOUNT}:secret:dev/a-??????`,
      Condition: { StringEquals: { "aws:RequestedRegion": [REGION, "eu-west-1"] } },
    });
    const read = (SecretId: string, region: string) =>
      client(SecretsManagerClient, session, region).send(new GetSecretValueCommand({ SecretId }));
    await expect(read("dev/a", REGION)).resolves.toHaveProperty("SecretString", "value");
    await expect(read("dev/a", "eu-west-1")).resolves.toHaveProperty("SecretString", "value");
    await expect(read("dev/a", "us-east-1")).rejects.toThrow("not authorized");
    await expect(read("dev/b", REGION)).rejects.toThrow("not authorized");
  });
});
