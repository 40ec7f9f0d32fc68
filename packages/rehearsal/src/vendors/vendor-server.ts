import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { closeServer, listenOnLoopback } from "../servers/loopback-server";

/** A request as a vendor's route sees it. */
export interface VendorCall {
  readonly method: string;
  readonly path: string;
  /** The parts of the path that the route names: `:id`. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** A JSON body; `undefined`: none. */
  readonly json: unknown;
  /** A form body; empty: none. */
  readonly form: URLSearchParams;
}

/** Answer of a vendor. */
export interface VendorReply {
  readonly status: number;
  /** Sent as JSON. @default no body */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One operation of a vendor's API. It changes the vendor's state in one go, as a database transaction does. */
export interface VendorRoute {
  /** Method and path, such as `DELETE /v3/api_keys/:id`. */
  readonly on: string;
  readonly answer: (call: VendorCall) => VendorReply;
}

/** Something that goes wrong with the next requests. */
export interface InjectedFailure {
  /**
   * `{ status }`: the vendor refuses, in its own words unless a body is given, and has done nothing.
   * `{ lost: "request" }`: the connection is cut before the vendor has done anything; `{ lost: "answer" }`: after it
   * has. `{ until }`: the work is done and the answer comes after that.
   */
  readonly how:
    | ({ readonly status: number } & Partial<VendorReply>)
    | { readonly lost: "request" | "answer" }
    | { readonly until: Promise<unknown> };
  /** Requests that it is about, by the beginning of method and path: `POST /v3/api_keys`. @default all */
  readonly on?: string;
  /** Number of them that pass before. @default 0 */
  readonly skip?: number;
  /** Number of them that then fail. @default 1 */
  readonly times?: number;
}

/** A vendor's API inside this process. */
export interface VendorServer {
  /** `http://127.0.0.1:<port>`, for the setting `apiUrl`. */
  readonly url: string;
  /** Method and path of each request so far, failed ones included. */
  readonly calls: readonly string[];
  failNext(failure: InjectedFailure): void;
  stop(): Promise<void>;
}

/** Settings of {@link startVendorServer}. */
export interface VendorServerProps {
  readonly routes: readonly VendorRoute[];
  /** The vendor's form of an error, for injected failures and unknown paths. */
  readonly refusal: (status: number) => VendorReply;
}

/**
 * Starts a vendor's API on a free loopback port. Plain HTTP, because nothing leaves this process; `apiUrl`
 * takes it on loopback only.
 */
export async function startVendorServer({ routes, refusal }: VendorServerProps): Promise<VendorServer> {
  const calls: string[] = [];
  const failures: { readonly failure: InjectedFailure; skip: number; left: number }[] = [];
  const matchers = routes.map(({ on, answer }) => ({ match: matcherOf(on), answer }));

  const failureOf = (name: string): InjectedFailure["how"] | undefined => {
    const next = failures.find(({ failure: { on = "" }, left }) => left > 0 && name.startsWith(on));
    if (next === undefined) return undefined;
    if (next.skip > 0) {
      next.skip -= 1;
      return undefined;
    }
    next.left -= 1;
    return next.failure.how;
  };

  const answerTo = (call: Omit<VendorCall, "params">): VendorReply => {
    for (const { match, answer } of matchers) {
      const params = match(`${call.method} ${call.path}`);
      if (params !== undefined) return answer({ ...call, params });
    }
    return refusal(404);
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const call = await callOf(request);
    const name = `${call.method} ${call.path}`;
    calls.push(name);
    const how = failureOf(name);
    if (how !== undefined && "status" in how) return send(response, { ...refusal(how.status), ...how });
    if (how !== undefined && "lost" in how && how.lost === "request") return cut(request);
    const reply = answerTo(call);
    if (how !== undefined && "lost" in how) return cut(request);
    if (how !== undefined) await how.until;
    send(response, reply);
  };

  const server = createServer((request, response) => {
    serve(request, response).catch(() => cut(request));
  });
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    failNext: (failure) => {
      failures.push({ failure, skip: failure.skip ?? 0, left: failure.times ?? 1 });
    },
    stop: () => closeServer(server),
  };
}

/** Matches `DELETE /v3/api_keys/:id` and gives the named parts. */
function matcherOf(on: string): (name: string) => Readonly<Record<string, string>> | undefined {
  const pattern = on.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/:(\w+)/g, "(?<$1>[^/]+)");
  const expression = new RegExp(`^${pattern}$`);
  return (name) => {
    const found = expression.exec(name);
    if (found === null) return undefined;
    const parts = Object.entries(found.groups ?? {});
    return Object.fromEntries(parts.map(([part, text]) => [part, decodeURIComponent(text)]));
  };
}

async function callOf(request: IncomingMessage): Promise<Omit<VendorCall, "params">> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  const url = new URL(request.url ?? "/", "http://vendor");
  const type = request.headers["content-type"] ?? "";
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
  return {
    method: request.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(headers),
    json: type.startsWith("application/json") ? jsonOf(text) : undefined,
    form: new URLSearchParams(type.startsWith("application/x-www-form-urlencoded") ? text : ""),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, { status, body, headers = {} }: VendorReply): void {
  if (body === undefined) response.writeHead(status, headers).end();
  else
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

function cut(request: IncomingMessage): void {
  request.socket.destroy();
}
