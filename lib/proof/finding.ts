import type { Found } from "./request-set";

/** A request that becomes possible, or may. */
export interface Finding {
  /** `possible`: this request is allowed. `undecided`: it depends on what the engine does not know. */
  readonly is: "possible" | "undecided";
  readonly way: AccessWay;
  /** Key of the secret, name of the role, function or policy that the request is about. */
  readonly about: string;
  /** ARN, service or token that asks. */
  readonly caller: string;
  readonly action: string;
  readonly resource: string;
  /** Condition keys of the request. */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
  /** Parts of policies that are beyond the grammar; empty for what is possible. */
  readonly because: readonly string[];
}

/** Ways by which access comes about. */
export type AccessWay =
  | "secret"
  | "key"
  | "trust"
  | "token of two roles"
  | "role of another"
  | "code or call of a function"
  | "pod identity"
  | "Vault";

/** A search that gave up decides nothing. */
export interface GaveUp {
  readonly found: "gave up";
  readonly why: string;
}

/** A finding from what a search found. Actions are compared in lower case, and read as AWS writes them. */
export function findingOf(
  way: AccessWay,
  about: string,
  found: Found | GaveUp,
  actions: readonly string[],
): Finding {
  if (found.found === "gave up") {
    return {
      is: "undecided",
      way,
      about,
      caller: "anybody",
      action: actions[0] ?? "",
      resource: about,
      context: {},
      because: [found.why],
    };
  }
  const { action, caller, resource, context } = found.request;
  return {
    is: found.found === "request" ? "possible" : "undecided",
    way,
    about,
    caller,
    action: actions.find((one) => one.toLowerCase() === action) ?? action,
    resource,
    context,
    because: found.found === "undecided" ? found.why : [],
  };
}
