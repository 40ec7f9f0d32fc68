import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { OcsfEvent } from "../../../../lib/audit";
import { loopbackCertificate } from "../servers/loopback-certificate";

/**
 * Behaviour of the receiver. `half`: it takes the events, then the connection ends in the middle of its answer. `slow`:
 * it answers after `slowMs`. `refuse-some`: it takes no request in which an event has the refused id.
 */
export type ReceiverMode =
  | { readonly is: "up" }
  | { readonly is: "status"; readonly status: number; readonly body?: string }
  | { readonly is: "half" }
  | { readonly is: "reset" }
  | { readonly is: "slow"; readonly ms: number }
  | { readonly is: "refuse-some"; readonly ids: readonly string[] };

/** A receiver of events that speaks as a SIEM does. */
export interface SiemReceiver {
  readonly url: string;
  readonly caPem: string;
  /** Events in the order in which they came, duplicates among them. */
  readonly received: readonly OcsfEvent[];
  /** Requests, whatever became of them. */
  readonly requests: number;
  mode: ReceiverMode;
  /** Credential that it takes. */
  credential: string;
  close(): Promise<void>;
}

/**
 * The built-in receiver: Splunk's HTTP Event Collector, Datadog's logs intake and a signed HTTPS endpoint, by their documents. It
 * refuses what they refuse: a wrong token, no data, data of a wrong form, an event that is missing.
 *
 * https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data/troubleshoot-http-event-collector,
 * https://docs.datadoghq.com/api/latest/logs/send-logs/
 */
export async function startSiemReceiver(credential: string): Promise<SiemReceiver> {
  const { certificatePem, privateKeyPem, caPem } = loopbackCertificate("SIEM");
  const received: OcsfEvent[] = [];
  let requests = 0;
  const receiver = { mode: { is: "up" } as ReceiverMode, credential };
  const server = createServer({ cert: certificatePem, key: privateKeyPem }, (request, response) => {
    requests += 1;
    void answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString("utf8");
    const { mode } = receiver;
    if (mode.is === "reset") return void request.socket.destroy();
    if (mode.is === "status") return reply(response, mode.status, mode.body ?? "");
    if (mode.is === "slow") await sleep(mode.ms);
    const result = read(request, body, receiver.credential);
    if ("fault" in result) return reply(response, result.status, result.fault);
    if (mode.is === "refuse-some" && result.events.some(({ metadata }) => mode.ids.includes(metadata.uid)))
      return reply(response, 400, JSON.stringify({ text: "Invalid data format", code: 6 }));
    received.push(...result.events);
    if (mode.is === "half") {
      response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
      response.write('{"text":"Succ');
      return void setTimeout(() => response.destroy(), 10);
    }
    reply(response, result.status, result.answer);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    caPem,
    received,
    get requests() {
      return requests;
    },
    get mode() {
      return receiver.mode;
    },
    set mode(mode) {
      receiver.mode = mode;
    },
    get credential() {
      return receiver.credential;
    },
    set credential(next) {
      receiver.credential = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

type Read =
  | { readonly events: readonly OcsfEvent[]; readonly status: number; readonly answer: string }
  | { readonly status: number; readonly fault: string };

const splunk = (status: number, code: number, text: string): Read => ({
  status,
  fault: JSON.stringify({ text, code }),
});

function read(request: IncomingMessage, body: string, credential: string): Read {
  const { url = "", headers } = request;
  if (request.method !== "POST") return { status: 405, fault: "" };
  if (url === "/services/collector/event") return readSplunk(headers.authorization, body, credential);
  if (url === "/api/v2/logs") return readDatadog(headers["dd-api-key"], body, credential);
  return readSigned(headers, body, credential);
}

function readSplunk(authorization: string | undefined, body: string, credential: string): Read {
  if (authorization === undefined) return splunk(401, 2, "Token is required");
  if (!authorization.startsWith("Splunk ")) return splunk(401, 3, "Invalid authorization");
  if (authorization.slice(7) !== credential) return splunk(403, 4, "Invalid token");
  if (body.trim() === "") return splunk(400, 5, "No data");
  const events: OcsfEvent[] = [];
  for (const line of body.split("\n")) {
    const entry = parsed(line);
    if (entry === undefined || typeof entry !== "object") return splunk(400, 6, "Invalid data format");
    const { event } = entry as { readonly event?: OcsfEvent };
    if (event === undefined) return splunk(400, 12, "Event field is required");
    events.push(event);
  }
  return { events, status: 200, answer: JSON.stringify({ text: "Success", code: 0 }) };
}

function readDatadog(key: string | string[] | undefined, body: string, credential: string): Read {
  if (key !== credential) return { status: 403, fault: JSON.stringify({ errors: ["Forbidden"] }) };
  if (Buffer.byteLength(body) > 5_000_000)
    return { status: 413, fault: JSON.stringify({ errors: ["Too large"] }) };
  const list = parsed(body);
  if (!Array.isArray(list) || list.length === 0 || list.length > 1_000)
    return { status: 400, fault: JSON.stringify({ errors: ["Bad request"] }) };
  const events = list.map(
    (entry: { readonly message?: unknown }) => parsed(String(entry.message)) as OcsfEvent,
  );
  return { events, status: 202, answer: "{}" };
}

/** Five minutes: a request that is repeated later is refused. */
const CLOCK_SECONDS = 300;

function readSigned(headers: IncomingMessage["headers"], body: string, credential: string): Read {
  const signature = headers["x-audit-signature"];
  if (typeof signature === "string") {
    const time = String(headers["x-audit-timestamp"]);
    const wanted = Buffer.from(
      `sha256=${createHmac("sha256", credential).update(`${time}.${body}`).digest("hex")}`,
    );
    const given = Buffer.from(signature);
    const isLate = Math.abs(Date.now() / 1_000 - Number(time)) > CLOCK_SECONDS;
    if (isLate || given.length !== wanted.length || !timingSafeEqual(given, wanted))
      return { status: 401, fault: "" };
  } else if (headers.authorization !== credential) return { status: 401, fault: "" };
  const list = parsed(body);
  return Array.isArray(list)
    ? { events: list as OcsfEvent[], status: 200, answer: "" }
    : { status: 400, fault: "" };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reply(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(body);
}
