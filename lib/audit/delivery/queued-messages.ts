import { gunzipSync } from "node:zlib";
import { VAULT_AUDIT_ENTRY, VAULT_SOURCE } from "../../contracts/audit-events";
import type { QueuedMessage } from "./ports";

/**
 * Messages of an event: of SQS; or of a log group with audit entries, which CloudWatch Logs brings gzipped.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html,
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
 */
export function messagesOf(event: unknown): readonly QueuedMessage[] {
  const { Records: records, awslogs } = (event ?? {}) as {
    readonly Records?: readonly { readonly messageId?: unknown; readonly body?: unknown }[];
    readonly awslogs?: { readonly data?: unknown };
  };
  if (Array.isArray(records)) {
    return records.map(({ messageId, body }) => ({ messageId: String(messageId), body: String(body) }));
  }
  if (typeof awslogs?.data !== "string") throw new Error("neither messages nor log lines");
  const { logEvents = [] } = JSON.parse(gunzipSync(Buffer.from(awslogs.data, "base64")).toString("utf8")) as {
    readonly logEvents?: readonly { readonly id: string; readonly message: string }[];
  };
  return logEvents.map(({ id, message }) => ({ messageId: id, body: enveloped(message) }));
}

/** A line of an audit device in the envelope of an event. What is no JSON goes on as it is, and is malformed there. */
function enveloped(line: string): string {
  try {
    return JSON.stringify({
      source: VAULT_SOURCE,
      "detail-type": VAULT_AUDIT_ENTRY,
      detail: JSON.parse(line),
    });
  } catch {
    return line;
  }
}
