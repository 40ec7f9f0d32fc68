import { createHash } from "node:crypto";
import { canonicalJson } from "../model/canonical-json";
import { SETTINGS_FIELD } from "../model/names";

/**
 * Secret texts inside a value, and the message whose MAC is the fingerprint of one: functions make it by a value, and
 * `secrets-registry whose` by a text that was found somewhere.
 */

/** Characters of a text at least; shorter ones are words and numbers: no generated value is that short, and too many values would share one. */
export const SHORTEST_TEXT = 8;

/** Texts of one value that get a fingerprint: values of all kinds have fewer than ten. */
const MOST_TEXTS = 64;

/** Fields that name a credential and are none. */
const NAMES: ReadonlySet<string> = new Set(["alg", "crv", "host", "id", "kid", "kty", "use", "username"]);

/** Members of a public JWK (RFC 7518, section 6), and the JWKS: anybody may have them. */
const PUBLIC_MEMBERS: ReadonlySet<string> = new Set(["e", "n", "x", "y"]);
const PUBLIC_SETS: ReadonlySet<string> = new Set(["jwks"]);

/**
 * Secret texts of a value by their place in it: `password`, `current.key`. Names, public halves of keys and texts of fewer
 * than eight characters are left out.
 *
 * @param value a value as its JSON says
 */
export function secretTexts(value: unknown): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  const walk = (entry: unknown, path: readonly string[]): void => {
    if (typeof entry === "string") {
      const text = normalised(entry);
      if (text.length >= SHORTEST_TEXT && texts.size < MOST_TEXTS) texts.set(freePlace(path, texts), text);
    } else if (typeof entry === "object" && entry !== null) {
      const isJwk = "kty" in entry;
      for (const [name, inner] of Object.entries(entry)) {
        const isOpen =
          name === SETTINGS_FIELD ||
          PUBLIC_SETS.has(name) ||
          (typeof inner === "string" && (NAMES.has(name) || (isJwk && PUBLIC_MEMBERS.has(name))));
        if (!isOpen) walk(inner, [...path, name]);
      }
    }
  };
  walk(value, []);
  return texts;
}

/** Path of a text; a value that is a text by itself is `value`, and a field without a name is `_`. */
const placeOf = (path: readonly string[]): string =>
  path.length === 0 ? "value" : path.join(".").replace(/[^A-Za-z0-9._-]/g, "_") || "_";

/** Characters of a place at most. */
const PLACE_LENGTH = 128;

/** Place of a text that no other text has: `a b` and `a/b` are two fields, `a_b` and `a_b-2`. */
function freePlace(path: readonly string[], taken: ReadonlyMap<string, string>): string {
  const place = placeOf(path);
  for (let number = 1; ; number += 1) {
    const suffix = number === 1 ? "" : `-${number}`;
    const free = place.slice(0, PLACE_LENGTH - suffix.length) + suffix;
    if (!taken.has(free)) return free;
  }
}

/** A text as it is compared: copies of keys in PEM differ in the ends of their lines, and most copies in a last line's end. */
export const normalised = (text: string): string => text.replaceAll("\r\n", "\n").trim();

/** Digest of a text: its SHA-256 in hexadecimal. Longer texts than KMS takes are signed by it. */
export const textDigest = (text: string): string => createHash("sha256").update(text).digest("hex");

/**
 * Message whose MAC is the fingerprint of one text of a secret's value. A list of texts as JSON can be read in one way only,
 * and its first word keeps it apart from whatever else the key signs. The place is no part of it: a key that moves from
 * `next` to `current` keeps its fingerprint.
 *
 * @param digest of the text: {@link textDigest}
 */
export const textMessage = (kind: string, key: string, digest: string): Uint8Array =>
  Buffer.from(canonicalJson(["secret-text", kind, key, digest]));
