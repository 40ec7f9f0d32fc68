import { createHmac } from "node:crypto";
import type { AuditSink } from "../../model/audit-definition";
import { type OcsfEvent, resourceOf } from "../ocsf";

/** One HTTPS request to a sink. */
export interface SinkRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly caPem?: string | undefined;
}

/** A sink that is reached by HTTPS. */
export type HttpSink = Exclude<AuditSink, { readonly type: "firehose" }>;

/**
 * The request that brings events to a sink, as its vendor's document has it.
 *
 * @param secret the sink's credential
 */
export function sinkRequest(
  sink: HttpSink,
  events: readonly OcsfEvent[],
  secret: string,
  now: Date,
): SinkRequest {
  const at = sink.caPem === undefined ? {} : { caPem: sink.caPem };
  switch (sink.type) {
    case "splunk-hec":
      // Events one after the other, without a comma:
      // https://help.splunk.com/splunk-enterprise/get-data-in/collect-http-event-data/format-events-for-http-event-collector
      return {
        ...at,
        url: new URL("/services/collector/event", sink.url).href,
        headers: { authorization: `Splunk ${secret}`, "content-type": "application/json" },
        body: events
          .map((event) =>
            JSON.stringify({
              time: event.time / 1_000,
              source: "secrets-registry",
              sourcetype: "ocsf",
              ...(sink.index === undefined ? {} : { index: sink.index }),
              event,
            }),
          )
          .join("\n"),
      };
    case "datadog":
      // https://docs.datadoghq.com/api/latest/logs/send-logs/
      return {
        ...at,
        url: new URL("/api/v2/logs", sink.url).href,
        headers: { "dd-api-key": secret, "content-type": "application/json" },
        body: JSON.stringify(
          events.map((event) => ({
            ddsource: "secrets-registry",
            service: "secrets-registry",
            ddtags: `env:${String(resourceOf(event)?.data.environment ?? "")},ocsf_class:${event.class_uid}`,
            message: JSON.stringify(event),
          })),
        ),
      };
    case "https": {
      const body = JSON.stringify(events);
      return {
        ...at,
        url: sink.url,
        headers: { "content-type": "application/json", ...authOf(sink, body, secret, now) },
        body,
      };
    }
  }
}

/**
 * The header with the credential; or the time and an HMAC-SHA-256 of time, full stop and body, so that whoever listens to one request
 * cannot make another, and who repeats one is late.
 */
function authOf(
  { auth, header }: Extract<AuditSink, { readonly type: "https" }>,
  body: string,
  secret: string,
  now: Date,
): Readonly<Record<string, string>> {
  if (auth === "header") return { [(header ?? "authorization").toLowerCase()]: secret };
  const timestamp = String(Math.floor(now.getTime() / 1_000));
  const signature = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  return { "x-audit-timestamp": timestamp, "x-audit-signature": `sha256=${signature}` };
}

/** A sink's answer. */
export interface SinkAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * Meaning of a sink's answer. `taken`: all events are there. `refused`: these events will never be taken, whoever asks
 * when. `later`: try again, and read the credential anew where it was refused.
 */
export type DeliveryVerdict = "taken" | "refused" | "later" | "credential";

/** https://help.splunk.com/splunk-enterprise/get-data-in/collect-http-event-data/troubleshoot-http-event-collector: 0 is a success. */
const SPLUNK_DATA_FAULTS: ReadonlySet<number> = new Set([5, 6, 12, 13, 15]);

/** Reads an answer. Whatever is not known means that the events are kept. */
export function verdictOf(sink: HttpSink, { status, body }: SinkAnswer): DeliveryVerdict {
  if (status === 401 || status === 403) return "credential";
  if (sink.type === "splunk-hec") {
    const code = splunkCode(body);
    if (status === 200) return code === 0 ? "taken" : "later";
    // 400 means a token that is missing or an index that is wrong as well; those are settings, and the events wait.
    return status === 413 || (status === 400 && code !== undefined && SPLUNK_DATA_FAULTS.has(code))
      ? "refused"
      : "later";
  }
  if (status >= 200 && status < 300) return "taken";
  return status === 400 || status === 413 || status === 422 ? "refused" : "later";
}

function splunkCode(body: string): number | undefined {
  try {
    const { code } = JSON.parse(body) as { readonly code?: unknown };
    return typeof code === "number" ? code : undefined;
  } catch {
    return undefined;
  }
}
