import { databaseMount, keyAsWord, kvMount } from "../../model/names";
import type { EnvironmentSecret } from "../../model/resolve";

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
  /**
   * Values that a parameter may have, and no others; a value that is a list is compared as a whole. `*`: parameters that are not
   * named may have any.
   */
  readonly allowed?: VaultParameters;
  /** Values that a parameter may not have; none named: the parameter may not be sent at all. */
  readonly denied?: VaultParameters;
}

/** Values by parameter, as Vault compares them: numbers it cannot, so they are left free. */
export type VaultParameters = Readonly<Record<string, readonly VaultParameter[]>>;

/** A value that Vault's parameter constraints compare. */
export type VaultParameter = string | boolean | readonly string[];

/** A Vault ACL policy: rules as data for proofs, and as the HCL text that Vault takes. */
export interface VaultPolicy {
  readonly name: string;
  readonly rules: readonly VaultRule[];
  /** HCL. */
  readonly text: string;
}

/** Renders rules as HCL, in the order given. */
export function vaultPolicy(name: string, rules: readonly VaultRule[]): VaultPolicy {
  return { name, rules, text: rules.map(ruleText).join("\n") };
}

function ruleText({ path, capabilities, allowed, denied }: VaultRule): string {
  const lines = [
    `capabilities = [${capabilities.map((capability) => JSON.stringify(capability)).join(", ")}]`,
    ...(denied ? [`denied_parameters = ${parametersText(denied)}`] : []),
    ...(allowed ? [`allowed_parameters = ${parametersText(allowed)}`] : []),
  ];
  return `path ${JSON.stringify(path)} {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
}

const parametersText = (parameters: VaultParameters): string =>
  `{\n${Object.entries(parameters)
    .map(([name, values]) => `    ${JSON.stringify(name)} = ${JSON.stringify(values)}\n`)
    .join("")}  }`;

/**
 * Path at which a pod reads a secret in Vault. Secrets Manager's secrets are mirrored into KV v2 under their key; a
 * Vault-owned PostgreSQL user comes from the database engine: a new user per lease, or the one login that the
 * engine rotates.
 */
export function vaultPathOf(secret: EnvironmentSecret): string {
  if (secret.store === "aws") return `${kvMount(secret.environment)}/data/${secret.physicalKey}`;
  return `${databaseMount(secret.environment)}/${isLeased(secret) ? "creds" : "static-creds"}/${keyAsWord(secret.physicalKey)}`;
}

/** `true` when each reading makes a user that lives as long as its lease. */
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
