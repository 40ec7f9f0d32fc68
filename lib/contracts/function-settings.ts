import type { ControllerKind } from "../model/controller-kinds";
import type { Duration } from "../model/duration";
import type { HealthCheck } from "../model/health-checks";
import type { AcceptedBy, KindName, KindSettings, RotationMode } from "../model/kinds";
import type { CadenceSchedule } from "../model/rotation-schedule";

/**
 * The settings file (`settings.json`) that lies beside a function's code: what it knows of its secrets, never a
 * value. The blueprint writes it, rotation reads it.
 */

/** Settings of one secret of a rotation function. */
export interface RotatedSecret<K extends KindName = KindName> {
  readonly settings: KindSettings<K>;
  readonly rotation: RotationMode;
  readonly acceptedBy: AcceptedBy;
  readonly overlap: Duration;
  readonly publishLead: Duration;
  /** `true` where an approver must agree before its old credential is retired. Default: false. */
  readonly approval?: boolean | undefined;
  /** Name of the secret into which people put what they supply. Without one, nobody supplies values. */
  readonly inbox?: string | undefined;
  /** Name of the secret with the admin credential. */
  readonly admin?: string | undefined;
}

/** Settings of a rotation function: one kind, one environment, one network, any number of secrets. */
export interface FunctionSettings<K extends KindName = KindName> {
  readonly kind: K;
  readonly environment: string;
  /** Region in which it runs: the environment's primary one. */
  readonly region: string;
  /** DynamoDB table in which the mirror confirms versions. */
  readonly publicationsTable: string;
  /**
   * DynamoDB table of runs, in which it begins the run of a rotation that Secrets Manager started. Without one, the
   * environment has no procedure.
   */
  readonly runsTable?: string | undefined;
  /** Alias of the KMS key that makes proofs of versions, and fingerprints of values. */
  readonly auditKeyAlias: string;
  /** Secrets by name: `prod/db/app-primary`. */
  readonly secrets: Readonly<Record<string, RotatedSecret<K>>>;
}

/** A Vault that the mirror writes to. */
export interface MirroredVault {
  readonly name: string;
  readonly address: string;
  readonly caPem?: string | undefined;
  readonly namespace?: string | undefined;
  /** Mount of the `jwt` auth method that trusts AWS's tokens. */
  readonly authMount: string;
  /** Auth role of the mirror. */
  readonly role: string;
  /** Audience of the AWS token with which it logs in: this Vault's alone, so that it cannot be passed on to another. */
  readonly audience: string;
  /** KV v2 mount. */
  readonly kvMount: string;
  /** Connections of its database engines whose own logins (root credentials) the mirror has it rotate. */
  readonly connections: readonly MirroredConnection[];
}

/** A connection of a database engine. */
export interface MirroredConnection {
  /** Mount of the engine. */
  readonly mount: string;
  readonly name: string;
  /** Cadence of its root rotation, seconds. */
  readonly rotateEverySeconds: number;
}

/** A secret that the mirror serves. */
export interface MirroredSecret {
  /**
   * Path below the KV mount. Without one nobody reads the secret in Vault, so nothing is copied, and a version
   * counts as published when it is current.
   */
  readonly path?: string | undefined;
}

/** Settings of the mirror. */
export interface MirrorSettings {
  readonly environment: string;
  readonly region: string;
  readonly publicationsTable: string;
  /** Alias of the KMS key by which versions are proved. */
  readonly auditKeyAlias: string;
  readonly vaults: readonly MirroredVault[];
  /** Secrets by name. */
  readonly secrets: Readonly<Record<string, MirroredSecret>>;
}

/** Settings of the functions of the rotation procedure, by function. */
export interface ProcedureSettings {
  readonly "approval-gate": ApprovalGateSettings;
  readonly "change-gate": ChangeGateSettings;
  readonly checker: CheckerSettings;
  readonly dispatcher: DispatcherSettings;
  readonly recorder: RecorderSettings;
  readonly restarter: RestarterSettings;
  readonly watcher: WatcherSettings;
}

/** Settings that every function of the procedure has. */
export interface ProcedureSettingsCommon {
  readonly registry: string;
  readonly environment: string;
  /** Region in which it runs: the environment's primary one. */
  readonly region: string;
}

/** Settings of the checker. */
export interface CheckerSettings extends ProcedureSettingsCommon {
  /** Checks by `<workload>/<check>`: `backend/health`. */
  readonly checks: Readonly<Record<string, HealthCheck & { readonly workload: string }>>;
}

/** Settings of the approval gate, which takes approvers' decisions. */
export interface ApprovalGateSettings extends ProcedureSettingsCommon {
  readonly runsTable: string;
  /** ARNs of the principals who may decide. */
  readonly approvers: readonly string[];
  /** URL of STS. Default: the region's own. */
  readonly stsEndpoint?: string | undefined;
}

/** Settings of the dispatcher, which begins runs. */
export interface DispatcherSettings extends ProcedureSettingsCommon {
  readonly runsTable: string;
  /** Table of the change requests that CI has vouched for: a run uses one up. */
  readonly changesTable: string;
  /** Table in which the mirror confirms versions: how long `promote` has to wait. */
  readonly publicationsTable: string;
  /**
   * `true` where the dispatcher itself confirms versions, once every region has them: no mirror does, since nothing is
   * read in Vault. Default: `false`.
   */
  readonly confirms?: boolean | undefined;
  /** Alias of the key that proves versions. */
  readonly auditKeyAlias: string;
  readonly stateMachineArn: string;
  /** `required`: a run that people start needs an approved change request. */
  readonly changeRequest: "required" | "none";
  /**
   * `required`: a caller who starts a run, or calls one back, must prove their identity, because somebody else has to
   * approve it, or has approved. Default: `none`, so that a name without a proof stands as said.
   */
  readonly callerProof?: "required" | "none" | undefined;
  /** ARNs of the principals who may start runs: a proof is of one of them. Default: none. */
  readonly starters?: readonly string[] | undefined;
  /** URL of STS. Default: the region's own. */
  readonly stsEndpoint?: string | undefined;
  /** Secrets by name, those of Secrets Manager only. */
  readonly secrets: Readonly<Record<string, DispatchedSecret>>;
}

/**
 * Settings of the change gate, which takes CI's word for a change request: the issuer of its jobs' tokens, and which jobs count.
 */
export interface ChangeGateSettings extends ProcedureSettingsCommon {
  readonly changesTable: string;
  /** Issuer of CI's tokens: `https://token.actions.githubusercontent.com`. */
  readonly issuer: string;
  /** Address of the issuer's public keys. */
  readonly keySet: string;
  /** Texts of which a job's token has one, by claim: all of them. Never empty. */
  readonly claims: Readonly<Record<string, readonly string[]>>;
  /** Keys of the environment's secrets. */
  readonly keys: readonly string[];
}

/** Schedule of rotations that the dispatcher starts: every so many days, within some hours of the UTC day. */
export type DispatchedSchedule = Pick<CadenceSchedule, "everyDays" | "phaseDay" | "hour" | "windowHours">;

/** Settings of one secret of the dispatcher, which hands them to the state machine. */
export interface DispatchedSecret {
  readonly key: string;
  /** Schedule by which the dispatcher starts its rotations. Without one, Secrets Manager or people start them. */
  readonly schedule?: DispatchedSchedule | undefined;
  readonly kind: KindName;
  readonly rotation: RotationMode;
  /** `true` where people supply its values, through an inbox. */
  readonly supplied: boolean;
  /** `true` where its value holds keys that are published before they are used: a promotion puts them to use. */
  readonly publishes: boolean;
  /** Name of the function that rotates it. */
  readonly function: string;
  /** Time for which the old credential lives beside the new one, in seconds. */
  readonly overlapSeconds: number;
  /**
   * Overlap of a rotation that only publishes keys beside its credential: theirs comes with the promotion.
   * @default overlapSeconds
   */
  readonly handOverSeconds?: number | undefined;
  /** Time for which a published key waits before it is used, in seconds; 0 where the target accepts at once. */
  readonly publishLeadSeconds: number;
  /** Consumers that are restarted because they read the secret at their start only, sorted. */
  readonly restart: readonly string[];
  /** Names of its consumers' checks, as in {@link CheckerSettings}, sorted. */
  readonly checks: readonly string[];
  /** `true` where an approver must agree before the old credential is retired; `false` where nothing is. */
  readonly approval: boolean;
}

/** Settings of the restarter. */
export interface RestarterSettings extends ProcedureSettingsCommon {
  /** The environment's clusters, sorted by name. */
  readonly clusters: readonly RestartedCluster[];
  /** Workloads by name: those that are restarted for a new value. */
  readonly workloads: Readonly<Record<string, RestartedWorkload>>;
}

/** The object whose pods are replaced. */
export interface RestartedWorkload {
  /** Names of the clusters in which it runs; all of them where there is nothing. */
  readonly clusters?: readonly string[] | undefined;
  readonly namespace: string;
  readonly kind: ControllerKind;
  readonly name: string;
  /** Objects of the namespace whose pods are replaced after its own, in this order. */
  readonly further?: readonly { readonly kind: ControllerKind; readonly name: string }[] | undefined;
}

/** A cluster whose workloads are restarted. */
export interface RestartedCluster {
  /** The EKS cluster's name, which the token is made for. */
  readonly name: string;
  readonly region: string;
  readonly apiServer: string;
  readonly caPem?: string | undefined;
}

/** Settings of the recorder. */
export interface RecorderSettings extends ProcedureSettingsCommon {
  readonly runsTable: string;
  /** Table of change requests: a run that was withdrawn frees its own. */
  readonly changesTable: string;
  readonly recordsBucket: string;
  /** `true` where each run is reported to an audit trail. Default: false. */
  readonly announces?: boolean | undefined;
  /** Secrets by name. */
  readonly secrets: Readonly<Record<string, { readonly key: string; readonly kind: KindName }>>;
}

/** Settings of the watcher. */
export interface WatcherSettings extends ProcedureSettingsCommon {
  readonly publicationsTable: string;
  /** Alias of the key that proves versions. */
  readonly auditKeyAlias: string;
  /** SNS topic of reminders. */
  readonly remindersTopicArn: string;
  /** Time before the end of its cadence from which a secret counts as due, in seconds. */
  readonly dueAheadSeconds: number;
  /** Longest lag of a rotation, a replica or a Vault before the secret counts as stuck, in seconds. */
  readonly stuckAfterSeconds: number;
  /** Secrets by name. */
  readonly secrets: Readonly<Record<string, WatchedSecret>>;
}

/** Settings of one secret of the watcher. */
export interface WatchedSecret {
  readonly key: string;
  readonly owner: string;
  readonly rotation: RotationMode;
  readonly rotateEverySeconds: number;
}
