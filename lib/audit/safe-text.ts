import { isRecord } from "../model/is-record";

/**
 * Readers of fields of other people's records. Nothing is copied because it is there: each field is named, and has the form
 * that its source documents. A value that somebody put into the wrong field has it not.
 */

type Data = Readonly<Record<string, unknown>>;

/** Data as an object; empty where it is none. */
export const record = (data: unknown): Data => (isRecord(data) ? data : {});

/** A text of a form. */
export const text = (data: unknown, form: RegExp): string | undefined =>
  typeof data === "string" && form.test(data) ? data : undefined;

/** Texts of a form, of a list. */
export const texts = (data: unknown, form: RegExp): readonly string[] =>
  Array.isArray(data) ? data.flatMap((entry) => text(entry, form) ?? []) : [];

/** ARNs of any service. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
export const ARN = /^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{0,12}:[\w+=,.@/:*-]{1,1024}$/;
/** Ids that AWS gives: requests, events, principals. */
export const AWS_ID = /^[\w:+=,.@-]{1,256}$/;
/** Names of API actions, services and error codes. */
export const WORD = /^[A-Za-z][\w.:-]{0,127}$/;
/** Version ids: Secrets Manager's own, or a client's request token. Those of others are not shown. */
export const VERSION_ID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
/** Labels that mean something here. */
export const LABEL = /^(AWSCURRENT|AWSPENDING|AWSPREVIOUS|VERIFIED\.[0-9a-f]{64})$/;
/** Region names. */
export const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;
/** IPv4 and IPv6 addresses. */
export const ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F]{0,4}(:[0-9a-fA-F]{0,4}){2,7}(\.\d{1,3}){0,3})$/;
/** DNS names of services. */
export const DNS_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/;
/** Names of roles, policies and keys of IAM. */
export const IAM_NAME = /^[\w+=,.@-]{1,128}$/;

/** A time as ISO 8601 has it; `undefined` for one that nobody could sort by. */
export function instant(data: unknown): Date | undefined {
  const found = text(data, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/);
  if (found === undefined) return undefined;
  const time = new Date(found.replace(/(\.\d{3})\d+/, "$1"));
  return Number.isNaN(time.getTime()) ? undefined : time;
}

/** Properties of an object that are there. */
export function present<T extends object>(data: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(data).filter(([, entry]) => entry !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
