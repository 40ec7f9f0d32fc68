import type { PolicyJson } from "./statement";

/**
 * The finished policies of one environment, from a registry or from a synthesized output: everything by which the engine decides, and
 * nothing of what the registry meant by it.
 */
export interface EnvironmentPolicies {
  readonly environment: string;
  readonly partition: string;
  readonly account: string;
  /** Primary region first. */
  readonly regions: readonly string[];
  readonly secrets: readonly ProtectedSecret[];
  readonly keys: readonly ProtectedKey[];
  readonly roles: readonly ProtectedRole[];
  readonly functions: readonly ProtectedFunction[];
  readonly associations: readonly PodAssociation[];
  readonly vaults: readonly VaultPolicies[];
  /** Policies that people get to attach to roles of their own. */
  readonly handedOut: readonly HandedOut[];
}

/** A secret of Secrets Manager, or an inbox. */
export interface ProtectedSecret {
  /** Key; of an inbox `inbox of <key>`. */
  readonly key: string;
  /** Name in Secrets Manager. */
  readonly name: string;
  readonly regions: readonly string[];
  /** `undefined`: it has none, so that everybody's own policies decide. */
  readonly policy: PolicyJson | undefined;
}

/** A KMS key in one region. */
export interface ProtectedKey {
  /** `secrets`: the key of the values; `audit`: that of proofs and fingerprints. */
  readonly use: "secrets" | "audit";
  readonly region: string;
  readonly policy: PolicyJson;
}

/** A role that the environment's stack makes. */
export interface ProtectedRole {
  readonly arn: string;
  /** Workload, or the role's own name. */
  readonly name: string;
  readonly isWorkload: boolean;
  readonly trust: PolicyJson;
  readonly policies: readonly PolicyJson[];
  /** Policies of others that are attached, whose texts are not known. */
  readonly attached: readonly string[];
  readonly boundary?: string;
}

/** A function, and who else than its account may call it. */
export interface ProtectedFunction {
  readonly name: string;
  readonly arn: string;
  /** Statements of its resource policy; `undefined`: not known. */
  readonly permissions?: readonly FunctionPermission[];
}

/** A statement of a function's resource policy. */
export interface FunctionPermission {
  readonly action: string;
  readonly principal: string;
  /** Sources from which calls must come, by the condition key. */
  readonly from: Readonly<Record<string, string>>;
}

/** A role for the pods of one ServiceAccount, by EKS Pod Identity. */
export interface PodAssociation {
  readonly cluster: string;
  /** ARN of the cluster. */
  readonly clusterArn: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly roleArn: string;
}

/** Logins and policies of one Vault. */
export interface VaultPolicies {
  readonly name: string;
  readonly logins: readonly VaultLogin[];
  readonly policies: readonly EnvironmentVaultPolicy[];
}

/** Token of another issuer than a cluster: AWS's, by which the mirror logs in. */
export interface BearerLogin {
  /** `sub` of the token. */
  readonly subject: string;
  /** Values of claims by their JSON pointers, each of which the token must have one of. */
  readonly claims: Readonly<Record<string, readonly string[]>>;
}

/** An auth role. */
export interface VaultLogin {
  readonly name: string;
  readonly mount: string;
  /** Names and namespaces of ServiceAccounts; `*` is a wildcard. */
  readonly serviceAccounts: readonly string[];
  readonly namespaces: readonly string[];
  /** In place of a ServiceAccount, whose lists are empty then. */
  readonly bearer?: BearerLogin;
  readonly audiences: readonly string[];
  /** Networks; `undefined`: all. */
  readonly networks?: readonly string[];
  readonly policies: readonly string[];
  /** Other settings that it has, as text; the engine does not know their meaning. */
  readonly others: readonly string[];
}

/** A policy of Vault; `undefined` rules: its text is beyond this grammar. */
export interface EnvironmentVaultPolicy {
  readonly name: string;
  readonly rules: readonly VaultAclRule[] | undefined;
}

/** One path of a policy of Vault. */
export interface VaultAclRule {
  readonly path: string;
  readonly capabilities: readonly string[];
  /** Constraints on parameters, as text. */
  readonly constraints?: string;
}

/** Policies that an administrator attaches to a role of people or of the pipeline. */
export interface HandedOut {
  readonly to: string;
  readonly arns: readonly string[];
  readonly policies: readonly PolicyJson[];
  readonly boundary?: PolicyJson;
}

/** ARN of any key in a region. */
export const keyFamily = (
  { partition, account }: Pick<EnvironmentPolicies, "partition" | "account">,
  region: string,
): string => `arn:${partition}:kms:${region}:${account}:key/????????-????-????-????-????????????`;
