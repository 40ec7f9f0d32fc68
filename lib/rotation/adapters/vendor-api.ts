import type * as z from "zod/mini";
import { originOf } from "../../lambda/failure-origin";
import { RotationError } from "../protocol/rotation-error";
import { connectionFault } from "./connection-fault";

/** Settings of a vendor's API. */
export interface VendorApiProps {
  /** Base URL without final slash, such as `https://api.sendgrid.com`. */
  readonly baseUrl: string;
  /** Longest time from sending to the last byte of the answer. @default 10 seconds */
  readonly timeoutMs?: number;
}

/** One request to a vendor. */
export interface VendorRequest {
  /** @default "GET" */
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path below the base URL, without query; it stands in error messages, so it must not hold a value. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Headers such as `authorization`; see {@link bearer} and {@link basic}. */
  readonly headers: Readonly<Record<string, string>>;
  /** Credential that the request presents: a refusal is then the admin's or the new value's. */
  readonly presents: "admin" | "credential";
  /** Sent as `application/json`. */
  readonly json?: unknown;
  /** Sent as `application/x-www-form-urlencoded`. */
  readonly form?: Readonly<Record<string, string>> | URLSearchParams;
  /** Statuses other than 2xx that are answers and not failures, such as 404. */
  readonly answers?: readonly number[];
}

/** A vendor's answer. */
export interface VendorAnswer {
  readonly status: number;
  /** The parsed body; `undefined`: none, or no JSON. */
  readonly body: unknown;
}

/** Answers of key APIs come within a second; a vendor that takes longer than this is down. */
const TIMEOUT_MS = 10_000;

/**
 * JSON over HTTPS with a vendor, in one try: what is sent twice is made twice, so trying again is for the callers,
 * who look first. Redirects are not followed: an Authorization header belongs to one host.
 * Error messages hold method, path, host and status, never a body.
 *
 * @example
 * const api = new VendorApi({ baseUrl: "https://api.stripe.com" });
 * const answer = await api.call({
 *   method: "POST",
 *   path: "/v1/webhook_endpoints",
 *   headers: bearer(secretKey),
 *   presents: "credential",
 *   form: { url, "enabled_events[]": "*" },
 * });
 * const { id } = api.read(answer, z.object({ id: z.string() }));
 */
export class VendorApi {
  readonly #baseUrl: string;
  readonly #timeoutMs: number;

  constructor({ baseUrl, timeoutMs = TIMEOUT_MS }: VendorApiProps) {
    this.#baseUrl = baseUrl;
    this.#timeoutMs = timeoutMs;
  }

  /** Host and port, for messages. */
  get host(): string {
    return new URL(this.#baseUrl).host;
  }

  /**
   * @throws RotationError `admin-refused` and `target-refused` (401), `right-missing` (403), `throttled` (429),
   * `target-unreachable` (5xx, no connection, no answer in time), `target-not-trusted`, `target-misconfigured` (a
   * redirect), `unexpected` with the status as origin
   */
  async call(request: VendorRequest): Promise<VendorAnswer> {
    const { method = "GET", path } = request;
    const where = `${method} ${path} at ${this.host}`;
    const { status, text } = await this.#send(request, where);
    if ((status >= 200 && status < 300) || request.answers?.includes(status)) {
      return { status, body: parsed(text) };
    }
    throw refusal(status, request.presents, where);
  }

  /**
   * The part of an answer that the caller needs.
   *
   * @throws RotationError `unexpected` when it is not there
   */
  read<T>({ status, body }: VendorAnswer, schema: z.ZodMiniType<T>): T {
    const result = schema.safeParse(body);
    if (result.success) return result.data;
    // Paths only: zod's messages quote what they found.
    const paths = result.error.issues.map((issue) => issue.path.join(".") || "the whole body");
    throw new RotationError(
      "unexpected",
      `${this.host} answers without ${[...new Set(paths)].join(", ")}`,
      `HTTP-${status}`,
    );
  }

  async #send(
    { method = "GET", path, query, headers, json, form }: VendorRequest,
    where: string,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const search = query === undefined ? "" : `?${new URLSearchParams(query)}`;
    const body =
      json !== undefined
        ? { type: "application/json", text: JSON.stringify(json) }
        : form !== undefined
          ? { type: "application/x-www-form-urlencoded", text: new URLSearchParams(form).toString() }
          : undefined;
    try {
      const response = await fetch(`${this.#baseUrl}${path}${search}`, {
        method,
        headers: {
          accept: "application/json",
          // A function is frozen between its calls, and connections that it kept are dead when it wakes.
          connection: "close",
          ...(body === undefined ? {} : { "content-type": body.type }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: body.text }),
        redirect: "manual",
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      return { status: response.status, text: await response.text() };
    } catch (failure) {
      throw connectionLost(failure, where);
    }
  }
}

/** `Authorization` with a token. */
export const bearer = (token: string): { readonly authorization: string } => ({
  authorization: `Bearer ${token}`,
});

/** `Authorization` with user and password (RFC 7617). */
export const basic = (user: string, password: string): { readonly authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});

function refusal(status: number, presents: "admin" | "credential", where: string): RotationError {
  const origin = `HTTP-${status}`;
  if (status === 401) {
    return new RotationError(presents === "admin" ? "admin-refused" : "target-refused", where, origin);
  }
  if (status === 403) {
    return new RotationError("right-missing", `the ${presents}'s right to ${where}`, origin);
  }
  if (status === 429) return new RotationError("throttled", where, origin);
  if (status >= 500) return new RotationError("target-unreachable", where, origin);
  if (status >= 300 && status < 400) {
    return new RotationError("target-misconfigured", `${where} sends elsewhere: correct apiUrl`, origin);
  }
  return new RotationError("unexpected", where, origin);
}

/** The socket's failure is the cause of what `fetch` throws; running out of time has a name of its own. */
function connectionLost(failure: unknown, where: string): RotationError {
  if (originOf(failure) === "TimeoutError") return new RotationError("target-unreachable", where, "timeout");
  const cause =
    typeof failure === "object" && failure !== null && "cause" in failure ? failure.cause : failure;
  const known = connectionFault(cause, where);
  if (known !== undefined) return known;
  const origin = originOf(cause);
  // undici's own codes are about connections, such as an answer that was cut short.
  const code = origin.startsWith("UND_ERR_") ? "target-unreachable" : "unexpected";
  return new RotationError(code, where, origin);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    return undefined;
  }
}
