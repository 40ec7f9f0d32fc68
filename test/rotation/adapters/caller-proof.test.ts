import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { STSClient } from "@aws-sdk/client-sts";
import { SignatureV4 } from "@smithy/signature-v4";
import { signedProof } from "../../../lib/cli/cloud/signed-proof";
import {
  type CallerProof,
  callerProof,
  PROOF_BODY,
  PROOF_BODY_TYPE,
  PROOF_HEADER,
  proofBinding,
  signedHeaders,
  stsHost,
} from "../../../lib/contracts/caller-proof";
import { StsCallerIdentities } from "../../../lib/rotation/adapters/sts-caller-identities";
import { isOneOf, isSameCaller } from "../../../lib/rotation/procedure/caller-identity";
import { type Keys, StsModel } from "../models/sts-model";

/**
 * Statements that a proof of a caller cannot be made to carry. STS is a model that checks signatures as AWS documents
 * them.
 */

const REGION = "eu-central-1";
const BEN = "arn:aws:sts::333333333333:assumed-role/approver/ben@example.com";
const BINDING = proofBinding({ registry: "acme", environment: "prod" }, "approval-gate", { Run: "one" });

/** Milliseconds by which the function's clock, and STS's, are ahead of the signer's. */
let ahead = 0;
const now = () => new Date(Date.now() + ahead);
let sts: StsModel;
let ben: Keys;
let identities: StsCallerIdentities;

beforeAll(async () => {
  sts = await StsModel.start(REGION, now);
  ben = sts.keysOf(BEN);
  identities = new StsCallerIdentities({ region: REGION, endpoint: sts.endpoint, clock: { now } });
});

beforeEach(() => {
  ahead = 0;
  sts.failing = undefined;
  sts.seen.length = 0;
});

afterAll(() => sts?.stop());

const proofBy = (credentials: Keys, { region = REGION, binding = BINDING } = {}): Promise<CallerProof> =>
  signedProof(new STSClient({ region, credentials }), region, binding);

/** A signature of another request than the one that is sent for a proof. */
async function signedOtherwise(
  more: {
    readonly service?: string;
    readonly host?: string;
    readonly body?: string;
    readonly path?: string;
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<CallerProof> {
  const { service = "sts", host = stsHost(REGION), body = PROOF_BODY, path = "/", method = "POST" } = more;
  const signer = new SignatureV4({
    service,
    region: REGION,
    credentials: ben,
    sha256: new STSClient({ region: REGION, credentials: ben }).config.sha256,
    applyChecksum: false,
  });
  const { headers } = await signer.sign({
    method,
    protocol: "https:",
    hostname: host,
    path,
    headers: { host, "content-type": PROOF_BODY_TYPE, ...(more.headers ?? { [PROOF_HEADER]: BINDING }) },
    body,
  });
  return {
    Authorization: headers.authorization ?? "",
    Date: headers["x-amz-date"] ?? "",
    SecurityToken: headers["x-amz-security-token"] ?? "",
  };
}

const refused = async (proof: Promise<CallerProof>, binding = BINDING) =>
  expect(identities.of(await proof, binding)).rejects.toMatchObject({ code: "proof-refused" });

describe("a proof of a caller", () => {
  test("says who signed it, by the one request that the function makes itself", async () => {
    await expect(identities.of(await proofBy(ben), BINDING)).resolves.toEqual({
      arn: BEN,
      account: "333333333333",
    });
    expect(sts.seen).toEqual([
      expect.objectContaining({
        method: "POST",
        url: "/",
        body: "Action=GetCallerIdentity&Version=2011-06-15",
      }),
    ]);
    expect(sts.seen[0]?.headers).toMatchObject({ host: "sts.eu-central-1.amazonaws.com" });
  });

  test("of an IAM user, which has no session token, is one too", async () => {
    const arn = "arn:aws:iam::333333333333:user/people/ben";
    await expect(identities.of(await proofBy(sts.keysOf(arn)), BINDING)).resolves.toMatchObject({ arn });
  });

  // The function sends what is to be asked; the signature is of something else.
  test.each([
    ["of another run", () => proofBy(ben, { binding: `${BINDING}x` })],
    [
      "of another environment's gate",
      () => proofBy(ben, { binding: BINDING.replace("acme/prod", "acme/stage") }),
    ],
    ["of another function", () => proofBy(ben, { binding: BINDING.replace("approval-gate", "dispatcher") })],
    ["for another host", () => signedOtherwise({ host: "sts.attacker.example.com" })],
    ["for STS without a region", () => signedOtherwise({ host: "sts.amazonaws.com" })],
    ["of another action", () => signedOtherwise({ body: "Action=GetSessionToken&Version=2011-06-15" })],
    ["of another path", () => signedOtherwise({ path: "/other" })],
    ["of another method", () => signedOtherwise({ method: "GET" })],
    ["with another date", async () => ({ ...(await proofBy(ben)), Date: dateAt(-30_000) })],
    ["with another session's token", async () => ({ ...(await proofBy(ben)), SecurityToken: "b3RoZXI=" })],
    ["by a key that nobody has", () => proofBy({ ...ben, accessKeyId: "ASIAUNKNOWNUNKNOWN00" })],
    ["by another secret", () => proofBy({ ...ben, secretAccessKey: "x".repeat(40) })],
  ])("%s is refused by STS", async (_, proof) => {
    await refused(proof());
    expect(sts.seen).toHaveLength(1);
  });

  // These never leave the function.
  test.each([
    ["for another region", () => proofBy(ben, { region: "eu-west-1" })],
    ["for another service", () => signedOtherwise({ service: "iam" })],
    ["that binds nothing, as one for a Vault does", () => signedOtherwise({ headers: {} })],
    [
      "that signs one header more",
      () => signedOtherwise({ headers: { [PROOF_HEADER]: BINDING, "x-amz-target": "other" } }),
    ],
    [
      "whose signed headers were written over",
      async () => {
        const proof = await signedOtherwise({ headers: {} });
        const Authorization = proof.Authorization.replace(/SignedHeaders=[^,]+/, (names) => `${names};x-a`);
        return { ...proof, Authorization };
      },
    ],
    ["of another day's scope", async () => ({ ...(await proofBy(ben)), Date: "20200101T000000Z" })],
    ["without a date", async () => ({ ...(await proofBy(ben)), Date: "now" })],
    ["that is none", async () => ({ ...(await proofBy(ben)), Authorization: "Bearer x" })],
    [
      "with a second header in its text",
      async () => {
        const proof = await proofBy(ben);
        return { ...proof, Authorization: `${proof.Authorization}\r\nx-amz-target: other` };
      },
    ],
  ])("%s is refused, and sent to nobody", async (_, proof) => {
    await refused(proof());
    expect(sts.seen).toEqual([]);
  });

  test("is refused when it is five minutes old, or from the future, before STS is asked", async () => {
    const proof = await proofBy(ben);
    ahead = 4.9 * 60_000;
    await expect(identities.of(proof, BINDING)).resolves.toMatchObject({ arn: BEN });
    ahead = 5.1 * 60_000;
    await refused(Promise.resolve(proof));
    ahead = -1.1 * 60_000;
    await refused(Promise.resolve(proof));
    expect(sts.seen).toHaveLength(1);
  });

  test.each([
    [503, "target-unreachable"],
    [429, "target-unreachable"],
    [307, "proof-refused"],
    [400, "proof-refused"],
  ])("is nobody's when STS answers %i", async (status, code) => {
    sts.failing = status;
    await expect(identities.of(await proofBy(ben), BINDING)).rejects.toMatchObject({ code });
  });

  test("is not followed to another place, and an answer that is not STS's is nobody", async () => {
    let asked = 0;
    const elsewhere = createServer((_, response) => {
      asked += 1;
      response.writeHead(asked === 1 ? 302 : 200, { location: sts.endpoint }).end("<Arn>x y</Arn>");
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
    const led = new StsCallerIdentities({ region: REGION, endpoint, clock: { now } });
    const proof = await proofBy(ben);
    await expect(led.of(proof, BINDING)).rejects.toMatchObject({ code: "proof-refused" });
    await expect(led.of(proof, BINDING)).rejects.toMatchObject({ code: "target-unreachable" });
    elsewhere.close();
    await expect(led.of(proof, BINDING)).rejects.toMatchObject({ code: "target-unreachable" });
    expect([asked, sts.seen.length]).toEqual([2, 0]);
  });

  test("in an event is three texts of header characters, and nothing beside them", async () => {
    const proof = await proofBy(ben);
    expect(callerProof.safeParse(proof).success).toBe(true);
    for (const wrong of [
      { ...proof, Url: "https://sts.attacker.example.com" },
      { ...proof, Headers: {} },
      { ...proof, SecurityToken: "a\r\nx-amz-target: other" },
      { ...proof, Authorization: "a".repeat(2_000) },
      { Date: proof.Date },
    ]) {
      expect(callerProof.safeParse(wrong).success).toBe(false);
    }
  });
});

const dateAt = (more: number): string => new Date(Date.now() + more).toISOString().replace(/[-:]|\.\d+/g, "");

test("signed headers are in SigV4's order", () => {
  for (const hasToken of [true, false]) {
    const names = signedHeaders(hasToken).split(";");
    expect(names).toEqual([...names].sort());
  }
});

const ROLES = [
  "arn:aws:iam::333333333333:role/approver",
  "arn:aws:iam::333333333333:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Approver_0123456789abcdef",
  "arn:aws:iam::333333333333:user/people/eva",
];

describe("whoever it is", () => {
  test.each([
    ["a session of a role", BEN, true],
    [
      "a session of a role with a path",
      "arn:aws:sts::333333333333:assumed-role/AWSReservedSSO_Approver_0123456789abcdef/ben@example.com",
      true,
    ],
    ["a user", "arn:aws:iam::333333333333:user/people/eva", true],
    ["the same role's name in another account", BEN.replace("333333333333", "444444444444"), false],
    ["the same in another partition", BEN.replace("arn:aws:", "arn:aws-cn:"), false],
    ["another role", BEN.replace("/approver/", "/operator/"), false],
    ["a role whose name begins so", BEN.replace("/approver/", "/approver-of-others/"), false],
    [
      "a session that is named like the role",
      BEN.replace("approver/ben@example.com", "other/approver"),
      false,
    ],
    ["a user of the same name elsewhere", "arn:aws:iam::333333333333:user/eva", false],
    ["a federated user", "arn:aws:sts::333333333333:federated-user/approver", false],
    ["the account's root", "arn:aws:iam::333333333333:root", false],
  ])("is found by account, partition and role: %s", (_, arn, is) => {
    expect(isOneOf({ arn, account: arn.split(":")[4] ?? "" }, ROLES)).toBe(is);
  });

  test.each([
    [BEN, BEN, true],
    [BEN, BEN.replace("approver", "operator"), true],
    [BEN, BEN.replace("333333333333", "444444444444"), true],
    [BEN, "ben@example.com", true],
    [BEN, "Ben@Example.com", true],
    [
      "arn:aws:iam::333333333333:user/people/eva",
      "arn:aws:sts::333333333333:assumed-role/operator/eva",
      true,
    ],
    [BEN, "ana@example.com", false],
    [BEN, BEN.replace("ben@", "ana@"), false],
  ])("%s and %s are one person: %s", (a, b, is) => {
    expect(isSameCaller(a, b)).toBe(is);
  });
});
