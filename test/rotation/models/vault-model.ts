import type { VaultEntry, VaultSession } from "../../../lib/rotation/mirror/mirror-ports";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";

const NOTHING: VaultEntry = { number: 0, data: undefined };

/** One Vault's KV v2 in memory, where check-and-set is required. */
export class VaultModel {
  readonly #entries = new Map<string, VaultEntry>();
  away = false;
  /** The next write is answered by silence, and done later all the same. */
  late = false;
  /** Writes that were done, in their order. */
  readonly written: Readonly<Record<string, unknown>>[] = [];

  constructor(readonly name: string) {}

  at(path: string): VaultEntry {
    return this.#entries.get(path) ?? NOTHING;
  }

  /** Changes data as a person with rights does. */
  tamper(path: string, data: Readonly<Record<string, unknown>> | undefined): void {
    this.#entries.set(path, { number: this.at(path).number + 1, data });
  }

  /** @param later does something at a time of its own */
  session(later: (work: () => void) => unknown): VaultSession {
    const put = (path: string, data: Readonly<Record<string, unknown>>, number: number) => {
      if (this.at(path).number !== number) throw new RotationError("vault-write-conflict", this.name);
      this.#entries.set(path, { number: number + 1, data });
      this.written.push(data);
    };
    return {
      read: async (path) => {
        this.#answer();
        return this.at(path);
      },
      write: async (path, data, number) => {
        this.#answer();
        if (!this.late) return put(path, data, number);
        this.late = false;
        later(() => {
          try {
            put(path, data, number);
          } catch {
            // Nobody is there to hear of the conflict.
          }
        });
        throw new RotationError("target-unreachable", this.name, "timeout");
      },
      rotateRoot: async () => this.#answer(),
      close: async () => undefined,
    };
  }

  #answer(): void {
    if (this.away) throw new RotationError("vault-sealed", this.name);
  }
}
