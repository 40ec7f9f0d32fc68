/** The process dies. */
export class Crash extends Error {
  override readonly name = "Crash";
}

interface Closable {
  close(): Promise<void>;
}

const isClosable = (value: unknown): value is Closable =>
  typeof value === "object" && value !== null && "close" in value;

/**
 * Lets a process die at one of its calls to the outside. Every port is wrapped; after the crash no call gets
 * through, and connections that were open are cut, as they are when a process ends.
 */
export class CrashPlan {
  #calls = 0;
  #dead = false;
  readonly #open: Closable[] = [];

  /** @param at number of the call, from 1; 0: never. `after`: the outside did it, the answer is lost. */
  constructor(
    readonly at: number,
    readonly when: "before" | "after",
  ) {}

  /** Calls that were made. */
  get calls(): number {
    return this.#calls;
  }

  /** A port whose calls are counted. */
  wrap<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        return async (...args: unknown[]) => {
          if (this.#dead) throw new Crash("dead");
          this.#calls += 1;
          const hit = this.#calls === this.at;
          if (hit && this.when === "before") return this.#die();
          const result: unknown = await Promise.resolve(Reflect.apply(member, target, args)).catch(
            (failure: unknown) => {
              // A refusal is an answer, too, and can get lost like any other.
              if (hit) this.#die();
              throw failure;
            },
          );
          if (isClosable(result)) this.#open.push(result);
          if (hit) return this.#die();
          return isClosable(result) ? this.wrap(result) : result;
        };
      },
    });
  }

  /** Cuts what the dead process left open. */
  async closeSessions(): Promise<void> {
    await Promise.all(this.#open.map((session) => session.close().catch(() => undefined)));
  }

  #die(): never {
    this.#dead = true;
    throw new Crash(`at call ${this.at}`);
  }
}
