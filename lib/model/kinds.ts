import type * as z from "zod/mini";
import { type Duration, days, minutes } from "./duration";
import { DATADOG_TRAITS, datadogSettings } from "./kinds/datadog";
import { GENERIC_TRAITS, genericSettings } from "./kinds/generic";
import { HMAC_KEY_TRAITS, hmacKeySettings } from "./kinds/hmac-key";
import { JWT_SIGNING_KEY_TRAITS, jwtSigningKeySettings } from "./kinds/jwt-signing-key";
import { PAYPAL_TRAITS, paypalSettings } from "./kinds/paypal";
import { POSTGRESQL_USER_TRAITS, postgresqlUserSettings } from "./kinds/postgresql-user";
import { REDIS_AUTH_TOKEN_TRAITS, redisAuthTokenSettings } from "./kinds/redis-auth-token";
import { S3_ACCESS_KEY_TRAITS, s3AccessKeySettings } from "./kinds/s3-access-key";
import { SENDGRID_TRAITS, sendgridSettings } from "./kinds/sendgrid";
import { STRIPE_TRAITS, stripeSettings } from "./kinds/stripe";
import type { KindTraits, RotationMode, Store } from "./kinds/traits";
import { madeAtUse } from "./made-at-use";

export { JWT_ALGORITHMS } from "./kinds/jwt-signing-key";
export { POSTGRESQL_PRIVILEGES } from "./kinds/postgresql-user";
export { isAwsUserId } from "./kinds/redis-auth-token";
export type { AcceptedBy, KindTraits, RotationMode, Store, ValueField } from "./kinds/traits";

const settings = /* @__PURE__ */ madeAtUse({
  "postgresql-user": postgresqlUserSettings,
  "redis-auth-token": redisAuthTokenSettings,
  "jwt-signing-key": jwtSigningKeySettings,
  "hmac-key": hmacKeySettings,
  stripe: stripeSettings,
  paypal: paypalSettings,
  sendgrid: sendgridSettings,
  "s3-access-key": s3AccessKeySettings,
  datadog: datadogSettings,
  generic: genericSettings,
});

/**
 * The supported combinations of kind, store, acceptance and rotation. What is not in this table is a fault;
 * `test/model/supported.test.ts` walks all of it.
 */
export const KINDS = {
  "postgresql-user": POSTGRESQL_USER_TRAITS,
  "redis-auth-token": REDIS_AUTH_TOKEN_TRAITS,
  "jwt-signing-key": JWT_SIGNING_KEY_TRAITS,
  "hmac-key": HMAC_KEY_TRAITS,
  stripe: STRIPE_TRAITS,
  paypal: PAYPAL_TRAITS,
  sendgrid: SENDGRID_TRAITS,
  "s3-access-key": S3_ACCESS_KEY_TRAITS,
  datadog: DATADOG_TRAITS,
  generic: GENERIC_TRAITS,
} as const satisfies Record<string, KindTraits>;

/** The name of a kind. */
export type KindName = keyof typeof KINDS;

/** All kinds, in the table's order. */
export const KIND_NAMES = Object.keys(KINDS) as KindName[];

/** The traits of a kind. */
export const traitsOf = (kind: KindName): KindTraits => KINDS[kind];

/** Settings of one kind as an author writes them: defaults may be left out. */
export type KindSettingsInput<K extends KindName> = z.input<(typeof settings)[K]>;

/** Settings of one kind with every default filled in. */
export type KindSettings<K extends KindName> = z.output<(typeof settings)[K]>;

/** The schema of a kind's settings. */
export const settingsSchema = (kind: KindName): z.ZodMiniType => settings[kind];

/** The setting names of a kind. */
export const settingNames = (kind: KindName): readonly string[] => Object.keys(settings[kind].shape);

/** Durations by which a kind's acceptors lag behind beyond the refresh of pods. */
export interface AcceptorLag {
  /** Added before a published `next` may be used: verifiers' caches. */
  readonly beforeUse: Duration | undefined;
  /** Added before `previous` may go: lifetimes of what it signed, clock skew, caches. */
  readonly afterSwitch: readonly Duration[];
}

/** Time that the acceptors of a secret need beyond refresh and margin (docs/explanation/architecture.md, decision 3). */
export function acceptorLag(secret: AnyKindSettings): AcceptorLag {
  switch (secret.kind) {
    case "jwt-signing-key": {
      const { tokenLifetime, clockSkew, verifierCache } = secret.settings;
      return { beforeUse: verifierCache, afterSwitch: [tokenLifetime, clockSkew, verifierCache] };
    }
    case "hmac-key":
      return { beforeUse: undefined, afterSwitch: [secret.settings.tolerance] };
    case "stripe":
      return {
        beforeUse: undefined,
        afterSwitch: publishesKeys(secret) ? [STRIPE_RETRIES, STRIPE_TOLERANCE] : [],
      };
    default:
      return { beforeUse: undefined, afterSwitch: [] };
  }
}

/**
 * Time for which Stripe tries to deliver an event again, at the endpoint where delivery failed and nowhere else.
 * https://docs.stripe.com/webhooks#automatic-retries
 */
const STRIPE_RETRIES: Duration = days(3);

/**
 * Age up to which Stripe's libraries take a signature. Each new try has a signature of its own.
 * https://docs.stripe.com/webhooks#replay-attacks
 */
const STRIPE_TOLERANCE: Duration = minutes(5);

/**
 * `true` when a credential that the target accepts has keys beside it by which the target signs and our own workloads
 * check: those are published before they are used, like any that own workloads accept.
 */
export const publishesKeys = (secret: AnyKindSettings): boolean =>
  secret.kind === "stripe" && secret.settings.webhookUrl !== undefined;

/**
 * Place of the target that a secret opens: in a network of one's own, or on the internet. `nowhere`: nothing has to be called.
 */
export function targetPlace(secret: AnyKindSettings): "private" | "internet" | "nowhere" {
  switch (secret.kind) {
    case "postgresql-user":
    case "redis-auth-token":
      return "private";
    case "jwt-signing-key":
    case "hmac-key":
      return "nowhere";
    case "generic":
      return secret.settings.check === undefined ? "nowhere" : "private";
    default:
      return "internet";
  }
}

/** Reason for which rotation of a secret needs an admin credential; `undefined`: it needs none. */
export function adminNeed(secret: AnyKindSettings, store: Store, rotation: RotationMode): string | undefined {
  switch (secret.kind) {
    case "postgresql-user":
      return store === "aws" ? "a login that makes the two logins: fields username and password" : undefined;
    case "redis-auth-token":
      return secret.settings.engine === "acl"
        ? "a user that changes the user's passwords: fields username and password"
        : undefined;
    case "sendgrid":
      return rotation === "automatic" ? "a key that makes keys: field apiKey" : undefined;
    case "stripe":
      return rotation === "automatic"
        ? "the secret key of a Stripe app that may write API keys in the account: field apiKey"
        : undefined;
    case "datadog":
      return rotation === "automatic" ? "keys that make keys: fields apiKey and appKey" : undefined;
    default:
      return undefined;
  }
}

/**
 * Name of that which changes a secret's credential where no admin credential ever does; `undefined`: one does, or may. A
 * Redis that AWS manages may have one for values that still live in an ACL user of own servers.
 */
export function changedWithoutAdmin(
  secret: AnyKindSettings,
  store: Store,
  rotation: RotationMode,
): string | undefined {
  switch (secret.kind) {
    case "postgresql-user":
      return store === "vault" ? "Vault's engine by its own connection" : undefined;
    case "jwt-signing-key":
    case "hmac-key":
      return "the function itself: no target holds the keys";
    case "s3-access-key":
      return "the function by its role";
    case "stripe":
      return rotation === "automatic" ? undefined : "people, in Stripe's dashboard";
    case "paypal":
      return "people, in PayPal's portal";
    case "generic":
      return "people, at its target";
    default:
      return undefined;
  }
}

/** A kind with its settings: the discriminated union that rules and rotation switch on. */
export type AnyKindSettings = {
  [K in KindName]: { readonly kind: K; readonly settings: KindSettings<K> };
}[KindName];
