import {
  CreateAliasCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  type GenerateMacCommand,
  KMSClient,
} from "@aws-sdk/client-kms";
import fc from "fast-check";
import { textDigest } from "../../../lib/contracts/secret-texts";
import { canonicalJson } from "../../../lib/model/canonical-json";
import { KmsFingerprints } from "../../../lib/rotation/adapters/later/kms-fingerprints";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../../packages/rehearsal/src/servers";
import { AccountsServer, accountsTarget } from "../models/accounts-model";
import { RehearsedSecret, versionId } from "../models/rehearsed-secret";

const ACCOUNT = "111122223333";
const REGION = "eu-central-1";
const KIND = "postgresql-user";
const KEY = "db/app-primary";

let group: ServerGroup;
let aws: EmbeddedAws;
let client: KMSClient;
let keyId = "";
let fingerprints: KmsFingerprints;

beforeAll(async () => {
  group = ServerGroup.open();
  aws = await startEmbeddedAws({ group });
  client = new KMSClient({
    region: REGION,
    endpoint: aws.endpoint,
    credentials: aws.rootCredentials(ACCOUNT),
    maxAttempts: 1,
  });
  keyId = await newKey("alias/audit");
  fingerprints = new KmsFingerprints(client, "alias/audit");
}, 120_000);

afterAll(async () => {
  client?.destroy();
  await group?.stop();
});

async function newKey(AliasName: string): Promise<string> {
  const { KeyMetadata } = await client.send(
    new CreateKeyCommand({ KeyUsage: "GENERATE_VERIFY_MAC", KeySpec: "HMAC_256" }),
  );
  const id = KeyMetadata?.KeyId ?? "";
  await client.send(new CreateAliasCommand({ AliasName, TargetKeyId: id }));
  return id;
}

describe("a fingerprint by KMS", () => {
  test("names the key by its id, and is the same for the same value, however it is written", async () => {
    const made = await fingerprints.of(KIND, KEY, { username: "app", password: "x" });
    expect(made).toMatch(new RegExp(`^hmac-sha256:${keyId}:[0-9a-f]{64}$`));
    expect(await fingerprints.of(KIND, KEY, { password: "x", username: "app" })).toBe(made);
  });

  test("is another one for another kind, secret, value or key", async () => {
    await newKey("alias/other");
    const made = await Promise.all([
      fingerprints.of(KIND, KEY, { password: "x" }),
      fingerprints.of("generic", KEY, { password: "x" }),
      fingerprints.of(KIND, "db/app-secondary", { password: "x" }),
      fingerprints.of(KIND, KEY, { password: "y" }),
      fingerprints.of(KIND, KEY, "x"),
      new KmsFingerprints(client, "alias/other").of(KIND, KEY, { password: "x" }),
    ]);
    expect(new Set(made).size).toBe(made.length);
  });

  test("tells long values apart by their last character", async () => {
    const long = "x".repeat(65_000);
    const made = await Promise.all(
      [`${long}a`, `${long}b`].map((value) => fingerprints.of(KIND, KEY, value)),
    );
    expect(new Set(made).size).toBe(2);
  });

  test("of a key that is not there or is disabled cannot be made, and the error has no value", async () => {
    const off = await newKey("alias/off");
    await client.send(new DisableKeyCommand({ KeyId: off }));
    for (const alias of ["alias/none", "alias/off"]) {
      await expect(new KmsFingerprints(client, alias).of(KIND, KEY, "canary")).rejects.toMatchObject({
        name: expect.stringMatching(/^(NotFound|Disabled)Exception$/),
        message: expect.not.stringContaining("canary"),
      });
    }
  });

  test("signs a message of its own for each kind, secret and value, short enough for KMS", async () => {
    const messages: string[] = [];
    const send = async ({ input }: GenerateMacCommand) => {
      messages.push(Buffer.from(input.Message ?? []).toString());
      return { KeyId: "key/k", Mac: new Uint8Array(32) };
    };
    const spied = new KmsFingerprints({ send } as unknown as KMSClient, "alias/audit");
    type Subject = Parameters<typeof spied.of>;
    await spied.ofText(KIND, KEY, textDigest("x"));
    await spied.of(KIND, KEY, "x");
    expect(new Set(messages).size).toBe(2);
    const word = fc.string({ unit: fc.constantFrom('"', ",", "[", "a"), maxLength: 3 });
    const subject = fc.tuple(word, word, fc.oneof(word, fc.jsonValue(), fc.constant("x".repeat(65_000))));
    await fc.assert(
      fc.asyncProperty(subject, subject, async (one, other) => {
        messages.length = 0;
        await spied.of(...one);
        await spied.of(...other);
        const [first = "", second] = messages;
        expect(first === second).toBe(canonicalJson(one) === canonicalJson(other));
        expect(first.length).toBeLessThanOrEqual(4_096);
      }),
      {
        // Where one part ends and the next begins is a part of the message.
        examples: ["", ",", '"', '","'].map((between): [Subject, Subject] => [
          [`a${between}b`, "c", 0],
          ["a", `b${between}c`, 0],
        ]),
      },
    );
  });
});

describe("the phase", () => {
  const RUN = { secretId: "test/db/app", runId: "run" } as const;

  const made = () => ({
    ofValue: (value: unknown) => fingerprints.of(KIND, KEY, value),
    ofText: (digest: string) => fingerprints.ofText(KIND, KEY, digest),
  });

  async function rotatedTwice(used?: ReturnType<typeof made>) {
    const server = new AccountsServer();
    let count = 0;
    const secret = new RehearsedSecret({
      target: (plan) =>
        accountsTarget(plan.wrap(server), () => {
          count += 1;
          return `password-${count}`;
        }),
      fingerprints: used,
    });
    const [first, second] = [versionId("first"), versionId("second")];
    await secret.rotate(first);
    secret.confirm();
    secret.clock.advance(7_200);
    await secret.rotate(second);
    return { secret, first, second };
  }
  const ask = (
    { secret }: Awaited<ReturnType<typeof rotatedTwice>>,
    version: string,
    oldVersionId?: string,
  ) => {
    secret.implied.imply("verify", version, { ...RUN, emergency: false, oldVersion: oldVersionId });
    return secret.invoke({ phase: "fingerprint", ...RUN, versionId: version, oldVersionId });
  };

  test("tells the new and the old value's, and changes nothing", async () => {
    const rotated = await rotatedTwice(made());
    const { secret, first, second } = rotated;
    const before = structuredClone(secret.secrets.labels(secret.name));
    const { fingerprints: told, ...outcome } = await ask(rotated, second, first);
    expect(outcome).toEqual({
      result: "done",
      versionId: second,
      // The user's name is no secret.
      texts: { password: await fingerprints.ofText(KIND, KEY, textDigest(secret.current?.password ?? "")) },
    });
    expect(told?.new).toBe(await fingerprints.of(KIND, KEY, secret.current));
    expect(told?.old).toMatch(/^hmac-sha256:/);
    expect(told?.old).not.toBe(told?.new);
    // The old one of this run is the new one of the run before.
    expect((await ask(rotated, first)).fingerprints).toEqual({ new: told?.old });
    expect(secret.secrets.labels(secret.name)).toEqual(before);
  });

  test("leaves out the old one where that version has no value", async () => {
    const rotated = await rotatedTwice(made());
    const { fingerprints: told } = await ask(rotated, rotated.second, versionId("never"));
    expect(Object.keys(told ?? {})).toEqual(["new"]);
  });

  test("refuses a version without a value", async () => {
    await expect(ask(await rotatedTwice(made()), versionId("never"))).rejects.toMatchObject({
      code: "value-missing",
    });
  });

  test("has nothing to do where no procedure follows", async () => {
    const rotated = await rotatedTwice();
    expect(await ask(rotated, rotated.second, rotated.first)).toEqual({
      result: "nothing-to-do",
      versionId: rotated.second,
    });
  });
});
