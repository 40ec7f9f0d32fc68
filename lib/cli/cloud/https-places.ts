import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { text } from "node:stream/consumers";
import type { PlaceAnswer, Places } from "./places";

const TIMEOUT_MS = 10_000;

/**
 * Codes of OpenSSL and Node.js for a certificate that is not believed.
 * https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
const UNTRUSTED = /CERT|SELF_SIGNED|ISSUER|SIGNATURE|ERR_TLS|ERR_SSL|CRL/;

/** {@link Places} by HTTPS (plain HTTP is for loopback, which is all that a registry takes). */
export const httpsPlaces: Places = {
  get: (url, caPem) =>
    new Promise((resolve) => {
      const fail = (error: NodeJS.ErrnoException): void => resolve(failureOf(error));
      const request = (url.startsWith("http:") ? requestPlain : requestTls)(
        url,
        {
          ...(caPem === undefined ? {} : { ca: caPem }),
          signal: AbortSignal.timeout(TIMEOUT_MS),
          agent: false,
        },
        (response) => {
          text(response).then(
            (body) => resolve({ reached: true, status: response.statusCode ?? 0, body }),
            fail,
          );
        },
      );
      request.once("error", fail);
      request.end();
    }),
};

function failureOf({ code, name }: NodeJS.ErrnoException): PlaceAnswer {
  const reason = name === "AbortError" || name === "TimeoutError" ? "no answer in 10 s" : (code ?? name);
  return { reached: false, trusted: !UNTRUSTED.test(reason), reason };
}
