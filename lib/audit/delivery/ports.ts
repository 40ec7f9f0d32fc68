import type { AuditCount } from "../../contracts/audit-settings";
import type { KnownOfVersion } from "../to-ocsf";

/** Ports of the audit trail's functions. Adapters implement it with AWS's SDK, tests with models. */

/** A message of SQS, as Lambda brings it. */
export interface QueuedMessage {
  readonly messageId: string;
  readonly body: string;
}

/** An object-locked bucket. */
export interface EventArchive {
  /** Writes an object unless it is there. */
  writeOnce(key: string, text: string): Promise<void>;
}

/** Queues that messages are put into. */
export interface Outlet {
  /** Puts texts into a queue. Throws unless it has all of them. */
  send(queueUrl: string, bodies: readonly string[]): Promise<void>;
}

/** Looks up what is known of a version: run, change request, fingerprint. */
export interface VersionFacts {
  of(secret: string, version: string): Promise<KnownOfVersion>;
}

/** Counts events. */
export interface AuditCounts {
  add(counts: Readonly<Partial<Record<AuditCount, number>>>): Promise<void>;
}

/** Structured log: names, counts and codes. */
export interface AuditLog {
  info(message: string, fields?: Readonly<Record<string, string | number>>): void;
  warn(message: string, fields?: Readonly<Record<string, string | number>>): void;
}

/** Answer to Lambda: messages that come again. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html */
export interface BatchAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}
