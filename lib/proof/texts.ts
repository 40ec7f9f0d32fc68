import { type Pattern, parsePattern } from "./pattern";
import { shortestText } from "./shortest-text";

/**
 * A set of texts: those of a list, or all but a list, that match one pattern of each of some groups and none of others. Closed under
 * intersection; its complement is a union of such sets. No text is empty, as IAM takes an empty value for none.
 */
export interface Texts {
  /** Nothing but these; `undefined`: any. */
  readonly only?: ReadonlySet<string>;
  /** Texts that are not in the set. */
  readonly not: ReadonlySet<string>;
  /** One pattern of each group matches. */
  readonly like: readonly PatternGroup[];
  /** No pattern of any group matches. */
  readonly unlike: readonly PatternGroup[];
}

/** Patterns of which one has to match. */
export interface PatternGroup {
  /** The same patterns have the same. */
  readonly id: string;
  readonly patterns: readonly Pattern[];
}

const EMPTY: ReadonlySet<string> = new Set();

/** Every text. */
export const ANY: Texts = { not: EMPTY, like: [], unlike: [] };

/** Texts of a list. */
export const oneOf = (texts: Iterable<string>): Texts => ({ ...ANY, only: new Set(texts) });

/** Texts that match one of some patterns, `*` any characters, `?` one; a list where none has a wildcard. */
export function matching(patterns: readonly string[], form: Pattern["form"] = "text"): Texts {
  if (!patterns.some((pattern) => /[*?]/.test(pattern))) return oneOf(patterns);
  if (form === "text" && patterns.includes("*")) return ANY;
  const sorted = [...new Set(patterns)].sort();
  const id = `${form} ${sorted.join("\n")}`;
  const before = groups.get(id);
  if (before) return before;
  const made = { ...ANY, like: [{ id, patterns: sorted.map((text) => parsePattern(text, form)) }] };
  if (groups.size > MOST_GROUPS) groups.clear();
  groups.set(id, made);
  return made;
}

const MOST_GROUPS = 10_000;
const groups = new Map<string, Texts>();

/** Texts of both. */
export function both(a: Texts, b: Texts): Texts {
  if (a === ANY) return b;
  if (b === ANY) return a;
  const like = joined(a.like, b.like);
  const unlike = joined(a.unlike, b.unlike);
  const only = a.only ?? b.only;
  if (only === undefined) return { not: union(a.not, b.not), like, unlike };
  const all: Texts = { not: union(a.not, b.not), like, unlike };
  const second = a.only && b.only;
  return oneOf([...only].filter((text) => (second?.has(text) ?? true) && has(all, text)));
}

const union = (a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> =>
  a.size === 0 || a === b ? b : b.size === 0 ? a : new Set([...a, ...b]);

const joined = (a: readonly PatternGroup[], b: readonly PatternGroup[]): readonly PatternGroup[] =>
  a.length === 0 ? b : [...a, ...b.filter(({ id }) => !a.some((group) => group.id === id))];

/** Sets that together are all texts that are not in this one. */
export const others = ({ only, not, like, unlike }: Texts): readonly Texts[] => [
  ...(only ? [{ ...ANY, not: only }] : []),
  ...(not.size > 0 ? [{ ...ANY, only: not }] : []),
  ...like.map((group): Texts => ({ ...ANY, unlike: [group] })),
  ...unlike.map((group): Texts => ({ ...ANY, like: [group] })),
];

/** `true` where a text is in the set. */
function has({ only, not, like, unlike }: Texts, text: string): boolean {
  const matches = ({ patterns }: PatternGroup): boolean =>
    patterns.some(({ expression }) => expression.test(text));
  return (only?.has(text) ?? true) && !not.has(text) && like.every(matches) && !unlike.some(matches);
}

/** A text of the set, one of the hints where one fits; `undefined`: there is none. */
export function sampleOf(texts: Texts, hints: readonly string[] = []): string | undefined {
  const { only, not, like, unlike } = texts;
  if (only) return hints.find((hint) => has(texts, hint)) ?? [...only].find((text) => has(texts, text));
  const hint = hints.find((candidate) => has(texts, candidate));
  if (hint !== undefined) return hint;
  if (like.length === 0 && unlike.length === 0) {
    for (let n = 1; ; n += 1) if (!not.has(`another-${n}`)) return `another-${n}`;
  }
  const wanted = like.map(({ patterns }) => patterns);
  const unwanted = unlike.map(({ patterns }) => patterns);
  // Long lists of single texts cost much and seldom matter.
  const first = shortestText(wanted, unwanted);
  if (first === undefined || !not.has(first)) return first;
  return shortestText(wanted, [...unwanted, [...not].map((text) => parsePattern(text, "exact"))]);
}

const known = new Map<string, boolean>();

/** `true` where no text is in the set. */
export function isNone(texts: Texts): boolean {
  const { only, not, like, unlike } = texts;
  if (only) return ![...only].some((text) => has(texts, text));
  // One pattern with a wildcard has more texts than any list.
  if (like.length <= 1 && unlike.length === 0) return false;
  const id = JSON.stringify([[...not], like.map((group) => group.id), unlike.map((group) => group.id)]);
  const before = known.get(id);
  if (before !== undefined) return before;
  const none = sampleOf(texts) === undefined;
  known.set(id, none);
  return none;
}
