import { PROCEDURE_SOURCE, RUN_RECORDED, VAULT_AUDIT_ENTRY, VAULT_SOURCE } from "../contracts/audit-events";
import type { AuditScope } from "./audit-scope";
import { malformed, notOurs, type Reading } from "./normalised";
import { instant, record } from "./safe-text";
import { readCloudTrail } from "./sources/cloudtrail";
import { readLabelUpdated } from "./sources/label-updated";
import { readRunRecorded } from "./sources/run-recorded";
import { readVaultEntry } from "./sources/vault-entry";

/** SQS takes a mebibyte; anything near that is no audit record. Bytes. */
const LARGEST_MESSAGE = 512 * 1_024;

/**
 * One message of the queue: an event of EventBridge, as text. It never throws, whatever the text is: what cannot be read is
 * `malformed`, which the caller puts aside and counts.
 *
 * @example
 * readMessage(body, scope);
 * // { outcome: "facts", facts: [{ operation: "GetSecretValue", … }] }
 */
export function readMessage(body: string, scope: AuditScope): Reading {
  if (Buffer.byteLength(body) > LARGEST_MESSAGE) return malformed(`message over ${LARGEST_MESSAGE} bytes`);
  let data: unknown;
  try {
    data = JSON.parse(body);
  } catch {
    return malformed("message: not JSON");
  }
  try {
    return readEvent(data, scope);
  } catch {
    // A form that nobody thought of must not stop those beside it.
    return malformed("message: not readable");
  }
}

function readEvent(data: unknown, scope: AuditScope): Reading {
  const event = record(data);
  const { source, detail } = event;
  const type = event["detail-type"];
  if (typeof source !== "string" || typeof type !== "string")
    return malformed("event: source or detail-type");
  switch (source) {
    case PROCEDURE_SOURCE:
      return type === RUN_RECORDED
        ? readRunRecorded(detail, event.region, scope)
        : malformed("event: detail-type");
    case VAULT_SOURCE:
      return type === VAULT_AUDIT_ENTRY ? readVaultEntry(detail, scope) : malformed("event: detail-type");
    default:
      return readOfAws(source, type, event, scope);
  }
}

function readOfAws(
  source: string,
  type: string,
  event: Readonly<Record<string, unknown>>,
  scope: AuditScope,
): Reading {
  // The account itself cannot put events under these names: EventBridge refuses it.
  if (!source.startsWith("aws.")) return malformed("event: unknown source");
  // The schedule of the heartbeat: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
  if (source === "aws.events" && type === "Scheduled Event") {
    const at = instant(event.time);
    return at === undefined ? malformed("heartbeat: time") : { outcome: "heartbeat", at };
  }
  if (type === "Secret Label Updated") return readLabelUpdated(event, scope);
  if (/^AWS (API Call|Service Event|Console Action) via CloudTrail$/.test(type))
    return readCloudTrail(event.detail, event.region, scope);
  return notOurs("event of AWS that says nothing of secrets");
}
