import type { Random } from "../protocol/ports";

/**
 * Letters and digits: no target, shell, URL or template gives any of them a meaning of its own, and a longer
 * text makes up for the symbols (48 of them carry 285 bits).
 */
const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/**
 * A random text in which every character is equally likely at every place.
 *
 * @param alphabet at most 256 characters, each once
 */
export function randomText(random: Random, length: number, alphabet = ALPHANUMERIC): string {
  // A byte beyond the last whole multiple would favour the first letters, so it is thrown away.
  const limit = 256 - (256 % alphabet.length);
  let text = "";
  while (text.length < length) {
    for (const byte of random.bytes(length * 2)) {
      if (byte < limit && text.length < length) text += alphabet.charAt(byte % alphabet.length);
    }
  }
  return text;
}
