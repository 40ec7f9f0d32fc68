import * as http from "node:http";
import * as https from "node:https";

/** A request whose body, if any, is JSON. */
export interface JsonRequest {
  readonly url: string;
  /** @default "GET" */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Authority of the server's certificate; nothing else is trusted then. */
  readonly caPem?: string;
  /** @default 30 seconds */
  readonly timeoutMs?: number;
}

/** An answer. */
export interface JsonAnswer {
  readonly status: number;
  /** The parsed body; `undefined` when there is none. */
  readonly body: unknown;
}

/**
 * Sends one request on a connection of its own. Not `fetch`: that cannot be given the certificate authority to
 * trust.
 *
 * @throws Error when there is no answer, or one that is not JSON
 */
export function sendJson(request: JsonRequest): Promise<JsonAnswer> {
  const timeoutMs = request.timeoutMs ?? 30_000;
  const payload = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
  return new Promise((resolve, reject) => {
    const client = request.url.startsWith("https:") ? https : http;
    const outgoing = client.request(
      request.url,
      {
        agent: false,
        method: request.method ?? "GET",
        headers: {
          accept: "application/json",
          ...(payload && { "content-type": "application/json", "content-length": payload.length }),
          ...request.headers,
        },
        timeout: timeoutMs,
        ...(request.caPem === undefined ? {} : { ca: request.caPem }),
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.once("error", reject);
        incoming.once("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          try {
            resolve({
              status: incoming.statusCode ?? 0,
              body: text.trim() === "" ? undefined : JSON.parse(text),
            });
          } catch {
            reject(new Error(`${request.url} answered ${incoming.statusCode} with something else than JSON`));
          }
        });
      },
    );
    outgoing.once("timeout", () =>
      outgoing.destroy(new Error(`${request.url} did not answer within ${timeoutMs} ms`)),
    );
    outgoing.once("error", reject);
    outgoing.end(payload);
  });
}
