import { CreateAliasCommand, CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { KmsFingerprints } from "../../../lib/rotation/adapters/later/kms-fingerprints";
import { KmsVersionProofs } from "../../../lib/rotation/adapters/later/kms-version-proofs";
import { looksLikeProof, proofMessage } from "../../../lib/rotation/protocol/version-proof";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../../packages/rehearsal/src/servers";
import { AccountsServer, accountsTarget } from "../models/accounts-model";
import { crashEverywhere } from "../models/crash-everywhere";
import { RehearsedSecret, versionId } from "../models/rehearsed-secret";
import { READINGS, type Readings } from "../models/secrets-manager-model";

const ACCOUNT = "111122223333";
const REGION = "eu-central-1";
const ARN = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:prod/payments/stripe-AbCdEf`;
const [V1, V2, V3] = [versionId("1"), versionId("2"), versionId("3")];

let group: ServerGroup;
let aws: EmbeddedAws;
let client: KMSClient;
let proofs: KmsVersionProofs;

beforeAll(async () => {
  group = ServerGroup.open();
  aws = await startEmbeddedAws({ group });
  client = new KMSClient({
    region: REGION,
    endpoint: aws.endpoint,
    credentials: aws.rootCredentials(ACCOUNT),
    maxAttempts: 1,
  });
  await newKey("alias/audit");
  await newKey("alias/other");
  proofs = new KmsVersionProofs(client, "alias/audit");
}, 120_000);

afterAll(async () => {
  client?.destroy();
  await group?.stop();
});

async function newKey(AliasName: string): Promise<void> {
  const { KeyMetadata } = await client.send(
    new CreateKeyCommand({ KeyUsage: "GENERATE_VERIFY_MAC", KeySpec: "HMAC_256" }),
  );
  await client.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyMetadata?.KeyId }));
}

describe("a proof by KMS", () => {
  test("holds for the version and the secret that it was made for", async () => {
    const label = await proofs.labelFor(ARN, V1);
    expect(looksLikeProof(label)).toBe(true);
    expect(label.length).toBeLessThanOrEqual(256);
    expect(await proofs.labelFor(ARN, V1)).toBe(label);
    expect(await proofs.proves(ARN, V1, ["AWSCURRENT", label])).toBe(true);
  });

  test.each<[string, () => Promise<readonly string[]>]>([
    ["no label", async () => ["AWSCURRENT"]],
    ["a bare VERIFIED", async () => ["VERIFIED"]],
    ["what only looks like one", async () => [`VERIFIED.${"0".repeat(64)}`]],
    ["that of another version", async () => [await proofs.labelFor(ARN, V2)]],
    ["that of another secret", async () => [await proofs.labelFor(ARN.replace("stripe", "paypal"), V1)]],
    [
      "that of a secret of the same name before this one",
      async () => [await proofs.labelFor(ARN.replace("AbCdEf", "GhIjKl"), V1)],
    ],
    ["one by another key", async () => [await new KmsVersionProofs(client, "alias/other").labelFor(ARN, V1)]],
    [
      "a fingerprint of a record, even of a value made for it",
      async () => {
        const of = await new KmsFingerprints(client, "alias/audit").of(
          "version-proof",
          ARN,
          proofMessage(ARN, V1).toString(),
        );
        return [`VERIFIED.${of.split(":").at(-1)}`];
      },
    ],
  ])("is not %s", async (_, labels) => {
    expect(await proofs.proves(ARN, V1, await labels())).toBe(false);
  });

  test("is found among others", async () => {
    const forged = Array.from({ length: 5 }, (_, n) => `VERIFIED.${String(n).repeat(64)}`);
    expect(await proofs.proves(ARN, V1, [...forged, await proofs.labelFor(ARN, V1)])).toBe(true);
  });
});

function accounts(readings?: Readings) {
  const server = new AccountsServer();
  let count = 0;
  const newPassword = () => {
    count += 1;
    return `password-${count}`;
  };
  return {
    server,
    secret: new RehearsedSecret({
      target: (plan) => accountsTarget(plan.wrap(server), newPassword),
      ...(readings === undefined ? {} : { readings }),
    }),
  };
}

async function rotatedTwice(readings?: Readings) {
  const made = accounts(readings);
  for (const version of [V1, V2]) {
    await made.secret.rotate(version);
    made.secret.confirm();
    made.secret.clock.advance(7_200);
  }
  return made;
}

describe.each(READINGS)("proofs of a secret's versions, with %o", (readings) => {
  test("move on with AWSCURRENT, so that old versions lose all labels", async () => {
    const { secret } = await rotatedTwice(readings);
    expect(secret.labels).toEqual({ [V1]: ["AWSPREVIOUS"], [V2]: ["AWSCURRENT", "proof"] });
    await secret.rotate(V3);
    expect(secret.labels).toEqual({ [V1]: [], [V2]: ["AWSPREVIOUS"], [V3]: ["AWSCURRENT", "proof"] });
  });

  test("go back with a rollback", async () => {
    const { secret } = await rotatedTwice(readings);
    await secret.phase("rollback", V2);
    expect(secret.labels).toEqual({ [V1]: ["AWSCURRENT", "proof"], [V2]: ["AWSPREVIOUS"] });
  });

  test("are there at every moment at which a process may die, and leave nothing behind", async () => {
    let deaths = 0;
    for (const undo of [false, true]) {
      deaths += await crashEverywhere(async () => {
        const { secret } = await rotatedTwice(readings);
        return {
          work: (plan) =>
            undo ? secret.phase("rollback", V2, { ...(plan ? { plan } : {}) }) : secret.rotate(V3, plan),
          // Nobody is served a version without a proof, wherever the call died.
          afterCrash: async () => expect(secret.proved).toContain(secret.currentVersion),
          afterAll: async () => {
            expect(secret.proved).toContain(secret.currentVersion);
            secret.confirm();
            secret.clock.advance(7_200);
            await secret.rotate(versionId("4"));
            expect(secret.proved).toEqual([versionId("4")]);
          },
        };
      });
    }
    expect(deaths).toBeGreaterThan(20);
  });
});

describe("a version that somebody else made current", () => {
  test("is no rotation's, whatever labels it was given: its steps are done, and it is tested", async () => {
    const { secret, server } = await rotatedTwice();
    secret.secrets.putByHand(secret.name, V3, JSON.stringify({ username: "a", password: "by-hand" }));
    for (const label of [
      "VERIFIED",
      `VERIFIED.${"0".repeat(64)}`,
      secret.proofs.of(secret.secrets.arnOf("x"), V3),
    ]) {
      secret.secrets.label(secret.name, label, V3);
    }
    expect(await secret.step("testSecret", V3).catch(({ code }) => code)).toBe("target-refused");
    expect(secret.proved).not.toContain(V3);
    await server.allow({ username: "a", password: "by-hand" });
    await secret.phase("verify", V3);
    // What only looked like a proof is gone.
    expect(secret.labels[V3]).toEqual(["AWSCURRENT", "VERIFIED", "proof"]);
    expect(secret.proved).toEqual([V3]);
  });

  test.each<[string, (secret: Awaited<ReturnType<typeof rotatedTwice>>["secret"]) => void]>([
    ["a value without a label", () => undefined],
    [
      "one with what looks like a proof",
      (secret) => secret.secrets.label(secret.name, `VERIFIED.${"0".repeat(64)}`, V3),
    ],
    ["one that is not even of the kind's form", () => undefined],
  ])("goes back by the next rotation, which follows what was served before: %s", async (what, label) => {
    const { secret, server } = await rotatedTwice();
    const served = secret.current;
    const value = what.includes("form") ? "nonsense" : JSON.stringify({ username: "b", password: "by-hand" });
    secret.secrets.putByHand(secret.name, V3, value);
    label(secret);
    const V4 = versionId("4");
    await secret.rotate(V4);
    expect(secret.labels).toMatchObject({ [V2]: ["AWSPREVIOUS"], [V4]: ["AWSCURRENT", "proof"] });
    expect(secret.proved).toEqual([V4]);
    // The overlap is that of the value which pods hold.
    expect(served !== undefined && server.lets(served)).toBe(true);
    expect(secret.current !== undefined && server.lets(secret.current)).toBe(true);
  });

  test("goes back wherever the call dies, and is served by nobody meanwhile", async () => {
    const deaths = await crashEverywhere(async () => {
      const { secret } = await rotatedTwice();
      secret.secrets.putByHand(secret.name, V3, JSON.stringify({ username: "b", password: "by-hand" }));
      return {
        work: (plan) => secret.rotate(versionId("4"), plan),
        afterCrash: async () => undefined,
        afterAll: async () => {
          expect(secret.currentVersion).toBe(versionId("4"));
          expect(secret.proved).toContain(versionId("4"));
        },
      };
    });
    expect(deaths).toBeGreaterThan(10);
  });

  test("stays where nothing was proved before: there is nothing to go back to", async () => {
    const { secret } = accounts();
    secret.secrets.putByHand(secret.name, V1, JSON.stringify({ username: "a", password: "first" }));
    await secret.rotate(V2);
    expect(secret.proved).toEqual([V2]);
  });
});
