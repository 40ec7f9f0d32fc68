import { SearchLimitError } from "./shortest-text";
import { ANY, both, isNone, others, sampleOf, type Texts } from "./texts";
import { isImpossible, meet, opposite, sampleValues, type Values } from "./values";

/**
 * Requests as a product: whatever is in each of its dimensions is possible together. A statement of a policy is one of these, and what
 * policies allow is made of them.
 */
export interface RequestSet {
  readonly action: Texts;
  readonly resource: Texts;
  /** Caller: an ARN, a service's name, an identity provider's ARN. */
  readonly caller: Texts;
  /** Values by condition key, in lower case, as IAM compares keys. */
  readonly keys: ReadonlyMap<string, Values>;
  /**
   * Conditions that this engine does not know, by their text, and whether each holds. The same text is the same question
   * in every policy, so that what is left unchanged is decided without knowing it.
   */
  readonly unknown: ReadonlyMap<string, boolean>;
}

/** All requests. */
export const ALL_REQUESTS: RequestSet = {
  action: ANY,
  resource: ANY,
  caller: ANY,
  keys: new Map(),
  unknown: new Map(),
};

/** One request. */
export interface ConcreteRequest {
  readonly action: string;
  readonly resource: string;
  readonly caller: string;
  /** Condition keys that are there, in lower case but for what follows a slash or a second colon. */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** Requests that are allowed: each is one that a set of each group has, and that no set of the denials has. */
export interface Allowance {
  readonly groups: readonly (readonly RequestSet[])[];
  readonly denials: readonly RequestSet[];
}

/** Nothing. */
export const NOTHING: Allowance = { groups: [[]], denials: [] };

/** A request that was looked for. */
export type Found =
  | { readonly found: "request"; readonly request: ConcreteRequest }
  /** There may be one: it depends on what stands here, which the engine does not know. */
  | { readonly found: "undecided"; readonly why: readonly string[]; readonly request: ConcreteRequest };

/** Keys that can have several values. */
const MANY = new Set([
  "aws:calledvia",
  "aws:principalorgpaths",
  "aws:principalservicenameslist",
  "aws:tagkeys",
  "dynamodb:attributes",
  "dynamodb:leadingkeys",
  "kms:encryptioncontextkeys",
]);

/** `true` where AWS lists a key as multivalued. */
export const hasManyValues = (key: string): boolean => MANY.has(key);

/** Requests of both; `undefined`: there is none. */
function together(a: RequestSet, b: RequestSet): RequestSet | undefined {
  const action = both(a.action, b.action);
  const resource = both(a.resource, b.resource);
  const caller = both(a.caller, b.caller);
  if (isNone(action) || isNone(caller) || isNone(resource)) return undefined;
  const keys = new Map(a.keys);
  for (const [key, values] of b.keys) {
    const known = keys.get(key);
    const joined = known ? meet(known, values) : values;
    if (isImpossible(joined)) return undefined;
    keys.set(key, joined);
  }
  const unknown = new Map(a.unknown);
  for (const [text, holds] of b.unknown) {
    if ((unknown.get(text) ?? holds) !== holds) return undefined;
    unknown.set(text, holds);
  }
  return { action, resource, caller, keys, unknown };
}

/** Sets that together are all requests that a set has not. What is not known comes last. */
function complement({ action, resource, caller, keys, unknown }: RequestSet): readonly RequestSet[] {
  return [
    ...others(caller).map((texts) => ({ ...ALL_REQUESTS, caller: texts })),
    ...others(action).map((texts) => ({ ...ALL_REQUESTS, action: texts })),
    ...others(resource).map((texts) => ({ ...ALL_REQUESTS, resource: texts })),
    ...[...keys].flatMap(([key, values]) =>
      opposite(values, hasManyValues(key)).map((rest) => ({ ...ALL_REQUESTS, keys: new Map([[key, rest]]) })),
    ),
    ...[...unknown].map(([text, holds]) => ({ ...ALL_REQUESTS, unknown: new Map([[text, !holds]]) })),
  ];
}

/** Hints for samples, so that a request reads like one. */
export interface Hints {
  readonly callers?: readonly string[];
  readonly resources?: readonly string[];
  readonly values?: readonly string[];
}

/**
 * A request that one side allows and the other does not; `undefined`: there is none, which is a proof. A request that is sure comes
 * before one that depends on what is not known.
 *
 * @param within requests that are asked about
 */
export function findRequest(
  within: RequestSet,
  allowed: Allowance,
  unless: Allowance,
  hints: Hints = {},
): Found | undefined {
  const searches = ([true, false] as const).flatMap((sure) =>
    // Denied by the other side, or in no set of one of its groups.
    [
      ...unless.denials.map((denial) => [[denial], []] as const),
      ...unless.groups.map((group) => [[], group] as const),
    ].map(([more, less]) => [sure, more, less] as const),
  );
  steps = 0;
  for (const [sure, more, less] of searches) {
    const start = more.reduce<RequestSet | undefined>((set, one) => set && together(set, one), within);
    if (start === undefined || (sure && start.unknown.size > 0)) continue;
    const found = inGroups(start, allowed.groups, [...allowed.denials, ...less], sure);
    if (found === undefined) continue;
    const request = requestOf(found, hints);
    return sure
      ? { found: "request", request }
      : { found: "undecided", why: [...found.unknown.keys()].sort(), request };
  }
  return undefined;
}

/** Steps of one search after which it gives up, undecided. */
const MOST_STEPS = 50_000;
let steps = 0;

function inGroups(
  set: RequestSet,
  [group, ...rest]: readonly (readonly RequestSet[])[],
  without: readonly RequestSet[],
  sure: boolean,
): RequestSet | undefined {
  if (group === undefined) return outsideOf(set, without, sure);
  for (const one of group) {
    if (sure && one.unknown.size > 0) continue;
    const narrowed = together(set, one);
    const found = narrowed && inGroups(narrowed, rest, without, sure);
    if (found) return found;
  }
  return undefined;
}

function outsideOf(set: RequestSet, without: readonly RequestSet[], sure: boolean): RequestSet | undefined {
  steps += 1;
  if (steps > MOST_STEPS) throw new SearchLimitError(`more than ${MOST_STEPS} steps`);
  const [first, ...rest] = without.filter((one) => together(set, one) !== undefined);
  if (first === undefined) return set;
  for (const part of complement(first)) {
    if (sure && part.unknown.size > 0) continue;
    const narrowed = together(set, part);
    const found = narrowed && outsideOf(narrowed, rest, sure);
    if (found) return found;
  }
  return undefined;
}

function requestOf({ action, resource, caller, keys }: RequestSet, hints: Hints): ConcreteRequest {
  const context: Record<string, string | readonly string[]> = {};
  for (const [key, values] of keys) {
    const sample = sampleValues(values, hints.values ?? []);
    if (sample === undefined) continue;
    context[key] = hasManyValues(key) ? sample : (sample[0] ?? "");
  }
  return {
    action: sampleOf(action) ?? "",
    resource: sampleOf(resource, hints.resources) ?? "",
    caller: sampleOf(caller, hints.callers) ?? "",
    context,
  };
}
