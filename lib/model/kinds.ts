import * as z from "zod/mini";
import { type Duration, days, hours, minutes } from "./duration";
import { generationRule, genericCheck } from "./generic-settings";
import { certificatePem, duration, hostName, oneLine, portNumber, postgresqlName, webUrl } from "./grammar";
import { madeAtUse } from "./made-at-use";

/** Owner of a secret's value. `aws`: Secrets Manager, mirrored into Vault. `vault`: a Vault engine. */
export type Store = "aws" | "vault";

/** Acceptors of a new credential, who must know it before anybody presents it (docs/explanation/architecture.md, decision 3). */
export type AcceptedBy = "target" | "own-workloads" | "single-slot";

/** Mover of a rotation. */
export type RotationMode = "automatic" | "operator-assisted" | "manual-dual-publish";

/** One field of the stored JSON value, as pods use it. */
export interface ValueField {
  /** Name in the JSON value. */
  readonly name: string;
  /** `object` values (key pairs, generations) are JSON in every format. */
  readonly shape: "string" | "object";
  /** Field that may be given to anyone: a file of its own can be rendered from it (JWKS). */
  readonly public?: true;
}

const text = (name: string): ValueField => ({ name, shape: "string" });
const object = (name: string): ValueField => ({ name, shape: "object" });

/**
 * Properties in the order of their names, at every depth: an author's order means nothing and must change no output.
 */
function sortedDeep<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sortedDeep) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, entry]) => [name, sortedDeep(entry)]),
  ) as T;
}

/** Every privilege on tables that a registry can name. */
export const POSTGRESQL_PRIVILEGES = [
  "SELECT",
  "INSERT",
  "UPDATE",
  "DELETE",
  "TRUNCATE",
  "REFERENCES",
  "TRIGGER",
] as const;

/** Algorithms of JWT signing keys: what `jose` signs with. */
export const JWT_ALGORITHMS = [
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
] as const;

/** Base URL of a vendor's API: another one for a proxy of your own, or for a rehearsal. */
const apiUrl = webUrl.check(
  z.refine((value) => !/[?#]|\/$/.test(value), {
    params: { allowed: "a base URL without query and final slash", change: "leave them out" },
    message: "base URL",
  }),
);

const redisUserName = z.string().check(
  z.refine((name) => /^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/.test(name), {
    params: {
      allowed: "a user name of letters, digits, hyphens, dots and underscores, at most 100 characters",
      change: "use the name by which clients log in",
    },
    message: "user",
  }),
);

/**
 * A user's id in AWS's ARNs: "stored as a lowercase string". The services' own user `default` cannot be changed.
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateUser.html
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
 */
export const isAwsUserId = (id: string): boolean => /^[a-z][a-z0-9-]{0,99}$/.test(id) && id !== "default";

const awsUserId = z.string().check(
  z.refine(isAwsUserId, {
    params: {
      allowed: "the id of a user of your own: lower-case letters, digits and hyphens, not default",
      change:
        "make a user of your own; for ElastiCache's default user give it the user name default and another id",
    },
    message: "user id",
  }),
);

const iamUserName = () =>
  z.string().check(
    z.refine((name) => /^[\w+=,.@-]{1,64}$/.test(name), {
      params: {
        allowed: "an IAM user name, at most 64 characters",
        change: "use the user's name, not its ARN",
      },
      message: "user",
    }),
  );

const settings = /* @__PURE__ */ madeAtUse({
  "postgresql-user": () =>
    z.strictObject({
      host: hostName,
      /** Server on which users are created when `host` is a read replica. Default: `host`. */
      writerHost: z.optional(hostName),
      port: z._default(portNumber, 5432),
      /**
       * The PostgreSQL server itself, where `host` and `port` are a pooler's (PgBouncer, RDS Proxy): logins are made and
       * ended there, and tried there as well as at the pooler. A pooler must know both logins of a pair. Default: none,
       * `host` is the server, or a pooler that knows the admin's login too.
       */
      server: z.optional(z.strictObject({ host: hostName, port: z._default(portNumber, 5432) })),
      /** CA of the server's certificate in PEM, when it is not a public one (Amazon RDS's is not). */
      caPem: z.optional(certificatePem),
      database: postgresqlName,
      /**
       * The NOLOGIN role whose rights the logins have; for an alternating pair the logins are `<role>_a` and
       * `<role>_b`; for `login: "static"` the login itself.
       */
      role: postgresqlName.check(
        z.refine((name) => new TextEncoder().encode(name).length <= 61, {
          params: {
            allowed: "at most 61 bytes, so that <role>_a fits PostgreSQL's 63",
            change: "shorten the role's name",
          },
          message: "too long",
        }),
      ),
      /** The role is an existing login that owns objects, and may log in until people end that: see `docs/guides`. */
      adopt: z.optional(z.literal(true)),
      /** Schemas whose tables, views and sequences the role uses. */
      schemas: z._default(z.array(postgresqlName).check(z.minLength(1)), ["public"]),
      /**
       * Tables, views and sequences of these schemas that the role has nothing to do with, as `name` or `schema.name`:
       * their rights are neither given nor checked. Members of extensions never are. Default: none.
       */
      exceptObjects: z._default(z.array(oneLine), []),
      /**
       * Privileges of the role on them; INSERT and UPDATE bring USAGE of sequences, which `serial` columns need.
       */
      privileges: z._default(z.array(z.enum(POSTGRESQL_PRIVILEGES)).check(z.minLength(1)), [
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
      ]),
      /**
       * Time for which a login that is to be retired is locked, with its password kept, before that is taken away: whoever still
       * needs it shows by failing, and `ALTER ROLE … LOGIN` or a rollback opens it again. 0: it ends at once. In an
       * emergency it always does. Default: 1 hour.
       */
      lockGrace: z._default(z.strictObject({ seconds: z.int().check(z.gte(0)) }), hours(1)),
      /** Data that the database holds: dev works on samples. */
      data: z._default(z.enum(["sample", "copy", "live"]), "live"),
      /**
       * `alternating`: two logins take turns (store `aws`). `dynamic`: a Vault database engine makes a
       * short-lived user per lease. `static`: the engine changes the password of one existing login; the old one
       * is dead at that moment, so whoever holds it fails until its agent has rendered the new one.
       * Default: `alternating` for store `aws`, `dynamic` for store `vault`.
       */
      login: z.optional(z.enum(["alternating", "dynamic", "static"])),
      /**
       * With store `vault`, the login of the database engine's connection: `<connectionUser>_<Vault>` (hyphens of the
       * Vault's name become `_`), because each Vault rotates its own. People make it, Vault alone knows its
       * password after the first rotation. Default: `<role>_vault`.
       */
      connectionUser: z.optional(postgresqlName),
      /** Life of a dynamic user before renewal. Default: 12 hours. */
      ttl: z._default(duration, hours(12)),
      /** Life of a dynamic user at most. Default: 7 days. */
      maxTtl: z._default(duration, days(7)),
    }),
  "redis-auth-token": () =>
    z.strictObject({
      host: hostName,
      port: z._default(portNumber, 6379),
      /** CA of the server's certificate in PEM, when it is not a public one (ElastiCache's is). */
      caPem: z.optional(certificatePem),
      /**
       * `elasticache`: AUTH token of a replication group. `elasticache-user`: a user of ElastiCache (RBAC), the only login of
       * serverless caches. `memorydb-user`: a user of MemoryDB. `acl`: a user of own servers. Users have two passwords.
       */
      engine: z._default(z.enum(["elasticache", "elasticache-user", "memorydb-user", "acl"]), "elasticache"),
      /** ElastiCache replication group id; needed for `elasticache`. */
      replicationGroup: z.optional(oneLine),
      /**
       * Groups whose tokens values of this secret still open: the function keeps its rights on them until those values are
       * decommissioned. Default: none.
       */
      formerReplicationGroups: z._default(z.array(oneLine), []),
      /** Name by which clients log in; needed for every engine but `elasticache`. In MemoryDB it names the user as well. */
      user: z.optional(redisUserName),
      /** Id of the ElastiCache user (`aws elasticache describe-users`); needed for `elasticache-user`. */
      userId: z.optional(awsUserId),
      /**
       * ElastiCache users, by id, whose passwords values of this secret still are: the function keeps its rights on them until
       * those values are decommissioned. Default: none.
       */
      formerElastiCacheUsers: z._default(z.array(awsUserId), []),
      /** The same of MemoryDB, by name. Default: none. */
      formerMemoryDbUsers: z._default(z.array(awsUserId), []),
      /**
       * Way in which an own server keeps changed users over a restart. `server`: in its ACL file or its configuration file, as it is set
       * up. `none`: it is not asked to, because somebody else keeps them (a managed Redis without CONFIG).
       * Default: `server`.
       */
      persist: z.optional(z.enum(["server", "none"])),
      /** Redis AUTH over clear text gives the token away, so this cannot be turned off. */
      tls: z._default(z.literal(true), true),
    }),
  "jwt-signing-key": () =>
    z.strictObject({
      /**
       * Algorithm of the next key (RFC 7518, RFC 8037). Another one comes with the next rotation: each key carries its
       * own `alg`, and keys that are in use keep theirs. Verifiers that pin an algorithm must take the new one first.
       */
      algorithm: z._default(z.enum(JWT_ALGORITHMS), "ES256"),
      /** Longest life of a token: a retired key must verify that long after its last signature. Default: 1 hour. */
      tokenLifetime: z._default(duration, hours(1)),
      /** Clock difference that verifiers allow. Default: 1 minute. */
      clockSkew: z._default(duration, minutes(1)),
      /** Time for which verifiers keep a JWKS. Default: 10 minutes (`jose`'s cache). */
      verifierCache: z._default(duration, minutes(10)),
      /** `iss` of the tokens, if verifiers check it. */
      issuer: z.optional(oneLine),
    }),
  "hmac-key": () =>
    z.strictObject({
      /** Algorithm of the next key. Another one comes with the next rotation: each key carries its own. */
      algorithm: z._default(z.enum(["sha256", "sha512"]), "sha256"),
      /** Length of the next key in bytes. Default: 32. */
      bytes: z._default(z.int().check(z.gte(32), z.lte(128)), 32),
      /** Greatest age of a signature that still verifies. Default: 5 minutes. */
      tolerance: z._default(duration, minutes(5)),
    }),
  stripe: () =>
    z.strictObject({
      /** Stripe's world that the keys open. `live` in production only, `test` elsewhere only. */
      mode: z.enum(["test", "live"]),
      /** Name of the account among people: sandbox, stage, live. */
      account: oneLine,
      /**
       * The account (`acct_…`) that a key must belong to. Restricted keys cannot show theirs. Needed for rotation
       * `automatic`, and for an organisation's key, with which consumers send it as `Stripe-Context`. Default: any.
       */
      accountId: z.optional(
        z.string().check(
          z.refine((id) => /^acct_[A-Za-z0-9]+$/.test(id), {
            params: {
              allowed: "a Stripe account id such as acct_1Nv0FGQ9RKHgCVdK",
              change: "copy it from Stripe",
            },
            message: "account id",
          }),
        ),
      ),
      /**
       * URL of our webhook receiver: its endpoints at Stripe are made and changed by the rotation. Default: none, and an
       * operator supplies the signing secret of an endpoint that was made by hand.
       */
      webhookUrl: z.optional(webUrl),
      /** Events that the endpoint gets. Default: all. */
      webhookEvents: z._default(z.array(oneLine).check(z.minLength(1)), ["*"]),
      /**
       * `true`: events of connected accounts, `false`: the account's own. Stripe cannot change it at an endpoint.
       * Default: as the endpoint before; `false` for the first.
       */
      webhookConnect: z.optional(z.boolean()),
      /**
       * Permissions of a key that rotation makes (`rotation: "automatic"`), in Stripe's words for permissions of restricted
       * keys. Rotation itself needs `balance_read`, and with `webhookUrl` `webhook_read` and `webhook_write`.
       */
      keyPermissions: z.optional(
        z
          .array(
            z.string().check(
              z.refine((name) => /^[a-z0-9_]+_(read|write)$/.test(name), {
                params: {
                  allowed: "a permission of restricted keys such as charge_write",
                  change: "use the names of https://docs.stripe.com/stripe-apps/reference/permissions",
                },
                message: "permission",
              }),
            ),
          )
          .check(z.minLength(1)),
      ),
      /** The account's publishable key, which is no secret. Needed for rotation `automatic`. */
      publishableKey: z.optional(
        z.string().check(
          z.refine((key) => /^pk_(test|live)_[A-Za-z0-9_]+$/.test(key), {
            params: { allowed: "a publishable key: pk_test_… or pk_live_…", change: "copy it from Stripe" },
            message: "publishable key",
          }),
        ),
      ),
      apiUrl: z._default(apiUrl, "https://api.stripe.com"),
    }),
  paypal: () =>
    z.strictObject({
      /** PayPal's two worlds. `live` in production only, `sandbox` elsewhere only. */
      mode: z.enum(["sandbox", "live"]),
      account: oneLine,
      /** Default: by mode, `https://api-m.paypal.com` or `https://api-m.sandbox.paypal.com`. */
      apiUrl: z.optional(apiUrl),
    }),
  sendgrid: () =>
    z.strictObject({
      /** Name of the account or subuser: sandbox, staging, production. */
      account: oneLine,
      /**
       * User name of the subuser whose keys rotate, where the admin key is its parent account's. Default: the keys are those of
       * the admin key's own account.
       */
      subuser: z.optional(oneLine),
      /** EU subusers have their own host. Default: api.sendgrid.com. */
      host: z._default(z.enum(["api.sendgrid.com", "api.eu.sendgrid.com"]), "api.sendgrid.com"),
      /** Scopes of the key. Default: send mail. */
      scopes: z._default(z.array(oneLine).check(z.minLength(1)), ["mail.send"]),
      /** Default: `https://<host>`. */
      apiUrl: z.optional(apiUrl),
    }),
  "s3-access-key": () =>
    z.strictObject({
      bucket: z.string().check(
        z.refine((name) => /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name), {
          params: { allowed: "an S3 bucket name", change: "use the bucket's name, not its ARN or URL" },
          message: "bucket",
        }),
      ),
      /** The IAM user whose two access keys take turns. */
      user: iamUserName(),
      /**
       * Users whose keys values of this secret still are: the function keeps its rights on them until those values are
       * decommissioned. Default: none.
       */
      formerUsers: z._default(z.array(iamUserName()), []),
      /**
       * Policy that consumers pass when they take a session with the key, stored beside it.
       * STS takes 2,048 characters at most.
       */
      sessionPolicy: z.pipe(z.record(z.string(), z.json()), z.transform(sortedDeep)),
    }),
  datadog: () =>
    z.strictObject({
      /** The organisation: dev, stage, prod. */
      org: oneLine,
      /** https://docs.datadoghq.com/getting_started/site/ */
      site: z._default(
        z.enum([
          "datadoghq.com",
          "datadoghq.eu",
          "us3.datadoghq.com",
          "us5.datadoghq.com",
          "ap1.datadoghq.com",
          "ap2.datadoghq.com",
          "uk1.datadoghq.com",
          "ddog-gov.com",
          "us2.ddog-gov.com",
        ]),
        "datadoghq.eu",
      ),
      /** Service account that owns the application keys: a disabled person's keys die with the person. */
      serviceAccountId: oneLine,
      /** Scopes of the application key. Default: everything that its service account may. */
      appKeyScopes: z.optional(z.array(oneLine).check(z.minLength(1))),
      /** Default: `https://api.<site>`. */
      apiUrl: z.optional(apiUrl),
    }),
  generic: () =>
    z.strictObject({
      /** Fields of the JSON value. Default: `value`. */
      fields: z._default(
        z.array(z.string().check(z.regex(/^[A-Za-z][A-Za-z0-9_]*$/))).check(z.minLength(1)),
        ["value"],
      ),
      /**
       * Rules by which fields are made, by name. Rotation `automatic`: a field without a rule is 48 letters and digits.
       * Rotation `operator-assisted`: without rules a person supplies the value; with a rule for every field the
       * function makes it, and a person takes it to the target.
       */
      generate: z._default(z.pipe(z.record(z.string(), generationRule()), z.transform(sortedDeep)), {}),
      /**
       * Check of a value at its target. Only with rotation `operator-assisted`: a value that nobody has taken to
       * the target yet cannot pass.
       */
      check: z.optional(genericCheck()),
      /** Public configuration that belongs beside the value: host, port, user name. Never a secret. */
      config: z._default(
        z.pipe(
          z.record(
            z.string().check(z.regex(/^[A-Za-z][A-Za-z0-9_]*$/)),
            z.union([oneLine, z.number(), z.boolean()]),
          ),
          z.transform(sortedDeep),
        ),
        {},
      ),
    }),
});

/** Traits of a kind, as data. */
export interface KindTraits {
  /** Its name among people. */
  readonly title: string;
  /** Stores that can own it. */
  readonly stores: readonly Store[];
  /** Possible acceptors; the first is the default. Empty: the author must say. */
  readonly acceptedBy: readonly AcceptedBy[];
  /** Possible ways to rotate it; the first is the default. */
  readonly rotation: readonly RotationMode[];
  /** Fields of the JSON value that rotation writes and pods get. */
  readonly fields: readonly ValueField[];
  /** Settings that pods need beside the value, in the order in which files show them. */
  readonly publicSettings: readonly string[];
}

/**
 * The supported combinations of kind, store, acceptance and rotation. What is not in this table is a fault;
 * `test/model/supported.test.ts` walks all of it.
 */
export const KINDS = {
  "postgresql-user": {
    title: "PostgreSQL user",
    stores: ["aws", "vault"],
    acceptedBy: ["target", "single-slot"],
    rotation: ["automatic"],
    fields: [text("username"), text("password")],
    publicSettings: ["host", "port", "database"],
  },
  "redis-auth-token": {
    title: "Redis auth token",
    stores: ["aws"],
    acceptedBy: ["target"],
    rotation: ["automatic"],
    fields: [text("password")],
    publicSettings: ["host", "port", "tls", "user"],
  },
  "jwt-signing-key": {
    title: "JWT signing key pair",
    stores: ["aws"],
    acceptedBy: ["own-workloads"],
    rotation: ["automatic", "manual-dual-publish"],
    fields: [
      object("next"),
      object("current"),
      object("previous"),
      { name: "jwks", shape: "object", public: true },
    ],
    // Not the algorithm: it is each key's own, and a file would say the next one's before that one is used.
    publicSettings: ["issuer"],
  },
  "hmac-key": {
    title: "HMAC key",
    stores: ["aws"],
    acceptedBy: ["own-workloads"],
    rotation: ["automatic", "manual-dual-publish"],
    fields: [object("next"), object("current"), object("previous")],
    // Not the algorithm, which is each key's own.
    publicSettings: [],
  },
  stripe: {
    title: "Stripe API keys and webhook secret",
    stores: ["aws"],
    acceptedBy: ["target"],
    // Automatic by the key of an app that is installed in the account: Stripe lets no other key make keys.
    rotation: ["operator-assisted", "automatic"],
    fields: [text("secretKey"), text("publishableKey"), object("webhookSecrets")],
    publicSettings: ["mode", "account", "accountId"],
  },
  paypal: {
    title: "PayPal credentials",
    stores: ["aws"],
    acceptedBy: ["target"],
    rotation: ["operator-assisted"],
    fields: [text("clientId"), text("clientSecret")],
    publicSettings: ["mode", "account"],
  },
  sendgrid: {
    title: "SendGrid API key",
    stores: ["aws"],
    acceptedBy: ["target"],
    rotation: ["automatic", "operator-assisted"],
    fields: [text("apiKey")],
    publicSettings: ["host", "account"],
  },
  "s3-access-key": {
    title: "S3 access key with session policy",
    stores: ["aws"],
    acceptedBy: ["target"],
    rotation: ["automatic"],
    fields: [text("accessKeyId"), text("secretAccessKey"), object("sessionPolicy")],
    publicSettings: ["bucket"],
  },
  datadog: {
    title: "Datadog API and application keys",
    stores: ["aws"],
    acceptedBy: ["target"],
    rotation: ["automatic", "operator-assisted"],
    fields: [text("apiKey"), text("apiKeyId"), text("appKey"), text("appKeyId")],
    publicSettings: ["site", "org"],
  },
  generic: {
    title: "Generic secret",
    stores: ["aws"],
    // Not own-workloads: that takes next, current and previous in one value, which is what hmac-key is.
    acceptedBy: ["single-slot", "target"],
    rotation: ["automatic", "operator-assisted"],
    fields: [],
    publicSettings: [],
  },
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
 * What changes a secret's credential where no admin credential ever does; `undefined`: one does, or may. A Redis that AWS
 * manages may have one for values that still live in an ACL user of own servers.
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
