import type { Activity, OcsfActor, OcsfEndpoint, OcsfResource } from "./ocsf";

/** One fact from a source, before it is an event of OCSF. */
export interface AuditFact {
  /** Parts by which the source identifies it; hashed into the event's id together with the resource. */
  readonly identity: readonly string[];
  readonly time: Date;
  /** Time as the source wrote it. */
  readonly originalTime: string;
  readonly activity: Activity;
  /** `true` where it may be an Entity Management event: a change that was done. */
  readonly isChange: boolean;
  /** Code of a refusal or fault; missing: it was done. */
  readonly error?: string;
  readonly actor: OcsfActor;
  readonly from?: OcsfEndpoint;
  readonly operation: string;
  readonly service: string;
  readonly requestId?: string;
  /** Id of the source's own record. */
  readonly sourceId: string;
  readonly provider: "AWS" | "Vault";
  readonly region?: string;
  readonly resource: OcsfResource;
  /** Version that the fact is about, to look its fingerprint and its run up. */
  readonly subject?: { readonly secret: string; readonly version: string };
  /** Severity of the fact in itself (OCSF's `severity_id`). Default: a change or a read is 1, a refusal 3. */
  readonly severity?: 1 | 2 | 3 | 4 | 5;
  /** Fingerprint that the source itself names. */
  readonly fingerprint?: string;
  readonly run?: RunFact;
}

/** The run that a change belongs to, as far as it is known. */
export interface RunFact {
  readonly run: string;
  readonly change?: string;
  readonly startedBy?: string;
  readonly approvedBy?: string;
}

/**
 * Outcome of one message. `not-ours`: it is about nothing of this environment. `malformed`: a person has to look; the
 * reason names places, never what was found there.
 */
export type Reading =
  | { readonly outcome: "facts"; readonly facts: readonly AuditFact[] }
  | { readonly outcome: "heartbeat"; readonly at: Date }
  | { readonly outcome: "not-ours"; readonly reason: string }
  | { readonly outcome: "malformed"; readonly reason: string };

/** Reads that nothing is to be made of. */
export const malformed = (reason: string): Reading => ({ outcome: "malformed", reason });
/** Reads that are about somebody else. */
export const notOurs = (reason: string): Reading => ({ outcome: "not-ours", reason });
/** Facts of one message. */
export const facts = (...found: readonly AuditFact[]): Reading => ({ outcome: "facts", facts: found });
