import { randomUUID } from "node:crypto";

/** A call of AWS's API as CloudTrail records it. */
export interface RecordedCall {
  /** `secretsmanager`. */
  readonly service: string;
  readonly operation: string;
  readonly account: string;
  readonly region: string;
  readonly time?: Date;
  readonly identity: TrailCaller;
  /** As the API has it: `SecretId`. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly response?: Readonly<Record<string, unknown>> | undefined;
  readonly error?: string | undefined;
  readonly sourceAddress?: string;
  readonly eventId?: string;
  readonly requestId?: string;
}

/** Caller of a recorded call. */
export type TrailCaller =
  | { readonly is: "root"; readonly account: string }
  | { readonly is: "user"; readonly arn: string }
  | {
      readonly is: "session";
      readonly roleArn: string;
      readonly session: string;
      readonly sourceIdentity?: string;
      /** ARN of the provider of the web identity with which the role was taken. */
      readonly webIdentityProvider?: string;
    };

/** Fields that Secrets Manager and KMS keep out of their records. */
const KEPT_OUT: ReadonlySet<string> = new Set([
  "secretString",
  "secretBinary",
  "plaintext",
  "ciphertextBlob",
  "message",
  "mac",
]);

/** Calls that change nothing: CloudTrail's `readOnly`. */
const READS = /^(Get|Describe|List|BatchGet|Decrypt|Validate|VerifyMac|GenerateMac)/;

/**
 * Event that EventBridge brings of a call: CloudTrail's record in its envelope. Written from CloudTrail's page of record
 * contents, with `requestParameters` in lower camel case, answers of reads as `null`, and values kept out. The embedded
 * AWS has no way from CloudTrail to EventBridge; this stands for it.
 *
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
export function cloudTrailEvent(call: RecordedCall): object {
  const time = (call.time ?? new Date()).toISOString().replace(/\.\d{3}Z$/, "Z");
  const readOnly = READS.test(call.operation);
  return {
    version: "0",
    id: randomUUID(),
    "detail-type": "AWS API Call via CloudTrail",
    source: `aws.${call.service}`,
    account: call.account,
    time,
    region: call.region,
    resources: [],
    detail: {
      eventVersion: "1.11",
      userIdentity: userIdentityOf(call.identity, time),
      eventTime: time,
      eventSource: `${call.service}.amazonaws.com`,
      eventName: call.operation,
      awsRegion: call.region,
      sourceIPAddress: call.sourceAddress ?? "192.0.2.10",
      userAgent: "aws-sdk-js/3",
      ...(call.error === undefined
        ? {}
        : { errorCode: call.error, errorMessage: "User is not authorized to perform this action" }),
      requestParameters: lowerCamel(call.request),
      responseElements: readOnly || call.error !== undefined ? null : lowerCamel(call.response ?? {}),
      requestID: call.requestId ?? randomUUID(),
      eventID: call.eventId ?? randomUUID(),
      readOnly,
      eventType: "AwsApiCall",
      managementEvent: true,
      recipientAccountId: call.account,
      eventCategory: "Management",
    },
  };
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html */
function userIdentityOf(identity: TrailCaller, time: string): object {
  const accountOf = (arn: string): string => arn.split(":")[4] ?? "";
  switch (identity.is) {
    case "root":
      return {
        type: "Root",
        principalId: identity.account,
        arn: `arn:aws:iam::${identity.account}:root`,
        accountId: identity.account,
      };
    case "user":
      return {
        type: "IAMUser",
        principalId: "AIDAEXAMPLEEXAMPLE00",
        arn: identity.arn,
        accountId: accountOf(identity.arn),
        accessKeyId: "AKIAEXAMPLEEXAMPLE00",
        userName: identity.arn.split("/").at(-1),
      };
    case "session": {
      const { roleArn, session, sourceIdentity, webIdentityProvider } = identity;
      const role = roleArn.split("/").at(-1) ?? "";
      const account = accountOf(roleArn);
      return {
        type: "AssumedRole",
        principalId: `AROAEXAMPLEEXAMPLE00:${session}`,
        arn: `arn:aws:sts::${account}:assumed-role/${role}/${session}`,
        accountId: account,
        accessKeyId: "ASIAEXAMPLEEXAMPLE00",
        sessionContext: {
          sessionIssuer: {
            type: "Role",
            principalId: "AROAEXAMPLEEXAMPLE00",
            arn: roleArn,
            accountId: account,
            userName: role,
          },
          webIdFederationData:
            webIdentityProvider === undefined
              ? {}
              : { federatedProvider: webIdentityProvider, attributes: {} },
          attributes: { creationDate: time, mfaAuthenticated: "false" },
          ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
        },
      };
    }
  }
}

/** `{ SecretId }` as `{ secretId }`, on every level; names that a caller chose, such as an encryption context's, stay. */
function lowerCamel(data: unknown, name = ""): unknown {
  if (Array.isArray(data)) return data.map((entry) => lowerCamel(entry));
  if (typeof data !== "object" || data === null) return data;
  return Object.fromEntries(
    Object.entries(data).flatMap(([key, entry]) => {
      const word = camel(key, name);
      if (KEPT_OUT.has(word)) return [];
      return [[word, lowerCamel(entry, word)]];
    }),
  );
}

const camel = (key: string, parent: string): string =>
  parent === "encryptionContext" ? key : key === "ARN" ? "arn" : key.charAt(0).toLowerCase() + key.slice(1);
