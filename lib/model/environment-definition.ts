import * as z from "zod/mini";
import { type AuditInput, auditSchema } from "./audit-definition";
import {
  accountId,
  ec2Id,
  iamPath,
  policyArn,
  principalArn,
  regionName,
  signingProfileVersionArn,
} from "./aws-grammar";
import { type ChangesInput, changesSchema } from "./changes";
import type { Duration } from "./duration";
import { duration, slug } from "./grammar";
import { clusterName, namespacePattern } from "./kubernetes-grammar";
import type { RotationHours } from "./rotation-schedule";
import {
  certificatePem,
  cidr,
  clusterIssuerUrl,
  issuerUrl,
  publicKeyPem,
  serverAddress,
  serverFilePath,
  vaultNamespace,
} from "./server-grammar";

/** Environments as an author writes them, and the run-time schema of the same. */

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
  /**
   * AWS account of the cluster. With identity `pod-identity` its pods take a role there first, which a stack of that account makes
   * (`ClusterAccountStack`). Default: the environment's account.
   */
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

/** An environment with every default filled in, except those that depend on other parts. */
export type ParsedEnvironment = z.output<typeof environmentSchema>;
