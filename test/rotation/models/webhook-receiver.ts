import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { StripeValue } from "../../../lib/rotation/targets/stripe";

/** Our workload behind `webhookUrl`: each event goes to every pod, since any of them could have got it. */
export interface WebhookReceiver {
  readonly url: string;
  /** Value that each pod holds. */
  pods: readonly StripeValue[];
  /** Events that pods looked at. */
  readonly verified: number;
  /** Answers 503 to whatever comes. @default false */
  down: boolean;
  /** Ids of the events that were taken, as often as they were. */
  readonly taken: readonly string[];
  stop(): Promise<void>;
}

/** Starts a receiver that answers 200 when every pod takes the event. */
export async function startWebhookReceiver(now: () => Date): Promise<WebhookReceiver> {
  let pods: readonly StripeValue[] = [];
  let verified = 0;
  let down = false;
  const taken: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (down) {
        response.writeHead(503).end();
        return;
      }
      const payload = Buffer.concat(chunks).toString("utf8");
      const header = String(request.headers["stripe-signature"]);
      verified += pods.length;
      const isTaken = pods.every((pod) => acceptsEvent(pod, header, payload, now()));
      if (isTaken) taken.push(String((JSON.parse(payload) as { readonly id: unknown }).id));
      response.writeHead(isTaken ? 200 : 400).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}/stripe`,
    get pods() {
      return pods;
    },
    set pods(held) {
      pods = held;
    },
    get verified() {
      return verified;
    },
    get down() {
      return down;
    },
    set down(is) {
      down = is;
    },
    taken,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Stripe's own steps with each secret that the pod holds: https://docs.stripe.com/webhooks#verify-manually */
export function acceptsEvent(
  { webhookSecrets }: StripeValue,
  header: string,
  payload: string,
  now: Date,
): boolean {
  const parts = header.split(",").map((part) => part.split("="));
  const time = Number(parts.find(([name]) => name === "t")?.[1]);
  const signatures = parts.flatMap(([name, text]) => (name === "v1" ? [text] : []));
  if (!(Math.abs(now.getTime() / 1_000 - time) <= 300)) return false;
  return Object.values(webhookSecrets).some(
    (key) =>
      key !== null &&
      signatures.includes(createHmac("sha256", key.secret).update(`${time}.${payload}`).digest("hex")),
  );
}
