import type { Clock } from "../../../lib/rotation/protocol/ports";

/** Time that passes only while everything waits, so that hours of waiting take no time and come out the same. */
export class VirtualClock implements Clock {
  #now: number;
  #count = 0;
  readonly #sleepers: { readonly at: number; readonly order: number; readonly wake: () => void }[] = [];

  constructor(from: Date) {
    this.#now = from.getTime();
  }

  now(): Date {
    return new Date(this.#now);
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((wake) => {
      this.#count += 1;
      this.#sleepers.push({ at: this.#now + milliseconds, order: this.#count, wake });
      this.#sleepers.sort((a, b) => a.at - b.at || a.order - b.order);
    });
  }

  /** Lets time pass until a piece of work ends. Gives the milliseconds that it took. */
  async take(work: Promise<unknown>): Promise<number> {
    const from = this.#now;
    let isOver = false;
    const end = () => {
      isOver = true;
    };
    const ending = work.then(end, end);
    for (;;) {
      // Whatever follows from the last moment has happened when the event loop comes round.
      await new Promise(setImmediate);
      if (isOver) break;
      const next = this.#sleepers.shift();
      if (next === undefined) throw new Error("everything waits, and for nothing");
      this.#now = next.at;
      next.wake();
    }
    await ending;
    await work;
    return this.#now - from;
  }
}

/** A port of which each call takes a time. */
export function slow<T extends object>(port: T, clock: Clock, milliseconds: () => number): T {
  return new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return async (...args: unknown[]) => {
        await clock.sleep(milliseconds());
        return Reflect.apply(member, target, args);
      };
    },
  });
}
