import type { Fault } from "../../../lib/model";
import type { Draft } from "../sample";

/** Steps of a fault's path: `secrets["db/ro"].environments.dev.clusters[0]`. */
const stepsOf = (path: string): readonly (string | number)[] =>
  [...path.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g)].map(([, index, quoted, word]) =>
    index === undefined ? (quoted ?? word ?? "") : Number(index),
  );

/** Text that the advice gives in quotes. */
const writtenBy = (change: string): string | undefined =>
  /^(?:did you mean|write|use|choose) "([^"]+)"/.exec(change)?.[1];

/** First of what is allowed, where the advice is to choose. */
const chosenFrom = (change: string, allowed: string): string | undefined =>
  change === "choose one of them" ? /^(?:one of )?([\w-]+)(?:, | or |$)/.exec(allowed)?.[1] : undefined;

/** Example that stands with what is allowed, in place of a text: `such as controller.podAnnotations`. */
const exampleOf = (found: string, allowed: string): string | undefined =>
  found.startsWith('"') ? /\b(?:such as|for example) ([^\s,;]+)(?:[,;] |$)/.exec(allowed)?.[1] : undefined;

/**
 * Does what a fault's advice says in words that a machine can follow: to remove what it is about, or to write a certain text in
 * its place, one of a list, or the example of what is allowed.
 *
 * @returns `false` where a person has to think
 */
export function followAdvice(definition: Draft, { path, found, allowed, change }: Fault): boolean {
  const steps = stepsOf(path);
  const last = steps.at(-1);
  const holder = steps.slice(0, -1).reduce<Draft>((at, step) => at?.[step], definition);
  if (last === undefined || holder === undefined || holder === null) return false;
  if (/^remove (it|one of them)\b|^rename or remove it/.test(change)) {
    // A list closes the gap.
    if (Array.isArray(holder) && typeof last === "number") holder.splice(last, 1);
    else if (last in holder) delete holder[last];
    else return false;
    return true;
  }
  const written = writtenBy(change) ?? chosenFrom(change, allowed) ?? exampleOf(found, allowed);
  if (written === undefined || !(last in holder)) return false;
  if (found === "a setting that does not exist") {
    holder[written] = holder[last];
    delete holder[last];
    return true;
  }
  if (holder[last] !== null && typeof holder[last] === "object") return false;
  holder[last] = written;
  return true;
}
