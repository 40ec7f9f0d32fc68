import { createHash } from "node:crypto";

/**
 * Every name that follows from a registry, in one place. Names are an API: IAM policies, Vault policies and other
 * repositories hold them, so a change here is a migration. They depend on nothing but the arguments.
 */

/** IAM role and inline policy names: 64 characters. */
const ROLE_NAME_LIMIT = 64;
/** Lambda function names, and the names of their roles: 64 characters. */
const LAMBDA_NAME_LIMIT = 64;
/** S3 bucket names: 63 characters. */
const BUCKET_NAME_LIMIT = 63;
/** Step Functions state machine names: 80 characters. */
const STATE_MACHINE_NAME_LIMIT = 80;
/** Kubernetes: names of ConfigMaps are DNS subdomains. */
const CONFIG_MAP_NAME_LIMIT = 253;
/** The name part of a Kubernetes annotation key: 63 characters, of which the injector's own prefix takes up to 22. */
const ANNOTATION_SUFFIX_LIMIT = 63 - "agent-inject-template-".length;

/**
 * Shortens a name that is over a limit: its beginning, a hyphen and 8 hex digits of its SHA-256, so that two long
 * names stay apart.
 */
export function fitName(name: string, limit: number): string {
  if (name.length <= limit) return name;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, limit - 9).replace(/-+$/, "")}-${digest}`;
}

/**
 * Longest `<registry>-<environment>`. Policies and watches know an environment's resources by what their names begin with, such as
 * `acme-prod-secrets-` of rules: {@link fitName} leaves 55 of the 64 characters of a function, role or rule.
 */
export const ENVIRONMENT_PREFIX_LIMIT = 55 - "-secrets-".length - 1;

/** `db/app-primary` as one word: `db--app-primary`. Keys hold no double hyphen, so no two keys meet. */
export const keyAsWord = (key: string): string => key.replaceAll("/", "--");

/** Secrets Manager name: `prod/db/app-primary`. In Vault the mount names the environment, so the path is the key. */
export const secretName = (environment: string, key: string): string => `${environment}/${key}`;

/** Prefix of the names of an environment's inboxes: `prod/_inbox`. No key begins with an underscore. */
export const inboxesOf = (environment: string): string => secretName(environment, "_inbox");

/** Secret into which people put what they supply for a key: `prod/_inbox/payments/stripe`. */
export const inboxName = (environment: string, key: string): string => `${inboxesOf(environment)}/${key}`;

/** Role of a workload: `acme-prod-backend`, at most 64 characters. */
export const roleName = (registry: string, environment: string, workload: string): string =>
  fitName(`${registry}-${environment}-${workload}`, ROLE_NAME_LIMIT);

/** IAM path of an environment's roles and policies. */
export const defaultRolePath = (registry: string, environment: string): string =>
  `/${registry}/${environment}/`;

/** Alias of the key that encrypts an environment's secrets, in every region. */
export const secretsKeyAlias = (registry: string, environment: string): string =>
  `alias/${registry}-${environment}-secrets`;

/** KV v2 mount of an environment. */
export const kvMount = (environment: string): string => `kv-${environment}`;

/**
 * Field beside a value's own fields in KV, with the id of the version that it is a copy of. No field of a value begins
 * with an underscore.
 */
export const KV_VERSION_FIELD = "_version";

/** Field beside a value's own fields with the settings that made it; never secret. */
export const SETTINGS_FIELD = "_settings";

/** Database engine mount of an environment. */
export const databaseMount = (environment: string): string => `database-${environment}`;

/** Database login of a Vault's connection: `reporting_vault_eu_central`. */
export const connectionLogin = (connectionUser: string, vault: string): string =>
  `${connectionUser}_${vault.replaceAll("-", "_")}`;

/**
 * Terraform variable with the first password of a connection: `database_password__prod__eu_central__db__reporting_ro`. A
 * name that a shell can export; keys and slugs hold no underscore, so no two meet.
 */
export const passwordVariable = (environment: string, vault: string, key: string): string =>
  `database_password__${[environment, vault, keyAsWord(key)].join("__").replaceAll("-", "_")}`;

/** Terraform variable with the token that deploys to a Vault: `vault_token__eu_central`. */
export const vaultTokenVariable = (vault: string): string => `vault_token__${vault.replaceAll("-", "_")}`;

/** Auth mount of a cluster: `kubernetes-main-eu`, unless the cluster names another. */
export const authMount = (
  method: "kubernetes" | "jwt",
  cluster: { readonly name: string; readonly authMount?: string | undefined },
): string => cluster.authMount ?? `${method}-${cluster.name}`;

/** Vault policy and auth role of a workload; the same word for both. */
export const vaultRoleName = (registry: string, environment: string, workload: string): string =>
  `${registry}-${environment}-${workload}`;

/**
 * Vault policy of the deployer. The double hyphen keeps it apart from any workload's: slugs hold none.
 */
export const deployerPolicyName = (registry: string, environment: string): string =>
  `${registry}-${environment}--deployer`;

/**
 * Lambda function that rotates one kind in one network: `acme-prod--rotate-postgresql-user-main`; the second of several
 * that share the work ends in `--2`. The double hyphen keeps its role apart from any workload's.
 */
export const rotationFunctionName = (
  registry: string,
  environment: string,
  kind: string,
  network: string | undefined,
  part: number,
): string =>
  fitName(
    `${registry}-${environment}--rotate-${kind}${network === undefined ? "" : `-${network}`}${part === 1 ? "" : `--${part}`}`,
    LAMBDA_NAME_LIMIT,
  );

/** Lambda function that copies AWSCURRENT into Vault, its role, and its Vault policy and auth role. */
export const mirrorName = (registry: string, environment: string): string =>
  fitName(`${registry}-${environment}--mirror`, LAMBDA_NAME_LIMIT);

/** Auth mount by which the mirror logs in. Clusters' mounts begin with the name of their method. */
export const mirrorAuthMount = (environment: string): string => `aws-${environment}`;

/** Audience of the tokens with which the mirror logs in to one Vault: another Vault has no use for them. */
export const mirrorAudience = (environment: string, vault: string): string =>
  `vault-mirror-${environment}.${vault}`;

/** DynamoDB table in which the mirror confirms what every Vault serves. */
export const publicationsTable = (registry: string, environment: string): string =>
  `${registry}-${environment}-secret-publications`;

/** Functions of the rotation procedure, each named by its task; its bundle has the same name. */
export const PROCEDURE_FUNCTIONS = [
  "approval-gate",
  "change-gate",
  "checker",
  "dispatcher",
  "recorder",
  "restarter",
  "watcher",
] as const;
/** A function of the rotation procedure. */
export type ProcedureFunction = (typeof PROCEDURE_FUNCTIONS)[number];

/** Lambda function of the rotation procedure, and its role: `acme-prod--dispatcher`. */
export const procedureFunctionName = (
  registry: string,
  environment: string,
  what: ProcedureFunction,
): string => fitName(`${registry}-${environment}--${what}`, LAMBDA_NAME_LIMIT);

/** DynamoDB table of rotation runs: partition key `secret`, sort key `run`. */
export const runsTable = (registry: string, environment: string): string =>
  `${registry}-${environment}-secret-runs`;

/** DynamoDB table of the change requests that CI has vouched for: partition key `change`, the digest. */
export const changesTable = (registry: string, environment: string): string =>
  `${registry}-${environment}-secret-changes`;

/**
 * Audience of the token with which a job of CI vouches for a change request in one environment.
 *
 * @param digest `sha256:<hex>` of the change request
 */
export const changeAudience = (registry: string, environment: string, digest: string): string =>
  `secrets-registry:${registry}:${environment}:${digest}`;

/** Partition of the table of runs with the tokens of executions that wait for a decision; no secret's name begins so. */
export const tokensPartition = (secret: string): string => `#tokens/${secret}`;

/** Sort key of the lock of a secret in the table of runs. */
export const LOCK_RUN = "#lock";

/**
 * S3 bucket of rotation records: 63 characters. Unique among all of AWS by the account's number, and by the region, so that
 * whoever takes over from a lost region has one, while the lost one's is still there.
 */
export const recordsBucket = (
  registry: string,
  environment: string,
  account: string,
  region: string,
): string => fitName(`${registry}-${environment}-${account}-${region}-rotation-records`, BUCKET_NAME_LIMIT);

/** Step Functions state machine that proves a rotation and retires the old credential, and its role. */
export const stateMachineName = (registry: string, environment: string): string =>
  fitName(`${registry}-${environment}-secret-rotation`, STATE_MACHINE_NAME_LIMIT);

/** IAM role of the state machine. The double hyphen keeps it apart from any workload's. */
export const stateMachineRoleName = (registry: string, environment: string): string =>
  fitName(`${registry}-${environment}--procedure`, ROLE_NAME_LIMIT);

/** SNS topic of requests for approval. */
export const approvalTopic = (registry: string, environment: string): string =>
  `${registry}-${environment}-secrets-approvals`;

/** SNS topic of reminders to the owners of secrets that people rotate. */
export const reminderTopic = (registry: string, environment: string): string =>
  `${registry}-${environment}-secrets-reminders`;

/** CloudWatch namespace of the watcher's metric. */
export const METRIC_NAMESPACE = "SecretsRegistry";
/** The watcher's metric: how many secrets are in a state. Dimensions: `registry`, `environment`, `state`. */
export const CADENCE_METRIC = "Secrets";
/** Values of the metric's dimension `state`. */
export const CADENCE_STATES = ["due", "overdue", "stuck", "unproven"] as const;

/** SQS queue of events that a function could not take. */
export const deadLetterQueue = (registry: string, environment: string): string =>
  `${registry}-${environment}-secrets-dead-letters`;

/** EventBridge rule of an environment. */
export const ruleName = (registry: string, environment: string, word: string): string =>
  fitName(`${registry}-${environment}-secrets-${word}`, 64);

/** IAM role by which EventBridge passes events of other regions on to the primary one. */
export const forwarderRoleName = (registry: string, environment: string): string =>
  fitName(`${registry}-${environment}--event-forwarder`, ROLE_NAME_LIMIT);

/** SNS topic of alarms. */
export const alarmTopic = (registry: string, environment: string): string =>
  `${registry}-${environment}-secrets-alarms`;

/** Alias of the key that encrypts logs, queues and topics. */
export const operationsKeyAlias = (registry: string, environment: string): string =>
  `alias/${registry}-${environment}-secrets-operations`;

/** Prefix of the names of an audit trail's queues, trail and rules: `acme-prod-audit`. */
export const auditPrefix = (registry: string, environment: string): string =>
  `${registry}-${environment}-audit`;

/** Lambda function of the audit trail, and its role: `acme-prod--audit-normaliser`, `acme-prod--audit-sink-splunk`. */
export const auditFunctionName = (registry: string, environment: string, what: string): string =>
  fitName(`${registry}-${environment}--audit-${what}`, LAMBDA_NAME_LIMIT);

/** IAM role by which EventBridge passes events of other regions on to the audit trail's. */
export const auditForwarderRoleName = (registry: string, environment: string): string =>
  fitName(`${registry}-${environment}--audit-forwarder`, ROLE_NAME_LIMIT);

/** S3 bucket of the audit trail: `archive` of events, `trail` of CloudTrail's own files. */
export const auditBucket = (
  registry: string,
  environment: string,
  account: string,
  region: string,
  what: "archive" | "trail",
): string => fitName(`${registry}-${environment}-${account}-${region}-audit-${what}`, BUCKET_NAME_LIMIT);

/** Alias of the key that makes fingerprints of values. */
export const auditKeyAlias = (registry: string, environment: string): string =>
  `alias/${registry}-${environment}-secrets-audit`;

/** Audience of the ServiceAccount tokens with which pods log in to Vault. */
export const vaultAudience = (environment: string): string => `vault-${environment}`;

/** Suffix `<n>` of the injector's per-file annotations, unique per file and short enough for Kubernetes. */
export const annotationSuffix = (key: string, fileLabel: string): string =>
  fitName(`${keyAsWord(key)}.${fileLabel}`, ANNOTATION_SUFFIX_LIMIT);

/** The Kubernetes Secret that holds a Vault's CA certificate (public) in each namespace. */
export const vaultCaName = (registry: string, environment: string, vault: string): string =>
  `${registry}-${environment}-vault-ca-${vault}`;

/** ConfigMap with the configurations of a workload's agents, where they are too large for annotations. */
export const agentConfigName = (registry: string, environment: string, workload: string): string =>
  fitName(`${registry}-${environment}-vault-agent-${workload}`, CONFIG_MAP_NAME_LIMIT);
