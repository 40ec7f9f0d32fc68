import {
  type AcceptedBy,
  days,
  defineRegistry,
  KIND_NAMES,
  type KindName,
  type Registry,
  RegistryError,
  type RotationMode,
  type Store,
} from "../../lib/model";
import { draft } from "./sample";

/** One way to define a secret. */
export interface Combination {
  readonly kind: KindName;
  readonly store: Store;
  readonly rotation: RotationMode;
  readonly acceptedBy: AcceptedBy;
  readonly isAdminNamed: boolean;
  /** Setting of a kind that also decides how it rotates. */
  readonly variant: string;
}

/** A combination as words: `sendgrid aws operator-assisted target, admin`. */
export const describeCombination = ({
  kind,
  store,
  rotation,
  acceptedBy,
  isAdminNamed,
  variant,
}: Combination): string =>
  [kind, variant, store, rotation, acceptedBy, isAdminNamed ? "admin" : "no admin"]
    .filter((word) => word !== "")
    .join(", ");

const STORES: readonly Store[] = ["aws", "vault"];
const ROTATIONS: readonly RotationMode[] = ["automatic", "operator-assisted", "manual-dual-publish"];
const ACCEPTED_BY: readonly AcceptedBy[] = ["target", "own-workloads", "single-slot"];

type Settings = Readonly<Record<string, unknown>>;

const RULE = { how: "password", length: 40 };
const HTTP = {
  how: "http",
  url: "https://target.example.com/me",
  auth: { scheme: "bearer", tokenField: "token" },
};
const sql = (database: string) => ({
  how: "sql",
  host: "db.example.com",
  database,
  usernameFrom: "username",
  passwordField: "password",
});

/** Settings by kind and variant, each with names of its own: `n` tells two secrets apart. */
const VARIANTS: Readonly<Record<KindName, Readonly<Record<string, (n: number) => Settings>>>> = {
  "postgresql-user": Object.fromEntries(
    [undefined, "alternating", "dynamic", "static"].map((login) => [
      login === undefined ? "" : `login ${login}`,
      (n: number) => ({
        host: "db.example.com",
        database: `app_${n}`,
        role: `app_${n}`,
        ...(login === undefined ? {} : { login }),
      }),
    ]),
  ),
  "redis-auth-token": {
    "engine elasticache": (n) => ({ host: `group-${n}.example.com`, replicationGroup: `group-${n}` }),
    "engine elasticache-user": (n) => ({
      host: `cache-${n}.example.com`,
      engine: "elasticache-user",
      user: `app_${n}`,
      userId: `app-${n}`,
    }),
    "engine memorydb-user": (n) => ({
      host: `memory-${n}.example.com`,
      engine: "memorydb-user",
      user: `app-${n}`,
    }),
    "engine acl": (n) => ({ host: `redis-${n}.example.com`, engine: "acl", user: `app_${n}` }),
  },
  "jwt-signing-key": {
    "": () => ({}),
    "first key supplied": () => ({ firstKey: "supplied", algorithm: "EdDSA" }),
  },
  "hmac-key": { "": () => ({}) },
  stripe: {
    "": () => ({ mode: "test", account: "sandbox" }),
    webhook: () => ({ mode: "test", account: "sandbox", webhookUrl: "https://pay.example.com/events" }),
    api: () => ({
      mode: "test",
      account: "sandbox",
      accountId: "acct_1Nv0FGQ9RKHgCVdK",
      publishableKey: ["pk", "test", "51Nv0FGQ9RKHgCVdK"].join("_"),
      keyPermissions: ["balance_read"],
    }),
  },
  paypal: { "": () => ({ mode: "sandbox", account: "sandbox" }) },
  sendgrid: { "": () => ({ account: "sandbox" }) },
  "s3-access-key": {
    "": (n) => ({
      bucket: `example-${n}`,
      user: `s3-${n}`,
      sessionPolicy: { Version: "2012-10-17", Statement: [] },
    }),
  },
  datadog: { "": () => ({ org: "sandbox", serviceAccountId: "00000000-0000-0000-0000-000000000000" }) },
  generic: {
    "": () => ({ fields: ["token"] }),
    rules: () => ({ fields: ["token"], generate: { token: RULE } }),
    "HTTP check": () => ({ fields: ["token"], check: HTTP }),
    "SQL check": (n) => ({ fields: ["username", "password"], check: sql(`app_${n}`) }),
    "rules, HTTP check": () => ({ fields: ["token"], generate: { token: RULE }, check: HTTP }),
  },
};

/** Every combination that there are words for. */
export const combinations = (): readonly Combination[] =>
  KIND_NAMES.flatMap((kind) =>
    Object.keys(VARIANTS[kind]).flatMap((variant) =>
      STORES.flatMap((store) =>
        ROTATIONS.flatMap((rotation) =>
          ACCEPTED_BY.flatMap((acceptedBy) =>
            [true, false].map((isAdminNamed) => ({
              kind,
              store,
              rotation,
              acceptedBy,
              isAdminNamed,
              variant,
            })),
          ),
        ),
      ),
    ),
  );

/** A registry with a secret for each combination, `c/<n>`, in development alone. */
export function registryOf(chosen: readonly Combination[]): Registry {
  const definition = draft();
  definition.environments = { dev: definition.environments.dev };
  definition.accessRules = {};
  const admin = definition.secrets["admin/db"];
  definition.secrets = {};
  for (const [n, { kind, store, rotation, acceptedBy, isAdminNamed, variant }] of chosen.entries()) {
    // Database users share a server, and so its administrator.
    const adminKey = kind === "postgresql-user" ? "admin/postgresql" : `admin/${n}`;
    if (isAdminNamed) {
      const fields =
        kind === "sendgrid" || kind === "stripe"
          ? ["apiKey"]
          : kind === "datadog"
            ? ["apiKey", "appKey"]
            : ["username", "password"];
      definition.secrets[adminKey] = { ...admin, settings: { fields } };
    }
    definition.secrets[`c/${n}`] = {
      kind,
      description: "One way to define a secret",
      owner: "team-a",
      consumers: ["backend"],
      rotateEvery: days(30),
      store,
      rotation,
      acceptedBy,
      settings: VARIANTS[kind][variant]?.(n),
      ...(isAdminNamed ? { admin: adminKey } : {}),
    };
  }
  return defineRegistry(definition) as Registry;
}

/** The combinations that `defineRegistry` accepts. */
export const accepted = (): readonly Combination[] =>
  combinations().filter((combination) => {
    try {
      registryOf([combination]);
      return true;
    } catch (failure) {
      if (failure instanceof RegistryError) return false;
      throw failure;
    }
  });
