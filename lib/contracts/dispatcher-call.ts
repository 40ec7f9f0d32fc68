import * as z from "zod/mini";
import { actorName } from "../model/aws-grammar";
import { callerProof } from "./caller-proof";

/** Requests to the dispatcher by commands and executions: written by these types, read by these schemas. */

const key = z.string().check(z.minLength(1), z.maxLength(512));
const runId = z.string().check(z.minLength(1), z.maxLength(128));

/** Run-time schema of a version's id. */
export const versionId = z.string().check(z.minLength(1), z.maxLength(64));

/** Run-time schema of {@link RunCall}. */
export const runCall = z.strictObject({
  Action: z.enum(["rotate", "stage", "promote"]),
  Key: key,
  VersionId: z.optional(versionId),
  /** `Path` is for people who read the log. */
  Change: z.optional(
    z.strictObject({ Digest: z.string().check(z.maxLength(128)), Path: z.optional(z.string()) }),
  ),
  Requester: actorName,
  Emergency: z._default(z.boolean(), false),
  Proof: z.optional(callerProof),
});
/** Asks for a run of a secret. */
export type RunCall = z.input<typeof runCall>;

/** Run-time schema of {@link RollbackCall}. */
export const rollbackCall = z.strictObject({
  Action: z.literal("rollback"),
  Key: key,
  Requester: actorName,
  Proof: z.optional(callerProof),
});
/** Request to take a secret's open run back. */
export type RollbackCall = z.input<typeof rollbackCall>;

/** Run-time schema of {@link StatusCall}. */
export const statusCall = z.strictObject({ Action: z.literal("status"), Key: key });
/** Asks for a secret's runs. */
export type StatusCall = z.input<typeof statusCall>;

/** Run-time schema of {@link FingerprintCall}. */
export const fingerprintCall = z.strictObject({ Action: z.literal("fingerprint"), Key: key });
/** Request to keep the fingerprints of a secret's current value: of a first value, which no run follows. */
export type FingerprintCall = z.input<typeof fingerprintCall>;

/** Run-time schema of an execution's request for its run, `LoadRunEvent`. */
export const loadCall = z.strictObject({
  Action: z.literal("load"),
  Secret: key,
  Run: runId,
  Execution: runId,
});
