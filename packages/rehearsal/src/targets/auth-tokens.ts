import type { WireError } from "../shim";

/**
 * Readings of ROTATE with a token that the group accepts already. AWS's documents do not say, so rotation has to be right
 * by each of these.
 *
 * - `counts-again`: it is one of the two tokens rotated last, as any other is. A token that is the newest fills both places.
 * - `moves`: it becomes the newest, and the other one stays.
 * - `newest-refused`: refused for the newest token; an older one becomes the newest.
 * - `refused`
 */
export type SameTokenReading = "counts-again" | "moves" | "newest-refused" | "refused";

/** A request for another token, as ModifyReplicationGroup takes it. */
export interface TokenChange {
  /** `ROTATE` by default, "if no update strategy is provided". */
  readonly strategy?: string | undefined;
  readonly token: string;
}

/** Tokens that a group accepts. */
interface Accepted {
  /** The tokens rotated last, the newest at the end; two at most. */
  readonly tokens: readonly string[];
  /** "in addition to supporting connecting without authentication" */
  readonly open: boolean;
  /** ROTATE has come since the last SET: only then is SET allowed. */
  readonly rotated: boolean;
}

/**
 * The AUTH tokens of a replication group, by AWS's documents. It refuses what they refuse; quoted words are theirs.
 *
 * - https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html
 * - https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyReplicationGroup.html
 */
export class AuthTokens {
  #accepted: Accepted;
  readonly #encryptedInTransit: () => boolean;
  readonly #sameToken: SameTokenReading;

  /** @param token the token that the group was made with; without one it is open */
  constructor(
    token: string | undefined,
    {
      encryptedInTransit = () => true,
      sameToken = "counts-again",
    }: { readonly encryptedInTransit?: () => boolean; readonly sameToken?: SameTokenReading } = {},
  ) {
    this.#accepted = {
      tokens: token === undefined ? [] : [token],
      open: token === undefined,
      rotated: false,
    };
    this.#encryptedInTransit = encryptedInTransit;
    this.#sameToken = sameToken;
  }

  get accepted(): readonly string[] {
    return this.#accepted.tokens;
  }

  get open(): boolean {
    return this.#accepted.open;
  }

  /**
   * Takes a change or refuses it.
   *
   * @returns the refusal, or what makes the change take effect
   */
  change({ strategy = "ROTATE", token }: TokenChange): WireError | (() => void) {
    const refusal = this.#refusalOf(strategy, token);
    if (refusal !== undefined) return refusal;
    return () => {
      this.#accepted =
        strategy === "SET" ? { tokens: [token], open: false, rotated: false } : this.#rotatedTo(token);
    };
  }

  #rotatedTo(token: string): Accepted {
    const { tokens, open } = this.#accepted;
    // "the cluster will support the previous AUTH token in addition"; "the oldest AUTH token will also be removed".
    const before = this.#sameToken === "counts-again" ? tokens : tokens.filter((known) => known !== token);
    // Without a token before, "the cluster supports the AUTH token ... in addition to ... without authentication".
    return { tokens: [...before, token].slice(-2), open: open && tokens.length === 0, rotated: true };
  }

  #refusalOf(strategy: string, token: string): WireError | undefined {
    const { tokens, open, rotated } = this.#accepted;
    // "AUTH can only be enabled for encryption in-transit enabled ... clusters."
    if (!this.#encryptedInTransit()) {
      return combination("AUTH is only supported when encryption-in-transit is enabled");
    }
    // "Tokens, or passwords, must be 16-128 printable characters. Nonalphanumeric characters are restricted to ..."
    if (!/^[A-Za-z0-9!&#$^<>-]{16,128}$/.test(token)) return value("Invalid AuthToken provided");
    switch (strategy) {
      case "ROTATE":
        return this.#refusesAgain(token) ? value("The AUTH token is in use already") : undefined;
      case "SET":
        // "SET - allowed only after ROTATE" (API_ModifyReplicationGroup); "can only be used with a cluster that has 2 AUTH
        // tokens or 1 optional AUTH token from using a ROTATE strategy before".
        if (!rotated || !(tokens.length === 2 || open))
          return combination("SET is allowed only after ROTATE");
        // "with the --auth-token parameter with same value as the last AUTH token"
        return tokens.at(-1) === token ? undefined : value("The AUTH token is not the last one");
      case "DELETE":
        // "DELETE - allowed only when transitioning to RBAC" (API_ModifyReplicationGroup)
        return combination("DELETE is allowed only when transitioning to RBAC");
      default:
        return value(`Unknown AuthTokenUpdateStrategy ${strategy}`);
    }
  }

  #refusesAgain(token: string): boolean {
    const { tokens } = this.#accepted;
    if (this.#sameToken === "refused") return tokens.includes(token);
    return this.#sameToken === "newest-refused" && tokens.at(-1) === token;
  }
}

const value = (message: string): WireError => ({ code: "InvalidParameterValue", message });
const combination = (message: string): WireError => ({ code: "InvalidParameterCombination", message });
