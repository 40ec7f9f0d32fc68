import { createHmac, randomBytes } from "node:crypto";
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import fc from "fast-check";
import { blueprint } from "../../lib/blueprint";
import { awsWhoseCloud } from "../../lib/cli/cloud/aws-whose-cloud";
import type { WhoseCloud } from "../../lib/cli/cloud/whose-cloud";
import { plainProgress } from "../../lib/cli/render/progress";
import { renderWhose } from "../../lib/cli/render/whose";
import { type TextStanding, type WhoseReport, whose } from "../../lib/cli/verbs/whose";
import { secretTexts, textDigest, textMessage } from "../../lib/contracts/secret-texts";
import {
  fingerprintedKey,
  fingerprintsObject,
  type VersionFingerprints,
} from "../../lib/contracts/version-fingerprints";
import { recordsBucket } from "../../lib/model/names";
import { KmsFingerprints } from "../../lib/rotation/adapters/later/kms-fingerprints";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../packages/rehearsal/src/servers";
import { registry } from "../../registry";
import { propertyRuns } from "../property-runs";

const plan = blueprint(registry, "prod");
const REGION = plan.regions.primary;
const BUCKET = recordsBucket(registry.id, "prod", plan.account, REGION);
const secrets = plan.secrets.flatMap((secret) =>
  secret.store === "aws" && secret.retired === undefined ? [secret] : [],
);
const VERSIONS = 30;

const silent = plainProgress({ err: () => undefined });
const text = (): string => randomBytes(24).toString("base64url");
const pem = (): string => `-----BEGIN PRIVATE KEY-----\n${text()}\n${text()}\n-----END PRIVATE KEY-----\n`;

/** A version's value: one text, several, or generations, by the number of its secret. */
function valueFor(index: number, before: { current?: unknown; next?: unknown } | undefined): object {
  if (index % 3 === 0) return { username: "app", password: text() };
  if (index % 3 === 1) return { clientId: text(), clientSecret: text(), certificate: pem() };
  const key = () => ({ id: randomBytes(8).toString("hex"), key: text() });
  return { next: key(), current: before?.next ?? key(), previous: before?.current ?? null };
}

/**
 * AWS as `whose` asks it. KMS's `VerifyMac` compares with the MAC of the whole message by the key's own bytes, and knows no other key:
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_VerifyMac.html
 */
class AwsModel implements WhoseCloud {
  readonly keyId = "6b0c2f0e-1111-4222-8333-444455556666";
  readonly #key = randomBytes(32);
  readonly stored = new Map<string, string>();
  readonly labelled = new Map<string, Map<string, readonly string[]>>();
  readonly messages: string[] = [];

  mac(message: Uint8Array): Buffer {
    return createHmac("sha256", this.#key).update(message).digest();
  }

  objects = async (bucket: string) => {
    expect(bucket).toBe(BUCKET);
    return [...this.stored.keys()];
  };
  read = async (_: string, object: string) => this.stored.get(object) ?? "";
  labels = async (name: string) => this.labelled.get(name);
  verifies = async (keyId: string, message: Uint8Array, mac: Uint8Array) => {
    this.messages.push(Buffer.from(message).toString());
    return keyId === this.keyId && this.mac(message).equals(Buffer.from(mac));
  };

  keep(name: string, kind: string, version: number, value: unknown): VersionFingerprints {
    const key = fingerprintedKey("prod", name);
    const kept = {
      version: 1 as const,
      environment: "prod",
      secret: secrets.find((secret) => secret.name === name)?.key ?? key,
      name,
      kind: kind as VersionFingerprints["kind"],
      versionId: `version-${version}`,
      run: `run-${version}`,
      at: new Date(Date.UTC(2026, 0, 1) + version * 86_400_000).toISOString(),
      texts: Object.fromEntries(
        [...secretTexts(value)].map(([place, inner]) => [
          place,
          `hmac-sha256:${this.keyId}:${this.mac(textMessage(kind, key, textDigest(inner))).toString("hex")}`,
        ]),
      ),
    };
    this.stored.set(fingerprintsObject(key, kept.versionId), JSON.stringify(kept));
    return kept;
  }
}

interface History {
  readonly aws: AwsModel;
  /** Values by the secret's key, the newest last. */
  readonly values: ReadonlyMap<string, readonly object[]>;
}

function history(): History {
  const aws = new AwsModel();
  const values = new Map<string, object[]>();
  for (const [index, { name, key, kind }] of secrets.entries()) {
    const made: object[] = [];
    for (let version = 0; version < VERSIONS; version += 1) {
      const value = valueFor(index, made.at(-1));
      made.push(value);
      aws.keep(name, kind, version, value);
    }
    values.set(key, made);
    aws.labelled.set(
      name,
      new Map([
        [`version-${VERSIONS - 1}`, ["AWSCURRENT"]],
        [`version-${VERSIONS - 2}`, ["AWSPREVIOUS"]],
      ]),
    );
  }
  return { aws, values };
}

const ask = (aws: WhoseCloud, leaked: string): Promise<WhoseReport> =>
  whose(registry, { leaked, environments: ["prod"], cloudIn: () => aws, progress: silent });

const textAt = (value: unknown, place: string): string => secretTexts(value).get(place) ?? "";

describe("a leaked text", () => {
  const { aws, values } = history();
  const keyOf = (index: number): string => secrets[index]?.key ?? "none";
  const leakOf = (index: number, version: number, place: string): string =>
    textAt(values.get(keyOf(index))?.[version], place);
  const LAST = VERSIONS - 1;

  const FOUND: readonly (readonly [string, number, number, string, TextStanding])[] = [
    ["a password in use", 0, LAST, "password", "current"],
    ["the password before it", 0, LAST - 1, "password", "previous"],
    ["a password of long ago", 0, 3, "password", "former"],
    ["one of several fields", 1, LAST, "clientSecret", "current"],
    ["a key in PEM", 1, LAST, "certificate", "current"],
    ["a former one of several fields", 1, 10, "clientId", "former"],
    ["a key in use, among generations", 2, LAST, "current.key", "current"],
    ["a published key, which signs next", 2, LAST, "next.key", "next"],
    ["a key that is still accepted", 2, LAST, "previous.key", "previous"],
    ["a key of three generations ago", 2, LAST - 4, "previous.key", "former"],
    ["a password of another secret", 3, LAST, "password", "current"],
  ];

  test.each(FOUND)("%s is found", async (_, index, version, place, standing) => {
    const leaked = leakOf(index, version, place);
    const report = await ask(aws, `${leaked}\n`);
    const secret = secrets[index];
    expect(report.matches).toEqual([
      expect.objectContaining({
        environment: "prod",
        secret: secret?.key,
        place,
        standing,
        owner: secret?.owner,
      }),
    ]);
    expect(report.matches[0]?.consumers).toEqual(secret?.consumers);
    expect(report.looked).toEqual({
      secrets: secrets.length,
      versions: secrets.length * VERSIONS,
      texts: expect.any(Number),
    });
    expect(report.looked.texts).toBeGreaterThan(300);
    for (const format of ["text", "json"] as const) expect(renderWhose(report, format)).not.toContain(leaked);
  });

  test("never leaves this machine: KMS gets digests, and a look tells nothing of it", async () => {
    aws.messages.length = 0;
    const leaked = leakOf(0, LAST, "password");
    await ask(aws, leaked);
    expect(aws.messages.length).toBeGreaterThan(300);
    expect(aws.messages.filter((message) => message.includes(leaked))).toEqual([]);
  });

  test("that is in use is to be rotated at once, with the change request that production asks for", async () => {
    const { matches } = await ask(aws, leakOf(0, LAST, "password"));
    expect(matches[0]?.next).toBe(
      `secrets-registry rotate ${keyOf(0)} --env prod --change <file of the approved change request> --emergency`,
    );
  });

  const FORMS: readonly (readonly [string, (leaked: string) => string])[] = [
    ["with the ends of lines of Windows", (leaked) => `${leaked}\r\n`],
    ["as an assignment", (leaked) => `DB_PASSWORD=${leaked}`],
    ["as a quoted assignment", (leaked) => `export_me: "${leaked}",`],
    ["in a header", (leaked) => `Authorization: Bearer ${leaked}`],
    ["in a URL", (leaked) => `postgres://app:${encodeURIComponent(leaked)}@db.internal:5432/app`],
    ["in an assigned URL", (leaked) => `DATABASE_URL='postgres://app:${encodeURIComponent(leaked)}@db/app'`],
    ["in JSON", (leaked) => JSON.stringify({ level: "debug", config: { password: leaked } })],
    ["in base64", (leaked) => Buffer.from(leaked).toString("base64")],
    ["in a manifest's base64", (leaked) => `  password: ${Buffer.from(`${leaked}\n`).toString("base64")}`],
  ];
  test.each(FORMS)("is found %s", async (_, form) => {
    const { matches } = await ask(aws, form(leakOf(0, LAST, "password")));
    expect(matches.map(({ secret }) => secret)).toEqual([keyOf(0)]);
  });

  test("a PEM key is found with the ends of lines of Windows", async () => {
    const { matches } = await ask(aws, leakOf(1, LAST, "certificate").replaceAll("\n", "\r\n"));
    expect(matches.map(({ secret }) => secret)).toEqual([keyOf(1)]);
  });

  test("that is nobody's is unknown, and the answer says what was compared", async () => {
    const report = await ask(aws, text());
    expect(report.matches).toEqual([]);
    expect(renderWhose(report, "text")).toMatch(
      /^Unknown: \d+ texts of \d+ versions of \d+ secrets were compared, and it is none of them\./,
    );
  });

  test("property: a text that differs by one character is nobody's", async () => {
    const all = [...values.values()].flatMap((made) =>
      made.flatMap((value) => [...secretTexts(value).values()]),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...all),
        fc.nat(),
        fc.constantFrom(..."abcXYZ019-"),
        async (leaked, at, other) => {
          const place = at % leaked.length;
          fc.pre(leaked[place] !== other && leaked[place]?.trim() !== "");
          const changed = leaked.slice(0, place) + other + leaked.slice(place + 1);
          const { matches } = await ask(aws, changed);
          expect(matches).toEqual([]);
        },
      ),
      propertyRuns("whose: one character apart", { ci: 40, nightly: 2_000 }),
    );
  }, 600_000);

  test.each(["", "short", "  a b c \n"])(
    "is refused where it is too short to have a fingerprint: %j",
    async (leaked) => {
      await expect(ask(aws, leaked)).rejects.toThrow("fewer than eight characters");
    },
  );
});

describe("what is not there", () => {
  test("a secret without a single fingerprint is named, and an object that holds none as well", async () => {
    const aws = new AwsModel();
    const [first] = secrets;
    aws.keep(first?.name ?? "", first?.kind ?? "", 1, { password: text() });
    aws.stored.set("fingerprints/db--app/garbage.json", '{"version": 1}');
    const report = await ask(aws, text());
    expect(report.unreadable).toEqual([`s3://${BUCKET}/fingerprints/db--app/garbage.json`]);
    expect(report.without).toContain(`prod ${secrets[1]?.key}`);
    expect(report.without).not.toContain(`prod ${first?.key}`);
    expect(renderWhose(report, "text")).toContain("Without a fingerprint, so never found");
  });

  test("a secret that the registry does not have any more is found by its name, and is to be ended by hand", async () => {
    const aws = new AwsModel();
    const password = text();
    aws.keep("prod/old/gone", "generic", 1, { password });
    const { matches } = await ask(aws, password);
    expect(matches).toEqual([
      expect.objectContaining({ secret: "old/gone", standing: "former", owner: undefined, consumers: [] }),
    ]);
    expect(matches[0]?.next).toContain("end the credential at its target by hand");
  });

  test.each<readonly [string, object, string, TextStanding]>([
    [
      "a newer version is served whose run has not come to its fingerprints",
      { password: "p".repeat(20) },
      "password",
      "previous",
    ],
    [
      "a function has taken a retired key out of the version",
      { current: { key: "k".repeat(20) } },
      "current.key",
      "current",
    ],
    [
      "the key that a function may have taken out",
      { previous: { key: "k".repeat(20) } },
      "previous.key",
      "previous",
    ],
  ])("where AWSCURRENT has no fingerprints: %s", async (_, value, place, standing) => {
    const aws = new AwsModel();
    const [first] = secrets;
    aws.keep(first?.name ?? "", first?.kind ?? "", 1, value);
    aws.labelled.set(
      first?.name ?? "",
      new Map([
        ["derived", ["AWSCURRENT"]],
        ["version-1", ["AWSPREVIOUS"]],
      ]),
    );
    const { matches } = await ask(aws, textAt(value, place));
    expect(matches.map((match) => match.standing)).toEqual([standing]);
  });

  test("a rolled back version is former, and the one before it is current again", async () => {
    const aws = new AwsModel();
    const [{ name, kind } = { name: "", kind: "" }] = secrets;
    const [kept, given] = [text(), text()];
    aws.keep(name, kind, 1, { password: kept });
    aws.keep(name, kind, 2, { password: given });
    aws.labelled.set(name, new Map([["version-1", ["AWSCURRENT"]]]));
    const standings = await Promise.all(
      [kept, given].map(async (leaked) => (await ask(aws, leaked)).matches[0]?.standing),
    );
    expect(standings).toEqual(["current", "former"]);
  });
});

describe("on AWS's services", () => {
  let group: ServerGroup;
  let aws: EmbeddedAws;

  beforeAll(async () => {
    group = ServerGroup.open();
    aws = await startEmbeddedAws({ group });
  }, 120_000);
  afterAll(() => group?.stop());

  test("a text is found by what KMS made and verifies, and another is not", async () => {
    const at = { region: REGION, endpoint: aws.endpoint, credentials: aws.rootCredentials(plan.account) };
    const [kms, s3, secretsManager] = [
      new KMSClient(at),
      new S3Client({ ...at, forcePathStyle: true }),
      new SecretsManagerClient(at),
    ];
    const { KeyMetadata } = await kms.send(
      new CreateKeyCommand({ KeyUsage: "GENERATE_VERIFY_MAC", KeySpec: "HMAC_256" }),
    );
    await kms.send(new CreateAliasCommand({ AliasName: "alias/audit", TargetKeyId: KeyMetadata?.KeyId }));
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    const [{ name, kind, key } = { name: "", kind: "", key: "" }] = secrets;
    const password = text();
    const { VersionId = "" } = await secretsManager.send(
      new CreateSecretCommand({ Name: name, SecretString: JSON.stringify({ password }) }),
    );
    const model = new AwsModel().keep(name, kind, 1, {});
    const kept = {
      ...model,
      versionId: VersionId,
      texts: {
        password: await new KmsFingerprints(kms, "alias/audit").ofText(
          kind,
          fingerprintedKey("prod", name),
          textDigest(password),
        ),
      },
    };
    for (const [Key, Body] of Object.entries({
      [fingerprintsObject(fingerprintedKey("prod", name), VersionId)]: JSON.stringify(kept),
      "2026/12/01/other/record.json": "{}",
    }))
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
    const cloud = awsWhoseCloud(at);
    expect((await ask(cloud, password)).matches).toEqual([
      expect.objectContaining({
        secret: key,
        place: "password",
        standing: "current",
        version: VersionId,
      }),
    ]);
    expect(await ask(cloud, text())).toMatchObject({ matches: [], unreadable: [], looked: { texts: 1 } });
  });

  test("a bucket that is not there is a fault with its name", async () => {
    const cloud = awsWhoseCloud({
      region: REGION,
      endpoint: aws.endpoint,
      credentials: aws.rootCredentials("999900001111"),
    });
    await expect(ask(cloud, text())).rejects.toThrow(`s3:ListBucket on ${BUCKET}`);
  });
});
