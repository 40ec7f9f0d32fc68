import * as z from "zod/mini";
import type { KindName } from "../../model/kinds";
import { madeAtUse } from "../../model/made-at-use";

/**
 * The JSON values of every kind. Field names are those of `KINDS[kind].fields`, because pods' files are
 * rendered from that list; a test compares the two. Objects are strict: a field that rotation does not know
 * would be lost by the next rotation.
 */

const text = z.string().check(z.minLength(1));
const userName = z.string().check(z.minLength(1), z.maxLength(63));
/** Passwords are sent in protocols in which control characters and letters beyond ASCII mean trouble. */
const password = z.string().check(z.minLength(16), z.maxLength(128), z.regex(/^[!-~]+$/));

const base64Url = z.string().check(z.minLength(1), z.regex(/^[A-Za-z0-9_-]+$/));

/**
 * Members of a key by its `alg` (RFC 7518, RFC 8037). `EdDSA` is Ed25519: jose takes no other curve for it.
 */
const ec = <const C extends string>(curve: C) => ({
  kty: z.literal("EC"),
  crv: z.literal(curve),
  x: base64Url,
  y: base64Url,
});
const okp = () => ({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: base64Url });
const rsa = () => ({ kty: z.literal("RSA"), n: base64Url, e: base64Url });
const RSA_PRIVATE = () => ({
  d: base64Url,
  p: base64Url,
  q: base64Url,
  dp: base64Url,
  dq: base64Url,
  qi: base64Url,
});

const forSigning = <const A extends string>(algorithm: A) => ({
  /**
   * Name of the key in tokens and in the JWKS. Ours is the RFC 7638 thumbprint; a key that an organisation brings along
   * keeps its own, or every token that is out would be refused (RFC 7517, section 4.5: any string).
   */
  kid: z.string().check(z.minLength(1), z.maxLength(256), z.regex(/^[ -~]+$/)),
  alg: z.literal(algorithm),
  use: z.literal("sig"),
});

/** Parts of values. */
const parts = madeAtUse({
  /** One HMAC key of a generation. */
  hmacKey: () =>
    z.strictObject({
      /** Name of the key, for a header beside the signature; reveals nothing of the key. */
      id: z.string().check(z.regex(/^[0-9a-f]{16}$/)),
      /** The key in base64url. */
      key: base64Url,
      /** Algorithm for which it was made: a key's algorithm never changes, whatever the settings come to say. */
      algorithm: z.enum(["sha256", "sha512"]),
    }),
  /** Secret with which Stripe signs the events of one webhook endpoint. */
  webhookSecret: () =>
    z.strictObject({
      /** The endpoint (`we_…`); `null`: made by hand, so rotation does not know which it is. */
      id: z.nullable(z.string().check(z.startsWith("we_"))),
      secret: z.string().check(z.regex(/^whsec_[A-Za-z0-9+/=_-]+$/)),
    }),
  /** A public key as a JWKS shows it (RFC 7517). Strict, so that no private member can slip in. */
  publicJwk: () =>
    z.discriminatedUnion("alg", [
      z.strictObject({ ...ec("P-256"), ...forSigning("ES256") }),
      z.strictObject({ ...ec("P-384"), ...forSigning("ES384") }),
      z.strictObject({ ...ec("P-521"), ...forSigning("ES512") }),
      z.strictObject({ ...okp(), ...forSigning("EdDSA") }),
      z.strictObject({ ...rsa(), ...forSigning("RS256") }),
      z.strictObject({ ...rsa(), ...forSigning("RS384") }),
      z.strictObject({ ...rsa(), ...forSigning("RS512") }),
      z.strictObject({ ...rsa(), ...forSigning("PS256") }),
      z.strictObject({ ...rsa(), ...forSigning("PS384") }),
      z.strictObject({ ...rsa(), ...forSigning("PS512") }),
    ]),
  /** A key that can sign. */
  privateJwk: () =>
    z.discriminatedUnion("alg", [
      z.strictObject({ ...ec("P-256"), d: base64Url, ...forSigning("ES256") }),
      z.strictObject({ ...ec("P-384"), d: base64Url, ...forSigning("ES384") }),
      z.strictObject({ ...ec("P-521"), d: base64Url, ...forSigning("ES512") }),
      z.strictObject({ ...okp(), d: base64Url, ...forSigning("EdDSA") }),
      z.strictObject({ ...rsa(), ...RSA_PRIVATE(), ...forSigning("RS256") }),
      z.strictObject({ ...rsa(), ...RSA_PRIVATE(), ...forSigning("RS384") }),
      z.strictObject({ ...rsa(), ...RSA_PRIVATE(), ...forSigning("RS512") }),
      z.strictObject({ ...rsa(), ...RSA_PRIVATE(), ...forSigning("PS256") }),
      z.strictObject({ ...rsa(), ...RSA_PRIVATE(), ...forSigning("PS384") }),
      z.strictObject({ ...rsa(), ...RSA_PRIVATE(), ...forSigning("PS512") }),
    ]),
});

/** Value schemas by kind. `generic` has the fields that its settings name: {@link genericValueSchema}. */
export const VALUE_SCHEMAS = madeAtUse({
  "postgresql-user": () => z.strictObject({ username: userName, password }),
  "redis-auth-token": () => z.strictObject({ password }),
  "jwt-signing-key": () =>
    z.strictObject({
      next: z.nullable(parts.privateJwk),
      current: parts.privateJwk,
      /** Key before. Nobody signs with it any more, so its private half is gone. */
      previous: z.nullable(parts.publicJwk),
      jwks: z.strictObject({ keys: z.array(parts.publicJwk).check(z.minLength(1), z.maxLength(3)) }),
    }),
  "hmac-key": () =>
    z.strictObject({
      next: z.nullable(parts.hmacKey),
      current: parts.hmacKey,
      previous: z.nullable(parts.hmacKey),
    }),
  stripe: () =>
    z.strictObject({
      /** `sk_org_…` is an organisation's: each call with it names the account in the header Stripe-Context. */
      secretKey: z.string().check(z.regex(/^((sk|rk)_|sk_org_)(test|live)_[A-Za-z0-9_]+$/)),
      /** Id of the key where rotation made it; no consumer needs it. None: a person made the key. */
      secretKeyId: z.optional(text),
      publishableKey: z.string().check(z.regex(/^pk_(test|live)_[A-Za-z0-9_]+$/)),
      /**
       * Signing secrets of webhook endpoints, by generation; a signature by any of them is good. All `null`: the account
       * has no webhook of ours.
       */
      webhookSecrets: z.strictObject({
        next: z.nullable(parts.webhookSecret),
        current: z.nullable(parts.webhookSecret),
        previous: z.nullable(parts.webhookSecret),
      }),
    }),
  paypal: () =>
    z.strictObject({
      // The two go into one text with a colon between them (RFC 7617).
      clientId: z.string().check(z.regex(/^[!-9;-~]+$/)),
      clientSecret: z.string().check(z.regex(/^[!-~]+$/)),
    }),
  sendgrid: () => z.strictObject({ apiKey: text }),
  "s3-access-key": () =>
    z.strictObject({
      accessKeyId: text,
      secretAccessKey: text,
      sessionPolicy: z.record(z.string(), z.json()),
    }),
  datadog: () => z.strictObject({ apiKey: text, apiKeyId: text, appKey: text, appKeyId: text }),
} satisfies Record<Exclude<KindName, "generic">, () => z.ZodMiniType>);

/** The value of a kind. */
export type KindValue<K extends keyof typeof VALUE_SCHEMAS> = z.output<(typeof VALUE_SCHEMAS)[K]>;

/** A key that can sign tokens. */
export type PrivateJwk = z.output<typeof parts.privateJwk>;
/** Public half of a key. */
export type PublicJwk = z.output<typeof parts.publicJwk>;
/** Members that anyone may see, by RFC 7517, 7518 and 8037; whatever else a key has stays behind. */
const PUBLIC_MEMBERS: ReadonlySet<string> = new Set(["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"]);

/** The public half of a key: its members by a list of what is public, checked by a schema that lets nothing else pass. */
export const publicHalf = (key: PublicJwk): PublicJwk =>
  parts.publicJwk.parse(Object.fromEntries(Object.entries(key).filter(([name]) => PUBLIC_MEMBERS.has(name))));

/** Reads a private key as JSON; `undefined`: it has not the form of one that can sign here. */
export const privateJwkOf = (jwk: unknown): PrivateJwk | undefined => {
  const result = parts.privateJwk.safeParse(jwk);
  // Never zod's own error: it may quote what it found, which is a private key here.
  return result.success ? result.data : undefined;
};

/** Reads a public key as JSON; `undefined`: it has another form, or a private member. */
export const publicJwkOf = (jwk: unknown): PublicJwk | undefined => {
  const result = parts.publicJwk.safeParse(jwk);
  return result.success ? result.data : undefined;
};

/** A webhook key. */
export type HmacKey = z.output<typeof parts.hmacKey>;

/** The signing secret of a webhook endpoint at Stripe. */
export type WebhookSecret = z.output<typeof parts.webhookSecret>;

/** The schema of a generic secret with these fields. */
export const genericValueSchema = (
  fields: readonly string[],
): z.ZodMiniObject<Record<string, z.ZodMiniString>> =>
  z.strictObject(Object.fromEntries(fields.map((field) => [field, text])));

/**
 * The value of a server's admin secret: a login that may change other logins. Extra fields are let through, because an
 * RDS-managed master secret carries some; `host` is compared with the target's when it is there.
 */
export const adminValueSchema = z.object({
  username: z.string().check(z.minLength(1)),
  password: text,
  host: z.optional(z.string().check(z.minLength(1))),
});

/** A login that may change other logins. */
export type AdminValue = z.output<typeof adminValueSchema>;
