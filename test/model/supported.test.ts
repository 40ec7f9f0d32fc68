import {
  type AcceptedBy,
  defineRegistry,
  GENERIC_CHECKS,
  IDENTITIES,
  KIND_NAMES,
  KINDS,
  LOGINS,
  type RotationMode,
  type Store,
} from "../../lib/model";
import { type Draft, draft, redisToken, s3Key } from "./sample";

/** Every combination that could be written is tried: those of the tables are taken, all others are faults. */

const STORES: readonly Store[] = ["aws", "vault"];
const ROTATIONS: readonly RotationMode[] = ["automatic", "operator-assisted", "manual-dual-publish"];
const ACCEPTORS: readonly AcceptedBy[] = ["target", "own-workloads", "single-slot"];

const common = {
  description: "x",
  owner: "team",
  consumers: ["payments"],
  rotateEvery: { seconds: 86_400 * 30 },
};

/** Valid settings of each kind, for production. */
const SETTINGS: Readonly<Record<string, Draft>> = {
  "postgresql-user": { host: "x.example.com", database: "x", role: "x" },
  "redis-auth-token": redisToken().settings,
  "jwt-signing-key": {},
  "hmac-key": {},
  stripe: {
    mode: "live",
    account: "live",
    accountId: "acct_1",
    publishableKey: ["pk", "live", "1"].join("_"),
    keyPermissions: ["balance_read"],
  },
  paypal: { mode: "live", account: "live" },
  sendgrid: { account: "production" },
  "s3-access-key": { ...s3Key().settings, user: "x" },
  datadog: { org: "prod", serviceAccountId: "1" },
  generic: {},
};

const CHECK: Draft = {
  how: "http",
  url: "https://api.example.com/account",
  auth: { scheme: "bearer", tokenField: "value" },
};

/** With an admin secret or without one: each combination needs one, may have one, or must not. */
const isTaken = (secret: Draft): boolean =>
  [{ admin: "admin/db" }, {}].some((admin) => {
    const definition = draft();
    delete definition.environments.dev;
    definition.secrets = {
      "admin/db": definition.secrets["admin/db"],
      "the/secret": { ...common, ...admin, ...secret },
    };
    try {
      defineRegistry(definition);
      return true;
    } catch {
      return false;
    }
  });

/** Acceptances of a generic secret by rotation, for the checks that it may have. */
const genericChecks = (rotation: RotationMode, acceptedBy: AcceptedBy): readonly string[] =>
  rotation === "manual-dual-publish" ? [] : (GENERIC_CHECKS[rotation][acceptedBy] ?? []);

const combinations = KIND_NAMES.flatMap((kind) =>
  STORES.flatMap((store) =>
    ROTATIONS.flatMap((rotation) => ACCEPTORS.map((acceptedBy) => ({ kind, store, rotation, acceptedBy }))),
  ),
);

test.each(combinations)(
  "$kind in $store, $rotation, accepted by $acceptedBy",
  ({ kind, store, rotation, acceptedBy }) => {
    const traits = KINDS[kind];
    const includes = (list: readonly string[], value: string): boolean => list.includes(value);
    const settings = { ...SETTINGS[kind] };
    // A PostgreSQL user with one slot is a static role of Vault's, and nothing else.
    const oneSlot = kind === "postgresql-user" && acceptedBy === "single-slot";
    if (oneSlot) settings.login = "static";
    const supported =
      includes(traits.stores, store) &&
      includes(traits.rotation, rotation) &&
      includes(traits.acceptedBy, acceptedBy) &&
      (!oneSlot || store === "vault") &&
      (kind !== "generic" || genericChecks(rotation, acceptedBy).includes("none"));
    expect(isTaken({ kind, store, rotation, acceptedBy, settings })).toBe(supported);
  },
);

test.each(ROTATIONS.flatMap((rotation) => ACCEPTORS.map((acceptedBy) => ({ rotation, acceptedBy }))))(
  "a generic secret with a check, $rotation, accepted by $acceptedBy",
  ({ rotation, acceptedBy }) => {
    const secret = { kind: "generic", store: "aws", rotation, acceptedBy, settings: { check: CHECK } };
    expect(isTaken(secret)).toBe(genericChecks(rotation, acceptedBy).includes("check"));
  },
);

test.each(STORES.flatMap((store) => ["alternating", "dynamic", "static"].map((login) => ({ store, login }))))(
  "a $login PostgreSQL login in $store",
  ({ store, login }) => {
    const logins: readonly string[] = LOGINS[store];
    expect(
      isTaken({ kind: "postgresql-user", store, settings: { ...SETTINGS["postgresql-user"], login } }),
    ).toBe(logins.includes(login));
  },
);

const identities = (["irsa", "pod-identity"] as const).flatMap((identity) =>
  (["kubernetes", "jwt"] as const).flatMap((vaultAuth) =>
    (["create", "reference"] as const).flatMap((oidcProvider) =>
      [true, false].map((oneAccount) => ({ identity, vaultAuth, oidcProvider, oneAccount })),
    ),
  ),
);

test.each(identities)(
  "identity $identity with Vault auth $vaultAuth, OIDC provider $oidcProvider, one account: $oneAccount",
  ({ identity, vaultAuth, oidcProvider, oneAccount }) => {
    const definition = draft();
    Object.assign(definition.environments.prod, { identity, vaultAuth });
    Object.assign(definition.environments.prod.clusters[0], {
      oidcProvider,
      ...(oneAccount ? {} : { account: "999999999999" }),
    });
    const supported = IDENTITIES[identity];
    const auths: readonly string[] = supported.vaultAuth;
    const providers: readonly string[] = supported.oidcProvider;
    const wanted = auths.includes(vaultAuth) && providers.includes(oidcProvider);
    const define = (): unknown => defineRegistry(definition);
    if (wanted) expect(define).not.toThrow();
    else expect(define).toThrow(/identity/);
  },
);
