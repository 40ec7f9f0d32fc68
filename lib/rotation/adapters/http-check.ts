import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { originOf } from "../../lambda/failure-origin";
import { RotationError } from "../protocol/rotation-error";
import type { HttpAnswer, HttpRequest, HttpServer } from "../targets/http-credential-check";
import { connectionFault } from "./connection-fault";

const TIMEOUT_MS = 10_000;
/** More of a body is not read. */
const BODY_BYTES = 64 * 1_024;

/**
 * {@link HttpServer} with Node's https, which follows no redirect: a credential goes to the host of its URL only.
 *
 * @param timeoutMs for the whole exchange
 */
export const httpCheck = (timeoutMs = TIMEOUT_MS): HttpServer => ({
  async send(request) {
    const where = new URL(request.url).host;
    try {
      return await exchange(request, AbortSignal.timeout(timeoutMs));
    } catch (failure) {
      const origin = originOf(failure);
      // Node's HTTP parser: whatever answers there does not speak HTTP.
      if (origin.startsWith("HPE_")) throw new RotationError("target-misconfigured", where, origin);
      if (origin === "ABORT_ERR") throw new RotationError("target-unreachable", where, "timeout");
      throw connectionFault(failure, where) ?? new RotationError("unexpected", where, origin);
    }
  },
});

/** Plain HTTP stays inside the machine: it is for rehearsals. */
const requestTo = (url: string): typeof httpsRequest => {
  const { protocol, hostname } = new URL(url);
  const isLoopback = hostname === "127.0.0.1" || hostname === "localhost" || hostname === "[::1]";
  return protocol === "http:" && isLoopback ? httpRequest : httpsRequest;
};

/** One request on a connection of its own. */
function exchange({ url, method, headers, caPem }: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = requestTo(url)(
      url,
      {
        method,
        headers: { ...headers, accept: "*/*", "accept-encoding": "identity" },
        agent: false,
        // Said here, because NODE_TLS_REJECT_UNAUTHORIZED could turn it off.
        rejectUnauthorized: true,
        ...(caPem === undefined ? {} : { ca: caPem }),
        signal,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let length = 0;
        const end = (): void => {
          const body = Buffer.concat(chunks).subarray(0, BODY_BYTES).toString("utf8");
          resolve({ status: answer.statusCode ?? 0, body });
        };
        answer.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          length += chunk.length;
          if (length < BODY_BYTES) return;
          end();
          sent.destroy();
        });
        answer.on("end", end);
        answer.on("error", reject);
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}
