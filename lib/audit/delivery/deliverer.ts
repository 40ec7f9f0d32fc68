import type { AuditSinkSettings } from "../../contracts/audit-settings";
import { originOf } from "../../lambda/failure-origin";
import type { OcsfEvent } from "../ocsf";
import type { AuditLog, BatchAnswer, Outlet, QueuedMessage } from "./ports";
import {
  type DeliveryVerdict,
  type HttpSink,
  type SinkAnswer,
  type SinkRequest,
  sinkRequest,
  verdictOf,
} from "./requests";

/** Brings events to the place of one sink. */
export interface SinkPort {
  /** Throws where it is not known what became of them. */
  deliver(events: readonly OcsfEvent[]): Promise<DeliveryVerdict>;
}

/** Ports of a deliverer. */
export interface DelivererContext {
  readonly settings: Pick<AuditSinkSettings, "deadLetters">;
  readonly sink: SinkPort;
  readonly outlet: Outlet;
  readonly log: AuditLog;
}

/**
 * Delivers a sink's queue. What the sink has taken is gone; what it will never take goes to the dead letters, alone: one bad event keeps
 * none of its neighbours back. Everything else, a sink that is down among it, stays in the queue and comes again.
 */
export class Deliverer {
  readonly #context: DelivererContext;

  constructor(context: DelivererContext) {
    this.#context = context;
  }

  async run(messages: readonly QueuedMessage[]): Promise<BatchAnswer> {
    const { log } = this.#context;
    const read = messages.map((message) => ({ message, event: parsed(message.body) }));
    const again = new Set<string>();
    for (const { message } of read.filter(({ event }) => event === undefined)) {
      if (!(await this.#putAside(message))) again.add(message.messageId);
    }
    const events = read.flatMap(({ message, event }) => (event === undefined ? [] : [{ message, event }]));
    for (const id of await this.#deliver(events)) again.add(id);
    log.info("delivered", { messages: messages.length, again: again.size });
    return { batchItemFailures: [...again].map((itemIdentifier) => ({ itemIdentifier })) };
  }

  /** @returns ids of messages that come again */
  async #deliver(events: readonly Delivery[]): Promise<readonly string[]> {
    if (events.length === 0) return [];
    const all = events.map(({ message }) => message.messageId);
    const verdict = await this.#ask(events);
    if (verdict === "taken") return [];
    if (verdict !== "refused") return all;
    const [only, ...others] = events;
    if (only === undefined) return [];
    if (others.length === 0) return (await this.#putAside(only.message)) ? [] : all;
    // One of them is what it does not take: halves, so that few requests find it.
    const half = Math.ceil(events.length / 2);
    return [...(await this.#deliver(events.slice(0, half))), ...(await this.#deliver(events.slice(half)))];
  }

  async #ask(events: readonly Delivery[]): Promise<DeliveryVerdict> {
    const { sink, log } = this.#context;
    try {
      const verdict = await sink.deliver(events.map(({ event }) => event));
      if (verdict !== "taken") log.warn("the sink did not take them", { events: events.length, verdict });
      return verdict;
    } catch (failure) {
      log.warn("the sink did not answer", { events: events.length, origin: originOf(failure) });
      return "later";
    }
  }

  async #putAside(message: QueuedMessage): Promise<boolean> {
    const { settings, outlet, log } = this.#context;
    try {
      await outlet.send(settings.deadLetters, [message.body]);
      log.warn("put aside", { messageId: message.messageId });
      return true;
    } catch {
      return false;
    }
  }
}

interface Delivery {
  readonly message: QueuedMessage;
  readonly event: OcsfEvent;
}

function parsed(body: string): OcsfEvent | undefined {
  try {
    const event = JSON.parse(body) as OcsfEvent;
    return typeof event?.metadata?.uid === "string" ? event : undefined;
  } catch {
    return undefined;
  }
}

/** Ports of a sink by HTTPS. */
export interface HttpSinkPorts {
  /** Sends a request. Throws without a whole answer. */
  send(request: SinkRequest): Promise<SinkAnswer>;
  /** The sink's credential. `fresh`: not the one that was read before. */
  secret(fresh: boolean): Promise<string>;
  now(): Date;
}

/** A sink by HTTPS. A credential that is refused is read anew, once: it may have been rotated. */
export function httpSink(sink: HttpSink, ports: HttpSinkPorts): SinkPort {
  const attempt = async (events: readonly OcsfEvent[], fresh: boolean): Promise<DeliveryVerdict> =>
    verdictOf(sink, await ports.send(sinkRequest(sink, events, await ports.secret(fresh), ports.now())));
  return {
    async deliver(events) {
      const first = await attempt(events, false);
      if (first !== "credential") return first;
      const second = await attempt(events, true);
      return second === "credential" ? "later" : second;
    },
  };
}
