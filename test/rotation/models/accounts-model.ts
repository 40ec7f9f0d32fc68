import * as z from "zod/mini";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import type { AcceptingTarget } from "../../../lib/rotation/protocol/target";

const schema = z.strictObject({ username: z.enum(["a", "b"]), password: z.string() });

/** The value of the model's kind. */
export type Account = z.output<typeof schema>;

/** The outside of {@link accountsTarget}: two accounts, asynchronous so that a crash can come between. */
export class AccountsServer {
  readonly #passwords = new Map<string, string>();

  async allow({ username, password }: Account): Promise<void> {
    this.#passwords.set(username, password);
  }

  async forbid(username: string): Promise<void> {
    this.#passwords.delete(username);
  }

  async accepts({ username, password }: Account): Promise<boolean> {
    return this.lets({ username, password });
  }

  /** Credentials that are accepted now. */
  get accepted(): readonly string[] {
    return [...this.#passwords].map(([username, password]) => `${username} ${password}`);
  }

  /** The same for a test that looks at it from outside. */
  lets({ username, password }: Account): boolean {
    return this.#passwords.get(username) === password;
  }
}

/** The smallest target with two alternating accounts. */
export function accountsTarget(
  server: Pick<AccountsServer, "allow" | "forbid" | "accepts">,
  newPassword: () => string,
): AcceptingTarget<Account> {
  return {
    acceptedBy: "target",
    schema,
    generate: async (predecessor) => ({
      username: predecessor?.username === "a" ? "b" : "a",
      password: newPassword(),
    }),
    checkSuccession(pending, predecessor) {
      if (pending.username === predecessor?.username) {
        throw new RotationError("stale-version", "the account is in use");
      }
    },
    install: (pending) => server.allow(pending),
    async test(value) {
      if (!(await server.accepts(value))) throw new RotationError("target-refused", value.username);
    },
    async retire({ retired, kept }) {
      if (!kept.some(({ username }) => username === retired.username)) await server.forbid(retired.username);
    },
  };
}
