/** Fields that are no secret: ids, names, public keys, what stands in every browser. */
const PUBLIC = new Set([
  ...["username", "accessKeyId", "apiKeyId", "appKeyId", "clientId", "publishableKey", "sessionPolicy", "id"],
  ...["jwks", "kid", "kty", "crv", "alg", "use", "x", "y", "n", "e"],
]);

/** The secret texts of values, each once. */
export const secretTexts = (values: readonly unknown[]): readonly string[] => [
  ...new Set(values.flatMap((value) => textsOf(value))),
];

function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return value.length < 12 ? [] : [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([field, inner]) => (PUBLIC.has(field) ? [] : textsOf(inner)));
}

/** Forms in which a text may be written: as it is, in JSON, in a URL, and in base64 at any of its three offsets. */
export const formsOf = (text: string): readonly string[] => [
  ...new Set([
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    ...[0, 1, 2].map((offset) =>
      // The first and the last group of four depend on what is beside the text.
      Buffer.from(`${" ".repeat(offset)}${text}`)
        .toString("base64")
        .slice(4, -4),
    ),
  ]),
];

/** Names of the places in which some secret text stands. Never the text. */
export function placesWith(texts: readonly string[], places: ReadonlyMap<string, string>): readonly string[] {
  const forms = texts.flatMap(formsOf);
  return [...places]
    .filter(([, content]) => forms.some((form) => content.includes(form)))
    .map(([name]) => name);
}
