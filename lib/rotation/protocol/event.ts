import * as z from "zod/mini";
import { RotationError } from "./rotation-error";

/** The four steps of Secrets Manager's rotation protocol, in order. */
export const STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;
/** One step of the protocol. */
export type Step = (typeof STEPS)[number];

/** The phases after (or, for `promote`, in place of) the steps; docs/explanation/architecture.md, decision 5. */
export const PHASES = ["verify", "promote", "rollback", "decommission"] as const;
/** One phase. */
export type Phase = (typeof PHASES)[number];

/** A call by Secrets Manager. */
export interface StepRequest {
  readonly step: Step;
  /** ARN or name. */
  readonly secretId: string;
  /** The version that rotates in; Secrets Manager's `ClientRequestToken`. */
  readonly versionId: string;
}

/**
 * A call by the procedure that follows a rotation, as it comes. The run says what is to be done; the rest is held against
 * it.
 */
export interface AskedPhase {
  readonly phase: Phase;
  /** ARN or name. */
  readonly secretId: string;
  readonly runId: string;
  readonly versionId?: string | undefined;
  readonly emergency?: boolean | undefined;
}

/** A call by the procedure for its record, as it comes. */
export interface AskedFingerprint {
  readonly phase: "fingerprint";
  /** ARN or name. */
  readonly secretId: string;
  readonly runId: string;
  readonly versionId?: string | undefined;
  readonly oldVersionId?: string | undefined;
}

/** A phase as its run in the table says. */
export interface PhaseRequest {
  readonly phase: Phase;
  /** ARN or name. */
  readonly secretId: string;
  /**
   * `verify`: the version to log in with. `promote`: the version that rotates in. `rollback`: the version to go back
   * from. `decommission`: the version whose credential dies.
   */
  readonly versionId: string;
  /** The run; the same run may ask again. */
  readonly runId: string;
  /**
   * A leaked credential: the waiting times are skipped, and sessions of the old credential are ended where the target can
   * end them. Sessions that STS gave for an IAM user's key live on: ADR 20 says how long, and what ends them.
   */
  readonly emergency: boolean;
  /** `rollback`: the version is not the run's own but one that waits beside it, AWSPENDING. Default: false. */
  readonly isBeside?: boolean;
}

/** Fingerprints of two values, as the run in the table says. It changes nothing. */
export interface FingerprintRequest {
  readonly phase: "fingerprint";
  /** ARN or name. */
  readonly secretId: string;
  /** The version that rotates in. */
  readonly versionId: string;
  /** The one before; `undefined`: there is none. */
  readonly oldVersionId: string | undefined;
  readonly runId: string;
}

/**
 * A question about the current value, for those who may not read it. It changes nothing. `published`: does it hold a published
 * key that nobody uses yet? `texts`: the fingerprints of its secret texts.
 */
export interface LookRequest {
  readonly look: "published" | "texts";
  /** ARN or name. */
  readonly secretId: string;
}

/** Every request that a rotation function takes. */
export type RotationRequest = StepRequest | AskedPhase | AskedFingerprint | LookRequest;

/** `true` for a request of Secrets Manager's protocol. */
export const isStep = (request: RotationRequest): request is StepRequest => "step" in request;
/** `true` for a question about the current value. */
export const isLook = (request: RotationRequest): request is LookRequest => "look" in request;
/** `true` for a request for fingerprints. */
export const isFingerprint = (request: RotationRequest): request is AskedFingerprint =>
  "phase" in request && request.phase === "fingerprint";

const name = z.string().check(z.minLength(1), z.maxLength(2_048));

/** AWS's documents show camel case; the event of some services has been seen in snake case, so both are taken. */
const step = z.pipe(
  z.pipe(
    z.string(),
    z.transform((value) => value.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())),
  ),
  z.enum(STEPS),
);

const stepEvent = z.pipe(
  z.object({ Step: step, SecretId: name, ClientRequestToken: name }),
  z.transform(
    (event): StepRequest => ({
      step: event.Step,
      secretId: event.SecretId,
      versionId: event.ClientRequestToken,
    }),
  ),
);

const phaseEvent = z.pipe(
  z.strictObject({
    Phase: z.enum(PHASES),
    SecretId: name,
    RunId: name,
    VersionId: z.optional(name),
    Emergency: z.optional(z.boolean()),
  }),
  z.transform(
    (event): AskedPhase => ({
      phase: event.Phase,
      secretId: event.SecretId,
      runId: event.RunId,
      versionId: event.VersionId,
      emergency: event.Emergency,
    }),
  ),
);

const fingerprintEvent = z.pipe(
  z.strictObject({
    Phase: z.literal("fingerprint"),
    SecretId: name,
    RunId: name,
    VersionId: z.optional(name),
    OldVersionId: z.optional(name),
  }),
  z.transform(
    (event): AskedFingerprint => ({
      phase: event.Phase,
      secretId: event.SecretId,
      runId: event.RunId,
      versionId: event.VersionId,
      oldVersionId: event.OldVersionId,
    }),
  ),
);

const lookEvent = z.pipe(
  z.strictObject({ Look: z.enum(["published", "texts"]), SecretId: name }),
  z.transform((event): LookRequest => ({ look: event.Look, secretId: event.SecretId })),
);

/**
 * Reads an event of any form.
 *
 * @throws RotationError `event-malformed`
 * @example
 * parseEvent({ Step: "create_secret", SecretId: "arn:…", ClientRequestToken: "…" });
 * parseEvent({ Phase: "decommission", SecretId: "prod/db/app-primary", RunId: "2026-11-24-7" });
 */
export function parseEvent(event: unknown): RotationRequest {
  const result = schemaOf(event).safeParse(event);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => issue.path.join(".") || issue.code);
  throw new RotationError("event-malformed", `wrong or missing: ${[...new Set(fields)].join(", ")}`);
}

function schemaOf(event: unknown): z.ZodMiniType<RotationRequest> {
  if (typeof event !== "object" || event === null) return stepEvent;
  if ("Look" in event) return lookEvent;
  if (!("Phase" in event)) return stepEvent;
  return event.Phase === "fingerprint" ? fingerprintEvent : phaseEvent;
}

/**
 * The name in a secret's ARN (`…:secret:prod/db/app-primary-AbCdEf`), or the name itself. No key may end in a hyphen
 * and six characters (docs/explanation/architecture.md, decision 8), so the suffix cannot be mistaken.
 */
export function secretNameOf(secretId: string): string {
  const arn = /^arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:(.+)-[A-Za-z0-9]{6}$/.exec(secretId);
  return arn?.[1] ?? secretId;
}
