import * as z from "zod/mini";
import { secretNameOf } from "../protocol/event";
import { RotationError } from "../protocol/rotation-error";

/** Request to the mirror: one secret, or all. */
export type MirrorRequest = { readonly secretName: string } | { readonly sweep: true };

/**
 * Secrets Manager's own event of a label that was moved (not sent for AWSPENDING and AWSPREVIOUS). Which label and
 * version it was does not matter: what is true by now does.
 */
const labelEvent = z.pipe(
  z.object({
    source: z.literal("aws.secretsmanager"),
    "detail-type": z.literal("Secret Label Updated"),
    resources: z.tuple([z.string().check(z.regex(/^arn:/))], z.string()),
    detail: z.object({ name: z.string(), labelUpdated: z.string(), versionId: z.string() }),
  }),
  z.transform((event): MirrorRequest => ({ secretName: secretNameOf(event.resources[0]) })),
);

const sweepEvent = z.pipe(
  z.strictObject({ Sweep: z.literal(true) }),
  z.transform((): MirrorRequest => ({ sweep: true })),
);

/**
 * Reads an event of either form.
 *
 * @throws RotationError `event-malformed`
 * @example
 * parseMirrorEvent({ Sweep: true });
 */
export function parseMirrorEvent(event: unknown): MirrorRequest {
  const isSweep = typeof event === "object" && event !== null && "Sweep" in event;
  const result = isSweep ? sweepEvent.safeParse(event) : labelEvent.safeParse(event);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => issue.path.join(".") || issue.code);
  throw new RotationError("event-malformed", `wrong or missing: ${[...new Set(fields)].join(", ")}`);
}
