import { createHash, generateKeyPair, type JsonWebKey, type KeyObject, sign, verify } from "node:crypto";
import { promisify } from "node:util";

/** Algorithms by which clusters sign their tokens. */
export type SigningAlgorithm = "RS256" | "ES256";

/** Algorithms that a key can sign with: clusters' algorithms, and AWS's. */
export type KeyAlgorithm = SigningAlgorithm | "ES384";

const DIGEST: Readonly<Record<KeyAlgorithm, string>> = { RS256: "sha256", ES256: "sha256", ES384: "sha384" };
const CURVE = { ES256: "P-256", ES384: "P-384" } as const;

/** Claims of a token: registered ones and whatever else. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * A key pair that signs and verifies compact JWTs (RFC 7519, RFC 7515), with `node:crypto` alone. The library
 * `jose` is an ES module only, which this CommonJS code and its tests could load in roundabout ways; OpenBao's
 * verifier checks ours in the tests.
 */
export class SigningKey {
  private constructor(
    readonly algorithm: KeyAlgorithm,
    private readonly privateKey: KeyObject,
    private readonly publicKey: KeyObject,
    /** As kube-apiserver names its keys: SHA-256 of the public key. */
    readonly id: string,
  ) {}

  /** A new key. RSA's take some tenths of a second, on another thread. */
  static async generate(algorithm: KeyAlgorithm): Promise<SigningKey> {
    const generate = promisify(generateKeyPair);
    const { privateKey, publicKey } =
      algorithm === "RS256"
        ? await generate("rsa", { modulusLength: 2048 })
        : await generate("ec", { namedCurve: CURVE[algorithm] });
    const id = createHash("sha256")
      .update(publicKey.export({ type: "spki", format: "der" }))
      .digest("base64url");
    return new SigningKey(algorithm, privateKey, publicKey, id);
  }

  /** The public half, as a JWKS lists it. */
  publicJwk(): JsonWebKey {
    return { ...this.publicKey.export({ format: "jwk" }), use: "sig", alg: this.algorithm, kid: this.id };
  }

  /** The public half as PEM. */
  publicKeyPem(): string {
    return this.publicKey.export({ type: "spki", format: "pem" }).toString();
  }

  /** A compact JWT. */
  sign(claims: Claims): string {
    const content = `${encode({ alg: this.algorithm, kid: this.id })}.${encode(claims)}`;
    const signature = sign(DIGEST[this.algorithm], Buffer.from(content), {
      key: this.privateKey,
      dsaEncoding: "ieee-p1363",
    });
    return `${content}.${signature.toString("base64url")}`;
  }

  /**
   * The claims of a token that this key signed; `undefined` for every other text. Times and audience are not
   * looked at.
   */
  verify(token: string): Claims | undefined {
    const [header, payload, signature, ...rest] = token.split(".");
    if (!header || !payload || !signature || rest.length > 0) return undefined;
    const { alg, kid } = decode(header) ?? {};
    if (alg !== this.algorithm || kid !== this.id) return undefined;
    const genuine = verify(
      DIGEST[this.algorithm],
      Buffer.from(`${header}.${payload}`),
      { key: this.publicKey, dsaEncoding: "ieee-p1363" },
      Buffer.from(signature, "base64url"),
    );
    return genuine ? decode(payload) : undefined;
  }
}

const encode = (value: Claims): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function decode(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
