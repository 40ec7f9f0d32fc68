import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Logger } from "@aws-lambda-powertools/logger";
import { VAULT_AUDIT_ENTRY, VAULT_SOURCE } from "../../contracts/audit-events";
import type { AuditLog, QueuedMessage } from "./ports";

/** Settings beside the function's code, as the blueprint wrote them. */
export async function readSettings<S extends object>(): Promise<S> {
  const file = join(process.env.LAMBDA_TASK_ROOT ?? ".", "settings.json");
  return JSON.parse(await readFile(file, "utf8")) as S;
}

/** Log of a function of the audit trail. It handles names, counts and codes alone. */
export function auditLog(service: string, fixed: Readonly<Record<string, string>>): AuditLog {
  const logger = new Logger({ serviceName: `secrets-registry-${service}`, persistentKeys: { ...fixed } });
  return {
    info: (message, fields = {}) => logger.info(message, { ...fields }),
    warn: (message, fields = {}) => logger.warn(message, { ...fields }),
  };
}

/** A handler that is made at its first event. One that could not be made is made again at the next. */
export function onFirstEvent<O>(assemble: () => Promise<(event: unknown) => Promise<O>>) {
  let ready: Promise<(event: unknown) => Promise<O>> | undefined;
  return async (event: unknown): Promise<O> => {
    ready ??= assemble();
    try {
      return await (await ready)(event);
    } catch (failure) {
      ready = undefined;
      throw failure;
    }
  };
}

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
