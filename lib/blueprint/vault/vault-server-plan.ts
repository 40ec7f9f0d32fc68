import type { Duration } from "../../model/duration";
import type { Environment, VaultServer } from "../../model/registry";
import type { VaultPolicy } from "../platform/vault-policy";
import type { DatabasePlan } from "./database-plan";
import type { MirrorLoginPlan } from "./mirror-login";

/** One Vault of an environment. */
export interface VaultPlan {
  readonly name: string;
  readonly address: string;
  /** Ephemeral Terraform variable with the token that deploys to it; `VAULT_TOKEN` where it is not set. */
  readonly tokenVariable: string;
  readonly caPem?: string;
  readonly namespace?: string;
  readonly regions: readonly string[];
  readonly manage: VaultServer["manage"];
  readonly kv: {
    readonly mount: string;
    readonly maxVersions: number;
    readonly casRequired: boolean;
    /** Terraform refuses to destroy the mount, and all copies with it. */
    readonly preventDestroy: boolean;
  };
  /** One per cluster that uses this Vault, sorted by cluster. */
  readonly auths: readonly VaultAuthPlan[];
  /** Policies of workloads, sorted by name. */
  readonly policies: readonly VaultPolicy[];
  readonly roles: readonly VaultRolePlan[];
  /** The database engine; none where no secret is Vault's, one else. */
  readonly databases: readonly DatabasePlan[];
  /** Login of the function that writes the copies and has Vault rotate its connections. */
  readonly mirror?: MirrorLoginPlan;
  /** Width of the deployer's policy: it fixes contents, or names alone. */
  readonly deployerBound: VaultServer["deployer"];
  /** Policy of Terraform's token. An administrator of the Vault writes it; the deployer itself may not. */
  readonly deployer: VaultPolicy;
}

/** Login of one cluster's pods to one Vault. */
export interface VaultAuthPlan {
  readonly method: Environment["vaultAuth"];
  readonly mount: string;
  readonly cluster: string;
  readonly issuer: string;
  readonly apiServer: string;
  readonly caPem?: string;
  readonly issuerCaPem?: string;
  readonly issuerKeys?: readonly string[];
  readonly podCidrs?: readonly string[];
}

/** The auth role of one workload on one cluster's auth mount. */
export interface VaultRolePlan {
  readonly mount: string;
  readonly method: Environment["vaultAuth"];
  readonly cluster: string;
  readonly name: string;
  readonly workload: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly audience: string;
  readonly policies: readonly string[];
  readonly tokenTtl: Duration;
  readonly tokenMaxTtl: Duration;
  /** Networks from which a pod logs in and its token works; `undefined`: all. */
  readonly boundCidrs?: readonly string[];
}
