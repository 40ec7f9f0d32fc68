import type { IncomingHttpHeaders } from "node:http";

/** A request of one of AWS's HTTP protocols, as it came. */
export interface WireRequest {
  readonly method: string;
  /** Path and query, still encoded. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, in the order and case in which they came: signatures cover them. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** An answer of one of AWS's HTTP protocols. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
}

/** Protocol of a service: JSON with a target header, form and XML, JSON or XML with paths. */
export type WireProtocol = "json" | "query" | "rest-json" | "rest-xml";

/** An error that AWS would answer with. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  /** @default 400 */
  readonly status?: number;
}

/** Protocol of a request. */
export function protocolOf({ headers, url }: WireRequest, service: string | undefined): WireProtocol {
  if (headers["x-amz-target"] !== undefined) return "json";
  if ((headers["content-type"] ?? "").includes("x-www-form-urlencoded")) return "query";
  if (new URLSearchParams(url.split("?")[1] ?? "").has("Action")) return "query";
  return service === "s3" ? "rest-xml" : "rest-json";
}

const escapeXml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** An error in the form in which the SDK reads its name. */
export function errorAnswer(
  protocol: WireProtocol,
  { code, message, status = 400 }: WireError,
  requestId: string,
): WireAnswer {
  const [type, body] = errorBody(protocol, code, message, status, requestId);
  return {
    status,
    headers: {
      "content-type": type,
      "x-amzn-requestid": requestId,
      ...(protocol === "rest-json" ? { "x-amzn-errortype": code } : {}),
    },
    body: Buffer.from(body),
  };
}

function errorBody(
  protocol: WireProtocol,
  code: string,
  message: string,
  status: number,
  requestId: string,
): readonly [type: string, body: string] {
  const details = `<Code>${code}</Code><Message>${escapeXml(message)}</Message>`;
  switch (protocol) {
    case "json":
      return ["application/x-amz-json-1.1", JSON.stringify({ __type: code, message })];
    case "rest-json":
      return ["application/json", JSON.stringify({ message })];
    case "query": {
      const fault = status < 500 ? "Sender" : "Receiver";
      return [
        "text/xml",
        `<ErrorResponse><Error><Type>${fault}</Type>${details}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
      ];
    }
    case "rest-xml":
      return ["application/xml", `<Error>${details}<RequestId>${requestId}</RequestId></Error>`];
  }
}

/** A successful answer with a JSON body. */
export function jsonAnswer(body: object, requestId: string): WireAnswer {
  return {
    status: 200,
    headers: { "content-type": "application/x-amz-json-1.1", "x-amzn-requestid": requestId },
    body: Buffer.from(JSON.stringify(body)),
  };
}

/** A successful answer of the form protocol. */
export function queryAnswer(
  namespace: string,
  operation: string,
  result: object,
  requestId: string,
): WireAnswer {
  const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
  const members = `<${operation}Result>${xmlOf(result)}</${operation}Result>${metadata}`;
  return {
    status: 200,
    headers: { "content-type": "text/xml", "x-amzn-requestid": requestId },
    body: Buffer.from(`<${operation}Response xmlns="${namespace}">${members}</${operation}Response>`),
  };
}

/** A list whose members have a name of their own in the form protocol: ElastiCache's tags. */
export class NamedMembers {
  constructor(
    readonly name: string,
    readonly members: readonly unknown[],
  ) {}
}

/** XML of a value of JSON, as the form protocol has it; what is null is left out. */
function xmlOf(value: unknown): string {
  if (value instanceof NamedMembers) {
    return value.members.map((member) => `<${value.name}>${xmlOf(member)}</${value.name}>`).join("");
  }
  if (Array.isArray(value)) return value.map((member) => `<member>${xmlOf(member)}</member>`).join("");
  if (typeof value !== "object" || value === null) return escapeXml(String(value));
  return Object.entries(value)
    .filter(([, member]) => member !== null)
    .map(([name, member]) => `<${name}>${xmlOf(member)}</${name}>`)
    .join("");
}

/** The JSON object in a body; empty when there is none. */
export function jsonOf(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Text of the first XML element with a name. */
export function xmlText(body: Buffer, element: string): string | undefined {
  return new RegExp(`<${element}>([^<]*)</${element}>`).exec(body.toString("utf8"))?.[1];
}

const headerText = (answer: WireAnswer, name: string): string | undefined => {
  const value = answer.headers[name];
  return typeof value === "string" ? value : value?.[0];
};

/** The error's name in an answer; `undefined` for a success. */
export function errorCodeOf(answer: WireAnswer): string | undefined {
  if (answer.status < 400) return undefined;
  const named = headerText(answer, "x-amzn-errortype") ?? jsonOf(answer.body).__type;
  const code = typeof named === "string" ? named.split(":")[0]?.split("#").at(-1) : undefined;
  return code || xmlText(answer.body, "Code") || `HTTP${answer.status}`;
}

/** The id that AWS gives a request. */
export const requestIdOf = (answer: WireAnswer): string | undefined =>
  headerText(answer, "x-amzn-requestid") ??
  headerText(answer, "x-amz-request-id") ??
  xmlText(answer.body, "RequestId");

/** Error codes by which AWS's services report that IAM refused. */
const DENIALS = new Set(["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"]);

/** `true` for IAM's refusal. */
export const isDenial = (answer: WireAnswer): boolean => DENIALS.has(errorCodeOf(answer) ?? "");
