import type { ParsedFile } from "../model/definition";
import { defaultFilePath, defaultFilesOf } from "../model/files";
import { traitsOf, type ValueField } from "../model/kinds";
import type { EnvironmentSecret } from "../model/resolve";
import { vaultPathOf } from "./vault-policy";

/** One file that the agent renders in a pod. */
export interface RenderedFile {
  readonly secret: string;
  /** Below `/vault/secrets`. */
  readonly path: string;
  readonly format: ParsedFile["format"];
  /** consul-template text. */
  readonly template: string;
  /** Octal file mode. */
  readonly mode: string;
}

/** Fields of a secret's JSON value. */
export function valueFields(secret: EnvironmentSecret): readonly ValueField[] {
  return secret.kind === "generic"
    ? secret.settings.fields.map((name) => ({ name, shape: "string" }))
    : traitsOf(secret.kind).fields;
}

/** Settings that pods need beside the value: host, port, database. Never secret. */
export function publicSettings(
  secret: EnvironmentSecret,
): Readonly<Record<string, string | number | boolean>> {
  if (secret.kind === "generic") return secret.settings.config;
  const settings: Readonly<Record<string, unknown>> = secret.settings;
  return Object.fromEntries(
    traitsOf(secret.kind).publicSettings.flatMap((name) => {
      const value = settings[name];
      return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
        ? [[name, value]]
        : [];
    }),
  );
}

/** KV v2 wraps its data once more than other engines do. */
const dataOf = (secret: EnvironmentSecret): string => (secret.store === "aws" ? ".Data.data" : ".Data");

/** Text that the template engine must not read as an action. */
const literal = (text: string): string => text.replaceAll("{{", '{{ "{{" }}');

const snakeCapitals = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();

/** `DB_APP_PRIMARY_` for `db/app-primary`. */
const envPrefix = (key: string): string => `${key.replace(/[^a-z0-9]/g, "_").toUpperCase()}_`;

function within(secret: EnvironmentSecret, body: string): string {
  return `{{- with secret "${vaultPathOf(secret)}" -}}\n${body}\n{{- end }}\n`;
}

function jsonTemplate(secret: EnvironmentSecret): string {
  const data = dataOf(secret);
  const settings = Object.entries(publicSettings(secret)).map(
    ([name, value]) => `${literal(JSON.stringify(name))}:${literal(JSON.stringify(value))}`,
  );
  const fields = valueFields(secret).map(({ name }) => `"${name}":{{ ${data}.${name} | toJSON }}`);
  return within(secret, `{${[...settings, ...fields].join(",")}}`);
}

/**
 * Single quotes, because a POSIX shell expands nothing inside them; a quote in the value is closed, escaped,
 * reopened.
 */
const SHELL_QUOTED = `replaceAll "'" "'\\\\''"`;

function envTemplate(secret: EnvironmentSecret, prefix: string): string {
  const data = dataOf(secret);
  const settings = Object.entries(publicSettings(secret)).map(
    ([name, value]) => `${prefix}${snakeCapitals(name)}='${literal(String(value).replaceAll("'", "'\\''"))}'`,
  );
  const fields = valueFields(secret).map(({ name, shape }) => {
    const value = shape === "object" ? `${data}.${name} | toJSON` : `${data}.${name}`;
    return `${prefix}${snakeCapitals(name)}='{{ ${value} | ${SHELL_QUOTED} }}'`;
  });
  return within(secret, [...settings, ...fields].join("\n"));
}

function publicTemplate(secret: EnvironmentSecret): string {
  const field = valueFields(secret).find((candidate) => candidate.public);
  return within(secret, field ? `{{ ${dataOf(secret)}.${field.name} | toJSON }}` : "");
}

function templateOf(secret: EnvironmentSecret, file: ParsedFile): string {
  switch (file.format) {
    case "json":
      return jsonTemplate(secret);
    case "env":
      return envTemplate(secret, file.prefix ?? envPrefix(secret.key));
    case "public":
      return publicTemplate(secret);
    case "template":
      return (file.template ?? "").replaceAll("SECRET_PATH", vaultPathOf(secret));
  }
}

/**
 * The files of one secret for one consumer.
 *
 * @param ownUser whether the agent runs as the application's own user: only then can nobody else but it read `0400`
 */
export function renderedFiles(
  secret: EnvironmentSecret,
  files: readonly ParsedFile[] | undefined,
  ownUser: boolean,
): readonly RenderedFile[] {
  return (files ?? defaultFilesOf(secret.kind)).map((file) => ({
    secret: secret.key,
    path: defaultFilePath(secret.key, file),
    format: file.format,
    template: templateOf(secret, file),
    mode: file.mode ?? (ownUser ? "0400" : "0644"),
  }));
}
