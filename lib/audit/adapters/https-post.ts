import { request } from "node:https";
import type { SinkAnswer, SinkRequest } from "../delivery/requests";

/** A SIEM that takes longer is asked again; its queue waits meanwhile. */
const TIMEOUT_MS = 20_000;
/** More of an answer is not read. */
const BODY_BYTES = 64 * 1_024;

/**
 * Sends a request by HTTPS alone, with certificates checked, and follows no redirect: the credential goes to the host of its URL.
 * Throws unless the whole answer came: half an answer says nothing of what was taken.
 */
export const httpsPost =
  (timeoutMs = TIMEOUT_MS) =>
  ({ url, headers, body, caPem }: SinkRequest): Promise<SinkAnswer> =>
    new Promise((resolve, reject) => {
      const sent = request(
        url,
        {
          method: "POST",
          headers: { ...headers, "content-length": Buffer.byteLength(body) },
          agent: false,
          // Said here, because NODE_TLS_REJECT_UNAUTHORIZED could turn it off.
          rejectUnauthorized: true,
          ...(caPem === undefined ? {} : { ca: caPem }),
          signal: AbortSignal.timeout(timeoutMs),
        },
        (answer) => {
          const chunks: Buffer[] = [];
          let length = 0;
          answer.on("data", (chunk: Buffer) => {
            length += chunk.length;
            if (length <= BODY_BYTES) chunks.push(chunk);
          });
          answer.on("end", () => {
            if (!answer.complete)
              return reject(Object.assign(new Error("half an answer"), { code: "half-an-answer" }));
            resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
          });
          answer.on("error", reject);
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
