/**
 * A text of a registry, a plan or a policy inside a sentence: in a code span, on one line, without anything that ends the span or a
 * table's cell. In a code span GitHub follows no mention, no link, no markup and no HTML; this is the one place that
 * makes them, so whatever a sentence of a preview holds is inert.
 *
 * https://github.github.com/gfm/#code-spans
 */
export function word(text: string | number | boolean): string {
  const inert = String(text)
    // Line ends, other control characters, and those that turn the direction of text or take no room.
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .replaceAll("`", "'")
    .replaceAll("|", "¦")
    .replaceAll("\\", "∖")
    .trim();
  const short = inert.length > LONGEST ? `${inert.slice(0, LONGEST - 1)}…` : inert;
  return `\`${short === "" ? "(empty)" : short}\``;
}

/** A role's ARN and an OIDC subject with its issuer fit in. */
const LONGEST = 300;

/** Words with commas between; the first ones where there are many. */
export function words(texts: readonly string[], most = 10): string {
  const shown = texts.slice(0, most).map(word).join(", ");
  return texts.length > most ? `${shown} and ${texts.length - most} more` : shown;
}
