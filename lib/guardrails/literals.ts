/** Forms of credentials that are known by their text alone. */
const FORMS: readonly (readonly [string, RegExp])[] = [
  ["a private key", /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/],
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
  ["an AWS access key id", /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/],
  ["a Stripe key", /\b(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,}/],
  ["a Stripe webhook secret", /\bwhsec_[0-9A-Za-z+/]{24,}/],
  ["a GitHub token", /\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_\w{60,})/],
  ["a GitLab token", /\bglpat-[\w-]{20,}/],
  ["a Slack token", /\bxox[abeoprs]-[\w-]{10,}/],
  ["a SendGrid key", /\bSG\.[\w-]{16,}\.[\w-]{16,}/],
  ["a Vault token", /\bhv[sb]\.[\w-]{24,}/],
  ["a Google API key", /\bAIza[\w-]{35}/],
  ["a JSON Web Token", /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/],
  [
    "a URL with a password",
    /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"'{}$<>]*:(?!\*+@|x{3,}@)[^\s/:@"'{}$<>]{3,}@[\w.[-]/i,
  ],
];

/** Form of the credential in a text, in words; `undefined` where there is none. */
export const secretFormIn = (text: string): string | undefined =>
  FORMS.find(([, form]) => form.test(text))?.[0];

const SECRET_WORD =
  /(?:^|_)(?:passwords?|passwd|passphrase|pwd|secrets?|token|api_?key|apikey|access_?key|private_?key|signing_?key|encryption_?key|client_?secret|credentials?|hmac_?key|auth_?token)(?:_(?:base64|b64|value|string|plain|v?\d+))?$/;

/** Names that say where a secret lies, how long it lasts, or that it is one: not the secret. */
const PLACE_WORD =
  /(?:_(?:arn|id|ids|name|names|path|file|files|ref|reference|version|ttl|type|url|uri|endpoint|policies|period|field|env|key_id|expiration|lifetime|count|length|audience|issuer|header)|^existing_.*|^(?:next_token|pagination_token|idempotency_token|client_request_token))$/;

/** A name in lower case with underscores. */
const snake = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]+/g, "_")
    .toLowerCase();

/** `true` for the name of a thing that holds a secret value: `DB_PASSWORD`, `apiKey`. Not for `SECRET_ARN`. */
export function isSecretName(name: string): boolean {
  const words = snake(name);
  return SECRET_WORD.test(words) && !PLACE_WORD.test(words);
}

/** Texts that stand for no value. */
const NO_VALUE =
  /^(?:|true|false|null|none|default|changeme\?|\*+|x{3,}|<[^>]*>|\[[^\]]*\]|-?\d{1,3}|redacted|generated|disabled|enabled|optional|required)$/i;

/** Texts that name the place of a value. */
const PLACE =
  /^(?:arn:aws|\/|\.{1,2}\/|file:|https?:\/\/[^@]*$|ssm:|vault:|secretsmanager:|alias\/|\{\{|\$\(|\$[A-Za-z_]|secretRef|valueFrom)|\$\{|%\{|\{%/;

/**
 * `true` for text that could be a value: no expression, placeholder, ARN, path or URL without a password. Names in
 * the registry's form (`db/app-primary`) are places.
 */
export function isLiteralValue(text: string): boolean {
  const trimmed = text.trim();
  return !NO_VALUE.test(trimmed) && !PLACE.test(trimmed) && !/^[a-z0-9-]+(?:\/[a-z0-9-]+)+$/.test(trimmed);
}

/** Assignments in a text of lines: shell, env files, YAML, HCL. */
export const assignmentsIn = (text: string): readonly { readonly name: string; readonly value: string }[] =>
  [
    ...text.matchAll(
      /(?:^|[\s;,{(])["']?([A-Za-z_][\w.-]*)["']?[ \t]*(?:=|:[ \t])[ \t]*("[^"\n]*"|'[^'\n]*'|[^\s;,"'#]+)/gm,
    ),
  ].map(([, name = "", value = ""]) => ({ name, value: value.replace(/^(["'])(.*)\1$/, "$2") }));
