/** A text as an expression that matches it alone. */
export const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** A text with `*` and `?` as an expression. */
function expressionOf(glob: string): RegExp {
  const source = escaped(glob).replaceAll("\\*", ".*").replaceAll("\\?", ".");
  return new RegExp(`^${source}$`, "isu");
}

/** `true` when a text with wildcards covers another one; wildcards of the second are characters like others. */
export const covers = (glob: string, text: string): boolean => expressionOf(glob).test(text);

/** `true` when some text is matched by both. Upper and lower case are the same. */
export function globsMeet(first: string, second: string): boolean {
  const [a, b] = [first.toLowerCase(), second.toLowerCase()];
  // Ends of `b` that some text can reach after the first characters of `a`, all of them at once.
  let reached = closed(new Set([0]), b);
  for (const step of a) {
    const next = new Set<number>();
    for (const at of reached) {
      if (step === "*") for (let end = at; end <= b.length; end += 1) next.add(end);
      const other = b[at];
      if (other === undefined) continue;
      if (other === "*") next.add(at);
      else if (step === "?" || other === "?" || step === other) next.add(at + 1);
    }
    reached = closed(next, b);
  }
  return reached.has(b.length);
}

/** A `*` matches nothing as well. */
function closed(places: Set<number>, text: string): Set<number> {
  // Members that are added while a set is walked are walked too.
  for (const at of places) if (text[at] === "*") places.add(at + 1);
  return places;
}
