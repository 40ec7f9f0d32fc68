import type { AuditCompleteness } from "../audit/completeness";

/** Result of one secret in a rehearsal. */
export interface RehearsedSecret {
  readonly secret: string;
  readonly kind: string;
  readonly store: "aws" | "vault";
  /** Regions that hold the current version, of those that the registry names. */
  readonly regionsInSync: readonly string[];
  readonly regions: readonly string[];
  /** Way in which it was rotated. */
  readonly rotated: "automatic" | "published and promoted" | "supplied" | "by Vault" | "no";
  /** The target's answer to the current value, as a consumer tried it. */
  readonly current: "accepted" | "refused" | "not tried";
  /** The target's answer to the value before, after decommission; ISO 8601 while it is still good. */
  readonly old: "refused" | "accepted" | "none" | "retired" | { readonly validUntil: string };
  /** Workloads that read it, from AWS in every region and from their Vault, and found it in their pod's files. */
  readonly readBy: readonly string[];
  /** Workloads that should. */
  readonly consumers: readonly string[];
  /** Attempts of others that were refused. */
  readonly refusedAttempts: number;
}

/** Something that is not as the registry says. */
export interface RehearsalDifference {
  /** Key of the secret, or the workload. */
  readonly about: string;
  readonly expected: string;
  readonly seen: string;
  /** Log that says more. */
  readonly log?: string;
}

/** The time of one phase. */
export interface PhaseTime {
  readonly phase: string;
  readonly seconds: number;
}

/** A whole rehearsal of one environment. */
export interface RehearsalReport {
  readonly environment: string;
  readonly secrets: readonly RehearsedSecret[];
  readonly differences: readonly RehearsalDifference[];
  /** Reload commands, by workload: made for containers, so never run on the machine of a rehearsal. */
  readonly notRun: readonly { readonly workload: string; readonly command: string }[];
  readonly phases: readonly PhaseTime[];
  /** The archive of this very run, held against what happened; missing where the registry sets no audit trail. */
  readonly audit?: AuditCompleteness;
  /** Logs of the servers, which are kept when something differs. */
  readonly logFolder?: string;
}
