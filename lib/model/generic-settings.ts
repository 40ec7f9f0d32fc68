import * as z from "zod/mini";
import { oneLine } from "./grammar";
import { certificatePem, hostName, portNumber, postgresqlName, resourceUrl } from "./server-grammar";

/** Characters of each class of a generated password. Symbols: RFC 3986's unreserved ones, which mean nothing in a URL. */
export const CHARACTER_CLASSES = {
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  lower: "abcdefghijklmnopqrstuvwxyz",
  digit: "0123456789",
  symbol: "-._~",
} as const;

/** Least strength of a secret that protects anything today (NIST SP 800-131A Rev. 2). */
const LEAST_BITS = 112;

const passwordRule = () =>
  z
    .strictObject({
      how: z.literal("password"),
      /** Number of characters. Default: 48. */
      length: z._default(z.int().check(z.gte(8), z.lte(256)), 48),
      /** Classes of characters, each of which is in every password. Default: upper, lower, digit. */
      characters: z.pipe(
        z._default(z.array(z.enum(["upper", "lower", "digit", "symbol"])).check(z.minLength(1)), [
          "upper",
          "lower",
          "digit",
        ]),
        z.transform((classes) => [...new Set(classes)].sort()),
      ),
      /** Characters of class `symbol`, where a target takes only some. Default: `-._~`. */
      symbols: z.optional(
        z.string().check(
          z.refine((value) => /^[!-/:-@[-`{-~]+$/.test(value) && new Set(value).size === value.length, {
            params: {
              allowed: "ASCII punctuation, each character once",
              change: "leave out letters, digits, spaces and repetitions",
            },
            message: "symbols",
          }),
        ),
      ),
    })
    .check(
      z.superRefine(({ length, characters, symbols }, context) => {
        if (symbols !== undefined && !characters.includes("symbol")) {
          context.addIssue({
            code: "custom",
            path: ["symbols"],
            params: {
              allowed: "symbols with class symbol in characters only",
              change: "add the class, or remove symbols",
            },
          });
        }
        const alphabet = alphabetOf({ characters, symbols }).join("").length;
        const least = Math.ceil(LEAST_BITS / Math.log2(alphabet));
        if (length < least) {
          context.addIssue({
            code: "custom",
            path: ["length"],
            params: {
              allowed: Number.isFinite(least)
                ? `at least ${least} characters out of ${alphabet}: ${LEAST_BITS} bits`
                : "more than one character to choose from",
              change: Number.isFinite(least)
                ? "lengthen it, or add a class of characters"
                : "add a class of characters, or more symbols",
            },
          });
        }
      }),
    );

/** The characters of each class that a password rule names. */
export const alphabetOf = (rule: Pick<PasswordRule, "characters" | "symbols">): readonly string[] =>
  rule.characters.map((name) => (name === "symbol" && rule.symbols) || CHARACTER_CLASSES[name]);

const bytesRule = () =>
  z.strictObject({
    how: z.literal("bytes"),
    /** Number of random bytes. Default: 32. */
    bytes: z._default(z.int().check(z.gte(16), z.lte(1_024)), 32),
    /** Their encoding (RFC 4648; base64url without padding). Default: base64. */
    encoding: z._default(z.enum(["base64", "base64url", "hex"]), "base64"),
  });

/** Rule by which a field is made: a password of classes of characters, or bytes as text. */
export const generationRule = () => z.discriminatedUnion("how", [passwordRule(), bytesRule()]);

/** Rule by which a field is made. */
export type GenerationRule = z.output<ReturnType<typeof generationRule>>;
/** A password of classes of characters. */
export type PasswordRule = z.output<ReturnType<typeof passwordRule>>;

/**
 * `true` when the rules make a whole value. Where they do not and rotation is `operator-assisted`, a person supplies it.
 */
export const rulesMakeValue = (settings: {
  readonly fields: readonly string[];
  readonly generate: Readonly<Record<string, GenerationRule>>;
}): boolean => settings.fields.every((name) => Object.hasOwn(settings.generate, name));

/** Name of a field of the value. */
const field = oneLine;
/** Name of a field of the value, or of an entry of `config`. */
const fieldOrConfig = oneLine;

/** Headers that HTTP itself or the client sets. */
const TAKEN_HEADERS =
  /^(accept-encoding|connection|content-length|host|te|trailer|transfer-encoding|upgrade)$/i;

const headerFields = () =>
  z.pipe(
    z.record(z.string(), field).check(
      z.refine((headers) => Object.keys(headers).length > 0, {
        params: { allowed: "at least one header", change: "name the header and the field" },
        message: "empty",
      }),
      z.refine(
        (headers) => {
          const names = Object.keys(headers);
          return (
            names.every((name) => /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && !TAKEN_HEADERS.test(name)) &&
            new Set(names.map((name) => name.toLowerCase())).size === names.length
          );
        },
        {
          params: {
            allowed: "names of HTTP headers that carry a credential, each once",
            change: "use the name from the target's documentation, such as X-Api-Key",
          },
          message: "header",
        },
      ),
    ),
    z.transform((headers) =>
      Object.fromEntries(Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1))),
    ),
  );

const httpCheck = () =>
  z.strictObject({
    how: z.literal("http"),
    /** Resource that only holders of the credential get. */
    url: resourceUrl,
    /** Safe methods only (RFC 9110, 9.2.1): a check is made several times in a rotation. Default: GET. */
    method: z._default(z.enum(["GET", "HEAD"]), "GET"),
    /** Presentation of the credential: which fields, and where. */
    auth: z.discriminatedUnion("scheme", [
      /** `Authorization: Bearer` (RFC 6750). */
      z.strictObject({ scheme: z.literal("bearer"), tokenField: field }),
      /** `Authorization: Basic` (RFC 7617). */
      z.strictObject({
        scheme: z.literal("basic"),
        /** Field, or entry of `config`, with the user name. */
        usernameFrom: fieldOrConfig,
        passwordField: field,
      }),
      /** Headers of the target's own, by name: the field that each carries. */
      z.strictObject({ scheme: z.literal("header"), headers: headerFields() }),
    ]),
    expect: z.prefault(
      z.strictObject({
        /** Status of a good answer. Default: 200. */
        status: z._default(z.int().check(z.gte(200), z.lte(299)), 200),
        /** Text that is in the first 64 KiB of a good answer. Default: none, any body is good. */
        bodyIncludes: z.optional(oneLine),
        /** Status by which the target refuses a credential. Default: 401. */
        refusedStatus: z._default(z.int().check(z.gte(400), z.lte(499)), 401),
      }),
      {},
    ),
    /** CA of the server's certificate in PEM, when it is not a public one. */
    caPem: z.optional(certificatePem),
  });

const sqlCheck = () =>
  z.strictObject({
    how: z.literal("sql"),
    /** PostgreSQL server. TLS with a verified host name always. */
    host: hostName,
    port: z._default(portNumber, 5432),
    database: postgresqlName,
    /** CA of the server's certificate in PEM, when it is not a public one (Amazon RDS's is not). */
    caPem: z.optional(certificatePem),
    /** Field, or entry of `config`, with the user name. */
    usernameFrom: fieldOrConfig,
    passwordField: field,
    /** One query, run in a read-only transaction; it must give a row. Default: `SELECT 1`. */
    statement: z._default(
      z.string().check(
        z.refine((value) => /^SELECT [^;\r\n]{1,1000}$/i.test(value), {
          params: {
            allowed: "one SELECT in one line, without semicolon",
            change: "write a query that shows the login's right and changes nothing",
          },
          message: "statement",
        }),
      ),
      "SELECT 1",
    ),
    expect: z.optional(
      z.strictObject({
        /** Text of the first column of the first row. */
        firstColumn: oneLine,
      }),
    ),
  });

/** Check of a value at its target: by an HTTP request or by a query on PostgreSQL. */
export const genericCheck = () => z.discriminatedUnion("how", [httpCheck(), sqlCheck()]);

/** Check of a value at its target. */
export type GenericCheck = z.output<ReturnType<typeof genericCheck>>;
/** Check by an HTTP request. */
export type HttpCheck = z.output<ReturnType<typeof httpCheck>>;
/** Check by a query on PostgreSQL. */
export type SqlCheck = z.output<ReturnType<typeof sqlCheck>>;

/** Settings of a check that name fields, for rules: the path of each below `check`. */
export interface CheckNames {
  /** Fields of the value. */
  readonly fields: readonly { readonly path: readonly string[]; readonly name: string }[];
  /** Source of the user name: a field or an entry of `config`. */
  readonly username: { readonly path: readonly string[]; readonly name: string } | undefined;
}

/** The names in a check that must be those of fields or of `config`. */
export function namesInCheck(check: GenericCheck): CheckNames {
  if (check.how === "sql") {
    return {
      fields: [{ path: ["passwordField"], name: check.passwordField }],
      username: { path: ["usernameFrom"], name: check.usernameFrom },
    };
  }
  const { auth } = check;
  switch (auth.scheme) {
    case "bearer":
      return { fields: [{ path: ["auth", "tokenField"], name: auth.tokenField }], username: undefined };
    case "basic":
      return {
        fields: [{ path: ["auth", "passwordField"], name: auth.passwordField }],
        username: { path: ["auth", "usernameFrom"], name: auth.usernameFrom },
      };
    case "header":
      return {
        fields: Object.entries(auth.headers).map(([header, name]) => ({
          path: ["auth", "headers", header],
          name,
        })),
        username: undefined,
      };
  }
}
