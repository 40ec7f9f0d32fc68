import type { HttpCheck } from "../../model/generic-settings";
import { RotationError, type RotationFaultCode } from "../protocol/rotation-error";
import { type CredentialCheck, type GenericConfig, type GenericValue, textNamed } from "./credential-check";

/** A request of a check. It has no body. */
export interface HttpRequest {
  /** https. */
  readonly url: string;
  readonly method: "GET" | "HEAD";
  readonly headers: Readonly<Record<string, string>>;
  /** CA of the server's certificate in PEM; `undefined`: the public ones. */
  readonly caPem: string | undefined;
}

/** Answer of the server. */
export interface HttpAnswer {
  readonly status: number;
  /** At most the first 64 KiB of the body. Never to be shown: it may quote the credential. */
  readonly body: string;
}

/** Sends requests by https, with the server's certificate verified. Never to another host than the URL's. */
export interface HttpServer {
  /** @throws RotationError `target-unreachable`, `target-not-trusted`, `target-without-tls` */
  send(request: HttpRequest): Promise<HttpAnswer>;
}

/** Tries a value by an HTTP request. */
export function httpCredentialCheck(
  check: HttpCheck,
  config: GenericConfig,
  server: HttpServer,
): CredentialCheck {
  const { url, method, expect, caPem } = check;
  const where = `${method} ${url}`;
  const headersOf = (value: GenericValue) => authorization(check.auth, value, config);
  const credentialOf = (value: GenericValue): string => JSON.stringify(headersOf(value));
  const send = (headers: Readonly<Record<string, string>>): Promise<HttpAnswer> =>
    server.send({ url, method, headers, caPem });

  const accepted = ({ status }: HttpAnswer): boolean => {
    if (status === expect.status) return true;
    if (status === expect.refusedStatus) return false;
    throw new RotationError(faultOfStatus(status), `${where} expects ${expect.status}`, `HTTP-${status}`);
  };

  return {
    credentialOf,
    slotOf: credentialOf,

    async prove(value) {
      const headers = headersOf(value);
      // A resource that everybody gets shows nothing about a credential.
      if ((await send({})).status === expect.status) {
        throw new RotationError("target-open", `${where} answers ${expect.status} without a credential`);
      }
      const answer = await send(headers);
      if (!accepted(answer)) {
        throw new RotationError("target-refused", where, `HTTP-${answer.status}`);
      }
      if (expect.bodyIncludes !== undefined && !answer.body.includes(expect.bodyIncludes)) {
        throw new RotationError("target-misconfigured", `${where} answers without the text that is expected`);
      }
    },

    accepts: async (value) => accepted(await send(headersOf(value))),
  };
}

/** Meaning of a status that is neither expected nor a plain refusal. */
function faultOfStatus(status: number): RotationFaultCode {
  if (status === 429) return "throttled";
  if (status >= 500) return "target-unreachable";
  if (status === 401) return "target-refused";
  if (status === 403) return "right-missing";
  // A redirect as well: the credential would go where nobody has said that it may.
  return "target-misconfigured";
}

function authorization(
  auth: HttpCheck["auth"],
  value: GenericValue,
  config: GenericConfig,
): Readonly<Record<string, string>> {
  switch (auth.scheme) {
    case "bearer":
      return { authorization: `Bearer ${sendable(auth.tokenField, value)}` };
    case "basic": {
      const username = textNamed(auth.usernameFrom, value, config);
      // RFC 7617: the first colon ends the user name.
      if (username.includes(":")) {
        throw new RotationError(
          "value-malformed",
          `${auth.usernameFrom} has a colon, which HTTP Basic cannot say`,
        );
      }
      const pair = `${username}:${textNamed(auth.passwordField, value)}`;
      return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
    }
    case "header":
      return Object.fromEntries(
        Object.entries(auth.headers).map(([header, field]) => [header, sendable(field, value)]),
      );
  }
}

/** A field as a header takes it: visible ASCII. A line break in it would begin a header of its own. */
function sendable(field: string, value: GenericValue): string {
  const text = textNamed(field, value);
  if (!/^[!-~]+$/.test(text)) {
    throw new RotationError("value-malformed", `${field} has characters that no HTTP header takes`);
  }
  return text;
}
