import { CreateAliasCommand, CreateKeyCommand } from "@aws-sdk/client-kms";
import {
  CreateSecretCommand,
  DeleteResourcePolicyCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
  ReplicateSecretToRegionsCommand,
  RotateSecretCommand,
  type SecretsManagerClient,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { type AwsSecretPlan, blueprint, rotates } from "../../lib/blueprint";
import { KmsVersionProofs } from "../../lib/rotation/adapters/later/kms-version-proofs";
import { SecretsManagerLook } from "../../lib/rotation/adapters/secrets-manager-look";
import {
  type AwsAccess,
  kms,
  loadAwsAccount,
  secretsManager,
  takeHumanRole,
} from "../../packages/rehearsal/src/load";
import { ServerGroup, startEmbeddedAws } from "../../packages/rehearsal/src/servers";
import { startAwsShim } from "../../packages/rehearsal/src/shim";
import { registry } from "../../registry";
import { ALL_RIGHTS, generatedValue } from "./rehearsed-environment";

const plan = blueprint(registry, "prod");
const region = plan.regions.primary;
const STRIPE = "payments/stripe";
const FORGED = `VERIFIED.${"0".repeat(64)}`;

const secretOf = (key: string): AwsSecretPlan => {
  const found = plan.secrets.find((secret) => secret.key === key);
  if (found?.store !== "aws") throw new Error(`no ${key}`);
  return found;
};
const stripe = secretOf(STRIPE);
const paypal = secretOf("payments/paypal");
const inbox = stripe.inbox?.name ?? "";
const supplied = plan.secrets.filter(
  (secret): secret is AwsSecretPlan => secret.store === "aws" && secret.inbox !== undefined,
);
const roleOf = (wanted: string): string => {
  const found = plan.functions.find(({ name, bundle }) => name === wanted || bundle === wanted);
  if (found === undefined) throw new Error(`no ${wanted}`);
  return found.role.arn;
};

let group: ServerGroup;
let root: AwsAccess;
let as: Readonly<
  Record<
    "operator" | "deployer" | "breakGlass" | "itsFunction" | "otherFunction" | "mirror" | "consumer",
    SecretsManagerClient
  >
>;
let current = "";

beforeAll(async () => {
  group = ServerGroup.open();
  const aws = await startEmbeddedAws({ group });
  const shim = await startAwsShim({ upstream: aws, group });
  root = { endpoint: shim.endpoint, credentials: aws.rootCredentials(plan.account) };
  // With every right of its own, so that what is refused is the secrets' doing.
  const take = async (arn = "") =>
    secretsManager(
      { endpoint: shim.endpoint, credentials: await takeHumanRole(root, plan, { arn, policy: ALL_RIGHTS }) },
      region,
    );
  const deployer = await takeHumanRole(root, plan, { arn: plan.principals.deployer, policy: ALL_RIGHTS });
  await loadAwsAccount({ endpoint: shim.endpoint, credentials: deployer }, { ...plan, workloads: [] });
  const other = plan.functions.filter(rotates).find(({ name }) => name !== stripe.rotatedBy);
  as = {
    operator: await take(plan.principals.operators[0]),
    deployer: secretsManager({ endpoint: shim.endpoint, credentials: deployer }, region),
    breakGlass: await take(plan.principals.breakGlass[0]),
    itsFunction: await take(roleOf(stripe.rotatedBy ?? "")),
    otherFunction: await take(other?.role.arn),
    mirror: await take(roleOf("mirror")),
    consumer: await take(plan.workloads.find(({ secrets }) => secrets.includes(STRIPE))?.role.arn),
  };
  const { VersionId = "" } = await as.itsFunction.send(
    new PutSecretValueCommand({
      SecretId: stripe.name,
      SecretString: JSON.stringify(generatedValue(stripe)),
    }),
  );
  current = VersionId;
}, 300_000);

afterAll(() => group?.stop());

const outcome = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "allowed",
    (failure: Error) => (failure.name === "AccessDeniedException" ? "refused" : failure.name),
  );
const value = () => JSON.stringify({ ...generatedValue(stripe), by: "an attacker" });

const put = (SecretId: string, VersionStages?: string[]) => (client: SecretsManagerClient) =>
  outcome(
    client.send(
      new PutSecretValueCommand({
        SecretId,
        SecretString: value(),
        ...(VersionStages === undefined ? {} : { VersionStages }),
      }),
    ),
  );
const label = (SecretId: string, VersionStage: string) => (client: SecretsManagerClient) =>
  outcome(
    client.send(new UpdateSecretVersionStageCommand({ SecretId, VersionStage, MoveToVersionId: current })),
  );
const update = (SecretId: string) => (client: SecretsManagerClient) =>
  outcome(client.send(new UpdateSecretCommand({ SecretId, SecretString: value() })));
const read =
  (SecretId: string, version: object = {}) =>
  (client: SecretsManagerClient) =>
    outcome(client.send(new GetSecretValueCommand({ SecretId, ...version })));

/** Ways to bring a value into pods past every test. */
const WRITES: readonly [string, (client: SecretsManagerClient) => Promise<string>][] = [
  ["a value, which moves AWSCURRENT at once", put(stripe.name)],
  ["a value that is current and says it is verified", put(stripe.name, ["AWSCURRENT", "VERIFIED"])],
  ["a value with what looks like a proof", put(stripe.name, ["AWSCURRENT", FORGED])],
  ["a value that waits", put(stripe.name, ["AWSPENDING"])],
  ["a value with a label of nobody", put(stripe.name, ["PROBE"])],
  ["a label that looks like a proof", label(stripe.name, FORGED)],
  ["AWSPENDING to the current version", label(stripe.name, "AWSPENDING")],
  ["a value by UpdateSecret", update(stripe.name)],
];

describe("a secret is written by its rotation function", () => {
  test.each(WRITES)("the operator brings %s: refused", async (_, attempt) => {
    const before = await as.itsFunction.send(new DescribeSecretCommand({ SecretId: stripe.name }));
    expect(await attempt(as.operator)).toBe("refused");
    const after = await as.itsFunction.send(new DescribeSecretCommand({ SecretId: stripe.name }));
    expect(after.VersionIdsToStages).toEqual(before.VersionIdsToStages);
  });

  test.each(["mirror", "otherFunction", "consumer"] as const)("%s brings any of it: refused", async (who) => {
    for (const [what, attempt] of WRITES) expect([what, await attempt(as[who])]).toEqual([what, "refused"]);
  });

  test("the deployer writes no value and no label, and may change what Terraform owns", async () => {
    const calls = WRITES.filter(([what]) => !what.endsWith("UpdateSecret"));
    for (const [what, attempt] of calls)
      expect([what, await attempt(as.deployer)]).toEqual([what, "refused"]);
    const change = new UpdateSecretCommand({ SecretId: stripe.name, Description: "another one" });
    expect(await outcome(as.deployer.send(change))).toBe("allowed");
  });

  test("no operator writes any secret of the environment", async () => {
    for (const secret of plan.secrets) {
      if (secret.store !== "aws") continue;
      expect([secret.key, await put(secret.name)(as.operator)]).toEqual([secret.key, "refused"]);
    }
  });
});

describe("what people supply goes into an inbox", () => {
  test("which is there for every secret whose value they supply", () => {
    expect(supplied.map(({ key }) => key)).toEqual(
      registry
        .secretsIn("prod")
        .filter(({ rotation, kind }) => rotation === "operator-assisted" && kind !== "postgresql-user")
        .map(({ key }) => key),
    );
    expect(supplied.length).toBeGreaterThan(2);
  });

  test("which they write and cannot read, not even what they have put, and whose labels they do not move", async () => {
    const { VersionId } = await as.operator.send(
      new PutSecretValueCommand({ SecretId: inbox, SecretString: value() }),
    );
    for (const version of [{}, { VersionId }, { VersionStage: "AWSPREVIOUS" }])
      expect(await read(inbox, version)(as.operator)).toBe("refused");
    expect(await label(inbox, "MINE")(as.operator)).toBe("refused");
    expect(await update(inbox)(as.operator)).toBe("refused");
    expect(await read(inbox, { VersionId })(as.itsFunction)).toBe("allowed");
  });

  test("which takes another value under a version's id from nobody, so that a run is about what was supplied for it", async () => {
    const supply = (SecretString: string) =>
      outcome(
        as.operator.send(
          new PutSecretValueCommand({ SecretId: inbox, ClientRequestToken: current, SecretString }),
        ),
      );
    expect(await supply(value())).toBe("allowed");
    expect(await supply(JSON.stringify({ by: "somebody else" }))).toBe("ResourceExistsException");
  });

  test.each(["mirror", "otherFunction", "consumer", "deployer"] as const)(
    "which %s neither reads nor writes",
    async (who) => {
      await as.operator.send(new PutSecretValueCommand({ SecretId: inbox, SecretString: value() }));
      expect([await read(inbox)(as[who]), await put(inbox)(as[who])]).toEqual(["refused", "refused"]);
    },
  );

  test.each(["operator", "deployer", "breakGlass", "itsFunction", "consumer"] as const)(
    "which %s does not have rotated",
    async (who) => {
      // One whose function cannot be called is refused as well, so none is named: that would be another fault.
      const rotation = new RotateSecretCommand({ SecretId: inbox });
      expect(await outcome(as[who].send(rotation))).toBe("refused");
    },
  );

  test.each(["operator", "itsFunction", "mirror", "consumer"] as const)(
    "whose protection and copies %s does not touch",
    async (who) => {
      const SecretId = inbox;
      const AddReplicaRegions = [{ Region: "us-east-1" }];
      for (const command of [
        new PutResourcePolicyCommand({ SecretId, ResourcePolicy: '{"Version":"2012-10-17","Statement":[]}' }),
        new DeleteResourcePolicyCommand({ SecretId }),
        new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }),
        new ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions }),
      ])
        expect([command.constructor.name, await outcome(as[who].send(command as never))]).toEqual([
          command.constructor.name,
          "refused",
        ]);
    },
  );

  test("which break-glass may write, and nobody but the function reads", async () => {
    expect([await put(inbox)(as.breakGlass), await read(inbox)(as.breakGlass)]).toEqual([
      "allowed",
      "refused",
    ]);
  });
});

describe("nobody who supplies values reads live ones", () => {
  test.each<[string, object]>([
    ["the current one", {}],
    ["the one before", { VersionStage: "AWSPREVIOUS" }],
    ["one that waits", { VersionStage: "AWSPENDING" }],
  ])("an operator reads %s: refused", async (_, version) => {
    for (const secret of plan.secrets) {
      if (secret.store !== "aws") continue;
      expect([secret.key, await read(secret.name, version)(as.operator)]).toEqual([secret.key, "refused"]);
    }
  });

  test("by its version: refused", async () => {
    expect(await read(stripe.name, { VersionId: current })(as.operator)).toBe("refused");
    expect(await read(stripe.name)(as.consumer)).toBe("allowed");
  });
});

describe("what break-glass puts past every test", () => {
  let proofs: KmsVersionProofs;
  const look = () => new SecretsManagerLook(secretsManager(root, region), proofs).look(paypal.name);

  beforeAll(async () => {
    const AliasName = plan.procedure?.auditKey.alias ?? "";
    const client = kms(root, region);
    const { KeyMetadata } = await client.send(
      new CreateKeyCommand({ KeyUsage: "GENERATE_VERIFY_MAC", KeySpec: "HMAC_256" }),
    );
    await client.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyMetadata?.KeyId }));
    proofs = new KmsVersionProofs(client, AliasName);
  });

  test.each<[string, string[] | undefined]>([
    ["a value, which moves AWSCURRENT at once", undefined],
    ["a value that says it is verified", ["AWSCURRENT", "VERIFIED"]],
    ["a value with what looks like a proof", ["AWSCURRENT", FORGED]],
  ])("is seen by the watcher: %s", async (_, stages) => {
    expect(await put(paypal.name, stages)(as.breakGlass)).toBe("allowed");
    expect(await look()).toMatchObject({ currentSince: expect.any(Date), verified: undefined });
  });

  test("and what its function has proved is not", async () => {
    const { VersionId = "", ARN = "" } = await as.breakGlass.send(
      new PutSecretValueCommand({ SecretId: paypal.name, SecretString: value() }),
    );
    const proof = await proofs.labelFor(ARN, VersionId);
    await secretsManager(root, region).send(
      new UpdateSecretVersionStageCommand({
        SecretId: paypal.name,
        VersionStage: proof,
        MoveToVersionId: VersionId,
      }),
    );
    expect(await look()).toMatchObject({ verified: VersionId, isServed: true });
  });
});

test("a secret that somebody makes beside an inbox is nobody's inbox", async () => {
  // The name of an inbox is taken by Terraform; a look-alike has another.
  await as.operator.send(
    new CreateSecretCommand({ Name: "prod/_inbox/payments/stripe2", SecretString: value() }),
  );
  const settings = plan.functions.find(({ name }) => name === stripe.rotatedBy)?.settings;
  expect(JSON.stringify(settings)).toContain(`"inbox":"${inbox}"`);
  expect(JSON.stringify(settings)).not.toContain("stripe2");
});
