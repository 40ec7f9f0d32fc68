import {
  defaultFilePath,
  defaultFilesOf,
  VERSION_VARIABLE,
  variableName,
  variablePrefix,
} from "../../model/files";
import { traitsOf, type ValueField } from "../../model/kinds";
import { SECRET_PATH } from "../../model/kubernetes-grammar";
import { KV_VERSION_FIELD, SETTINGS_FIELD } from "../../model/names";
import type { EnvironmentSecret } from "../../model/resolve";
import type { ParsedFile } from "../../model/secret-definition";
import { keepsSetting } from "../../model/setting-rules";
import { vaultPathOf } from "../platform/vault-policy";

/** One file that the agent renders in a pod. */
export interface RenderedFile {
  readonly secret: string;
  /** Path below the folder of secrets. */
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

/** A field of an object. An identifier of Go's templates has no hyphen. */
const fieldOf = (data: string, name: string): string =>
  name.includes("-") ? `(index ${data} "${name}")` : `${data}.${name}`;

function within(secret: EnvironmentSecret, body: string): string {
  return `{{- with secret "${vaultPathOf(secret)}" -}}\n${body}\n{{- end }}\n`;
}

/** A format's writing of an entry of a file. Expressions are consul-template's. */
interface Form {
  /** A name with a text that is known. */
  literal(name: string, value: string | number | boolean): string;
  /** A field of the value. */
  field(field: ValueField, expression: string): string;
  /** A public setting out of the value. */
  setting(name: string, expression: string): string;
  /** Either, where the value says the name, too. */
  named(name: string, expression: string): string;
  /** Text between two entries. */
  readonly separator: string;
}

const jsonForm: Form = {
  literal: (name, value) => `${literal(JSON.stringify(name))}:${literal(JSON.stringify(value))}`,
  field: ({ name }, expression) => `"${name}":{{ ${expression} | toJSON }}`,
  setting: (name, expression) => `"${name}":{{${expression}|toJSON}}`,
  // Names are letters, digits, hyphens and underscores.
  named: (name, expression) => `"{{${name}}}":{{${expression}|toJSON}}`,
  separator: ",",
};

/**
 * Single quotes, because a POSIX shell expands nothing inside them; a quote in the value is closed, escaped,
 * reopened.
 */
const SHELL_QUOTED = `replaceAll "'" "'\\\\''"`;
/** {@link variableName} in a template. */
const VARIABLE_NAME = 'regexReplaceAll "([a-z0-9])([A-Z])" "${1}_${2}" | replaceAll "-" "_" | toUpper';

const envForm = (prefix: string): Form => {
  const entry = (name: string, expression: string): string =>
    `${prefix}${name}='{{ ${expression} | ${SHELL_QUOTED} }}'`;
  return {
    literal: (name, value) =>
      `${prefix}${variableName(name)}='${literal(String(value).replaceAll("'", "'\\''"))}'`,
    field: ({ name, shape }, expression) =>
      entry(variableName(name), shape === "object" ? `${expression} | toJSON` : expression),
    // Numbers are no strings to the functions that follow.
    setting: (name, expression) => entry(variableName(name), `printf "%v" ${expression}`),
    named: (name, expression) => entry(`{{ ${name} | ${VARIABLE_NAME} }}`, `printf "%v" (${expression})`),
    separator: "\n",
  };
};

/**
 * The entries of a file: public settings and the fields of the value. What goes with a value is taken out of it
 * ({@link SETTINGS_FIELD}), so that a file never shows the settings of one value beside the fields of another; the
 * registry's own are for values that say nothing of theirs, such as one that somebody has put by hand.
 */
function entries(secret: EnvironmentSecret, form: Form): string {
  const { separator } = form;
  const followed = (texts: readonly string[]): string => texts.map((text) => text + separator).join("");
  const settings = Object.entries(publicSettings(secret));
  const data = dataOf(secret);
  const fields = valueFields(secret)
    .map((field) => form.field(field, fieldOf(data, field.name)))
    .join(separator);
  const literals = (of: typeof settings): string =>
    followed(of.map(([name, value]) => form.literal(name, value)));
  if (secret.store === "vault") return literals(settings) + fields;

  // Without spaces: a pod's annotations have a limit, and so has the agent's configuration.
  const kept = `{{with index ${data} "${SETTINGS_FIELD}"}}`;
  if (secret.kind === "generic") {
    const entry = `{{range $k,$v:=.config}}${form.named("$k", "$v")}${separator}{{end}}`;
    const field = `{{range $i,$n:=.fields}}{{if $i}}${separator}{{end}}${form.named("$n", "index $d $n")}{{end}}`;
    return `{{$d:=${data}}}${kept}${entry}${field}{{else}}${literals(settings)}${fields}{{end}}`;
  }
  const isKept = (name: string): boolean => keepsSetting(secret.kind, name);
  const own = traitsOf(secret.kind)
    .publicSettings.filter(isKept)
    .map((name) => `{{with index . "${name}"}}${followed([form.setting(name, ".")])}{{end}}`);
  if (own.length === 0) return literals(settings) + fields;
  const always = settings.filter(([name]) => !isKept(name));
  const otherwise = literals(settings.filter(([name]) => isKept(name)));
  return `${literals(always)}${kept}${own.join("")}{{else}}${otherwise}{{end}}${fields}`;
}

/** The mirror puts a version's id beside its fields. */
const versionEntry = (form: Form, name: string): string =>
  form.field({ name, shape: "string" }, `.Data.data.${KV_VERSION_FIELD}`) + form.separator;

function jsonTemplate(secret: EnvironmentSecret, version: boolean): string {
  const body = (version ? versionEntry(jsonForm, KV_VERSION_FIELD) : "") + entries(secret, jsonForm);
  // Three braces would be read as an action and a brace.
  return within(secret, `{${body.startsWith("{{") ? " " : ""}${body}}`);
}

const envTemplate = (secret: EnvironmentSecret, prefix: string, version: boolean): string =>
  within(
    secret,
    (version ? versionEntry(envForm(prefix), VERSION_VARIABLE) : "") + entries(secret, envForm(prefix)),
  );

function publicTemplate(secret: EnvironmentSecret): string {
  const field = valueFields(secret).find((candidate) => candidate.public);
  return within(secret, field ? `{{ ${dataOf(secret)}.${field.name} | toJSON }}` : "");
}

function templateOf(secret: EnvironmentSecret, file: ParsedFile): string {
  switch (file.format) {
    case "json":
      return jsonTemplate(secret, file.version ?? false);
    case "env":
      return envTemplate(secret, variablePrefix(secret.key, file), file.version ?? false);
    case "public":
      return publicTemplate(secret);
    case "template":
      return (file.template ?? "").replaceAll(SECRET_PATH, () => vaultPathOf(secret));
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
