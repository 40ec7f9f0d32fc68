import type { AccessVerb, PrincipalKind, SecretPlan } from "../blueprint";
import type { EnvironmentPolicies } from "../proof";

/**
 * One side of a preview: what is compared, from a registry or from a synthesized output. Plain data. What a synthesized output does
 * not hold is absent, and is then not compared.
 */
export interface RegistryState {
  readonly source: "registry" | "output";
  readonly environments: readonly EnvironmentState[];
}

/** One environment. */
export interface EnvironmentState {
  readonly name: string;
  readonly account: string;
  /** Primary region first. */
  readonly regions: readonly string[];
  readonly secrets: readonly SecretState[];
  readonly access: readonly AccessCell[];
  /** Sentences about grants that have ended, or end soon; of a registry only. */
  readonly endings?: readonly string[];
  /** Takers of roles: tokens of ServiceAccounts, in AWS and in Vault. */
  readonly takers: readonly TakerCell[];
  /** Roles of people by what they may do. */
  readonly people: readonly PeopleCell[];
  readonly workloads: readonly WorkloadState[];
  /** Names of all workloads of the registry, those that consume nothing here too. */
  readonly workloadNames: readonly string[];
  readonly functions: readonly FunctionState[];
  /** Settings of the environment as people read them; a difference is a change of that name. */
  readonly facts: Readonly<Record<string, string>>;
  /** Protections that are there, by name. */
  readonly guards: Readonly<Record<string, GuardState>>;
  /** Documents that other people put in place, such as the deployer's policies, by what they are. */
  readonly handedOut: Readonly<Record<string, unknown>>;
  /** Vaults by name, and where each is. */
  readonly vaults: Readonly<Record<string, string>>;
  readonly cost: CostDrivers;
  /** Finished policies, for the proof that nobody can do more. */
  readonly policies: EnvironmentPolicies;
  /** Terraform's resources by address, a digest of each; of a synthesized output only. */
  readonly resources?: ReadonlyMap<string, ResourceState>;
}

/** A protection: whether it holds, or how strongly. More is safer. */
export interface GuardState {
  readonly strength: number;
  /** Text as people read it. */
  readonly text: string;
  /** All that it lets through; one more is weaker. */
  readonly lets?: readonly string[];
  /** Workload that it limits: without the guard the workload is limited less. */
  readonly limits?: string;
}

/** One secret. */
export interface SecretState {
  readonly key: string;
  readonly store: SecretPlan["store"];
  /**
   * Facts that Terraform cannot change without making the secret anew: store, account, primary region and name, or the
   * path in Vault.
   */
  readonly place: string;
  readonly kind?: string;
  readonly regions: readonly string[];
  /** Names of workloads, sorted. */
  readonly consumers: readonly string[];
  readonly cadenceSeconds?: number;
  readonly overlapSeconds?: number;
  /** Days in which a deletion can be called back. */
  readonly recoveryDays?: number;
  readonly preventDestroy?: boolean;
  /** Last days of grants, by workload; of a registry only. */
  readonly lastDays?: Readonly<Record<string, string>>;
  /** Settings as people read them. */
  readonly facts: Readonly<Record<string, string>>;
  /** Facts that are compared and never shown, by name. */
  readonly hidden: Readonly<Record<string, unknown>>;
  /** Target that the credential opens: public settings. */
  readonly target?: Readonly<Record<string, string>>;
  /** Days of its next rotation by itself. */
  readonly nextRotation?: string;
  /** `true` where a person supplies its values; `false`: functions make them. */
  readonly supplied?: boolean;
}

/** A principal can do something to a secret. */
export interface AccessCell {
  readonly kind: PrincipalKind;
  readonly name: string;
  readonly arn: string;
  readonly secret: string;
  readonly store: SecretPlan["store"];
  readonly can: AccessVerb;
}

/** A token opens a role. */
export interface TakerCell {
  /** Workload or function. */
  readonly name: string;
  /** Place of the role: `aws`, or a Vault's name. */
  readonly at: string;
  /** The token as people read it: `system:serviceaccount:backend:backend of <issuer>`. */
  readonly taker: string;
}

/** A role of people. */
export interface PeopleCell {
  readonly may: "operator" | "approver" | "break-glass" | "deployer" | "ci";
  readonly arn: string;
}

/** One workload. */
export interface WorkloadState {
  readonly name: string;
  readonly secrets: readonly string[];
  /** Needs of its pods, or a digest of them. */
  readonly pods: unknown;
  readonly delivery: string;
  readonly reload: string;
  /** Names of its checks. */
  readonly checks: readonly string[];
}

/** One function. */
export interface FunctionState {
  readonly name: string;
  /** Its settings, or a digest of its code. */
  readonly code: unknown;
}

/** One resource of Terraform. */
export interface ResourceState {
  readonly type: string;
  readonly digest: string;
  /** Digest without a function's code. */
  readonly withoutCode: string;
}

/** Numbers from which a month's cost follows. */
export interface CostDrivers {
  /** Secrets of Secrets Manager, replicas and inboxes included. */
  readonly secrets: number;
  readonly keys: number;
  readonly alarms: number;
  /** Scheduled runs of functions a month. */
  readonly runs: number;
  /** Calls of Secrets Manager a month that sweeps make. */
  readonly calls: number;
}
