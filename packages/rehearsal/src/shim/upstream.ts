import { createHash } from "node:crypto";
import { request as httpRequest } from "node:http";
import { jsonOf, type WireAnswer, type WireRequest } from "./wire";

/** Headers that belong to one connection, or that a new body changes. */
const NOT_FORWARDED = new Set([
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "transfer-encoding",
  "proxy-connection",
]);

/** The shim stands for AWS's endpoints, which speak TLS; this is how the embedded AWS knows. */
const OVER_TLS = ["x-forwarded-proto", "https"];

/** Call of a service as an account's root. */
export interface RootCall {
  readonly account: string;
  readonly region: string;
  readonly service: string;
  readonly operation: string;
}

/** Targets of the JSON protocol that the shim calls itself. */
const TARGETS: Readonly<Record<string, string>> = {
  cloudwatch: "GraniteServiceVersion20100801",
  dynamodb: "DynamoDB_20120810",
  secretsmanager: "secretsmanager",
  events: "AWSEvents",
  kms: "TrentService",
  states: "AWSStepFunctions",
};

/** The embedded AWS behind the shim. */
export class Upstream {
  readonly #endpoint: URL;

  constructor(endpoint: string) {
    this.#endpoint = new URL(endpoint);
  }

  /** Passes a request on as it is signed, `Host` included. */
  forward(request: WireRequest): Promise<WireAnswer> {
    return this.#send(request.method, request.url, forwarded(request), request.body);
  }

  /**
   * Passes a request on with other JSON in its body, and the caller's signature. The embedded AWS takes the signed
   * digest of the body from `x-amz-content-sha256` and does not hold it against what it gets (`core/sigv4.py`); the
   * length may be signed, so the body is filled up with blanks.
   *
   * @throws Error when the new body is longer than the old one
   */
  forwardWith(request: WireRequest, parameters: object): Promise<WireAnswer> {
    return this.#forwardBody(request, JSON.stringify(parameters), " ");
  }

  /** Passes a request of the form protocol on with other fields, as {@link forwardWith} does. */
  forwardForm(request: WireRequest, fields: Readonly<Record<string, string>>): Promise<WireAnswer> {
    const form = new URLSearchParams(request.body.toString("utf8"));
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    return this.#forwardBody(request, form.toString(), "&");
  }

  #forwardBody(request: WireRequest, text: string, filling: string): Promise<WireAnswer> {
    const { length } = request.body;
    const body = Buffer.from(text.padEnd(length, filling));
    if (body.length > length) throw new Error("the request leaves no room for other parameters");
    const headers = forwarded(request);
    if (request.headers["x-amz-content-sha256"] === undefined) {
      headers.push("x-amz-content-sha256", createHash("sha256").update(request.body).digest("hex"));
    }
    return this.#send(request.method, request.url, headers, body);
  }

  /** Asks a service of the JSON protocol. */
  async asRoot(
    call: RootCall,
    parameters: object,
  ): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> {
    const headers = {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `${TARGETS[call.service] ?? call.service}.${call.operation}`,
    };
    const answer = await this.#asRoot(call, "POST", "/", headers, JSON.stringify(parameters));
    return { status: answer.status, body: jsonOf(answer.body) };
  }

  /** Asks a service of the form protocol. */
  queryAsRoot(call: RootCall, parameters: Readonly<Record<string, string>>): Promise<WireAnswer> {
    const body = new URLSearchParams({ Action: call.operation, ...parameters }).toString();
    return this.#asRoot(call, "POST", "/", { "content-type": "application/x-www-form-urlencoded" }, body);
  }

  /** Asks Lambda. */
  lambdaAsRoot(
    call: Pick<RootCall, "account" | "region">,
    method: string,
    path: string,
    payload?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<WireAnswer> {
    const url = `/2015-03-31/functions/${path}`;
    const body = payload === undefined ? "" : JSON.stringify(payload);
    const asked = { ...call, service: "lambda", operation: "" };
    return this.#asRoot(asked, method, url, { "content-type": "application/json", ...headers }, body);
  }

  /** The server does not check what root signs with (gap `root-unchecked`). */
  #asRoot(
    { account, region, service }: RootCall,
    method: string,
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<WireAnswer> {
    const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const scope = `${account}/${date.slice(0, 8)}/${region}/${service}/aws4_request`;
    const all = {
      ...headers,
      host: this.#endpoint.host,
      "x-amz-date": date,
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`,
      "content-length": String(Buffer.byteLength(body)),
      connection: "close",
    };
    return this.#send(method, url, Object.entries(all).flat(), Buffer.from(body));
  }

  #send(method: string, url: string, headers: readonly string[], body: Buffer): Promise<WireAnswer> {
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        {
          host: this.#endpoint.hostname,
          port: this.#endpoint.port,
          method,
          path: url,
          headers: [...headers, ...OVER_TLS],
          setHost: false,
          agent: false,
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.once("error", reject);
          incoming.once("end", () => {
            const received: Record<string, string | string[]> = {};
            for (const [name, value] of Object.entries(incoming.headers)) {
              if (value !== undefined && !NOT_FORWARDED.has(name)) received[name] = value;
            }
            resolve({ status: incoming.statusCode ?? 502, headers: received, body: Buffer.concat(chunks) });
          });
        },
      );
      outgoing.once("error", reject);
      outgoing.end(body);
    });
  }
}

function forwarded(request: WireRequest): string[] {
  const headers: string[] = [];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const [name = "", value = ""] = request.rawHeaders.slice(at, at + 2);
    if (!NOT_FORWARDED.has(name.toLowerCase())) headers.push(name, value);
  }
  headers.push("content-length", String(request.body.length), "connection", "close");
  return headers;
}
