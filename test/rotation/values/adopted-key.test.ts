import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { JWT_ALGORITHMS, type KindSettings, settingsSchema } from "../../../lib/model/kinds";
import { completeValue, RotationError, suppliedFields, VALUE_SCHEMAS } from "../../../lib/rotation";
import { jwtSigningKeyTarget } from "../../../lib/rotation/targets/jwt-signing-key";
import type { JwtValue } from "../../../lib/rotation/values/jwks";

type Algorithm = (typeof JWT_ALGORITHMS)[number];

const settingsFor = (algorithm: Algorithm): KindSettings<"jwt-signing-key"> =>
  settingsSchema("jwt-signing-key").parse({
    algorithm,
    firstKey: "supplied",
  }) as KindSettings<"jwt-signing-key">;
const secretFor = (algorithm: Algorithm) =>
  ({ kind: "jwt-signing-key", settings: settingsFor(algorithm) }) as const;

const CURVES: Readonly<Record<string, string>> = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };
const pairs = new Map<string, KeyObject>();

/** A key of an organisation; RSA keys take long, so one is for all. */
function keyFor(algorithm: string): KeyObject {
  const form = CURVES[algorithm] ?? (algorithm === "EdDSA" ? "ed25519" : "rsa");
  const known = pairs.get(form);
  if (known !== undefined) return known;
  const { privateKey } =
    form === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2_048 })
      : form === "ed25519"
        ? generateKeyPairSync("ed25519")
        : generateKeyPairSync("ec", { namedCurve: form });
  pairs.set(form, privateKey);
  return privateKey;
}

const jwkOf = (key: KeyObject): Record<string, unknown> => ({ ...key.export({ format: "jwk" }) });
const pemOf = (key: KeyObject, type: "pkcs8" | "pkcs1" | "sec1" = "pkcs8"): string =>
  key.export({ type: type as "pkcs8", format: "pem" }).toString();

const complete = (algorithm: Algorithm, supplied: unknown): JwtValue =>
  VALUE_SCHEMAS["jwt-signing-key"].parse(completeValue(secretFor(algorithm), supplied));

describe.each(JWT_ALGORITHMS)("a key for %s", (algorithm) => {
  const key = keyFor(algorithm);
  test.each<[string, object]>([
    ["a JWK", { privateKey: { ...jwkOf(key), kid: "acme 2021", alg: algorithm, use: "sig" } }],
    ["a JWK without alg and use, in text", { privateKey: JSON.stringify(jwkOf(key)), kid: "acme 2021" }],
    [
      "a JWK with members that nobody knows here",
      { privateKey: { ...jwkOf(key), kid: "acme 2021", iat: 1_600_000_000, x5t: "abc", key_ops: ["sign"] } },
    ],
    ["PEM", { privateKey: pemOf(key), kid: "acme 2021" }],
    ["PEM in one line", { privateKey: pemOf(key).replaceAll("\n", "\\n"), kid: "acme 2021" }],
  ])("from %s keeps its kid, and signs what its JWKS verifies", async (_form, supplied) => {
    const value = complete(algorithm, supplied);
    expect(value).toMatchObject({
      next: null,
      current: { kid: "acme 2021", alg: algorithm, use: "sig" },
      previous: null,
      jwks: { keys: [{ kid: "acme 2021" }] },
    });
    expect(Object.keys(value.jwks.keys[0] ?? {})).not.toContain("d");
    await jwtSigningKeyTarget({ settings: settingsFor(algorithm), mode: "automatic" }).test(value);
  });
});

test.each<["pkcs1" | "sec1", Algorithm]>([
  ["pkcs1", "RS256"],
  ["sec1", "ES256"],
])("PEM of form %s", (type, algorithm) => {
  expect(complete(algorithm, { privateKey: pemOf(keyFor(algorithm), type), kid: "k" }).current.kid).toBe("k");
});

test("the key before it, which verifiers still take, stays in the JWKS by its public half", () => {
  const { privateKey: _, ...other } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const previous = { ...other.publicKey.export({ format: "jwk" }), kid: "acme-2019", alg: "ES384" };
  const value = complete("ES256", { privateKey: pemOf(keyFor("ES256")), kid: "acme-2021", previous });
  expect(value.previous).toEqual({ ...previous, use: "sig" });
  expect(value.jwks.keys.map(({ kid }) => kid)).toEqual(["acme-2021", "acme-2019"]);
});

test("what is asked for: the key is not shown while it is typed", () => {
  expect(suppliedFields(secretFor("ES256"))).toEqual([
    { name: "privateKey", required: true, hidden: true },
    { name: "kid", required: false, hidden: false },
    { name: "previous", required: false, hidden: false },
  ]);
});

const es256 = (): Record<string, unknown> => ({ ...jwkOf(keyFor("ES256")), kid: "acme-2021" });
const publicOf = ({ d: _, ...rest }: Record<string, unknown>): Record<string, unknown> => rest;
const otherPoint = (): Record<string, unknown> => {
  const { x, y } = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
  return { ...es256(), x, y };
};
const encrypted = (): string =>
  keyFor("ES256")
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "a passphrase" })
    .toString();
const publicPem = (): string =>
  generateKeyPairSync("ec", { namedCurve: "P-256" })
    .publicKey.export({ type: "spki", format: "pem" })
    .toString();
const shortRsa = (): KeyObject => generateKeyPairSync("rsa", { modulusLength: 1_024 }).privateKey;

describe("refused, with a reason and nothing of the key", () => {
  test.each<[what: string, algorithm: Algorithm, supplied: () => unknown, reason: string]>([
    ["nothing", "ES256", () => ({}), "privateKey"],
    ["a field that is not known", "ES256", () => ({ privateKey: es256(), key: "x" }), "a field that is not"],
    [
      "an alg other than the setting's",
      "ES256",
      () => ({ privateKey: { ...es256(), alg: "ES384" } }),
      "its alg is ES384, and settings.algorithm is ES256",
    ],
    [
      "an alg that nobody knows",
      "ES256",
      () => ({ privateKey: { ...es256(), alg: "canary-of-an-alg" } }),
      "its alg is another one",
    ],
    ["a key of another curve", "ES384", () => ({ privateKey: es256() }), "not a key for settings.algorithm"],
    [
      "an RSA key for an elliptic curve, as PEM",
      "ES256",
      () => ({ privateKey: pemOf(keyFor("RS256")), kid: "k" }),
      "not a key for settings.algorithm ES256",
    ],
    [
      "RSA of 1,024 bits",
      "RS256",
      () => ({ privateKey: pemOf(shortRsa()), kid: "k" }),
      "fewer than 2,048 bits",
    ],
    [
      "RSA without its primes",
      "RS256",
      () => {
        const { kty, n, e, d } = jwkOf(keyFor("RS256"));
        return { privateKey: { kty, n, e, d, kid: "k" } };
      },
      "neither a private JWK",
    ],
    [
      "RSA of three primes",
      "RS256",
      () => ({ privateKey: { ...jwkOf(keyFor("RS256")), kid: "k", oth: [{ r: "AQ", d: "AQ", t: "AQ" }] } }),
      "more than two primes",
    ],
    ["a public JWK", "ES256", () => ({ privateKey: publicOf(es256()) }), "a public key: it cannot sign"],
    ["a public key as PEM", "ES256", () => ({ privateKey: publicPem(), kid: "k" }), "a public key"],
    ["an encrypted key", "ES256", () => ({ privateKey: encrypted(), kid: "k" }), "it is encrypted"],
    [
      "a symmetric key",
      "ES256",
      () => ({ privateKey: { kty: "oct", k: "canary-of-a-symmetric-key" } }),
      "a symmetric key",
    ],
    ["a text", "ES256", () => ({ privateKey: "canary-of-a-text", kid: "k" }), "neither a private JWK"],
    ["a list", "ES256", () => ({ privateKey: ["canary-of-a-list"] }), "privateKey"],
    [
      "halves of two keys",
      "ES256",
      () => ({ privateKey: otherPoint() }),
      // OpenSSL 3.5 refuses it when it is read.
      "privateKey: ",
    ],
    [
      "a key for encryption",
      "ES256",
      () => ({ privateKey: { ...es256(), use: "enc" } }),
      "its use is not sig",
    ],
    [
      "a key that may verify only",
      "ES256",
      () => ({ privateKey: { ...es256(), key_ops: ["verify"] } }),
      "its key_ops do not let it sign",
    ],
    ["no kid", "ES256", () => ({ privateKey: pemOf(keyFor("ES256")) }), "kid: missing"],
    [
      "two kids",
      "ES256",
      () => ({ privateKey: es256(), kid: "canary-of-a-kid" }),
      "kid: the JWK in privateKey has another one",
    ],
    ["an empty kid", "ES256", () => ({ privateKey: pemOf(keyFor("ES256")), kid: "" }), "kid: not 1 to 256"],
    [
      "a kid over many lines",
      "ES256",
      () => ({ privateKey: pemOf(keyFor("ES256")), kid: "canary\nof a kid" }),
      "kid: not 1 to 256",
    ],
    [
      "the same kid for the key before it",
      "ES256",
      () => ({ privateKey: es256(), previous: { ...publicOf(jwkOf(keyFor("ES384"))), kid: "acme-2021" } }),
      "previous: ",
    ],
    [
      "a private key before it",
      "ES256",
      () => ({ privateKey: es256(), previous: { ...jwkOf(keyFor("ES256")), kid: "acme-2019" } }),
      "previous: it has a private half",
    ],
    [
      "a key before it without a kid",
      "ES256",
      () => ({ privateKey: es256(), previous: publicOf(jwkOf(keyFor("ES256"))) }),
      "previous: not a public JWK with a kid",
    ],
    [
      "a key before it that is no point of its curve",
      "ES256",
      () => ({ privateKey: es256(), previous: { kty: "EC", crv: "P-256", x: "AQ", y: "AQ", kid: "k" } }),
      "previous: not a public JWK",
    ],
  ])("%s", (_what, algorithm, supplied, reason) => {
    const given = supplied();
    let failure: unknown;
    try {
      completeValue(secretFor(algorithm), given);
    } catch (thrown) {
      failure = thrown;
    }
    if (!(failure instanceof RotationError)) throw new Error("it was taken");
    expect(failure.code).toBe("value-malformed");
    expect(failure.message).toContain(reason);
    expect(failure.message).not.toContain("canary");
    // Nothing of the key stands there, whatever the library has said.
    for (const text of textsOf(given)) if (text.length > 8) expect(failure.message).not.toContain(text);
    expect(failure.cause).toBeUndefined();
  });
});

const textsOf = (value: unknown): readonly string[] =>
  typeof value === "string"
    ? value.split("\n")
    : typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([name, entry]) => (name === "kid" ? [] : textsOf(entry)))
      : [];
