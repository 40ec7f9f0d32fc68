import { canonicalJson } from "./canonical-json";
import { isRecord } from "./is-record";
import { type AnyKindSettings, type KindName, type KindSettings, settingsSchema } from "./kinds";

/**
 * Time from which a changed setting takes effect, for every setting of every kind. Consumers hold a value until they refresh, so
 * whatever belongs to a value changes together with it; the settings that made a value are kept in it
 * ({@link keptSettings}).
 */
export type SettingRule =
  /**
   * Effect with the next value. `place`: it names where the credential lives. A value that lives elsewhere is no
   * predecessor of the next one, and is retired at its own place.
   */
  | { readonly takesEffect: "with-value"; readonly place?: true | ((settings: never) => boolean) }
  /** At once where the credential lives now; a value that lives elsewhere keeps its own. */
  | { readonly takesEffect: "with-place"; readonly because: string }
  /** A time that is waited for: the longest of what the values in play say and of what the registry says now. */
  | { readonly takesEffect: "longest"; readonly because: string }
  /** The value holds it itself, as one of its fields. */
  | { readonly takesEffect: "in-value"; readonly because: string }
  /** No value that is there depends on it. */
  | { readonly takesEffect: "at-once"; readonly because: string }
  /** Never under a live value: rotation refuses, and says the steps. */
  | { readonly takesEffect: "never"; readonly steps: string };

/** Rules of one kind. A setting without a rule does not compile. */
type RulesOf<K extends KindName> = { readonly [S in keyof Required<KindSettings<K>>]: SettingRule };

const withValue: SettingRule = { takesEffect: "with-value" };
const place: SettingRule = { takesEffect: "with-value", place: true };
const withPlace = (because: string): SettingRule => ({ takesEffect: "with-place", because });
const longest = (because: string): SettingRule => ({ takesEffect: "longest", because });
const atOnce = (because: string): SettingRule => ({ takesEffect: "at-once", because });
const never = (steps: string): SettingRule => ({ takesEffect: "never", steps });

const OF_A_VAULT_ENGINE = "store vault only: Vault uses it for the next lease, and each lease keeps its own";
const CERTIFICATE = "it says which server is trusted, not which credential; a bundle is too large to be kept";
const SAME_VENDOR = "another way to the same vendor";
const RIGHTS = "rights of the function; no value depends on it";
const OTHER_WORLD =
  "define another secret with the new mode, let its consumers change to it, then retire this one";

/** The rule of each setting of each kind. */
export const SETTING_RULES: { readonly [K in KindName]: RulesOf<K> } = {
  "postgresql-user": {
    host: place,
    writerHost: withPlace("the same database by another name; a database elsewhere keeps its own writer"),
    port: place,
    server: place,
    caPem: atOnce(CERTIFICATE),
    database: withValue,
    role: place,
    adopt: atOnce("it says what people have allowed for the role; no login depends on it"),
    schemas: withValue,
    exceptObjects: withValue,
    privileges: withValue,
    lockGrace: atOnce("it says how a login ends from now on"),
    data: atOnce("a word for people: rotation does not use it"),
    login: atOnce("the store decides it: with store aws there is one kind of login"),
    connectionUser: atOnce(OF_A_VAULT_ENGINE),
    ttl: atOnce(OF_A_VAULT_ENGINE),
    maxTtl: atOnce(OF_A_VAULT_ENGINE),
  },
  "redis-auth-token": {
    // A replication group has an id; the name under which it is reached may change.
    host: {
      takesEffect: "with-value",
      place: ({ engine }: KindSettings<"redis-auth-token">) => engine === "acl",
    },
    port: {
      takesEffect: "with-value",
      place: ({ engine }: KindSettings<"redis-auth-token">) => engine === "acl",
    },
    caPem: atOnce(CERTIFICATE),
    engine: place,
    replicationGroup: place,
    formerReplicationGroups: atOnce(RIGHTS),
    // An ElastiCache user has an id; the name by which it logs in is its property.
    user: {
      takesEffect: "with-value",
      place: ({ engine }: KindSettings<"redis-auth-token">) => engine !== "elasticache-user",
    },
    userId: place,
    formerElastiCacheUsers: atOnce(RIGHTS),
    formerMemoryDbUsers: atOnce(RIGHTS),
    persist: atOnce("it says how a change of the user is kept from now on"),
    tls: atOnce("it cannot be turned off"),
  },
  "jwt-signing-key": {
    // Each key says its own `alg`, so that the next key is made by the new one and used when it is promoted.
    algorithm: withValue,
    firstKey: atOnce("it says who makes the first key; no key that is there depends on it"),
    tokenLifetime: longest("tokens that were signed before the change live on"),
    clockSkew: longest("verifiers take the change up at different times"),
    verifierCache: longest("verifiers take the change up at different times"),
    issuer: never(
      "let verifiers take both issuers, define another secret with the new issuer, let its consumers change to it, then retire this one",
    ),
  },
  "hmac-key": {
    // Each key says its own, as above.
    algorithm: withValue,
    bytes: atOnce("it says how long the next key is; longer and shorter ones live side by side"),
    tolerance: longest("signatures that were made before the change are still taken"),
  },
  stripe: {
    mode: never(OTHER_WORLD),
    account: withValue,
    accountId: withValue,
    webhookUrl: withValue,
    webhookEvents: withValue,
    webhookConnect: withValue,
    keyPermissions: withValue,
    publishableKey: { takesEffect: "in-value", because: "the value's field publishableKey" },
    apiUrl: atOnce(SAME_VENDOR),
  },
  paypal: {
    mode: never(OTHER_WORLD),
    account: withValue,
    apiUrl: atOnce(SAME_VENDOR),
  },
  sendgrid: {
    account: withValue,
    subuser: place,
    host: place,
    scopes: withValue,
    apiUrl: withPlace(SAME_VENDOR),
  },
  "s3-access-key": {
    bucket: withValue,
    user: place,
    formerUsers: atOnce(RIGHTS),
    sessionPolicy: { takesEffect: "in-value", because: "the value's field sessionPolicy" },
  },
  datadog: {
    org: withValue,
    site: place,
    serviceAccountId: place,
    appKeyScopes: withValue,
    apiUrl: withPlace(SAME_VENDOR),
  },
  generic: {
    fields: withValue,
    generate: atOnce("it says how the next value is made"),
    check: withPlace("how a value is looked at; a value that lives elsewhere is looked at there"),
    config: withValue,
  },
};

/** The settings that a value keeps: JSON, never secret. */
export type KeptSettings = Readonly<Record<string, unknown>>;

const rulesOf = (kind: KindName): readonly (readonly [string, SettingRule])[] =>
  Object.entries(SETTING_RULES[kind]);

const KEPT: ReadonlySet<SettingRule["takesEffect"]> = new Set([
  "with-value",
  "with-place",
  "longest",
  "never",
]);

/** `true` when a value keeps a setting that made it. */
export const keepsSetting = (kind: KindName, name: string): boolean =>
  rulesOf(kind).some(([setting, { takesEffect }]) => setting === name && KEPT.has(takesEffect));

/**
 * Settings that a value keeps which these settings make.
 *
 * @example
 * keptSettings("redis-auth-token", settings);
 * // { host: "redis.prod.internal", port: 6379, engine: "acl", user: "app" }
 */
export function keptSettings<K extends KindName>(kind: K, settings: KindSettings<K>): KeptSettings {
  const all: Readonly<Record<string, unknown>> = settings;
  return Object.fromEntries(
    rulesOf(kind)
      .filter(([name, { takesEffect }]) => KEPT.has(takesEffect) && all[name] !== undefined)
      .map(([name]) => [name, name === CHECK ? withoutCertificate(all[name]) : all[name]]),
  );
}

/**
 * The settings that hold for a value.
 *
 * @param now the registry's settings
 * @param kept what the value says
 * @returns `undefined`: what the value says is no settings of the kind
 */
export function settingsInEffect<K extends KindName>(
  kind: K,
  now: KindSettings<K>,
  kept: KeptSettings,
): KindSettings<K> | undefined {
  const own = merged(kind, now, kept, ["with-value", "longest", "never"]);
  if (own === undefined || isSamePlace(kind, own, now)) return own;
  return merged(kind, now, kept, ["with-value", "longest", "never", "with-place"]);
}

/**
 * Text that the registry must hold so that the function can reach a place at which a value lives, though its settings are not the
 * registry's any more.
 */
export function reachOf<K extends KindName>(kind: K, settings: KindSettings<K>): string {
  const { user, userId, engine, replicationGroup }: Readonly<Record<string, unknown>> = settings;
  if (kind === "s3-access-key") return `formerUsers: [${JSON.stringify(user)}] in its settings`;
  if (engine === "elasticache-user")
    return `formerElastiCacheUsers: [${JSON.stringify(userId)}] in its settings`;
  if (engine === "memorydb-user") return `formerMemoryDbUsers: [${JSON.stringify(user)}] in its settings`;
  return replicationGroup === undefined
    ? "the admin secret of that place as its admin"
    : `formerReplicationGroups: [${JSON.stringify(replicationGroup)}] in its settings`;
}

/** Place of a credential, as one text to compare. */
export function credentialPlaceOf<K extends KindName>(kind: K, settings: KindSettings<K>): string {
  const all: Readonly<Record<string, unknown>> = settings;
  const names = rulesOf(kind).filter(
    ([, rule]) =>
      rule.takesEffect === "with-value" &&
      (rule.place === true || (typeof rule.place === "function" && rule.place(settings as never))),
  );
  const check = kind === "generic" ? checkedPlace(settings as KindSettings<"generic">) : undefined;
  return canonicalJson({ ...Object.fromEntries(names.map(([name]) => [name, all[name]])), check });
}

/** The server that a generic secret's check asks. */
function checkedPlace({ check }: KindSettings<"generic">): string | undefined {
  if (check === undefined) return undefined;
  return check.how === "http" ? new URL(check.url).origin : `${check.host}:${check.port}`;
}

/** `true` when a credential of the one lives where a credential of the other does. */
const isSamePlace = <K extends KindName>(kind: K, one: KindSettings<K>, other: KindSettings<K>): boolean =>
  credentialPlaceOf(kind, one) === credentialPlaceOf(kind, other);

/** A setting that has changed under a value though it must not. */
export interface RefusedChange {
  readonly setting: string;
  readonly steps: string;
}

/** Changes since a value was made, of what never changes under a live value. */
export function refusedChanges<K extends KindName>(
  kind: K,
  now: KindSettings<K>,
  kept: KeptSettings,
): readonly RefusedChange[] {
  const all: Readonly<Record<string, unknown>> = now;
  return rulesOf(kind).flatMap(([setting, rule]) =>
    rule.takesEffect === "never" && canonicalJson(kept[setting]) !== canonicalJson(all[setting])
      ? [{ setting, steps: rule.steps }]
      : [],
  );
}

function merged<K extends KindName>(
  kind: K,
  now: KindSettings<K>,
  kept: KeptSettings,
  which: readonly SettingRule["takesEffect"][],
): KindSettings<K> | undefined {
  const current: Readonly<Record<string, unknown>> = now;
  const entries = rulesOf(kind).map(([name, { takesEffect }]) => [
    name,
    !which.includes(takesEffect)
      ? current[name]
      : name === CHECK
        ? withCertificate(kept[name], current[name])
        : kept[name],
  ]);
  const result = settingsSchema(kind).safeParse(Object.fromEntries(entries));
  return result.success ? (result.data as KindSettings<K>) : undefined;
}

/** Setting that holds a certificate among others. */
const CHECK = "check";

/** Certificates are not kept: a bundle of them may be larger than a value may be (65,536 bytes). */
function withoutCertificate(setting: unknown): unknown {
  if (!isRecord(setting)) return setting;
  const { caPem: _, ...rest } = setting;
  return rest;
}

const withCertificate = (own: unknown, current: unknown): unknown =>
  isRecord(own) && isRecord(current) && current.caPem !== undefined ? { ...own, caPem: current.caPem } : own;

/** A kind with settings, as the union that rules switch on. */
export const asKind = <K extends KindName>(kind: K, settings: KindSettings<K>): AnyKindSettings =>
  ({ kind, settings }) as AnyKindSettings;
