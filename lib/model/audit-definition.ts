import * as z from "zod/mini";
import { firehoseArn, secretArn } from "./aws-grammar";
import type { Duration } from "./duration";
import { oneLine, slug } from "./grammar";
import { certificatePem, headerName, serverAddress, webUrl } from "./server-grammar";

/** Place of a sink's credential: the whole value of a secret, or one field of its JSON. */
export interface SinkCredential {
  /** ARN of a secret that lies outside of the registry. */
  readonly secretArn: string;
  readonly field?: string | undefined;
}

/** A place that events are delivered to. */
export type AuditSink =
  /** https://help.splunk.com/splunk-enterprise/get-data-in/collect-http-event-data */
  | {
      readonly type: "splunk-hec";
      readonly name: string;
      /** `https://splunk.example.com:8088`. */
      readonly url: string;
      readonly caPem?: string | undefined;
      readonly index?: string | undefined;
      readonly token: SinkCredential;
    }
  /** https://docs.datadoghq.com/api/latest/logs/send-logs/ */
  | {
      readonly type: "datadog";
      readonly name: string;
      /** `https://http-intake.logs.datadoghq.eu`. */
      readonly url: string;
      readonly caPem?: string | undefined;
      readonly apiKey: SinkCredential;
    }
  /** Any endpoint that takes a JSON list of events. */
  | {
      readonly type: "https";
      readonly name: string;
      readonly url: string;
      readonly caPem?: string | undefined;
      /**
       * `header`: the credential is the value of a header. `signature`: it is the key of an HMAC-SHA-256 over time and body. Default
       * header: `Authorization`.
       */
      readonly auth: "header" | "signature";
      readonly header?: string | undefined;
      readonly credential: SinkCredential;
    }
  /** A delivery stream, which goes on to wherever it is set up to go. */
  | { readonly type: "firehose"; readonly name: string; readonly streamArn: string };

/** The audit trail of an environment. */
export interface AuditInput {
  /**
   * `create`: a trail of CloudTrail for all regions, with reads of secrets. `organization`: there is one that logs this account's
   * management events, reads among them; `audit check` looks whether that is so.
   */
  readonly trail: "create" | "organization";
  /** SIEMs that get every event; several at once. Default: none, the archive alone. */
  readonly sinks?: readonly AuditSinkSettingsInput[];
  /** Time for which nobody can delete an event, in whole days. Default: 400 days, longer than a year. */
  readonly retainFor?: Duration;
  /** Reads of secrets in five minutes that page. Default: 1,000. */
  readonly readBurst?: number;
}

/** A SIEM, and the network of the environment in which its function runs. Default: outside of a VPC. */
export type AuditSinkSettingsInput = AuditSink & { readonly network?: string };

const sinkCredential = z.strictObject({ secretArn, field: z.optional(oneLine) });
const sinkCommon = { name: slug, network: z.optional(z.string()) };
const reached = { url: serverAddress, caPem: z.optional(certificatePem) };

/** Run-time schema of an audit trail. */
export const auditSchema = z.strictObject({
  trail: z.enum(["create", "organization"]),
  sinks: z._default(
    z.array(
      z.discriminatedUnion("type", [
        z.strictObject({
          type: z.literal("splunk-hec"),
          ...sinkCommon,
          ...reached,
          index: z.optional(oneLine),
          token: sinkCredential,
        }),
        z.strictObject({ type: z.literal("datadog"), ...sinkCommon, ...reached, apiKey: sinkCredential }),
        z.strictObject({
          type: z.literal("https"),
          ...sinkCommon,
          url: webUrl,
          caPem: z.optional(certificatePem),
          auth: z.enum(["header", "signature"]),
          header: z.optional(headerName),
          credential: sinkCredential,
        }),
        z.strictObject({ type: z.literal("firehose"), ...sinkCommon, streamArn: firehoseArn }),
      ]),
    ),
    [],
  ),
  retainFor: z._default(
    z.strictObject({ seconds: z.number() }).check(
      z.refine(({ seconds }) => seconds % 86_400 === 0 && seconds >= 86_400 && seconds <= 36_500 * 86_400, {
        params: { allowed: "1 to 36,500 whole days", change: "choose days(400)" },
        message: "retention",
      }),
    ),
    { seconds: 400 * 86_400 },
  ),
  readBurst: z._default(z.int().check(z.gte(1), z.lte(1_000_000)), 1_000),
});
