import type { Clock, Logbook } from "./ports";
import { severalAtOnce } from "./several-at-once";

/** Time in which a sweep begins with items. A function that sweeps has 900 s: the rest is for the work on the last ones. */
export const SWEEP_MS = 600_000;

/**
 * Works through all items of a function, again and again. Where a call has no time for all of them, the next one goes on with those
 * that it left, so that a slow Vault or a throttled AWS makes everything later and nothing wait for ever. A new instance of the
 * function does not know where the last one ended, and begins by chance.
 */
export class Sweep {
  readonly #clock: Pick<Clock, "now">;
  readonly #log: Pick<Logbook, "warn">;
  readonly #chance: () => number;
  /** Place of the first item that the last call did not come to. */
  #next: number | undefined;

  /** @param chance from 0 to less than 1: place where the first call begins */
  constructor(
    { clock, log }: { readonly clock: Pick<Clock, "now">; readonly log: Pick<Logbook, "warn"> },
    chance: () => number = Math.random,
  ) {
    this.#clock = clock;
    this.#log = log;
    this.#chance = chance;
  }

  /**
   * Work that fails does not keep the others from being done; its failure is thrown at the end. Items that are left for the next
   * call are counted in the log.
   */
  async over<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    const until = this.#clock.now().getTime() + SWEEP_MS;
    const first = this.#next ?? Math.floor(this.#chance() * items.length);
    const rotated = [...items.slice(first), ...items.slice(0, first)];
    let taken = 0;
    const clock = this.#clock;
    function* inTime(): Iterable<T> {
      for (const item of rotated) {
        if (clock.now().getTime() >= until) return;
        taken += 1;
        yield item;
      }
    }
    try {
      await severalAtOnce(inTime(), work, "go on");
    } finally {
      this.#next = items.length === 0 ? undefined : (first + taken) % items.length;
      const left = items.length - taken;
      if (left > 0) this.#log.warn("sweep has no time for all: the next one goes on there", { left });
    }
  }
}
