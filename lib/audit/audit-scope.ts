/** What the normaliser knows of an environment: names only, never a value. */
export interface AuditScope {
  readonly registry: string;
  readonly environment: string;
  readonly account: string;
  readonly partition: string;
  /** Region in which it works. */
  readonly region: string;
  /** Names that belong to the environment begin so: `prod/`. */
  readonly secretPrefix: string;
  /** Key in the registry by the secret's name: `prod/db/app-primary`. */
  readonly secrets: Readonly<Record<string, { readonly key: string; readonly owner?: string }>>;
  /** Begin of the names of the registry's own roles: `secrets-prod-`. Default: no role is watched. */
  readonly rolePrefix?: string;
  /** Principals that have to do with secrets, by the ARN of their role or user. */
  readonly principals: Readonly<Record<string, KnownPrincipal>>;
  /** Ids or ARNs of keys whose use and change count; a key with our secrets in its encryption context always does. */
  readonly keys?: readonly string[];
  /** Mounts of the environment in Vaults. */
  readonly vault: VaultScope;
}

/** A principal that the registry knows. */
export interface KnownPrincipal {
  readonly is: "workload" | "function" | "operator" | "approver" | "break-glass" | "deployer" | "ci";
  readonly name: string;
  /** `<namespace>:<ServiceAccount>` that alone may take the role of a workload. */
  readonly serviceAccount?: string;
}

/** What an environment has in its Vaults. */
export interface VaultScope {
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
