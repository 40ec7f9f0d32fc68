import { type KindName, traitsOf } from "./kinds";
import type { ParsedFile } from "./secret-definition";

/** `true` when a kind's value has a field that may be given to anyone. */
export const hasPublicField = (kind: KindName): boolean =>
  traitsOf(kind).fields.some((field) => field.public);

/** Files of a secret whose author names none: JSON, and for a signing key its public half on its own. */
export const defaultFilesOf = (kind: KindName): readonly ParsedFile[] =>
  hasPublicField(kind) ? [{ format: "json" }, { format: "public" }] : [{ format: "json" }];

const ENDINGS = { json: "json", env: "env", public: "jwks.json", template: "txt" } as const;

/** Path of a file below `/vault/secrets`: the author's, or the key with the format's extension. */
export const defaultFilePath = (key: string, file: Pick<ParsedFile, "format" | "path">): string =>
  file.path ?? `${key}.${ENDINGS[file.format]}`;

/** Name of a field in a file of format `env`, after its prefix: `API_KEY` for `apiKey`, `api_key` and `api-key`. */
export const variableName = (field: string): string =>
  field
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toUpperCase();

/** Beginning of the names in a file of format `env`: the author's, or the key in capitals, `DB_APP_PRIMARY_`. */
export const variablePrefix = (key: string, file: Pick<ParsedFile, "prefix">): string =>
  file.prefix ?? `${key.replace(/[^a-z0-9]/g, "_").toUpperCase()}_`;

/** Field with a version's id in a file of format `env`. */
export const VERSION_VARIABLE = "version";
