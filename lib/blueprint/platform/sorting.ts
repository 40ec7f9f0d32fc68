/** Orders by a text of each entry, the same on every machine. */
export const byText =
  <T>(text: (entry: T) => string) =>
  (a: T, b: T): number =>
    text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0;
