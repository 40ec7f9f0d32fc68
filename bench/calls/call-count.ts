import { SecretsManagerStore } from "../../lib/rotation/adapters/secrets-manager-store";
import { CrashPlan } from "../../test/rotation/models/crash-plan";
import { PublicationsModel } from "../../test/rotation/models/rehearsed-secret";

/** Calls to the outside, by where they go. */
export interface Calls {
  readonly secretsManager: number;
  readonly dynamoDb: number;
  readonly target: number;
}

/** Ends of sessions and look-ups of names in DNS are no calls. */
const FREE = ["close", "nodes"];

/** Counts the calls on the ports of a function; never lets it crash. */
export class CallCount extends CrashPlan {
  readonly #counts = { secretsManager: 0, dynamoDb: 0, target: 0 };

  constructor() {
    super(0, "before");
  }

  get counts(): Calls {
    return { ...this.#counts };
  }

  override wrap<T extends object>(port: T): T {
    const place =
      port instanceof SecretsManagerStore
        ? "secretsManager"
        : port instanceof PublicationsModel
          ? "dynamoDb"
          : "target";
    return new Proxy(port, {
      get: (inner, name) => {
        const member: unknown = Reflect.get(inner, name, inner);
        if (typeof member !== "function") return member;
        return async (...args: unknown[]) => {
          if (!FREE.includes(String(name))) this.#counts[place] += 1;
          const result: unknown = await Reflect.apply(member, inner, args);
          // A session: what is asked in it are calls, too.
          return typeof result === "object" && result !== null && "close" in result
            ? this.wrap(result)
            : result;
        };
      },
    });
  }
}
