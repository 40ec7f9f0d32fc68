import type { AuditScopeSettings } from "../../contracts/audit-settings";
import type { AuditSink } from "../../model/audit-definition";
import type { PolicyDocument } from "../../model/policy-document";
import type { FunctionPlan } from "../functions/function-plan";
import type { ForwarderPlan } from "../platform/rule-plan";
import type { Tags } from "../platform/tags";
import type { AlarmPlan } from "../procedure/procedure-alarms";
import type { RecordsPlan } from "../procedure/procedure-plan";

/** The audit trail of an environment: from what says who did what to a secret, to the archive and to SIEMs. */
export interface AuditPlan {
  /** Queue of what is to be read. */
  readonly events: AuditQueuePlan;
  /** Queue of what nobody can read, and of what a sink will never take. */
  readonly deadLetters: AuditQueuePlan;
  readonly normaliser: FunctionPlan;
  /** Sorted by name. */
  readonly sinks: readonly AuditSinkPlan[];
  /** Bucket with every event. */
  readonly archive: RecordsPlan;
  /** Trail of its own; `undefined`: another one logs management events of this account, reads among them. */
  readonly trail?: TrailPlan;
  /** Sorted by word. */
  readonly rules: readonly AuditRulePlan[];
  /** Role with which rules of other regions pass events on; `undefined`: there is one region alone, which gets IAM's events too. */
  readonly forwarder?: ForwarderPlan;
  /** Sorted by word. */
  readonly alarms: readonly AlarmPlan[];
  /** Policies for roles that this stack does not make: people's and shippers'. */
  readonly people: {
    /** Policy of people who read the archive and put events of it into queues again. */
    readonly reviewer: PolicyDocument;
    /** Policy of the shipper of entries of Vault's audit devices. */
    readonly shipper: PolicyDocument;
  };
  readonly preventDestroy: boolean;
  readonly tags: Tags;
}

/** An SQS queue of the audit trail. */
export interface AuditQueuePlan {
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  /** Seconds in which a message that was taken is not given out again. */
  readonly visibilitySeconds: number;
  readonly policy?: PolicyDocument;
}

/** A sink with its queue and its function. */
export interface AuditSinkPlan {
  readonly name: string;
  readonly queue: AuditQueuePlan;
  readonly function: FunctionPlan;
  /** Events in one request. */
  readonly batchSize: number;
}

/** A trail of CloudTrail for all regions, reads of secrets included. */
export interface TrailPlan {
  readonly name: string;
  readonly arn: string;
  readonly bucket: RecordsPlan;
}

/** A rule whose events go into the queue, or to the primary region's bus. */
export interface AuditRulePlan {
  readonly name: string;
  /** The rule as one word of Terraform addresses. */
  readonly word: string;
  readonly arn: string;
  readonly description: string;
  readonly region: string;
  readonly when: { readonly pattern: object } | { readonly everyMinutes: number };
  /**
   * `true` where it sees calls that read, too.
   * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
   */
  readonly seesReads: boolean;
  readonly to: "queue" | "bus";
}

/** Input from which an audit trail is planned. */
export interface AuditTrailInput {
  readonly registry: string;
  readonly environment: string;
  readonly account: string;
  readonly partition: string;
  readonly regions: { readonly primary: string; readonly all: readonly string[] };
  /** The one region that gets IAM's events: `us-east-1`. */
  readonly globalRegion: string;
  readonly rolePath: string;
  readonly permissionsBoundary?: string;
  /** `create`: a trail of its own. `organization`: there is one that logs this account's management events, reads among them. */
  readonly trail: "create" | "organization";
  readonly sinks: readonly AuditSinkInput[];
  /** Days for which nobody can delete an event. */
  readonly retentionDays: number;
  /** `COMPLIANCE`: nobody can shorten that. `GOVERNANCE`: whoever has the right can. */
  readonly lockMode: RecordsPlan["lockMode"];
  readonly forceDestroy: boolean;
  readonly preventDestroy: boolean;
  /** Reads in five minutes that page. */
  readonly readBurst: number;
  /** ARNs of people who may put dead letters into the queue again. */
  readonly operators: readonly string[];
  /** Names by which the normaliser recognises the environment's secrets, roles and mounts. */
  readonly scope: Omit<AuditScopeSettings, "registry" | "environment" | "account" | "partition" | "region">;
  /** Table of runs. Default: none are named. */
  readonly runsTable?: string;
  readonly tags: Tags;
}

/** A sink with the place in which its function runs. */
export interface AuditSinkInput {
  readonly sink: AuditSink;
  /** Default: outside of a VPC. */
  readonly network?: { readonly subnets: readonly string[]; readonly securityGroups: readonly string[] };
}
