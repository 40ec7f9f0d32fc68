import type { Clock } from "./ports";

/** Items under work at a time: AWS and Vaults have their limits, a function has its time. */
const AT_ONCE = 8;

/** Time in which a sweep begins with items. A function that sweeps has 900 s: the rest is for the work on the last ones. */
export const SWEEP_MS = 600_000;

/**
 * Works through all items of a function, again and again. Where a call has no time for all of them, the next one goes on with those
 * that it left, so that a slow Vault or a throttled AWS makes everything later and nothing wait for ever. A new instance of the
 * function does not know where the last one ended, and begins by chance.
 */
export class Sweep {
  readonly #clock: Pick<Clock, "now">;
  readonly #chance: () => number;
  /** Place of the first item that the last call did not come to. */
  #next: number | undefined;

  /** @param chance from 0 to less than 1: place where the first call begins */
  constructor(clock: Pick<Clock, "now">, chance: () => number = Math.random) {
    this.#clock = clock;
    this.#chance = chance;
  }

  /**
   * Work that fails does not keep the others from being done; its failure is thrown at the end.
   *
   * @returns number of items that are left for the next call
   */
  async over<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<number> {
    const until = this.#clock.now().getTime() + SWEEP_MS;
    const first = this.#next ?? Math.floor(this.#chance() * items.length);
    const failures: unknown[] = [];
    let taken = 0;
    const worker = async (): Promise<void> => {
      while (taken < items.length && this.#clock.now().getTime() < until) {
        const item = items[(first + taken) % items.length] as T;
        taken += 1;
        await work(item).catch((failure: unknown) => failures.push(failure));
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
    this.#next = items.length === 0 ? undefined : (first + taken) % items.length;
    if (failures.length > 0) throw failures[0];
    return items.length - taken;
  }
}
