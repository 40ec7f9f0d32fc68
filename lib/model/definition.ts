import * as z from "zod/mini";
import { type AuditInput, auditSchema } from "./audit-definition";
import { type ChangesInput, changesSchema } from "./changes";
import type { Duration } from "./duration";
import {
  accountId,
  calendarDate,
  certificatePem,
  cidr,
  clusterIssuerUrl,
  clusterName,
  containerFolder,
  dnsLabel,
  dnsSubdomain,
  duration,
  ec2Id,
  iamDescription,
  iamPath,
  issuerUrl,
  namespaceOrPattern,
  namespacePattern,
  oneLine,
  policyArn,
  principalArn,
  publicKeyPem,
  regionName,
  SECRET_PATH,
  secretKey,
  serverAddress,
  serverFilePath,
  signingProfileVersionArn,
  slug,
  tagText,
  vaultNamespace,
} from "./grammar";
import {
  type HealthCheckInput,
  type HealthCheckPlanInput,
  healthCheckPlanSchema,
  healthCheckSchema,
} from "./health-checks";
import {
  type AcceptedBy,
  KIND_NAMES,
  type KindName,
  type KindSettingsInput,
  type RotationMode,
  type Store,
} from "./kinds";
import { amountOf } from "./quantity";
import type { RotationHours } from "./rotation-schedule";
import { SECRETS_FOLDER } from "./secrets-folder";

/**
 * Definition that an author writes. Types here give completion and compile errors; the schemas beside them check the same
 * at run time, because registries are also loaded from JavaScript.
 */

/** Distance of an environment from customers; decides which credentials of vendors belong there. */
export type Tier = "development" | "staging" | "production";

/**
 * Principals besides the consumers that may touch an environment's secrets (docs/explanation/architecture.md, decision
 * 9).
 */
export interface PrincipalsInput {
  /** Role that runs Terraform. Deploys and changes everything, reads no value. */
  readonly deployer: string;
  /**
   * Roles of people who run rotations. They put values into inboxes, and read none but one that a function has made and that they take
   * to its target, while it waits.
   */
  readonly operators?: readonly string[];
  /** Roles of people who approve a decommission. Read no value. */
  readonly approvers?: readonly string[];
  /** Roles kept offline for emergencies, such as the loss of a region. May read and write values. */
  readonly breakGlass?: readonly string[];
  /** Role that jobs of CI take to vouch for change requests. Reads no value, starts nothing. */
  readonly ci?: string;
}

/** Network for functions that reach private targets: subnets of a VPC in the primary region. */
export interface NetworkInput {
  readonly name: string;
  /** Subnets with a route to the targets, and to AWS's APIs by a NAT gateway or VPC endpoints. */
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
}

/** One Vault or OpenBao cluster. */
export interface VaultInput {
  /** Name in the registry; clusters refer to it. */
  readonly name: string;
  /** `https://vault.eu.example.com:8200`. */
  readonly address: string;
  /** CA certificate of the address in PEM, when it is not publicly trusted. */
  readonly caPem?: string;
  /** Vault Enterprise or OpenBao namespace. */
  readonly namespace?: string;
  /** AWS regions that it serves. */
  readonly regions: readonly string[];
  /**
   * Owner of the server's own configuration, which all its environments share. `create`: this environment's stack.
   * `reference`: another stack. Mounts, auth backends, policies and roles of an environment are its own and are always
   * made by its stack. Default: `create`.
   */
  readonly manage?: "create" | "reference";
  /**
   * Width of the deployer's policy. `contents`: it takes what the registry says and nothing else, so that its holder reaches
   * nothing of others in the same Vault; an administrator writes the new policy before a change of the registry is applied.
   * `names`: it fixes names only, so that its holder can give itself everything: for a `namespace` that is this environment's
   * alone. Default: `contents`.
   */
  readonly deployer?: "contents" | "names";
  /**
   * File on this Vault's own disk with the CA certificates of databases (Amazon RDS's bundle), for its database engine.
   * OpenBao takes a private CA in this form only, or from the trust store of its host; Vault from 1.18 also takes the
   * database's `caPem`, which is used when there is no file. Default: none.
   */
  readonly databaseCaFile?: string;
}

/** One Kubernetes cluster whose workloads consume secrets. */
export interface ClusterInput {
  /** The EKS cluster's name. */
  readonly name: string;
  readonly region: string;
  /** AWS account of the cluster. Default: the environment's account. */
  readonly account?: string;
  /** OpenID Connect issuer of the cluster's ServiceAccount tokens, just as tokens say it: with a slash at its end where they have one. */
  readonly issuer: string;
  /** Address of the API server: Vault's `kubernetes` auth and Terraform's provider call it. */
  readonly apiServer: string;
  /** CA certificate of the API server in PEM. */
  readonly caPem?: string;
  /**
   * CA certificate in PEM of the issuer's address, when it is not publicly trusted (EKS's is). Used by Vault's
   * `jwt` auth.
   */
  readonly issuerCaPem?: string;
  /**
   * Public keys in PEM of an issuer that Vault cannot reach; then nobody fetches them. Used by Vault's `jwt` auth.
   */
  readonly issuerKeys?: readonly string[];
  /** Name of the Vault that its pods use. Left out where the environment has none. */
  readonly vault?: string;
  /**
   * Networks in CIDR form in which Vault sees the pods (behind a NAT, its addresses). A pod logs in from there alone, and its
   * Vault token is good for nothing elsewhere. Default: from anywhere.
   */
  readonly podCidrs?: readonly string[];
  /**
   * Path of the auth backend by which its pods log in to Vault. Two environments that share a cluster and a Vault need
   * one each. Default: `<vaultAuth>-<name>`, such as `kubernetes-prod-eu`.
   */
  readonly authMount?: string;
  /**
   * `openshift`: the cluster gives the pods of a namespace user and group ids of its own, and refuses others. Then agents take
   * those, whatever a workload's `runAsUser` says. Default: `kubernetes`.
   */
  readonly platform?: "kubernetes" | "openshift";
  /**
   * Owner of the issuer's IAM OIDC provider in the secrets' account. `create`: this environment's stack makes it.
   * `reference`: the cluster's own stack has made it. Default: `reference`.
   */
  readonly oidcProvider?: "create" | "reference";
}

/** One environment. */
export interface EnvironmentInput<K extends string = string> {
  readonly tier: Tier;
  /**
   * Namespaces of its workloads, made from those that the workloads name: `{namespace}` is the workload's, `{environment}`
   * the environment's name. Environments that share a cluster need one each, such as `{namespace}-{environment}`.
   * In development `*` stands for preview environments that come and go, such as `preview-*` or `preview-*-{namespace}`: whoever
   * may create such a namespace reads what its workloads read, and whatever makes it takes ServiceAccounts and the rest from
   * the files (`manage: "external"`, `delivery: { how: "files" }`). Default: `{namespace}`.
   */
  readonly namespacePattern?: string;
  /** AWS account that holds the secrets: 12 digits. */
  readonly account: string;
  readonly regions: { readonly primary: string; readonly replicas: readonly string[] };
  readonly principals: PrincipalsInput;
  /**
   * Vaults that serve secrets to pods. `[]`: none; pods read Secrets Manager themselves, by their AWS role, at least once in
   * `refreshEvery`, and no agent renders files or runs commands for them.
   */
  readonly vaults: readonly VaultInput[];
  /** `[]`: no cluster yet; workloads have no role until there is one, and secrets are rotated all the same. */
  readonly clusters: readonly ClusterInput[];
  /**
   * Issuer of the tokens with which AWS vouches for the account's roles
   * (`aws iam enable-outbound-web-identity-federation` prints it). By such a token the mirror logs in to Vault, so it is
   * needed where secrets of Secrets Manager have consumers, or where Vault's engines own secrets.
   */
  readonly awsTokenIssuer?: string;
  /**
   * VPCs in which functions run. Functions for databases, caches and Vault run in the first one unless
   * `network` or `mirrorNetwork` names another; without any, all run outside of a VPC.
   */
  readonly networks?: readonly NetworkInput[];
  /** Network of the mirror, which reaches every Vault. Default: the first network. `none`: outside of a VPC. */
  readonly mirrorNetwork?: string;
  /** Hours of the UTC day in which scheduled rotations begin. Default: the whole day, 0 to 24. */
  readonly rotationHours?: RotationHours;
  /** Interval in which agents render secrets again. Default: 6 hours (policy). */
  readonly refreshEvery?: Duration;
  /**
   * Longest life of a pod's Vault token, which its agent renews until then and gets anew: an hour to 32 days. What was carried
   * away from a pod that is gone dies with it, unless somebody renews it, and then by this time. Tokens of whoever reads
   * a user that Vault makes live longer where applications need that to take up the next one. Default: 24 hours.
   */
  readonly podTokenMaxTtl?: Duration;
  /** Time that a pod may need beyond that to have the new value in use. Default: 1 hour. */
  readonly reloadMargin?: Duration;
  /**
   * Vault auth method of pods. `kubernetes`: Vault runs in the cluster and asks its API server whether a token
   * is good (with its own ServiceAccount, which needs `system:auth-delegator`). `jwt`: Vault stands anywhere
   * and verifies tokens with the issuer's published keys. Default: `kubernetes`.
   */
  readonly vaultAuth?: "kubernetes" | "jwt";
  /** Way in which pods get their AWS role. Default: `irsa`. */
  readonly identity?: "irsa" | "pod-identity";
  /** Optional secrets that this environment has. */
  readonly optIn?: readonly K[];
  /**
   * `required`: a rotation that people start needs an approved change request. Default: `required` in staging and
   * production, `none` in development.
   */
  readonly changeRequest?: "required" | "none";
  /**
   * CI jobs that vouch for change requests; needs `principals.ci`. Without it, nobody can: where a change request is
   * required, people can start no rotation. To write `changeRequest: "required"` and leave this out is a fault.
   */
  readonly changes?: ChangesInput;
  /**
   * `required`: one of the approvers must agree before an old credential is retired. Default: `required` in production,
   * `none` elsewhere.
   */
  readonly approval?: "required" | "none";
  /**
   * Audit trail: every change and read of a secret as an event, in an archive that nobody can change and at SIEMs. Default: none is
   * made, because its archive cannot be undone before its time; `audit check` says that it is missing.
   */
  readonly audit?: AuditInput;
  /**
   * Days during which a deleted secret can be restored, and its name cannot be used again: 7 to 30 days. In development
   * also 0: deleted at once, so that the environment can be destroyed and deployed anew. Default: 30 days, as AWS has it.
   */
  readonly recoveryWindow?: Duration;
  /** Terraform refuses to destroy the secrets and their key, and in Vault mounts and database connections. Default: true in production. */
  readonly preventDestroy?: boolean;
  /**
   * Versions of AWS Signer's profiles that may have signed the functions' code; Lambda refuses any other. A pipeline signs
   * `functions/*.zip` beside the stack between synth and plan. Default: none, whoever may update a function decides what runs.
   */
  readonly codeSigning?: { readonly profiles: readonly string[] };
  /** ARN of the permissions boundary of every role. */
  readonly permissionsBoundary?: string;
  /**
   * `true`: the deployer may decrypt values as Secrets Manager's caller. AWS asks for it where secrets that have values get a
   * further replica region or another key: set it for that apply. It reads no value then either, by the secrets' policies.
   *
   * @default false
   */
  readonly deployerMovesValues?: boolean;
  /** IAM path of roles and policies. Default: `/<registry id>/<environment>/`. */
  readonly rolePath?: string;
}

/** Way in which a workload takes up a changed file. */
export type ReloadInput =
  /** The application watches the files. */
  | { readonly how: "file-watch" }
  /** The agent runs a command in its own container after a file changed, such as a request to the application. */
  | { readonly how: "command"; readonly command: string }
  /**
   * The application reads at start only, so a rotation restarts its Deployment. `deployment`: its name in the
   * workload's namespace. Default: the Deployment that delivery patches, else the workload's name.
   */
  | { readonly how: "redeploy"; readonly deployment?: string };

/** Places in the values of a workload's Helm chart. */
export interface HelmInput {
  /** Place at which the chart takes annotations of pods, as keys joined by dots. Default: `podAnnotations`. */
  readonly annotationsAt?: string;
  /** Place at which it takes additional volumes of pods, as keys joined by dots. Default: `volumes`. */
  readonly volumesAt?: string;
  /**
   * `true`: the chart runs its annotations through `tpl`, as those of Bitnami and of Datadog do: then their text is
   * escaped, so that Helm leaves the agent's templates to the agent. Default: `false`.
   */
  readonly tpl?: boolean;
}

/** CPU and memory of the agent's containers, in Kubernetes quantities. A limit of `""` is no limit. */
export interface AgentResourcesInput {
  readonly requests?: { readonly cpu?: string; readonly memory?: string };
  readonly limits?: { readonly cpu?: string; readonly memory?: string };
}

/**
 * Kinds of `apps/v1` that make pods from a template and replace them when it changes.
 * https://kubernetes.io/docs/concepts/workloads/controllers/
 */
export const CONTROLLER_KINDS = ["Deployment", "StatefulSet", "DaemonSet"] as const;

/**
 * Kinds that can be restarted: {@link CONTROLLER_KINDS}, and Rollouts of Argo (`argoproj.io/v1alpha1`).
 * https://argo-rollouts.readthedocs.io/en/stable/features/restart/
 */
export const RESTARTED_KINDS = [...CONTROLLER_KINDS, "Rollout"] as const;
/** One of {@link RESTARTED_KINDS}. */
export type ControllerKind = (typeof RESTARTED_KINDS)[number];

/**
 * Kinds of `batch/v1`, whose pods come to an end. An agent that stays would keep them from it
 * (https://github.com/hashicorp/vault-k8s/issues/120), so they have the one that renders once, and take up a new value when the
 * next one starts.
 */
export const JOB_KINDS = ["Job", "CronJob"] as const;
/** One of {@link JOB_KINDS}. */
export type JobKind = (typeof JOB_KINDS)[number];

/** `true` where a workload's pods come to an end by themselves. */
export const isJob = (controller: ControllerKind | JobKind): controller is JobKind =>
  (JOB_KINDS as readonly string[]).includes(controller);

/** An object that makes pods. */
export interface ControllerInput {
  /** Default: `Deployment`. */
  readonly kind?: ControllerKind | JobKind;
  readonly name: string;
}

/** One workload: one ServiceAccount, one role. */
export interface WorkloadInput<E extends string = string> {
  readonly description?: string;
  readonly namespace: string;
  /** Default: the workload's own name. */
  readonly serviceAccount?: string;
  /**
   * Kind of the object that makes its pods, which `reload.deployment` and `delivery.deployment` name. A restart after a
   * rotation, patches and files follow it. Default: `Deployment`.
   */
  readonly controller?: ControllerKind | JobKind;
  /** Other objects in its namespace whose pods have the same ServiceAccount, such as `[{ name: "worker" }]`. Default: none. */
  readonly furtherControllers?: readonly ControllerInput[];
  /**
   * Longest run of a Job or CronJob (`activeDeadlineSeconds` enforces it): it has the values of its start until
   * it ends, so no old value goes earlier. Needed for those, and for nothing else.
   */
  readonly longestRun?: Duration;
  /**
   * `create`: Terraform makes the ServiceAccount. `annotate`: it exists (a Helm chart makes it) and Terraform adds
   * the annotation. `external`: GitOps does both from the files. Default: `create`.
   */
  readonly manage?: "create" | "annotate" | "external";
  /** Health endpoints and synthetic checks by name; a rotation is proved by them. Default: none. */
  readonly checks?: Readonly<Record<string, HealthCheckInput>>;
  /** Differences per environment: namespaces of a shared cluster, URLs of checks. */
  readonly environments?: {
    readonly [P in E]?: {
      /** Stands as it is, without the environment's pattern; in development also for all that match: `preview-*`. */
      readonly namespace?: string;
      readonly serviceAccount?: string;
      /** Clusters in which it lives here. Default: those that it names for all environments. */
      readonly clusters?: readonly string[];
      /** Differences by the check's name; a name of its own is a check that only this environment has. */
      readonly checks?: Readonly<Record<string, HealthCheckPlanInput>>;
    };
  };
  /**
   * Clusters in which it lives, by name; it has no ServiceAccount, role or login in any other. Default: all clusters of each
   * environment.
   */
  readonly clusters?: readonly string[];
  /** Containers that get the files. Default: all. */
  readonly containers?: readonly string[];
  /** User id of the application: the agent runs as it, and files are readable by it alone. */
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  /** Folder in its containers under which the files appear; it hides what an image has there. Default: `/vault/secrets`. */
  readonly secretVolumePath?: string;
  /** Default: `file-watch`. */
  readonly reload?: ReloadInput;
  /** Places in the values of its Helm chart. Default: those of charts of `helm create`. */
  readonly helm?: HelmInput;
  /** Requests and limits of the agent. Default: 50m CPU and 64Mi requested, 500m and 128Mi at most. */
  readonly agentResources?: AgentResourcesInput;
  /**
   * Way in which annotations and volume reach the pods. `files`: values for Helm and patches for Kustomize, written at
   * synth. `patch`: Terraform patches the named Deployment. Default: `files`.
   */
  readonly delivery?: { readonly how: "files" } | { readonly how: "patch"; readonly deployment: string };
}

/** Secrets that a workload may consume at all, as key patterns: `db/app-primary`, `db/*` or `*`. */
export interface AccessRuleInput {
  /** Default: everything that is not denied. */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  /** Shown when a consumer breaks the rule. */
  readonly reason?: string;
}

/** One file that the agent renders from a secret. */
export interface FileInput {
  /**
   * `json`: all fields and public settings as one object. `env`: `NAME='value'` lines for a POSIX shell.
   * `public`: only the field that may be given to anyone (a JWKS). `template`: the author's own.
   */
  readonly format: "json" | "env" | "public" | "template";
  /** Path below the workload's `secretVolumePath`. Default: the key with the format's ending. */
  readonly path?: string;
  /**
   * Octal file mode. Default: `0400` where the workload names `runAsUser`, else `0644` (the volume is the pod's
   * alone).
   */
  readonly mode?: string;
  /** Prefix of `env` names. Default: the key in capitals, `DB_APP_PRIMARY_`. */
  readonly prefix?: string;
  /**
   * `true`, for `json` and `env` of a secret with store `aws`: the version's id stands beside the fields, as `_version`
   * or `<prefix>VERSION`, so that an application can say which version it uses. Default: `false`.
   */
  readonly version?: boolean;
  /**
   * Text of a `template`, as consul-template reads it, in which `SECRET_PATH`, as a word of its own, stands for the
   * secret's Vault path.
   */
  readonly template?: string;
}

/** A consumer, with its own files where the secret's do not suit it, or in some environments only. */
export type ConsumerInput<W extends string = string, E extends string = string> =
  | W
  | {
      readonly workload: W;
      /** Default: the secret's own. */
      readonly files?: readonly FileInput[];
      /** Environments in which it reads the secret. Default: all that have the secret. */
      readonly environments?: readonly E[];
    };

/** A consumer of one environment. */
export type PlannedConsumerInput<W extends string = string> =
  | W
  | { readonly workload: W; readonly files?: readonly FileInput[] };

/** Fields that secrets of every kind have. */
export interface SecretInputCommon<W extends string, K extends string, E extends string = string> {
  readonly description: string;
  /** Team that answers for it. */
  readonly owner: string;
  readonly consumers: readonly ConsumerInput<W, E>[];
  /** Rotation cadence: `days(30)`. */
  readonly rotateEvery: Duration;
  /**
   * Days of rotations that start by themselves. `cadence`: a fixed number of days apart, from 10 days on one less than
   * `rotateEvery`. `calendar`: on fixed days of the month, the year or the week, as often as keeps the cadence: 30 days
   * are two days of each month. Default: `cadence`.
   */
  readonly schedule?: "cadence" | "calendar";
  readonly store: Store;
  /** Default: by kind. */
  readonly acceptedBy?: AcceptedBy;
  /** Default: by kind. */
  readonly rotation?: RotationMode;
  /** Old and new value are published together. Default: what `acceptedBy` allows. */
  readonly dualWrite?: boolean;
  /**
   * Time for which the old credential lives beside the new one. Default: refresh + twice the margin + the kind's own lag.
   */
  readonly overlap?: Duration;
  /** Damage that a leak would do; a tag. Default: `confidential`. */
  readonly classification?: "internal" | "confidential" | "restricted";
  /** Files for each consumer. Default: one JSON file, and a JWKS beside a signing key. */
  readonly files?: readonly FileInput[];
  /** Secret of this registry that rotation needs to change this one (an admin credential). */
  readonly admin?: K;
  /**
   * Network in which its rotation function runs; `none`: outside of a VPC. Default: the environment's first network for a
   * target that lies in one (PostgreSQL, Redis, a generic secret with a check), else none.
   */
  readonly network?: string;
  /** Former keys, oldest first: the cloud keeps the oldest name, Terraform moves the address. */
  readonly renamedFrom?: string | readonly string[];
  /** Date from which nobody needs it: grants are gone at once, the entry may be removed after the date. */
  readonly retired?: string;
}

/** Differences of a secret in one environment. */
export interface EnvironmentPlanInput<Settings, W extends string = string> {
  /** `optional`: only where the environment's `optIn` names it. Default: `required`. */
  readonly presence?: "required" | "optional" | "absent";
  /** All that read it here, in place of the secret's own consumers. Default: the secret's own. */
  readonly consumers?: readonly PlannedConsumerInput<W>[];
  readonly rotation?: RotationMode;
  readonly rotateEvery?: Duration;
  readonly classification?: "internal" | "confidential" | "restricted";
  readonly network?: string;
  /** Settings that differ here; merged over the secret's own. */
  readonly settings?: Partial<Settings>;
}

/** One secret, discriminated by its `kind`. */
export type SecretInput<E extends string = string, W extends string = string, K extends string = string> = {
  readonly [Kind in KindName]: SecretInputCommon<W, K, E> & {
    readonly kind: Kind;
    /** Settings of the kind that are the same everywhere. */
    readonly settings?: Partial<KindSettingsInput<Kind>>;
    /** Differences per environment; an environment that is not named has the secret as it stands. */
    readonly environments?: { readonly [P in E]?: EnvironmentPlanInput<KindSettingsInput<Kind>, W> };
  };
}[KindName];

/** The whole definition that `defineRegistry` takes. */
export interface RegistryInput<
  E extends string = string,
  W extends string = string,
  K extends string = string,
> {
  /** Short name in role names, paths and policy names. Default: `secrets`. */
  readonly id?: string;
  readonly environments: { readonly [P in E]: EnvironmentInput<NoInfer<K>> };
  readonly workloads: { readonly [P in W]: WorkloadInput<NoInfer<E>> };
  readonly secrets: { readonly [P in K]: SecretInput<NoInfer<E>, NoInfer<W>, NoInfer<K>> };
  readonly accessRules?: { readonly [P in NoInfer<W>]?: AccessRuleInput };
}

const vault = z.strictObject({
  name: slug,
  address: serverAddress,
  caPem: z.optional(certificatePem),
  namespace: z.optional(vaultNamespace),
  regions: z.array(regionName).check(z.minLength(1)),
  manage: z._default(z.enum(["create", "reference"]), "create"),
  deployer: z._default(z.enum(["contents", "names"]), "contents"),
  databaseCaFile: z.optional(serverFilePath),
});

const network = z.strictObject({
  name: slug,
  subnets: z.array(ec2Id("subnet")).check(z.minLength(1)),
  securityGroups: z.array(ec2Id("sg")).check(z.minLength(1)),
});

const cluster = z.strictObject({
  name: clusterName,
  region: regionName,
  account: z.optional(accountId),
  issuer: clusterIssuerUrl,
  apiServer: serverAddress,
  caPem: z.optional(certificatePem),
  issuerCaPem: z.optional(certificatePem),
  issuerKeys: z.optional(z.array(publicKeyPem).check(z.minLength(1))),
  vault: z.optional(z.string()),
  podCidrs: z.optional(z.array(cidr).check(z.minLength(1))),
  authMount: z.optional(slug),
  platform: z._default(z.enum(["kubernetes", "openshift"]), "kubernetes"),
  oidcProvider: z._default(z.enum(["create", "reference"]), "reference"),
});

/** Run-time schema of an environment. */
export const environmentSchema = z.strictObject({
  tier: z.enum(["development", "staging", "production"]),
  namespacePattern: z._default(namespacePattern, "{namespace}"),
  account: accountId,
  regions: z.strictObject({ primary: regionName, replicas: z.array(regionName) }),
  principals: z.strictObject({
    deployer: principalArn,
    operators: z._default(z.array(principalArn), []),
    approvers: z._default(z.array(principalArn), []),
    breakGlass: z._default(z.array(principalArn), []),
    ci: z.optional(principalArn),
  }),
  vaults: z.array(vault),
  clusters: z.array(cluster),
  awsTokenIssuer: z.optional(issuerUrl),
  networks: z._default(z.array(network), []),
  mirrorNetwork: z.optional(z.string()),
  rotationHours: z._default(
    z
      .strictObject({ from: z.int().check(z.gte(0), z.lte(23)), until: z.int().check(z.gte(1), z.lte(24)) })
      .check(
        z.refine(({ from, until }) => from < until, {
          params: {
            allowed: "an hour after `from`, at most 24: Secrets Manager's windows end with the UTC day",
            change: "let the hours begin and end on one day",
          },
          message: "hours",
          path: ["until"],
        }),
      ),
    { from: 0, until: 24 },
  ),
  refreshEvery: z._default(duration, { seconds: 6 * 3_600 }),
  podTokenMaxTtl: z._default(
    z.strictObject({ seconds: z.number() }).check(
      z.refine(({ seconds }) => seconds >= 3_600 && seconds <= 32 * 86_400, {
        params: {
          allowed: "an hour to 32 days, Vault's own limit",
          change: "choose hours(1) to days(32)",
        },
        message: "pod token life",
      }),
    ),
    { seconds: 24 * 3_600 },
  ),
  reloadMargin: z._default(duration, { seconds: 3_600 }),
  vaultAuth: z._default(z.enum(["kubernetes", "jwt"]), "kubernetes"),
  identity: z._default(z.enum(["irsa", "pod-identity"]), "irsa"),
  optIn: z._default(z.array(z.string()), []),
  changeRequest: z.optional(z.enum(["required", "none"])),
  changes: z.optional(changesSchema),
  approval: z.optional(z.enum(["required", "none"])),
  audit: z.optional(auditSchema),
  recoveryWindow: z._default(
    z.strictObject({ seconds: z.number() }).check(
      z.refine(
        ({ seconds }) =>
          seconds === 0 || (seconds % 86_400 === 0 && seconds >= 7 * 86_400 && seconds <= 30 * 86_400),
        {
          params: {
            allowed: "7 to 30 whole days, as Secrets Manager takes them; none in development",
            change: "choose days(7) to days(30)",
          },
          message: "recovery window",
        },
      ),
    ),
    { seconds: 30 * 86_400 },
  ),
  preventDestroy: z.optional(z.boolean()),
  codeSigning: z.optional(
    // Lambda's quota.
    z.strictObject({ profiles: z.array(signingProfileVersionArn).check(z.minLength(1), z.maxLength(20)) }),
  ),
  permissionsBoundary: z.optional(policyArn),
  deployerMovesValues: z._default(z.boolean(), false),
  rolePath: z.optional(iamPath),
});

const quantities = (isTaken: (text: string) => boolean, allowed: string, change: string) => ({
  request: z.string().check(z.refine(isTaken, { params: { allowed, change }, message: "quantity" })),
  /** Empty: none, where the injector would set one of its own. */
  limit: z.string().check(
    z.refine((text) => text === "" || isTaken(text), {
      params: { allowed: `${allowed}, or "" for no limit`, change },
      message: "quantity",
    }),
  ),
});
const cpu = quantities(
  (text) => amountOf(text) !== undefined,
  "CPUs as Kubernetes has them, such as 250m or 0.5",
  "write thousandths with m, or a number of CPUs",
);
const memory = quantities(
  (text) => (amountOf(text) ?? 0) >= 1 && !/[num]$/.test(text),
  "bytes as Kubernetes has them, such as 64Mi or 1G",
  "write Mi or Gi: m is a thousandth of a byte",
);
const containerName = dnsLabel;
const valuesPath = z.string().check(
  z.refine((value) => /^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*$/.test(value), {
    params: {
      allowed: "keys of a chart's values joined by dots, such as controller.podAnnotations",
      change: "write the place as `helm show values` has it",
    },
    message: "path",
  }),
);

const controllerKind = z._default(z.enum([...RESTARTED_KINDS, ...JOB_KINDS]), "Deployment");

/** Run-time schema of a workload. */
export const workloadSchema = z.strictObject({
  description: z.optional(iamDescription),
  namespace: dnsLabel,
  serviceAccount: z.optional(dnsSubdomain),
  controller: controllerKind,
  furtherControllers: z._default(z.array(z.strictObject({ kind: controllerKind, name: dnsSubdomain })), []),
  longestRun: z.optional(duration),
  manage: z._default(z.enum(["create", "annotate", "external"]), "create"),
  checks: z._default(z.record(z.string(), healthCheckSchema), {}),
  environments: z._default(
    z.record(
      z.string(),
      z.strictObject({
        namespace: z.optional(namespaceOrPattern),
        serviceAccount: z.optional(dnsSubdomain),
        clusters: z.optional(z.array(z.string()).check(z.minLength(1))),
        checks: z._default(z.record(z.string(), healthCheckPlanSchema), {}),
      }),
    ),
    {},
  ),
  clusters: z.optional(z.array(z.string()).check(z.minLength(1))),
  containers: z.optional(z.array(containerName).check(z.minLength(1))),
  runAsUser: z.optional(z.int().check(z.gte(1))),
  runAsGroup: z.optional(z.int().check(z.gte(1))),
  secretVolumePath: z._default(containerFolder, SECRETS_FOLDER),
  reload: z._default(
    z.discriminatedUnion("how", [
      z.strictObject({ how: z.literal("file-watch") }),
      z.strictObject({ how: z.literal("command"), command: oneLine }),
      z.strictObject({ how: z.literal("redeploy"), deployment: z.optional(dnsSubdomain) }),
    ]),
    { how: "file-watch" },
  ),
  helm: z._default(
    z.strictObject({
      annotationsAt: z._default(valuesPath, "podAnnotations"),
      volumesAt: z._default(valuesPath, "volumes"),
      tpl: z._default(z.boolean(), false),
    }),
    { annotationsAt: "podAnnotations", volumesAt: "volumes", tpl: false },
  ),
  agentResources: z._default(
    z.strictObject({
      requests: z.optional(
        z.strictObject({ cpu: z.optional(cpu.request), memory: z.optional(memory.request) }),
      ),
      limits: z.optional(z.strictObject({ cpu: z.optional(cpu.limit), memory: z.optional(memory.limit) })),
    }),
    {},
  ),
  delivery: z._default(
    z.discriminatedUnion("how", [
      z.strictObject({ how: z.literal("files") }),
      z.strictObject({ how: z.literal("patch"), deployment: dnsSubdomain }),
    ]),
    { how: "files" },
  ),
});

const filePath = z.string().check(
  z.refine(
    (value) =>
      /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(value) &&
      !/(^|\/)\.{1,2}(\/|$)/.test(value) &&
      value.length <= 200,
    {
      params: {
        allowed: "a relative path of letters, digits, dots, hyphens and underscores",
        change: "give a path below /vault/secrets, without ..",
      },
      message: "path",
    },
  ),
);

/** Run-time schema of a rendered file. */
export const fileSchema = z
  .strictObject({
    format: z.enum(["json", "env", "public", "template"]),
    path: z.optional(filePath),
    mode: z.optional(
      z.string().check(
        z.refine((value) => /^0[0-7]{3}$/.test(value), {
          params: {
            allowed: "four octal digits such as 0400",
            change: "write the mode as a string of four octal digits",
          },
          message: "mode",
        }),
      ),
    ),
    prefix: z.optional(
      z.string().check(
        z.refine((value) => /^[A-Z_][A-Z0-9_]*$/.test(value), {
          params: {
            allowed: "capitals, digits and underscores, such as DB_",
            change: "use a prefix that a shell takes",
          },
          message: "prefix",
        }),
      ),
    ),
    version: z.optional(z.boolean()),
    template: z.optional(z.string()),
  })
  .check(
    z.refine((file) => (file.format === "template") === (file.template !== undefined), {
      params: {
        allowed: "`template` text with format `template`, and only there",
        change: "add the template, or choose another format",
      },
      message: "template",
      path: ["template"],
    }),
    z.refine((file) => file.template === undefined || file.template.search(SECRET_PATH) >= 0, {
      params: {
        allowed: "a template that reads the secret at SECRET_PATH",
        change: 'write {{ with secret "SECRET_PATH" }} … {{ end }}: the path differs per environment',
      },
      message: "template",
      path: ["template"],
    }),
    z.refine((file) => file.version !== true || file.format === "json" || file.format === "env", {
      params: {
        allowed: "the version in formats json and env",
        change: "remove it; a template writes {{ .Data.data._version }} itself",
      },
      message: "version",
      path: ["version"],
    }),
    z.refine((file) => file.format !== "template" || file.path !== undefined, {
      params: {
        allowed: "a path for a template's file",
        change: "add `path`: a template has no ending of its own",
      },
      message: "path",
      path: ["path"],
    }),
  );

const filesOfConsumer = z.optional(z.array(fileSchema).check(z.minLength(1)));

const classification = z.enum(["internal", "confidential", "restricted"]);
const acceptedBy = z.enum(["target", "own-workloads", "single-slot"]);
const rotation = z.enum(["automatic", "operator-assisted", "manual-dual-publish"]);

/** Run-time schema of a secret, without the settings of its kind: those are checked per environment, merged. */
export const secretSchema = z.strictObject({
  kind: z.enum(KIND_NAMES),
  description: oneLine,
  owner: tagText,
  consumers: z.array(
    z.union([
      z.string(),
      z.strictObject({
        workload: z.string(),
        files: filesOfConsumer,
        environments: z.optional(z.array(z.string()).check(z.minLength(1))),
      }),
    ]),
  ),
  rotateEvery: duration,
  schedule: z._default(z.enum(["cadence", "calendar"]), "cadence"),
  store: z.enum(["aws", "vault"]),
  acceptedBy: z.optional(acceptedBy),
  rotation: z.optional(rotation),
  dualWrite: z.optional(z.boolean()),
  overlap: z.optional(duration),
  classification: z._default(classification, "confidential"),
  files: z.optional(z.array(fileSchema).check(z.minLength(1))),
  admin: z.optional(z.string()),
  network: z.optional(z.string()),
  renamedFrom: z._default(
    z.union([
      z.pipe(
        secretKey,
        z.transform((key) => [key]),
      ),
      z.array(secretKey).check(z.minLength(1)),
    ]),
    [],
  ),
  retired: z.optional(calendarDate),
  settings: z._default(z.record(z.string(), z.unknown()), {}),
  environments: z._default(
    z.record(
      z.string(),
      z.strictObject({
        presence: z._default(z.enum(["required", "optional", "absent"]), "required"),
        consumers: z.optional(
          z.array(z.union([z.string(), z.strictObject({ workload: z.string(), files: filesOfConsumer })])),
        ),
        rotation: z.optional(rotation),
        rotateEvery: z.optional(duration),
        classification: z.optional(classification),
        network: z.optional(z.string()),
        settings: z._default(z.record(z.string(), z.unknown()), {}),
      }),
    ),
    {},
  ),
});

/** Run-time schema of an access rule. */
export const accessRuleSchema = z.strictObject({
  allow: z.optional(z.array(z.string())),
  deny: z._default(z.array(z.string()), []),
  reason: z.optional(oneLine),
});

/** An environment with every default filled in, except those that depend on other parts. */
export type ParsedEnvironment = z.output<typeof environmentSchema>;
/** A workload with every default filled in. */
export type ParsedWorkload = z.output<typeof workloadSchema>;
/** A secret with every default filled in, settings not yet merged. */
export type ParsedSecret = z.output<typeof secretSchema>;
/** A rendered file as checked. */
export type ParsedFile = z.output<typeof fileSchema>;
/** An access rule as checked. */
export type ParsedAccessRule = z.output<typeof accessRuleSchema>;
