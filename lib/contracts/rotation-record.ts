import * as z from "zod/mini";
import { actorName } from "../model/aws-grammar";
import { digestOf } from "../model/canonical-json";
import { check } from "../model/check";
import { looksLikeCredential } from "../model/credentials";
import { type Fault, fault, type PathStep } from "../model/faults";
import { oneLine, secretKey, slug, utcInstant } from "../model/grammar";
import { KIND_NAMES } from "../model/kinds";
import { form, matches } from "../model/text-grammar";
import { changeId } from "./change-id";

/**
 * The record of one rotation run in one environment: who did what when, and what came of it. Written once when the run
 * ends, never changed. It holds names, times, ids and keyed fingerprints, never a value.
 */

/** Form of a text that a run writes by itself. */
const written = (pattern: RegExp, allowed: string) =>
  form(matches(pattern), { allowed, change: "write what the run's own parts say" });

const runId = written(
  /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/,
  "a run's id: at most 128 letters, digits and . _ : -",
);
/** `ClientRequestToken` of Secrets Manager takes 32 to 64 characters; Vault's engines have counters. */
const versionId = written(/^[A-Za-z0-9-]{1,64}$/, "a version's id: at most 64 letters, digits and hyphens");
const fingerprint = written(
  /^hmac-sha256:[A-Za-z0-9/_.:-]{1,256}:[0-9a-f]{64}$/,
  "hmac-sha256:<key id>:<64 hexadecimal digits>",
);
/** Run-time schema of a run's fingerprints, as a record has them. */
export const valueFingerprints = z.strictObject({ new: fingerprint, old: z.exactOptional(fingerprint) });
const digest = written(/^sha256:[0-9a-f]{64}$/, "sha256:<64 hexadecimal digits>");
/** Codes and names say what went wrong; messages of vendors and drivers may quote what they were sent. */
const code = written(
  /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/,
  "a code of at most 64 letters, digits and . _ : -",
);
const reason = oneLine.check(
  z.refine((value) => !looksLikeCredential(value), {
    params: { allowed: "text without credentials", change: "name the credential, never its value" },
    message: "reason",
  }),
);

/** Run-time schema of how it was seen that nobody presents a credential any more. */
export const retirementEvidence = z.strictObject({
  lookedBy: z.enum(["lock", "sessions", "last-use", "not-observable", "not-looked"]),
  since: z.exactOptional(utcInstant),
});

const phaseSchema = z.strictObject({
  phase: z.enum(["publish", "promote", "verify", "approve", "decommission", "rollback"]),
  startedAt: utcInstant,
  endedAt: utcInstant,
  outcome: z.enum(["done", "failed"]),
  /** Code of the fault of a failed phase. */
  fault: z.optional(code),
  /** Evidence of `decommission` that nobody presented the old credential. Missing: nothing was retired. */
  evidence: z.exactOptional(retirementEvidence),
});

const checkSchema = z.strictObject({
  /** Workload whose check it is; none for the kind's own. */
  workload: z.optional(slug),
  name: slug,
  /** `login`: the kind's test with the new credential. `unused`: nobody presented the old one any more. */
  type: z.enum(["health", "synthetic", "login", "unused"]),
  /** Time at which it passed, or was given up. */
  at: utcInstant,
  outcome: z.enum(["passed", "failed"]),
  tries: z.int().check(z.gte(1)),
  /** Code of the last failure: a status, a name. */
  fault: z.optional(code),
});

const endSchema = z.discriminatedUnion("outcome", [
  /** The old credential is dead. */
  z.strictObject({ outcome: z.literal("decommissioned"), at: utcInstant }),
  /** A single slot: the old credential died when the new one was made, or a first value had none before it. */
  z.strictObject({ outcome: z.literal("replaced") }),
  /** A key was put out beside the one in use; nothing was to go. */
  z.strictObject({ outcome: z.literal("published") }),
  /** The old credential is in use again. */
  z.strictObject({ outcome: z.literal("rolled-back"), at: utcInstant, reason }),
  /** The new credential was given up before anybody was served it. */
  z.strictObject({ outcome: z.literal("withdrawn"), reason }),
  /** Neither came to its end; a person has to look. */
  z.strictObject({ outcome: z.literal("failed"), reason }),
]);

const rotationRecordSchema = z.strictObject({
  version: z.literal(1),
  /** The run's id in the run table. */
  id: runId,
  secret: secretKey,
  environment: slug,
  kind: z.enum(KIND_NAMES),
  /**
   * The change request and the digest that was approved; `scheduled`: the secret's own cadence; `not-required`: somebody
   * started it where none is needed.
   */
  change: z.union([z.enum(["scheduled", "not-required"]), z.strictObject({ id: changeId, digest })]),
  actors: z.strictObject({
    /** ARN of who started it, or the AWS service that keeps the cadence. */
    started: actorName,
    /** ARN of who approved the decommission. */
    approved: z.optional(actorName),
    /**
     * Those people whose names STS has confirmed by their own signatures. The other's name is as it was given; records
     * of an earlier version, which say nothing of this, know no more. Services are not people.
     */
    proven: z.optional(z.array(z.enum(["started", "approved"]))),
  }),
  versions: z.strictObject({ old: z.optional(versionId), new: versionId }),
  /** Missing where none could be made, and for runs that ended before there was a value to prove. */
  fingerprints: z.optional(valueFingerprints),
  phases: z.array(phaseSchema).check(z.minLength(1)),
  checks: z.array(checkSchema),
  end: endSchema,
  startedAt: utcInstant,
  endedAt: utcInstant,
});

/** The record of one rotation run. */
export type RotationRecord = z.output<typeof rotationRecordSchema>;

/** Digest of a record: `sha256:<hex>` of its canonical JSON. */
export const recordDigest = (record: RotationRecord): string => digestOf(record);

/** The day (UTC) on which a run ended: the archive's file. */
export const endDayOf = (record: Pick<RotationRecord, "endedAt">): string => record.endedAt.slice(0, 10);

/**
 * Reads a record. Faults name places only, never what was found: a record with faults may hold anything.
 */
export function readRotationRecord(
  text: string,
):
  | { readonly record: RotationRecord; readonly faults: readonly [] }
  | { readonly record: undefined; readonly faults: readonly Fault[] } {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return { record: undefined, faults: [hiddenFault(["record"], "JSON")] };
  }
  const { value, faults } = check(rotationRecordSchema, data, ["record"]);
  if (value === undefined) {
    return { record: undefined, faults: faults.map((entry) => ({ ...entry, found: NOT_SHOWN })) };
  }
  const contradictions = contradictionsOf(value);
  return contradictions.length === 0
    ? { record: value, faults: [] }
    : { record: undefined, faults: contradictions };
}

const NOT_SHOWN = "something else (not shown)";

const hiddenFault = (path: readonly PathStep[], allowed: string): Fault =>
  fault(path, NOT_SHOWN, allowed, "write the record as the state machine does");

/** Contradictions within a record. */
function contradictionsOf(record: RotationRecord): readonly Fault[] {
  const faults: Fault[] = [];
  const time = (text: string): number => Date.parse(text);
  const isWithin = (text: string): boolean =>
    time(text) >= time(record.startedAt) && time(text) <= time(record.endedAt);
  if (time(record.endedAt) < time(record.startedAt))
    faults.push(hiddenFault(["record", "endedAt"], "a time after startedAt"));
  for (const [index, phase] of record.phases.entries()) {
    if (!isWithin(phase.startedAt) || !isWithin(phase.endedAt) || time(phase.endedAt) < time(phase.startedAt))
      faults.push(hiddenFault(["record", "phases", index], "times in order, within the run's"));
  }
  for (const [index, { at }] of record.checks.entries()) {
    if (!isWithin(at)) faults.push(hiddenFault(["record", "checks", index, "at"], "a time within the run's"));
  }
  const { proven = [], approved } = record.actors;
  if (proven.includes("approved") && approved === undefined)
    faults.push(hiddenFault(["record", "actors", "proven"], "names that are there"));
  if (record.actors.approved !== undefined && record.actors.approved === record.actors.started)
    faults.push(hiddenFault(["record", "actors", "approved"], "somebody other than who started the run"));
  const needed = { decommissioned: "decommission", "rolled-back": "rollback" } as const;
  const { outcome } = record.end;
  if (outcome === "decommissioned" || outcome === "rolled-back") {
    const isDone = record.phases.some((phase) => phase.phase === needed[outcome] && phase.outcome === "done");
    if (!isDone) faults.push(hiddenFault(["record", "phases"], `a ${needed[outcome]} that was done`));
    if (record.versions.old === undefined)
      faults.push(hiddenFault(["record", "versions", "old"], "the version that was there before"));
    if (!isWithin(record.end.at))
      faults.push(hiddenFault(["record", "end", "at"], "a time within the run's"));
  }
  return faults;
}
