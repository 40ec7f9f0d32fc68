import * as z from "zod";
import type { KindName } from "../model/kinds";
import { madeAtUse } from "../model/made-at-use";

/**
 * The JSON values of every kind. Field names are those of `KINDS[kind].fields`, because pods' files are
 * rendered from that list; a test compares the two. Objects are strict: a field that rotation does not know
 * would be lost by the next rotation.
 */

const text = z.string().min(1);
const userName = z.string().min(1).max(63);
/** Passwords are sent in protocols in which control characters and letters beyond ASCII mean trouble. */
const password = z
  .string()
  .min(16)
  .max(128)
  .regex(/^[!-~]+$/);

const base64Url = z
  .string()
  .min(1)
  .regex(/^[A-Za-z0-9_-]+$/);

const ecPublic = () => ({ kty: z.literal("EC"), crv: z.literal("P-256"), x: base64Url, y: base64Url });
const okpPublic = () => ({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: base64Url });
const rsaPublic = () => ({ kty: z.literal("RSA"), n: base64Url, e: base64Url });

const forSigning = <const A extends string>(algorithm: A) => ({
  /** RFC 7638 thumbprint of the public key. */
  kid: base64Url,
  alg: z.literal(algorithm),
  use: z.literal("sig"),
});

/** What values are made of. */
const parts = madeAtUse({
  /** One HMAC key of a generation. */
  hmacKey: () =>
    z.strictObject({
      /** Name of the key, for a header beside the signature; tells nothing about the key. */
      id: z.string().regex(/^[0-9a-f]{16}$/),
      /** The key in base64url. */
      key: base64Url,
    }),
  /** What Stripe signs the events of one webhook endpoint with. */
  webhookSecret: () =>
    z.strictObject({
      /** The endpoint (`we_…`); `null`: made by hand, so rotation does not know which it is. */
      id: z.string().startsWith("we_").nullable(),
      secret: z.string().regex(/^whsec_[A-Za-z0-9+/=_-]+$/),
    }),
  /** A public key as a JWKS shows it (RFC 7517). Strict, so that no private member can slip in. */
  publicJwk: () =>
    z.discriminatedUnion("alg", [
      z.strictObject({ ...ecPublic(), ...forSigning("ES256") }),
      z.strictObject({ ...okpPublic(), ...forSigning("EdDSA") }),
      z.strictObject({ ...rsaPublic(), ...forSigning("RS256") }),
    ]),
  /** The same without strictness: zod leaves out what is not listed. */
  publicMembers: () =>
    z.discriminatedUnion("alg", [
      z.object({ ...ecPublic(), ...forSigning("ES256") }),
      z.object({ ...okpPublic(), ...forSigning("EdDSA") }),
      z.object({ ...rsaPublic(), ...forSigning("RS256") }),
    ]),
  /** A key that can sign. */
  privateJwk: () =>
    z.discriminatedUnion("alg", [
      z.strictObject({ ...ecPublic(), d: base64Url, ...forSigning("ES256") }),
      z.strictObject({ ...okpPublic(), d: base64Url, ...forSigning("EdDSA") }),
      z.strictObject({
        ...rsaPublic(),
        d: base64Url,
        p: base64Url,
        q: base64Url,
        dp: base64Url,
        dq: base64Url,
        qi: base64Url,
        ...forSigning("RS256"),
      }),
    ]),
});

/** Value schemas by kind. `generic` has the fields that its settings name: {@link genericValueSchema}. */
export const VALUE_SCHEMAS = madeAtUse({
  "postgresql-user": () => z.strictObject({ username: userName, password }),
  "redis-auth-token": () => z.strictObject({ password }),
  "jwt-signing-key": () =>
    z.strictObject({
      next: parts.privateJwk.nullable(),
      current: parts.privateJwk,
      /** Nobody signs with it any more, so its private half is gone. */
      previous: parts.publicJwk.nullable(),
      jwks: z.strictObject({ keys: z.array(parts.publicJwk).min(1).max(3) }),
    }),
  "hmac-key": () =>
    z.strictObject({
      next: parts.hmacKey.nullable(),
      current: parts.hmacKey,
      previous: parts.hmacKey.nullable(),
    }),
  stripe: () =>
    z.strictObject({
      secretKey: z.string().regex(/^(sk|rk)_(test|live)_[A-Za-z0-9_]+$/),
      publishableKey: z.string().regex(/^pk_(test|live)_[A-Za-z0-9_]+$/),
      /**
       * Signing secrets of webhook endpoints, by generation; a signature by any of them is good. All `null`: the account
       * has no webhook of ours.
       */
      webhookSecrets: z.strictObject({
        next: parts.webhookSecret.nullable(),
        current: parts.webhookSecret.nullable(),
        previous: parts.webhookSecret.nullable(),
      }),
    }),
  paypal: () =>
    z.strictObject({
      // The two go into one text with a colon between them (RFC 7617).
      clientId: z.string().regex(/^[!-9;-~]+$/),
      clientSecret: z.string().regex(/^[!-~]+$/),
    }),
  sendgrid: () => z.strictObject({ apiKey: text }),
  "s3-access-key": () =>
    z.strictObject({
      accessKeyId: text,
      secretAccessKey: text,
      sessionPolicy: z.record(z.string(), z.json()),
    }),
  datadog: () => z.strictObject({ apiKey: text, apiKeyId: text, appKey: text, appKeyId: text }),
} satisfies Record<Exclude<KindName, "generic">, () => z.ZodType>);

/** The value of a kind. */
export type KindValue<K extends keyof typeof VALUE_SCHEMAS> = z.output<(typeof VALUE_SCHEMAS)[K]>;

/** A key that can sign tokens. */
export type PrivateJwk = z.output<typeof parts.privateJwk>;
/** Its public half. */
export type PublicJwk = z.output<typeof parts.publicJwk>;
/** The members of a key that anyone may see; whatever else it has stays behind. */
export const publicHalf = (key: PublicJwk): PublicJwk => parts.publicMembers.parse(key);

/** A webhook key. */
export type HmacKey = z.output<typeof parts.hmacKey>;

/** The signing secret of a webhook endpoint at Stripe. */
export type WebhookSecret = z.output<typeof parts.webhookSecret>;

/** The schema of a generic secret with these fields. */
export const genericValueSchema = (fields: readonly string[]): z.ZodObject<Record<string, z.ZodString>> =>
  z.strictObject(Object.fromEntries(fields.map((field) => [field, text])));

/**
 * The value of a server's admin secret: a login that may change other logins. Extra fields are let through, because an
 * RDS-managed master secret carries some; `host` is compared with the target's when it is there.
 */
export const adminValueSchema = z.object({
  username: z.string().min(1),
  password: text,
  host: z.string().min(1).optional(),
});

/** A login that may change other logins. */
export type AdminValue = z.output<typeof adminValueSchema>;
