import { type Fault, fault, type PathStep } from "../faults";
import { isAwsUserId, type KindSettings } from "../kinds";
import { connectionLogin } from "../names";
import { compactLength } from "../policy-document";
import type { EnvironmentSecret } from "../resolve";
import { forEnvironments, type RuleContext } from "./context";
import { genericFaults } from "./generic";
import { settingPath } from "./setting-path";

/** STS takes session policies of 2,048 characters (AssumeRole, GetFederationToken). */
const SESSION_POLICY_LIMIT = 2_048;

/** Faults of a kind's settings, which must agree among themselves and with the environment. */
export const kindSettingFaults = (context: RuleContext): readonly Fault[] =>
  forEnvironments(context, (_, environment, secrets) =>
    secrets.flatMap((secret) => {
      const at = (setting: string): readonly PathStep[] => settingPath(context, secret, setting);
      switch (secret.kind) {
        case "s3-access-key":
          return sessionPolicyFaults(secret.settings.sessionPolicy, at("sessionPolicy"));
        case "redis-auth-token":
          return redisFaults(secret.settings, at);
        case "postgresql-user":
          return [
            ...serverFaults(secret.settings, at),
            ...(secret.store === "vault"
              ? vaultDatabaseFaults(secret, environment.vaults, at)
              : connectionUserFaults(secret.settings.connectionUser, at)),
          ];
        case "stripe":
          return [...modeFaults(secret, environment.tier, at("mode")), ...stripeKeyFaults(secret, at)];
        case "paypal":
          return [
            ...modeFaults(secret, environment.tier, at("mode")),
            ...payPalHostFaults(secret.settings, at("apiUrl")),
          ];
        case "generic":
          return genericFaults(context, secret);
        default:
          return [];
      }
    }),
  );

function sessionPolicyFaults(
  policy: Readonly<Record<string, unknown>>,
  path: readonly PathStep[],
): readonly Fault[] {
  const faults: Fault[] = [];
  const length = compactLength(policy);
  if (length > SESSION_POLICY_LIMIT) {
    faults.push(
      fault(
        path,
        `a policy of ${length} characters`,
        `${SESSION_POLICY_LIMIT} characters, as STS takes session policies`,
        "join statements, or use prefixes",
      ),
    );
  }
  if (policy.Version !== "2012-10-17" || policy.Statement === undefined) {
    faults.push(
      fault(
        path,
        `an object with ${Object.keys(policy).sort().join(", ") || "nothing"}`,
        'an IAM policy: Version "2012-10-17" and Statement',
        "write it as an IAM policy",
      ),
    );
  }
  return faults;
}

/** Settings that name the credential, by engine; the others of these settings belong to another engine. */
const REDIS_NAMES: Readonly<Record<RedisSettings["engine"], Readonly<Partial<Record<RedisName, string>>>>> = {
  elasticache: { replicationGroup: "the id of the ElastiCache replication group" },
  "elasticache-user": {
    user: "the user name by which clients log in",
    userId: "the id of the ElastiCache user",
  },
  "memorydb-user": { user: "the name of the MemoryDB user" },
  acl: { user: "the name of the ACL user" },
};

type RedisName = "replicationGroup" | "user" | "userId";
type RedisSettings = KindSettings<"redis-auth-token">;

function redisFaults(
  settings: RedisSettings,
  at: (setting: string) => readonly PathStep[],
): readonly Fault[] {
  const { engine, user } = settings;
  const needed = REDIS_NAMES[engine];
  const names: readonly RedisName[] = ["replicationGroup", "user", "userId"];
  // Its name is its id in MemoryDB, so that it has to be one.
  const isNoId = engine === "memorydb-user" && user !== undefined && !isAwsUserId(user);
  return [
    ...(isNoId
      ? [
          fault(
            at("user"),
            JSON.stringify(user),
            "the name of a MemoryDB user of your own: lower-case letters, digits and hyphens, not default",
            "make a user of your own: MemoryDB's default user cannot be changed",
          ),
        ]
      : []),
    ...names.flatMap((name) => {
      const [what, found] = [needed[name], settings[name]];
      if (what !== undefined && found === undefined) {
        return [fault(at(name), "nothing", `${what}, with engine ${engine}`, "add it")];
      }
      if (what !== undefined || found === undefined) return [];
      return [
        fault(
          at(name),
          JSON.stringify(found),
          `no ${name} with engine ${engine}`,
          "remove it, or choose the other engine",
        ),
      ];
    }),
  ];
}

/** A server behind a pooler is its writer. */
const serverFaults = (
  { server, writerHost }: { readonly server?: unknown; readonly writerHost?: string | undefined },
  at: (setting: string) => readonly PathStep[],
): readonly Fault[] =>
  server === undefined || writerHost === undefined
    ? []
    : [
        fault(
          at("writerHost"),
          JSON.stringify(writerHost),
          "either a writer's host, where `host` is a replica, or the server behind a pooler",
          "remove it, and let `server` be the writer",
        ),
      ];

/** Faults of Stripe keys that rotation makes by API: of what they need, and of what rotation itself uses of them. */
function stripeKeyFaults(
  { settings, rotation }: EnvironmentSecret & { kind: "stripe" },
  at: (setting: string) => readonly PathStep[],
): readonly Fault[] {
  const { mode, publishableKey } = settings;
  const wrongMode =
    publishableKey !== undefined && !publishableKey.startsWith(`pk_${mode}_`)
      ? [fault(at("publishableKey"), "a key of the other mode", `pk_${mode}_…`, "copy the one of this mode")]
      : [];
  if (rotation !== "automatic") return wrongMode;
  const needed = {
    accountId: "the account in which the app of the admin secret is installed",
    publishableKey: "the account's publishable key, which stays as it is",
    keyPermissions: "what the keys may do that rotation makes",
  } as const;
  const absent = (Object.keys(needed) as (keyof typeof needed)[]).filter(
    (name) => settings[name] === undefined,
  );
  const own = settings.webhookUrl === undefined ? [] : ["webhook_read", "webhook_write"];
  const without = ["balance_read", ...own].filter(
    (name) => settings.keyPermissions !== undefined && !settings.keyPermissions.includes(name),
  );
  return [
    ...wrongMode,
    ...absent.map((name) =>
      fault(
        at(name),
        "nothing",
        `${needed[name]}, with rotation automatic`,
        "add it, or choose operator-assisted",
      ),
    ),
    ...(without.length === 0
      ? []
      : [
          fault(
            at("keyPermissions"),
            `no ${without.join(", ")}`,
            "the permissions that rotation itself uses: it reads the balance, and makes the endpoints of webhookUrl",
            "add them",
          ),
        ]),
  ];
}

/** Faults of a `connectionUser` without store `vault`: only an engine of Vault's has a connection. */
const connectionUserFaults = (
  connectionUser: string | undefined,
  at: (setting: string) => readonly PathStep[],
): readonly Fault[] =>
  connectionUser === undefined
    ? []
    : [
        fault(
          at("connectionUser"),
          JSON.stringify(connectionUser),
          "a connection's user with store vault only: with store aws the secret `admin` names the login that makes logins",
          "remove it, or choose store vault",
        ),
      ];

/** `NAMEDATALEN` - 1: PostgreSQL cuts longer names silently, and the connection could not log in. */
const LONGEST_NAME = 63;

/** Each Vault rotates the user of its own connection, and of a static login there is only one. */
function vaultDatabaseFaults(
  { settings }: EnvironmentSecret & { kind: "postgresql-user" },
  vaults: readonly { readonly name: string }[],
  at: (setting: string) => readonly PathStep[],
): readonly Fault[] {
  const { role, login, connectionUser } = settings;
  if (connectionUser === undefined || vaults.length === 0) return [];
  const longest = LONGEST_NAME - Math.max(...vaults.map(({ name }) => name.length + 1));
  return [
    ...(new TextEncoder().encode(connectionUser).length > longest
      ? [
          fault(
            at("connectionUser"),
            JSON.stringify(connectionUser),
            `at most ${longest} bytes, so that <connectionUser>_<Vault> fits PostgreSQL's ${LONGEST_NAME}`,
            "choose a shorter one",
          ),
        ]
      : []),
    ...(vaults.some(({ name }) => connectionLogin(connectionUser, name) === role)
      ? [
          fault(
            at("connectionUser"),
            `${JSON.stringify(connectionUser)}, which makes the connection log in as ${role}`,
            "a user that is not the one it looks after",
            "choose another one",
          ),
        ]
      : []),
    ...(login === "static" && vaults.length > 1
      ? [
          fault(
            at("login"),
            `"static", in ${vaults.length} Vaults`,
            "one Vault: each would change the password of the same login, and make the others' invalid",
            "choose dynamic, or an environment with one Vault",
          ),
        ]
      : []),
  ];
}

/** PayPal's two worlds have hosts of their own: a live secret must not go to the other one. */
function payPalHostFaults(
  { mode, apiUrl }: { mode: "sandbox" | "live"; apiUrl?: string | undefined },
  path: readonly PathStep[],
): readonly Fault[] {
  const host = apiUrl === undefined ? "" : new URL(apiUrl).hostname;
  if (!host.endsWith(".paypal.com") || host.includes(".sandbox.") === (mode === "sandbox")) return [];
  return [fault(path, host, `a host of PayPal's ${mode} world`, "remove it: the mode says where PayPal is")];
}

/** Policy, environment matrix: live tokens in prod, sandbox and stage tokens elsewhere. */
function modeFaults(
  secret: EnvironmentSecret & { kind: "stripe" | "paypal" },
  tier: string,
  path: readonly PathStep[],
): readonly Fault[] {
  const isLive = secret.settings.mode === "live";
  if (isLive === (tier === "production")) return [];
  return [
    fault(
      path,
      `${JSON.stringify(secret.settings.mode)} in ${secret.environment}, whose tier is ${tier}`,
      "live tokens in production, and only there",
      isLive ? `choose ${secret.kind === "stripe" ? "test" : "sandbox"}` : "choose live, or another tier",
    ),
  ];
}
