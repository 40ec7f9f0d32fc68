import ts from "typescript";
import * as z from "zod/mini";
import { KIND_NAMES, KINDS, type KindName } from "../../lib/model";
import { settingsSchema } from "../../lib/model/kinds";
import { SETTING_RULES, type SettingRule } from "../../lib/model/setting-rules";
import { code, page, parts, table } from "./page";
import { commentOf, sourceFile } from "./source-types";

const WHEN: Readonly<Record<SettingRule["takesEffect"], string>> = {
  "with-value": "with the next value",
  "with-place": "at once, where the credential lives now",
  longest: "the longest of all values in play",
  "in-value": "with the next value, as a field of it",
  "at-once": "at once",
  never: "never under a live value",
};

/** The part of a JSON schema that the page shows. */
interface Shown {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: Shown;
  readonly anyOf?: readonly Shown[];
  readonly oneOf?: readonly Shown[];
  readonly properties?: Readonly<Record<string, Shown>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
}

/** Page of the kinds and their settings. */
export function kindsPage(): string {
  const comments = settingComments();
  return page("Kinds", [
    "A secret's `kind` decides how it rotates. How old and new live side by side: [how a rotation works](../explanation/rotation.md). Another kind: [add a kind](../guides/add-a-kind.md).",
    table({
      head: ["kind", "is", "stores", "accepted by", "rotation", "fields of the value"],
      rows: KIND_NAMES.map((kind) => {
        const { title, stores, acceptedBy, rotation, fields } = KINDS[kind];
        return [
          `[${code(kind)}](#${kind})`,
          title,
          ...[stores, acceptedBy, rotation].map((choices) => choices.map(code).join(", ")),
          fields.map(({ name }) => code(name)).join(", "),
        ];
      }),
    }),
    "The first of several is the default. Every combination of kind, store, acceptance and rotation is either supported or a fault (`test/model/supported.test.ts`).",
    "_Changed_ says from when a changed setting holds under a live value ([ADR 24](../adr/0024-settings-in-effect.md)).",
    ...KIND_NAMES.flatMap((kind) => sectionOf(kind, comments.get(kind) ?? new Map())),
  ]);
}

function sectionOf(kind: KindName, comments: ReadonlyMap<string, string>): readonly string[] {
  const { properties = {}, required = [] } = z.toJSONSchema(settingsSchema(kind), {
    io: "input",
    unrepresentable: "any",
  }) as Shown;
  const rules = SETTING_RULES[kind] as Readonly<Record<string, SettingRule>>;
  const { publicSettings } = KINDS[kind];
  return parts(
    `## ${kind}`,
    `${KINDS[kind].title}.${publicSettings.length === 0 ? "" : ` Pods' files also hold ${publicSettings.map(code).join(", ")}.`}`,
    table({
      head: ["setting", "needed", "type", "default", "means", "changed"],
      rows: Object.entries(properties).map(([name, schema]) => [
        code(name),
        required.includes(name) ? "yes" : "",
        code(typeOf(schema)),
        code(defaultOf(schema)),
        comments.get(name) ?? "",
        rules[name] === undefined ? "" : WHEN[rules[name].takesEffect],
      ]),
    }),
  );
}

function typeOf(schema: Shown): string {
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map(typeOf))].join(" | ");
  if (isDuration(schema)) return "Duration";
  if (schema.type === "array") {
    const items = typeOf(schema.items ?? {});
    return items.includes("|") ? `(${items})[]` : `${items}[]`;
  }
  if (schema.properties) {
    const { required = [] } = schema;
    const written = Object.entries(schema.properties).map(
      ([name, property]) => `${name}${required.includes(name) ? "" : "?"}: ${typeOf(property)}`,
    );
    return `{ ${written.join("; ")} }`;
  }
  return schema.type ?? "any";
}

const isDuration = ({ properties }: Shown): boolean =>
  properties !== undefined && Object.keys(properties).join() === "seconds";

function defaultOf({ default: value }: Shown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "object" && value !== null && "seconds" in value) return `seconds(${value.seconds})`;
  return JSON.stringify(value);
}

/** Doc comments of the settings, which schemas do not keep: from the sources. */
function settingComments(): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const commentsOf = (kind: KindName): ReadonlyMap<string, string> => {
    const makers = sourceFile(`lib/model/kinds/${kind}.ts`)
      .statements.filter(ts.isVariableStatement)
      .flatMap(({ declarationList }) => declarationList.declarations)
      .flatMap(({ initializer }) =>
        initializer && ts.isArrowFunction(initializer) ? [initializer.body] : [],
      );
    // The settings are the last function of a kind's file.
    const [object] = makers.slice(-1).flatMap(literalsIn);
    const properties = object?.properties.filter(ts.isPropertyAssignment) ?? [];
    return new Map(properties.map((property) => [nameOf(property), commentOf(property)]));
  };
  return new Map(KIND_NAMES.map((kind) => [kind, commentsOf(kind)]));
}

const nameOf = ({ name }: ts.PropertyAssignment): string =>
  ts.isStringLiteral(name) ? name.text : name.getText();

const literalsIn = (node: ts.Node): readonly ts.ObjectLiteralExpression[] =>
  ts.isCallExpression(node) ? node.arguments.filter(ts.isObjectLiteralExpression) : [];
