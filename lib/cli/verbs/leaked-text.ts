import { normalised, SHORTEST_TEXT, textDigest } from "../../contracts/secret-texts";

/** Texts that are tried at most: a line of a log has few, and each costs a call for every value of the environment. */
const MOST_CANDIDATES = 16;

/**
 * Digests of the texts that a leaked text may be, or hold: it as it is, the texts of a JSON document, the password of a URL, what
 * follows a name (`PASSWORD=…`, `Authorization: Bearer …`), quotes taken off, and what base64 stands for. Nobody gets the texts themselves.
 *
 * @param leaked as it was found
 */
export function digestsOfLeaked(leaked: string): readonly string[] {
  const candidates = new Set<string>();
  const add = (text: string | undefined): void => {
    const clean = text === undefined ? "" : normalised(text);
    if (clean.length >= SHORTEST_TEXT && candidates.size < MOST_CANDIDATES) candidates.add(clean);
  };
  const text = normalised(leaked);
  add(text);
  for (const inner of jsonTexts(text)) add(inner);
  add(passwordOf(text));
  const assigned = /^[\w.-]{1,128}\s*[=:]\s*(?:(?:Basic|Bearer)\s+)?(.+)$/s.exec(text)?.[1];
  add(assigned);
  for (const found of [...candidates]) {
    const unquoted = /^(["'])(.*)\1[,;]?$/s.exec(found)?.[2];
    add(unquoted);
    add(passwordOf(unquoted ?? found));
    add(decoded(unquoted ?? found));
  }
  return [...candidates].map(textDigest);
}

function jsonTexts(text: string): readonly string[] {
  try {
    const texts: string[] = [];
    JSON.parse(text, (_, value: unknown) => {
      if (typeof value === "string") texts.push(value);
      return value;
    });
    return texts;
  } catch {
    return [];
  }
}

function passwordOf(text: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  try {
    return decodeURIComponent(new URL(text).password);
  } catch {
    return undefined;
  }
}

/** Text that base64 stands for: a Kubernetes Secret, a Basic header. */
function decoded(text: string): string | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const plain = Buffer.from(text, "base64").toString("utf8");
  return /^[\t\n\r -~]+$/.test(plain) ? plain : undefined;
}
