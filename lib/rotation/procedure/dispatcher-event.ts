import * as z from "zod/mini";
import type { CallerProof } from "../../contracts/caller-proof";
import {
  fingerprintCall,
  loadCall,
  rollbackCall,
  runCall,
  statusCall,
  versionId,
} from "../../contracts/dispatcher-call";
import { secretNameOf } from "../protocol/event";
import { RotationError } from "../protocol/rotation-error";
import type { LoadRequest } from "./loaded-run";
import type { Asker } from "./proven-caller";

/** Request of an operator's command for a secret. */
export interface RunRequest extends Asker {
  /** `stage`: only make the value, for a person to take it to its target; `rotate` goes on. */
  readonly action: "rotate" | "stage" | "promote";
  readonly key: string;
  /** `rotate`, `stage`: the version that rotates in. `promote`: the version that was published. */
  readonly versionId?: string | undefined;
  /** Digest of the change request by which it is done. */
  readonly change?: string | undefined;
  /** A leaked credential: waits are skipped, approvals are not. */
  readonly emergency: boolean;
  /** Asked by the dispatcher itself, on the secret's schedule: no change request is needed. No event can say so. */
  readonly scheduled?: true;
}

/** Requests that the dispatcher takes. */
export type DispatcherRequest =
  | RunRequest
  | ({ readonly action: "rollback"; readonly key: string } & Asker)
  | { readonly action: "fingerprint" | "status"; readonly key: string }
  | LoadRequest
  | { readonly action: "sweep" }
  /** Confirms the current version of a secret, or of all of them, where the dispatcher confirms. */
  | { readonly action: "confirm"; readonly secretName?: string }
  | { readonly action: "label-moved"; readonly secretName: string; readonly versionId: string };

const runEvent = z.pipe(
  runCall,
  z.transform(
    (event): RunRequest => ({
      action: event.Action,
      key: event.Key,
      versionId: event.VersionId,
      change: event.Change?.Digest,
      requester: event.Requester,
      emergency: event.Emergency,
    }),
  ),
);

const rollbackEvent = z.pipe(
  rollbackCall,
  z.transform(
    (event): DispatcherRequest => ({ action: event.Action, key: event.Key, requester: event.Requester }),
  ),
);

const statusEvent = z.pipe(
  statusCall,
  z.transform((event): DispatcherRequest => ({ action: event.Action, key: event.Key })),
);

const fingerprintEvent = z.pipe(
  fingerprintCall,
  z.transform((event): DispatcherRequest => ({ action: event.Action, key: event.Key })),
);

const loadEvent = z.pipe(
  loadCall,
  z.transform(
    (event): LoadRequest => ({
      action: event.Action,
      secretName: event.Secret,
      run: event.Run,
      execution: event.Execution,
    }),
  ),
);

const sweepEvent = z.pipe(
  z.strictObject({ Sweep: z.literal(true) }),
  z.transform((): DispatcherRequest => ({ action: "sweep" })),
);

const confirmEvent = z.pipe(
  z.strictObject({ Confirm: z.literal(true) }),
  z.transform((): DispatcherRequest => ({ action: "confirm" })),
);

/**
 * A first value is current before it is proved, so a proof's label is news too where the dispatcher confirms.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html
 */
const labelEvent = z.pipe(
  z.object({
    source: z.literal("aws.secretsmanager"),
    "detail-type": z.literal("Secret Label Updated"),
    resources: z.tuple([z.string().check(z.regex(/^arn:/))], z.string()),
    detail: z.object({ labelUpdated: z.string(), versionId }),
  }),
  z.transform(({ resources, detail }): DispatcherRequest => {
    const secretName = secretNameOf(resources[0]);
    return detail.labelUpdated === "AWSCURRENT"
      ? { action: "label-moved", secretName, versionId: detail.versionId }
      : { action: "confirm", secretName };
  }),
);

/**
 * Reads an event of any form.
 *
 * @throws RotationError `event-malformed`
 * @example
 * parseDispatcherEvent({ Action: "rotate", Key: "db/app-primary", Requester: "arn:aws:sts::…" });
 */
export function parseDispatcherEvent(event: unknown): DispatcherRequest {
  const result = formOf(event).safeParse(event);
  if (result.success) return withProof(result.data, event);
  const fields = result.error.issues.map((issue) => issue.path.join(".") || issue.code);
  throw new RotationError("event-malformed", `wrong or missing: ${[...new Set(fields)].join(", ")}`);
}

/** A proof is of the event as it was sent, whatever is left out or added when it is read. */
function withProof(request: DispatcherRequest, event: unknown): DispatcherRequest {
  if (!("requester" in request)) return request;
  const { Proof, ...asked }: { readonly Proof?: CallerProof } = Object(event);
  return Proof === undefined ? request : { ...request, proven: { proof: Proof, asked } };
}

function formOf(event: unknown): z.ZodMiniType<DispatcherRequest> {
  const fields: { readonly Action?: unknown; readonly Confirm?: unknown; readonly Sweep?: unknown } =
    Object(event);
  if (fields.Confirm !== undefined) return confirmEvent;
  if (fields.Sweep !== undefined) return sweepEvent;
  if (fields.Action === undefined) return labelEvent;
  if (fields.Action === "load") return loadEvent;
  if (fields.Action === "rollback") return rollbackEvent;
  if (fields.Action === "fingerprint") return fingerprintEvent;
  return fields.Action === "status" ? statusEvent : runEvent;
}
