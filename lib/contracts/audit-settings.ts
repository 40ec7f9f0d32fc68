import type { AuditSink } from "../model/audit-definition";

/**
 * Settings of the functions of the audit trail (`settings.json` beside their code): names, never a value. The blueprint writes
 * them, the functions read them.
 */

/** Bundles of the audit trail's functions. */
export type AuditFunction = "audit-normaliser" | "audit-sink";

/** Settings of the normaliser. */
export interface AuditNormaliserSettings {
  readonly scope: AuditScopeSettings;
  /** Bucket of the archive. */
  readonly archive: string;
  /** URLs of the queues of sinks. */
  readonly sinkQueues: readonly string[];
  /** URL of the queue of messages that nobody can read. */
  readonly deadLetters: string;
  /** Table of runs, to name run and change request. Default: none are named. */
  readonly runsTable?: string | undefined;
}

/** Settings of a function that delivers to one sink. */
export interface AuditSinkSettings {
  readonly registry: string;
  readonly environment: string;
  readonly region: string;
  readonly sink: AuditSink;
  /** URL of the queue of events that the sink will never take. */
  readonly deadLetters: string;
}

/** The normaliser's view of an environment: names and principals, no values. */
export interface AuditScopeSettings {
  readonly registry: string;
  readonly environment: string;
  readonly account: string;
  readonly partition: string;
  /** Region in which it works. */
  readonly region: string;
  /** Names that belong to the environment begin so: `prod/`. */
  readonly secretPrefix: string;
  /** Key in the registry by the secret's name: `prod/db/app-primary`. */
  readonly secrets: Readonly<Record<string, { readonly key: string; readonly owner?: string | undefined }>>;
  /** Begin of the names of the registry's own roles: `secrets-prod-`. Default: no role is watched. */
  readonly rolePrefix?: string | undefined;
  /** Principals that have to do with secrets, by the ARN of their role or user. */
  readonly principals: Readonly<Record<string, KnownPrincipal>>;
  /** Ids or ARNs of keys whose changes count. Default: all of the account; a key used for our secrets always counts. */
  readonly keys?: readonly string[] | undefined;
  /** Mounts of the environment in Vaults. */
  readonly vault: VaultScopeSettings;
}

/** A principal that the registry knows. */
export interface KnownPrincipal {
  readonly is: "workload" | "function" | "operator" | "approver" | "break-glass" | "deployer" | "ci";
  readonly name: string;
  /** `<namespace>:<ServiceAccount>` that alone may take the role of a workload. */
  readonly serviceAccount?: string | undefined;
}

/** Mounts, policies and roles of an environment in its Vaults. */
export interface VaultScopeSettings {
  /** KV v2 mount: `kv-prod`. */
  readonly kvMount: string;
  readonly databaseMount: string;
  /** Auth mounts of pods and of the mirror. */
  readonly authMounts: readonly string[];
  /** Begin of the names of policies and roles: `secrets-prod-`. */
  readonly policyPrefix: string;
  /** Key in the registry by the role of the database engine. */
  readonly databaseRoles: Readonly<Record<string, string>>;
}

/** Metric of counts of events, with the dimensions `registry`, `environment` and `what`. */
export const AUDIT_METRIC = "AuditEvents";

/** Values of the metric's dimension `what`. `silent` is a zero with every heartbeat: its absence is the alarm. */
export const AUDIT_COUNTS = [
  "reads",
  "foreign-reads",
  "break-glass-reads",
  "refusals",
  "malformed",
  "silent",
] as const;
/** One of {@link AUDIT_COUNTS}. */
export type AuditCount = (typeof AUDIT_COUNTS)[number];
