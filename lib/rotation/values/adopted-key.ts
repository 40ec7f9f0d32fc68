import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import * as z from "zod/mini";
import { isRecord } from "../../model/is-record";
import { JWT_ALGORITHMS, type KindSettings } from "../../model/kinds";
import { RotationError } from "../protocol/rotation-error";
import { type JwtValue, withJwks } from "./jwks";
import { type PrivateJwk, type PublicJwk, privateJwkOf, publicJwkOf } from "./value-schemas";

/**
 * The signing key that an organisation brings along. Pure: nothing is called. No fault quotes anything of what was
 * supplied, names of keys included, because a key may have been put where its name belongs.
 */

/** The supplied JSON: a key as an object (JWK), or as text (a JWK's JSON, or PEM). */
export const adoptedKeySchema = () =>
  z.strictObject({
    /** The key that signs now: a private JWK, or PKCS #8, PKCS #1 or SEC 1 in PEM. */
    privateKey: keyMaterial(),
    /** Name of the key in the tokens that are out. May be left out where the JWK says it. */
    kid: z.optional(z.string()),
    /** A public JWK that verifiers still take beside it: the key before it. */
    previous: z.optional(keyMaterial()),
  });

const keyMaterial = () => z.union([z.string().check(z.minLength(1)), z.record(z.string(), z.json())]);

type Supplied = z.output<ReturnType<typeof adoptedKeySchema>>;
type Jwk = Readonly<Record<string, unknown>>;

/** RFC 7518, sections 3.3 and 3.5: "A key of size 2048 bits or larger MUST be used with these algorithms." */
const LEAST_RSA_BITS = 2_048;

/**
 * The first value of a secret whose key is brought along. Tokens that are out say the key's own `kid`, so it keeps it.
 *
 * @throws RotationError `value-malformed`, with the field and the reason
 */
export function adoptedKey(
  { algorithm }: Pick<KindSettings<"jwt-signing-key">, "algorithm">,
  supplied: Supplied,
): JwtValue {
  const current = adopted(supplied, algorithm);
  const previous = supplied.previous === undefined ? null : publicKey(supplied.previous, algorithm);
  if (previous?.kid === current.kid) throw malformed("previous", "its kid is the one of privateKey");
  return withJwks({ next: null, current, previous });
}

function adopted({ privateKey, kid }: Supplied, algorithm: PrivateJwk["alg"]): PrivateJwk {
  const given = jwkOf(privateKey);
  if (given !== undefined) checkWords(given, algorithm);
  const key = privateKeyObject(privateKey, given);
  checkForm(key, algorithm);
  const names = [kid, given?.kid].filter((name) => name !== undefined);
  if (names.length === 0) {
    throw malformed("kid", "missing: tokens that are out name their key by it");
  }
  if (new Set(names).size > 1) throw malformed("kid", "the JWK in privateKey has another one");
  // Members that nobody here knows are left out (RFC 7517, section 4).
  const jwk = privateJwkOf({ ...key.export({ format: "jwk" }), kid: names[0], alg: algorithm, use: "sig" });
  if (jwk === undefined) throw malformed("kid", "not 1 to 256 printable characters");
  if (!isOfOneKey(key, jwk)) {
    throw malformed("privateKey", "its private and its public half are not of one key");
  }
  return jwk;
}

/** A JWK as an object or as its JSON; `undefined`: something else, hence PEM. */
function jwkOf(material: Supplied["privateKey"]): Jwk | undefined {
  if (typeof material !== "string") return material;
  try {
    const parsed: unknown = JSON.parse(material);
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Refuses a JWK whose own members contradict its use as a signing key (RFC 7517, section 4). */
function checkWords(jwk: Jwk, algorithm: PrivateJwk["alg"]): void {
  if (jwk.kty === "oct") throw malformed("privateKey", "a symmetric key: verifiers could sign with it");
  if (jwk.d === undefined) throw malformed("privateKey", "a public key: it cannot sign (no d)");
  if (jwk.alg !== undefined && jwk.alg !== algorithm) {
    const known = JWT_ALGORITHMS.find((name) => name === jwk.alg);
    throw malformed(
      "privateKey",
      `its alg is ${known ?? "another one"}, and settings.algorithm is ${algorithm}: set algorithm to the key's, and change it ` +
        "with a later rotation",
    );
  }
  if (jwk.use !== undefined && jwk.use !== "sig") throw malformed("privateKey", "its use is not sig");
  if (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes("sign"))) {
    throw malformed("privateKey", "its key_ops do not let it sign");
  }
  // RFC 7518, section 6.3.2.7: who does not know of more primes must not use such a key.
  if (jwk.oth !== undefined) throw malformed("privateKey", "an RSA key of more than two primes");
}

function privateKeyObject(material: Supplied["privateKey"], jwk: Jwk | undefined): KeyObject {
  try {
    if (jwk !== undefined) return createPrivateKey({ key: jwk, format: "jwk" });
    // In files of environment variables the ends of lines are written out.
    return createPrivateKey(String(material).replaceAll("\\n", "\n"));
  } catch {
    // The library's message may quote the key.
    const text = typeof material === "string" ? material : "";
    if (/ENCRYPTED/.test(text)) throw malformed("privateKey", "it is encrypted: decrypt it first");
    if (/BEGIN (RSA )?PUBLIC KEY|BEGIN CERTIFICATE/.test(text)) {
      throw malformed("privateKey", "a public key: it cannot sign");
    }
    throw malformed(
      "privateKey",
      "neither a private JWK (with all members of RFC 7518, for RSA p, q, dp, dq and qi too) nor PEM",
    );
  }
}

const CURVES: Readonly<Record<string, string>> = {
  ES256: "prime256v1",
  ES384: "secp384r1",
  ES512: "secp521r1",
};

/** The key must be of the kind that the algorithm signs with. */
function checkForm({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, algorithm: string): void {
  const curve = CURVES[algorithm];
  const wanted = curve !== undefined ? "ec" : algorithm === "EdDSA" ? "ed25519" : "rsa";
  const isOther =
    asymmetricKeyType !== wanted || (curve !== undefined && asymmetricKeyDetails?.namedCurve !== curve);
  if (isOther) {
    throw malformed(
      "privateKey",
      `not a key for settings.algorithm ${algorithm}: set algorithm to the key's, and change it with a later rotation`,
    );
  }
  if (wanted === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) < LEAST_RSA_BITS) {
    throw malformed("privateKey", "fewer than 2,048 bits (RFC 7518, section 3.3)");
  }
}

/** `true` where the public half that goes into the JWKS verifies what the private half signs. */
function isOfOneKey(key: KeyObject, { kty, ...members }: PrivateJwk): boolean {
  const { d: _, ...half } = members as Readonly<Record<string, unknown>>;
  const text = Buffer.from("one key");
  const digest = kty === "OKP" ? null : "sha256";
  try {
    const publicHalf = createPublicKey({ key: { kty, ...half }, format: "jwk" });
    return verify(digest, text, publicHalf, sign(digest, text, key));
  } catch {
    return false;
  }
}

function publicKey(material: Supplied["privateKey"], algorithm: PrivateJwk["alg"]): PublicJwk {
  const jwk = jwkOf(material);
  if (jwk === undefined) throw malformed("previous", "not a JWK");
  if (jwk.d !== undefined || jwk.k !== undefined) {
    throw malformed("previous", "it has a private half: nobody signs with it, so supply its public half");
  }
  const { kty, crv, x, y, n, e, kid, alg = algorithm, use = "sig" } = jwk;
  const members = { kty, crv, x, y, n, e, kid, alg, use };
  const known = Object.fromEntries(Object.entries(members).filter(([, member]) => member !== undefined));
  const parsed = publicJwkOf(known);
  if (parsed === undefined || !isPublicKey(known)) {
    throw malformed("previous", "not a public JWK with a kid, for an algorithm that signs here");
  }
  return parsed;
}

function isPublicKey(jwk: Jwk): boolean {
  try {
    createPublicKey({ key: jwk, format: "jwk" });
    return true;
  } catch {
    return false;
  }
}

const malformed = (field: string, reason: string): RotationError =>
  new RotationError("value-malformed", `what was supplied: ${field}: ${reason}`);
