import { type TerraformStack, Tokenization } from "cdktf";

/**
 * The engine spends most of a synth on two things that our resources do not need: a stack trace for each token, and
 * a search for tokens in every string of a document, three times over. Nothing of what the engine does is replaced
 * here: whatever holds a token, or is not plain data, goes to the engine's own function, in the order that the
 * engine asks for it. Aspects, overrides, references between stacks and subclasses see no difference.
 */

/** Set to 1 by who debugs a token and wants the engine's "created at"; synth costs a third more then. */
const TRACES = "SECRETS_REGISTRY_TOKEN_TRACES";

/**
 * Runs without stack traces of tokens. Errors keep theirs.
 *
 * The engine sets `Error.stackTraceLimit` itself around each capture, so that a limit of ours would do nothing.
 */
export function withoutTokenTraces<T>(run: () => T): T {
  if (process.env[TRACES] === "1") return run();
  const capture = Error.captureStackTrace;
  Error.captureStackTrace = (target, below) => {
    // The engine captures into plain objects.
    if (target instanceof Error) capture(target, below);
  };
  try {
    return run();
  } finally {
    Error.captureStackTrace = capture;
  }
}

const FRUGAL = Symbol.for("cdktf-secrets-registry.frugal-synthesis");

/** Methods of a stack that resolve each of its elements, the second one twice. */
const RESOLVING = ["prepareStack", "toTerraform"] as const;

/**
 * Lets a stack, ours or somebody else's, find the tokens of its elements at less cost. Its methods are called as they
 * are, overridden or not.
 */
export function synthesizeFrugally(stack: TerraformStack & { [FRUGAL]?: true }): void {
  if (stack[FRUGAL]) return;
  Object.defineProperty(stack, FRUGAL, { value: true });
  for (const name of RESOLVING) {
    const method: () => unknown = stack[name].bind(stack);
    // Not enumerable, as a method is.
    Object.defineProperty(stack, name, {
      value: () => withoutTokenTraces(() => withPlainDataCopied(method)),
      configurable: true,
      writable: true,
    });
  }
}

type Resolve = typeof Tokenization.resolve;
type EngineCall = (value: unknown) => unknown;

function withPlainDataCopied<T>(run: () => T): T {
  const engine = Tokenization.resolve;
  // Per call of the stack's method: every token of it is resolved in the scope of that stack.
  const prepared = new Set<string>();
  const resolved = new Map<string, unknown>();
  Tokenization.resolve = ((value, options) => {
    const call: EngineCall = (inner) => engine.call(Tokenization, inner, options);
    if (options.preparing === true) {
      forEachToken(value, (token) => {
        if (typeof token === "string") {
          if (prepared.has(token)) return;
          prepared.add(token);
        }
        call(token);
      });
      // The engine prepares for what resolving does to other stacks; it looks at no result.
      return value;
    }
    return copied(value, (inner) => {
      if (typeof inner !== "string") return call(inner);
      if (!resolved.has(inner)) resolved.set(inner, call(inner));
      return resolved.get(inner);
    });
  }) satisfies Resolve;
  try {
    return run();
  } finally {
    Tokenization.resolve = engine;
  }
}

/** Calls for each part of a value that the engine must see: a text with a token, or what is not plain data. */
function forEachToken(value: unknown, found: (part: unknown) => void): void {
  if (!isPlainContainer(value)) {
    if (isForEngine(value)) found(value);
  } else if (Array.isArray(value)) {
    for (const element of value) forEachToken(element, found);
  } else {
    for (const key in value) forEachToken(value[key], found);
  }
}

/**
 * Result of the engine's `resolve`: plain data copied without what is undefined, everything else by the engine.
 *
 * @param value anything that an element may hold
 * @param engine the engine's `resolve`, in the context of the call
 */
function copied(value: unknown, engine: EngineCall): unknown {
  if (!isPlainContainer(value)) return isForEngine(value) ? engine(value) : value;
  if (Array.isArray(value)) {
    return value.map((element) => copied(element, engine)).filter((element) => element !== undefined);
  }
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const inner = copied(value[key], engine);
    if (inner !== undefined) result[key] = inner;
  }
  return result;
}

/** A list or an object whose parts can be looked at one by one: it is not a token as a whole, and no name in it is one. */
function isPlainContainer(value: unknown): value is unknown[] | Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return !value.some(isListToken);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  if (typeof (value as { resolve?: unknown }).resolve === "function") return false;
  for (const key in value) if (mayHoldToken(key)) return false;
  return true;
}

/** A part that is no {@link isPlainContainer | plain container} and may mean something to the engine. */
function isForEngine(value: unknown): boolean {
  switch (typeof value) {
    case "string":
      return mayHoldToken(value);
    case "number":
      return !isPlainNumber(value);
    case "boolean":
    case "undefined":
      return false;
    default:
      return value !== null;
  }
}

/**
 * Marks of the engine's encodings (`tokens/private/encoding.js`): `${TfToken[…]}`, `#{TfToken[…]}`, `&{TfToken[…]}`; numbers, which
 * begin at 1e+288, inside of text; and what stands for a map that is not known.
 */
const mayHoldToken = (text: string): boolean =>
  text.includes("{TfToken[") || text.includes("e+") || text.endsWith("Map Token Value");

/** Tokens as numbers are below any that a document holds, as is the mark of a map (-123456789). */
const isPlainNumber = (value: number): boolean => value > -100_000_000;

const isListToken = (element: unknown): boolean =>
  (typeof element === "string" && element.includes("#{TfToken[")) ||
  (typeof element === "number" && !isPlainNumber(element));
