import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { PolicyDocument } from "../../lib/model";
import { systemRandom } from "../../lib/rotation/adapters/system";
import { splitSettings } from "../../lib/rotation/protocol/settings-in-effect";
import type { PublishedTarget } from "../../lib/rotation/protocol/target";
import { hmacKeyTarget } from "../../lib/rotation/targets/hmac-key";
import { jwtSigningKeyTarget } from "../../lib/rotation/targets/jwt-signing-key";
import {
  allowSecretsManager,
  createSecretTable,
  invokeFunction,
  loadFunction,
} from "../../packages/rehearsal/src/load";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../packages/rehearsal/src/servers";
import {
  type AwsShim,
  type CallRecord,
  type InjectedFault,
  type RotationResult,
  startAwsShim,
  usedRights,
} from "../../packages/rehearsal/src/shim";
import { functionZip } from "./function-bundle";

const ACCOUNT = "111122223333";
const REGION = "eu-central-1";
const TABLE = "registry-dev-publications";
const AUDIT = "alias/registry-dev-audit";
let auditKeyArn = "";
/** Longer ago than any wait of the secrets here. */
const LONG_AGO = "2020-01-01T00:00:00.000Z";

let group: ServerGroup;
let aws: EmbeddedAws;
let shim: AwsShim;

const throughShim = () => ({ endpoint: shim.endpoint, credentials: aws.rootCredentials(ACCOUNT) });
const settings = () => ({ ...throughShim(), region: REGION, maxAttempts: 1 });
/** Past the shim, so that what the test looks at is not among the calls. */
const past = () => new SecretsManagerClient({ ...settings(), endpoint: aws.endpoint });

beforeAll(async () => {
  group = ServerGroup.open();
  aws = await startEmbeddedAws({ group });
  shim = await startAwsShim({ upstream: aws, group });
  await createSecretTable(new DynamoDBClient(settings()), TABLE, "version");
  const kms = new KMSClient(settings());
  const { KeyMetadata: key } = await kms.send(
    new CreateKeyCommand({ KeyUsage: "GENERATE_VERIFY_MAC", KeySpec: "HMAC_256" }),
  );
  auditKeyArn = key?.Arn ?? "";
  await kms.send(new CreateAliasCommand({ AliasName: AUDIT, TargetKeyId: key?.KeyId }));
}, 300_000);

afterAll(() => group?.stop());

type Kind = "hmac-key" | "jwt-signing-key";

type Judge = (value: unknown, predecessor: unknown) => Promise<void>;

/** Judges a value: it works, and succeeds the one before it. */
const judgeBy =
  <V>(target: PublishedTarget<V>): Judge =>
  async (value, predecessor) => {
    const parse = (stored: unknown) => target.schema.parse(splitSettings(stored).value);
    const parsed = parse(value);
    await target.test(parsed);
    if (predecessor !== undefined) target.checkSuccession(parsed, parse(predecessor));
  };

const HMAC = { algorithm: "sha256", bytes: 32, tolerance: { seconds: 300 } } as const;
const JWT = {
  algorithm: "ES256",
  firstKey: "generated",
  tokenLifetime: { seconds: 3_600 },
  clockSkew: { seconds: 60 },
  verifierCache: { seconds: 600 },
} as const;

/** Settings of the kinds, and who judges their values. */
const KINDS = {
  "hmac-key": {
    settings: HMAC,
    judge: judgeBy(hmacKeyTarget({ settings: HMAC, mode: "automatic", random: systemRandom })),
  },
  "jwt-signing-key": {
    settings: JWT,
    judge: judgeBy(jwtSigningKeyTarget({ settings: JWT, mode: "automatic" })),
  },
};

/** A kind's function with a role of its own and one secret. */
class Rehearsal {
  private constructor(
    readonly secretName: string,
    readonly roleArn: string,
    readonly functionArn: string,
    readonly policy: PolicyDocument,
    private readonly judge: Judge,
  ) {}

  static async load(kind: Kind): Promise<Rehearsal> {
    const { settings: kindSettings, judge } = KINDS[kind];
    const secretName = `dev/${kind}/one`;
    const { KeyMetadata: key } = await new KMSClient(settings()).send(new CreateKeyCommand({}));
    const policy = policyOf(secretName, key?.Arn ?? "");
    const roleArn = `arn:aws:iam::${ACCOUNT}:role/registry/dev/${kind}`;
    await new IAMClient(settings()).send(
      new CreateRoleCommand({
        RoleName: kind,
        Path: "/registry/dev/",
        AssumeRolePolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Principal: { Service: "lambda.amazonaws.com" },
              Action: "sts:AssumeRole",
            },
          ],
        }),
      }),
    );
    const functionArn = await loadFunction(throughShim(), {
      name: kind,
      region: REGION,
      roleArn,
      zip: await functionZip(kind, {
        environment: "dev",
        region: REGION,
        publicationsTable: TABLE,
        auditKeyAlias: AUDIT,
        secrets: {
          [secretName]: {
            settings: kindSettings,
            rotation: "automatic",
            acceptedBy: "own-workloads",
            overlap: { seconds: 60 },
            publishLead: { seconds: 60 },
          },
        },
      }),
      timeoutSeconds: 30,
      memoryMb: 256,
    });
    await allowSecretsManager(throughShim(), functionArn);
    await new SecretsManagerClient(settings()).send(
      new CreateSecretCommand({ Name: secretName, KmsKeyId: key?.Arn }),
    );
    const rehearsal = new Rehearsal(secretName, roleArn, functionArn, policy, judge);
    await rehearsal.allow(policy);
    return rehearsal;
  }

  async allow(policy: PolicyDocument): Promise<void> {
    await new IAMClient(settings()).send(
      new PutRolePolicyCommand({
        RoleName: this.roleArn.split("/").at(-1),
        PolicyName: "rotation",
        PolicyDocument: JSON.stringify(policy),
      }),
    );
  }

  /** RotateSecret, to its end. */
  async rotate(): Promise<RotationResult> {
    await this.startRotation();
    return shim.rotations.settled(this.secretName);
  }

  startRotation() {
    return new SecretsManagerClient(settings()).send(
      new RotateSecretCommand({
        SecretId: this.secretName,
        RotationLambdaARN: this.functionArn,
        RotationRules: { ScheduleExpression: "rate(30 days)" },
      }),
    );
  }

  /** Confirms as the mirror does when the last Vault has the current version; here so long ago that no wait is left. */
  async confirm(): Promise<void> {
    const { VersionId = "" } = await this.current();
    await new DynamoDBClient(settings()).send(
      new PutItemCommand({
        TableName: TABLE,
        Item: { secret: { S: this.secretName }, version: { S: VersionId }, confirmedAt: { S: LONG_AGO } },
      }),
    );
  }

  current() {
    return past().send(new GetSecretValueCommand({ SecretId: this.secretName }));
  }

  async labels(): Promise<Readonly<Record<string, readonly string[]>>> {
    const { VersionIdsToStages = {} } = await past().send(
      new DescribeSecretCommand({ SecretId: this.secretName }),
    );
    return VersionIdsToStages;
  }

  async holderOf(label: string): Promise<string | undefined> {
    return Object.entries(await this.labels()).find(([, labels]) => labels.includes(label))?.[0];
  }

  /**
   * Reads AWSCURRENT all the time while something happens: it is always there, it works, and each value succeeds
   * the one before it.
   *
   * @returns the number of reads
   */
  async probeDuring(work: () => Promise<void>): Promise<number> {
    let isDone = false;
    const end = work().finally(() => {
      isDone = true;
    });
    let reads = 0;
    let seen: { readonly id: string | undefined; readonly value: unknown } | undefined;
    while (!isDone) {
      const { VersionId: id, SecretString = "" } = await this.current();
      const value = JSON.parse(SecretString);
      if (id !== seen?.id) await this.judge(value, seen?.value);
      seen = { id, value };
      reads += 1;
      await sleep(20);
    }
    await end;
    return reads;
  }

  calls(): readonly CallRecord[] {
    return shim.calls.by(this.roleArn);
  }

  /** Orders a fault for every call of the function when it is made first; the SDK makes it again. */
  faultAtEveryFirstTry(fault: InjectedFault): { readonly count: number } {
    let tries = 0;
    const isFirst = () => ++tries % 2 === 1;
    shim.faults.on(
      ({ caller }) => caller?.functionArn === this.functionArn && isFirst(),
      fault,
      Number.POSITIVE_INFINITY,
    );
    return {
      get count() {
        return Math.ceil(tries / 2);
      },
    };
  }

  /** Orders a fault for one call of the function, counted from 1 from now on. */
  faultAt(call: number, fault: InjectedFault) {
    let calls = 0;
    return shim.faults.on(
      ({ caller }) => caller?.functionArn === this.functionArn && ++calls === call,
      fault,
    );
  }
}

const policyOf = (secretName: string, keyArn: string): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: [
    {
      Sid: "Rotate",
      Effect: "Allow",
      Action: [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
      ],
      Resource: [`arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${secretName}-??????`],
    },
    {
      Sid: "Publications",
      Effect: "Allow",
      Action: ["dynamodb:GetItem"],
      Resource: [`arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${TABLE}`],
    },
    {
      Sid: "Key",
      Effect: "Allow",
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: [keyArn],
      Condition: {
        StringEquals: { "kms:ViaService": [`secretsmanager.${REGION}.amazonaws.com`] },
        StringLike: {
          "kms:EncryptionContext:SecretARN": [
            `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${secretName}-??????`,
          ],
        },
      },
    },
    {
      Sid: "Proofs",
      Effect: "Allow",
      Action: ["kms:GenerateMac"],
      // A call that names the key by its alias is judged by the alias here (see the gap `key-alias-resource`), and in the
      // table by the key.
      Resource: [`arn:aws:kms:${REGION}:${ACCOUNT}:${AUDIT}`, auditKeyArn],
    },
    {
      Sid: "Log",
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: [`arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/lambda/registry-dev:*`],
    },
  ],
});

/** A policy that has lost an action. */
const without = (policy: PolicyDocument, action: string): PolicyDocument => ({
  ...policy,
  Statement: policy.Statement.map((statement) => ({
    ...statement,
    Action: statement.Action.filter((candidate) => candidate !== action),
  })).filter(({ Action }) => Action.length > 0),
});

const print = (line: string) => process.stdout.write(`${line}\n`);

describe.each(["hmac-key", "jwt-signing-key"] as const)("the %s function in the embedded AWS", (kind) => {
  let rehearsal: Rehearsal;

  beforeAll(async () => {
    rehearsal = await Rehearsal.load(kind);
  }, 60_000);

  afterEach(() => shim.faults.clear());

  test("rotates an empty secret, and ten times more", async () => {
    for (let round = 0; round <= 10; round += 1) {
      expect(await rehearsal.rotate()).toMatchObject({ outcome: "succeeded", attempts: 1, failures: [] });
      await rehearsal.confirm();
    }
    expect(
      Object.values(await rehearsal.labels())
        .flat()
        .sort(),
    ).toEqual(["AWSCURRENT", "AWSPREVIOUS", expect.stringMatching(/^VERIFIED\.[0-9a-f]{64}$/)]);
  }, 60_000);

  test.each(["verify", "promote", "rollback", "decommission"])(
    "takes no phase %s without a run",
    async (Phase) => {
      const current = await rehearsal.holderOf("AWSCURRENT");
      const VersionId = await rehearsal.holderOf(Phase === "decommission" ? "AWSPREVIOUS" : "AWSCURRENT");
      const event = {
        Phase,
        SecretId: rehearsal.secretName,
        VersionId,
        RunId: "no-such-run",
        Emergency: true,
      };
      const answer = await invokeFunction(throughShim(), rehearsal.functionArn, event);
      expect(answer).toMatchObject({
        functionError: expect.any(String),
        payload: { errorMessage: expect.stringMatching(/^run-missing: /) },
      });
      expect(await rehearsal.holderOf("AWSCURRENT")).toBe(current);
    },
  );

  test("dies at each of its calls, before and after it, and the service's retry converges", async () => {
    let points = 0;
    const reads = await rehearsal.probeDuring(async () => {
      for (let call = 1, isReached = true; isReached; call += 1) {
        for (const when of ["before", "after"] as const) {
          await rehearsal.confirm();
          const order = rehearsal.faultAt(call, { kind: "kill", when });
          const { outcome, attempts, failures, versionId } = await rehearsal.rotate();
          isReached = order.spent;
          order.withdraw();
          expect({ call, when, outcome, attempts }).toEqual({
            call,
            when,
            outcome: "succeeded",
            attempts: isReached ? 2 : 1,
          });
          expect(failures.map(({ errorMessage }) => errorMessage)).toEqual(
            isReached ? ["Worker process died"] : [],
          );
          expect(await rehearsal.holderOf("AWSCURRENT")).toBe(versionId);
          expect(await rehearsal.holderOf("AWSPENDING")).toBeUndefined();
          points += isReached ? 1 : 0;
        }
      }
    });
    print(`${kind}: killed at ${points} points; ${reads} reads of AWSCURRENT meanwhile, all good`);
    expect(points).toBeGreaterThan(20);
  }, 300_000);

  test("gets over throttling at each of its calls by the SDK's retry", async () => {
    await rehearsal.confirm();
    const faults = rehearsal.faultAtEveryFirstTry({ kind: "throttle" });
    expect(await rehearsal.rotate()).toMatchObject({ outcome: "succeeded", attempts: 1, failures: [] });
    print(`${kind}: throttled at ${faults.count} calls`);
    expect(faults.count).toBeGreaterThan(10);
  }, 60_000);

  test("gets over a lost response at each of its calls", async () => {
    await rehearsal.confirm();
    const faults = rehearsal.faultAtEveryFirstTry({ kind: "lost-response" });
    const { outcome, failures } = await rehearsal.rotate();
    expect(outcome).toBe("succeeded");
    print(`${kind}: lost the responses of ${faults.count} calls`);
    expect(faults.count).toBeGreaterThan(10);
    // The SDK repeats a label's move that was made, and AWS says that the label is not where it was; the function
    // looks, and finds it where it shall be.
    expect(failures).toEqual([]);
  }, 60_000);

  test("used all its rights, and lacked none", () => {
    const { rights, unused, missing } = usedRights([rehearsal.policy], rehearsal.calls());
    print(`${kind}: rights of ${rehearsal.roleArn}`);
    for (const { sid, action, uses, proof } of rights) {
      print(`  ${sid.padEnd(14)}${action.padEnd(42)}${String(uses).padStart(6)}  ${proof}`);
    }
    expect(unused).toEqual([]);
    expect(missing).toEqual([]);
  });

  test("says that it is throttled when AWS stays busy, and the next attempt succeeds", async () => {
    await rehearsal.confirm();
    shim.faults.on(({ action }) => action === "secretsmanager:DescribeSecret", { kind: "throttle" }, 3);
    const { outcome, failures } = await rehearsal.rotate();
    expect(outcome).toBe("succeeded");
    expect(failures).toMatchObject([{ step: "createSecret", attempt: 1 }]);
    expect(failures[0]?.errorMessage).toMatch(/^throttled: /);
  }, 60_000);

  test("makes one value when it is called twice at once", async () => {
    await rehearsal.confirm();
    const token = randomUUID();
    // What RotateSecret does before it calls the function.
    await past().send(
      new PutSecretValueCommand({
        SecretId: rehearsal.secretName,
        ClientRequestToken: token,
        VersionStages: ["AWSPENDING"],
      }),
    );
    // Both have made a value before either is stored.
    shim.faults.on(
      ({ action }) => action === "secretsmanager:PutSecretValue",
      { kind: "delay", milliseconds: 4_000 },
      2,
    );
    const event = { Step: "createSecret", SecretId: rehearsal.secretName, ClientRequestToken: token };
    const answers = await Promise.all(
      [1, 2].map(() => invokeFunction(throughShim(), rehearsal.functionArn, event)),
    );
    expect(answers.map(({ functionError }) => functionError)).toEqual([undefined, undefined]);
    expect(answers.map(({ payload }) => payload)).toEqual(
      expect.arrayContaining([
        { result: "done", versionId: token },
        { result: "already-done", versionId: token },
      ]),
    );
    const puts = rehearsal.calls().filter((record) => record.action === "secretsmanager:PutSecretValue");
    expect(puts.slice(-2).map(({ outcome }) => outcome)).toEqual(["allowed", "ResourceExistsException"]);
    await expect(rehearsal.startRotation()).rejects.toThrow("A previous rotation isn't complete");
    expect(await shim.rotations.settled(rehearsal.secretName)).toMatchObject({
      outcome: "succeeded",
      versionId: token,
    });
  }, 60_000);

  test.each([
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
    "dynamodb:GetItem",
  ])(
    "says that it lacks %s, and goes on when it has it",
    async (action) => {
      await rehearsal.confirm();
      const current = await rehearsal.holderOf("AWSCURRENT");
      const reduced = without(rehearsal.policy, action);
      await rehearsal.allow(reduced);
      shim.calls.clear();
      const { outcome, failures } = await rehearsal.rotate();
      expect(outcome).toBe("failed");
      expect(failures.map(({ errorMessage }) => errorMessage)).toEqual(
        Array(3).fill(expect.stringContaining(`access-denied: ${action}`)),
      );
      expect(usedRights([reduced], rehearsal.calls()).missing).toMatchObject([{ action, calls: 3 }]);
      expect(await rehearsal.holderOf("AWSCURRENT")).toBe(current);

      await rehearsal.allow(rehearsal.policy);
      await expect(rehearsal.startRotation()).rejects.toThrow("A previous rotation isn't complete");
      expect((await shim.rotations.settled(rehearsal.secretName)).outcome).toBe("succeeded");
    },
    60_000,
  );
});
