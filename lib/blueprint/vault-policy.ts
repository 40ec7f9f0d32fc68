import { databaseMount, keyAsWord, kvMount } from "../model/names";
import type { EnvironmentSecret } from "../model/resolve";
import type { DatabasePlan } from "./database-plan";

/** One rule of a Vault ACL policy. */
export interface VaultRule {
  readonly path: string;
  readonly capabilities: readonly (
    | "create"
    | "read"
    | "update"
    | "patch"
    | "delete"
    | "list"
    | "sudo"
    | "deny"
  )[];
}

/** A Vault ACL policy: rules as data for proofs, and as the HCL text that Vault takes. */
export interface VaultPolicy {
  readonly name: string;
  readonly rules: readonly VaultRule[];
  /** HCL. */
  readonly text: string;
}

/** Renders rules as HCL, in the order given. */
export function vaultPolicy(name: string, rules: readonly VaultRule[]): VaultPolicy {
  const text = rules
    .map(
      (rule) =>
        `path ${JSON.stringify(rule.path)} {\n  capabilities = [${rule.capabilities.map((capability) => JSON.stringify(capability)).join(", ")}]\n}\n`,
    )
    .join("\n");
  return { name, rules, text };
}

/**
 * Where a pod reads a secret in Vault. Secrets Manager's secrets are mirrored into KV v2 under their key; a
 * Vault-owned PostgreSQL user comes from the database engine: a new user per lease, or the one login that the
 * engine rotates.
 */
export function vaultPathOf(secret: EnvironmentSecret): string {
  if (secret.store === "aws") return `${kvMount(secret.environment)}/data/${secret.physicalKey}`;
  return `${databaseMount(secret.environment)}/${isLeased(secret) ? "creds" : "static-creds"}/${keyAsWord(secret.physicalKey)}`;
}

/** Whether each reading makes a user that lives as long as its lease. */
const isLeased = (secret: EnvironmentSecret): boolean =>
  secret.store === "vault" && !(secret.kind === "postgresql-user" && secret.settings.login === "static");

/**
 * Exact rights of a workload: to read one path per secret, without listing, and to keep what it has, its token and its
 * leases. That is all that an agent uses of Vault's policy `default`, which its tokens do not have.
 */
export const readerRules = (secrets: readonly EnvironmentSecret[]): readonly VaultRule[] => [
  ...secrets.map((secret): VaultRule => ({ path: vaultPathOf(secret), capabilities: ["read"] })),
  // An agent without one of these does not complain: it logs in, or makes users, several times a second.
  { path: "auth/token/renew-self", capabilities: ["update"] },
  ...(secrets.some(isLeased)
    ? [{ path: "sys/leases/renew", capabilities: ["update"] } satisfies VaultRule]
    : []),
];

/** What the deployer's policy is built from. */
export interface DeployerPolicyInput {
  readonly kvMount: string;
  readonly authMounts: readonly string[];
  /** Auth roles that the stack writes. */
  readonly roles: readonly { readonly mount: string; readonly name: string }[];
  readonly databases: readonly DatabasePlan[];
  /** Policies that the stack writes, this one included. */
  readonly policyNames: readonly string[];
}

const WRITE = ["create", "read", "update", "delete"] as const;

/**
 * What Terraform needs to deploy, change and destroy this environment's part of a Vault, and no path under
 * which a value lies: neither `data/` of KV nor `creds/` and `static-creds/` of an engine. Each line was left out once and missed,
 * with Terraform's provider against OpenBao.
 */
export function deployerRules(input: DeployerPolicyInput): readonly VaultRule[] {
  const mounts: readonly VaultRule[] = [
    { path: `sys/mounts/${input.kvMount}`, capabilities: ["read", "update", "delete"] },
    { path: `sys/mounts/${input.kvMount}/tune`, capabilities: ["update"] },
    { path: `${input.kvMount}/config`, capabilities: ["read", "update"] },
    ...input.authMounts.flatMap((mount): VaultRule[] => [
      { path: `sys/auth/${mount}`, capabilities: ["update", "delete", "sudo"] },
      { path: `sys/mounts/auth/${mount}`, capabilities: ["read"] },
      { path: `sys/mounts/auth/${mount}/tune`, capabilities: ["read"] },
      { path: `auth/${mount}/config`, capabilities: ["read", "update"] },
    ]),
    ...input.databases.flatMap(({ mount, connections }): VaultRule[] => [
      { path: `sys/mounts/${mount}`, capabilities: ["read", "update", "delete"] },
      { path: `sys/mounts/${mount}/tune`, capabilities: ["update"] },
      ...connections.map(({ name }): VaultRule => ({ path: `${mount}/config/${name}`, capabilities: WRITE })),
    ]),
  ];
  return [
    // The provider works with a short-lived child token of its own.
    { path: "auth/token/create", capabilities: ["update"] },
    ...mounts,
    ...input.roles.map(
      ({ mount, name }): VaultRule => ({ path: `auth/${mount}/role/${name}`, capabilities: WRITE }),
    ),
    ...input.databases.flatMap(({ mount, roles }) =>
      roles.map(
        ({ name, login }): VaultRule => ({
          path: `${mount}/${login === "static" ? "static-roles" : "roles"}/${name}`,
          capabilities: WRITE,
        }),
      ),
    ),
    ...input.policyNames.map(
      (name): VaultRule => ({
        path: `sys/policies/acl/${name}`,
        // Vault asks of policies no right to create.
        capabilities: ["read", "update", "delete"],
      }),
    ),
  ];
}
