import type { AuditCount, AuditNormaliserSettings } from "../../contracts/audit-settings";
import { originOf } from "../../lambda/failure-origin";
import type { AuditFact } from "../normalised";
import type { OcsfEvent } from "../ocsf";
import { readMessage } from "../read-message";
import { type KnownOfVersion, toOcsf } from "../to-ocsf";
import { countsOf } from "./alarms";
import { archiveKey } from "./archive-key";
import type {
  AuditCounts,
  AuditLog,
  BatchAnswer,
  EventArchive,
  Outlet,
  QueuedMessage,
  VersionFacts,
} from "./ports";

/** Ports of the normaliser. */
export interface NormaliserContext {
  readonly settings: AuditNormaliserSettings;
  readonly archive: EventArchive;
  readonly outlet: Outlet;
  readonly facts: VersionFacts;
  readonly counts: AuditCounts;
  readonly log: AuditLog;
}

/** Counts of one batch. In: messages. Out: events. */
export interface BatchTally {
  readonly messages: number;
  readonly events: number;
  readonly notOurs: number;
  readonly malformed: number;
  readonly heartbeats: number;
  readonly failed: number;
}

/**
 * Takes messages off the queue: archives each event, then puts it into every sink's queue, then lets the message go. Whatever dies in
 * between, the message comes again and does the same once more: the archive has one object for one event, sinks may have it twice
 * under one id. What nobody can read goes to the dead letters as it came, and is counted.
 */
export class Normaliser {
  readonly #context: NormaliserContext;

  constructor(context: NormaliserContext) {
    this.#context = context;
  }

  async run(messages: readonly QueuedMessage[]): Promise<BatchAnswer & { readonly tally: BatchTally }> {
    const { counts, log } = this.#context;
    const lookUp = this.#lookUp();
    const results = await this.#handOn(
      await Promise.all(messages.map((message) => this.#take(message, lookUp))),
    );
    const done = results.filter((result) => result.failed === undefined);
    const sum = (pick: (result: Taken) => number): number =>
      done.reduce((total, result) => total + pick(result), 0);
    const tally: BatchTally = {
      messages: messages.length,
      events: sum(({ events }) => events.length),
      notOurs: sum(({ outcome }) => Number(outcome === "not-ours")),
      malformed: sum(({ outcome }) => Number(outcome === "malformed")),
      heartbeats: sum(({ outcome }) => Number(outcome === "heartbeat")),
      failed: results.length - done.length,
    };
    log.info("batch", { ...tally });
    try {
      await counts.add(this.#countsOf(done));
    } catch {
      // A count that is lost shows as a missing heartbeat; an event is worth more than its count.
      log.warn("counts were not taken");
    }
    return {
      batchItemFailures: results.flatMap(({ failed }) =>
        failed === undefined ? [] : [{ itemIdentifier: failed }],
      ),
      tally,
    };
  }

  /** Reads and archives one message. */
  async #take(message: QueuedMessage, lookUp: LookUp): Promise<Taken> {
    const { settings, outlet, log, archive } = this.#context;
    const { messageId } = message;
    try {
      const reading = readMessage(message.body, settings.scope);
      if (reading.outcome === "malformed") {
        log.warn("malformed", { messageId, reason: reading.reason });
        await outlet.send(settings.deadLetters, [message.body]);
      }
      if (reading.outcome !== "facts") return { messageId, outcome: reading.outcome, events: [] };
      const events = await Promise.all(reading.facts.map((fact) => this.#event(fact, lookUp)));
      await Promise.all(events.map((event) => archive.writeOnce(archiveKey(event), JSON.stringify(event))));
      return { messageId, outcome: "facts", events };
    } catch (failure) {
      return this.#again(messageId, failure);
    }
  }

  #again(messageId: string, failure: unknown): Taken {
    this.#context.log.warn("a message comes again", { messageId, origin: originOf(failure) });
    return { messageId, outcome: "facts", events: [], failed: messageId };
  }

  /** Puts what is archived into every sink's queue, all at once; one by one where that fails, so that one message holds up no other. */
  async #handOn(taken: readonly Taken[]): Promise<readonly Taken[]> {
    const archived = taken.filter(({ events }) => events.length > 0);
    if (archived.length === 0) return taken;
    try {
      await this.#send(archived);
      return taken;
    } catch (failure) {
      this.#context.log.warn("events go on one by one", { origin: originOf(failure) });
    }
    return Promise.all(
      taken.map(async (one) => {
        if (one.events.length === 0) return one;
        try {
          await this.#send([one]);
          return one;
        } catch (failure) {
          return this.#again(one.messageId, failure);
        }
      }),
    );
  }

  async #send(taken: readonly Taken[]): Promise<void> {
    const { settings, outlet } = this.#context;
    const texts = taken.flatMap(({ events }) => events.map((event) => JSON.stringify(event)));
    for (const queue of settings.sinkQueues) await outlet.send(queue, texts);
  }

  /** Looks each version up once in a batch. */
  #lookUp(): LookUp {
    const found = new Map<string, Promise<KnownOfVersion>>();
    return ({ secret, version }) => {
      const key = JSON.stringify([secret, version]);
      const known = found.get(key) ?? this.#context.facts.of(secret, version);
      found.set(key, known);
      return known;
    };
  }

  async #event(fact: AuditFact, lookUp: LookUp): Promise<OcsfEvent> {
    const { settings, log } = this.#context;
    let known: KnownOfVersion = {};
    if (fact.subject !== undefined && fact.run === undefined) {
      try {
        known = await lookUp(fact.subject);
      } catch (failure) {
        // The event is reported without the run rather than not at all.
        log.warn("run not known", { origin: originOf(failure) });
      }
    }
    return toOcsf(fact, settings.scope, known);
  }

  #countsOf(done: readonly Taken[]): Readonly<Partial<Record<AuditCount, number>>> {
    const found: Partial<Record<AuditCount, number>> = {};
    const add = (what: AuditCount, by: number): void => {
      found[what] = (found[what] ?? 0) + by;
    };
    for (const { outcome, events } of done) {
      if (outcome === "malformed") add("malformed", 1);
      if (outcome === "heartbeat") add("silent", 0);
      for (const event of events) {
        for (const what of countsOf(event, this.#context.settings.scope)) add(what, 1);
      }
    }
    return found;
  }
}

type LookUp = (subject: NonNullable<AuditFact["subject"]>) => Promise<KnownOfVersion>;

interface Taken {
  readonly messageId: string;
  readonly outcome: "facts" | "heartbeat" | "not-ours" | "malformed";
  readonly events: readonly OcsfEvent[];
  /** Id of the message that comes again. */
  readonly failed?: string;
}
