/** Signals by which a terminal or a supervisor ends a program. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Time within which a repeated signal is an echo: a program that passes signals on, as npm and tsx do, sends the same one again at once. */
const ECHO_MS = 1_000;

const ignored = (): void => undefined;

/**
 * Ends a program in order when a signal asks for it: cleans up, then dies of the same signal, so that the caller sees it.
 * A second SIGINT or SIGTERM ends it at once; the servers' watchdog then does what is left.
 */
export class Interruption {
  readonly #cleanUp: () => Promise<void>;
  #ended: Promise<void> | undefined;
  /** Set while a person is expected to end the program: then that is no interruption. */
  #expected: (() => void) | undefined;

  /** @param cleanUp called once, when the first signal comes */
  constructor(cleanUp: () => Promise<void>) {
    this.#cleanUp = cleanUp;
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  get isUnderWay(): boolean {
    return this.#ended !== undefined;
  }

  /** Resolves when the next signal comes, which then has done all it does. */
  awaited(): Promise<void> {
    return new Promise((resolve) => {
      // Signals do not keep a process alive.
      const alive = setInterval(() => undefined, 60_000);
      this.#expected = () => {
        clearInterval(alive);
        resolve();
      };
    });
  }

  /** From now on signals do again what they do by default. Never resolves in a process that a signal has ended. */
  async over(): Promise<void> {
    await this.#ended;
    this.#forget();
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.#forget();
    if (this.#expected) {
      this.#expected();
      return;
    }
    for (const other of SIGNALS) process.on(other, ignored);
    const heed = (...signals: readonly NodeJS.Signals[]): void => {
      for (const other of signals) process.off(other, ignored);
    };
    // A terminal that closes meanwhile is no second wish.
    setTimeout(() => heed("SIGINT", "SIGTERM"), ECHO_MS).unref();
    const die = (): Promise<void> => {
      heed(...SIGNALS);
      process.kill(process.pid, signal);
      return new Promise(() => undefined);
    };
    this.#ended = this.#cleanUp().then(die, die);
  };

  #forget(): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }
}
