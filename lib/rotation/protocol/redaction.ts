import { SETTINGS_FIELD } from "../../model/names";

/** Text that stands in a log in place of a value. */
export const REDACTED = "[redacted]";

/** Shorter texts are words and numbers that logs are full of; no generated value is that short. */
const SHORTEST_SECRET = 8;

/** Fields of values that everybody may see and that make a log useful. */
const PUBLIC_FIELDS: ReadonlySet<string> = new Set([
  "kid",
  "id",
  "apiKeyId",
  "appKeyId",
  "alg",
  "use",
  "kty",
  "crv",
  "username",
  "host",
]);

/**
 * Redacts, in everything that is logged, every value that the function has read or made. The code never logs a value on
 * purpose; this holds when a driver, a library or a later change does.
 */
export class Redaction {
  readonly #secrets = new Set<string>();

  /** Makes a value known, with all texts inside it. */
  readonly guard = (value: unknown): void => {
    if (typeof value === "string") {
      if (value.length >= SHORTEST_SECRET) this.#secrets.add(value);
    } else if (typeof value === "object" && value !== null) {
      for (const [name, entry] of Object.entries(value)) {
        // Host names and the like: never secret, and what faults speak of.
        if (name === SETTINGS_FIELD) continue;
        if (!PUBLIC_FIELDS.has(name) || typeof entry === "object") this.guard(entry);
      }
    }
  };

  /** A text without values, in any of the forms in which they get into texts. */
  readonly redact = (text: string): string => {
    let clean = text;
    // Longest first, or a value that begins with another would leave its end behind.
    for (const secret of [...this.#secrets].sort((a, b) => b.length - a.length)) {
      for (const form of formsOf(secret)) clean = clean.replaceAll(form, REDACTED);
    }
    return clean;
  };

  /** Forgets what earlier invocations made known. */
  forget(): void {
    this.#secrets.clear();
  }
}

/** A value as it stands, inside JSON, in a URL, and in base64 by itself. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    bytes.toString("base64"),
    bytes.toString("base64url"),
  ];
}
