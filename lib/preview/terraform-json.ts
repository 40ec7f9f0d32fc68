import type { PolicyDocument, PolicyStatement } from "../model";
import { isRecord } from "../model/is-record";

/** Attributes of one resource of a `cdk.tf.json`. */
export type Attributes = Readonly<Record<string, unknown>>;

/** A synthesized stack that is none. Its message holds nothing of the file. */
export class OutputFault extends Error {
  override readonly name = "OutputFault";
}

/** A synthesized stack: its resources by type and name. */
export class TerraformJson {
  readonly #json: Attributes;

  /** @throws OutputFault for text that is no Terraform in JSON */
  constructor(text: string) {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      // Messages of JSON.parse quote the text.
      throw new OutputFault("is not JSON");
    }
    if (!isRecord(json) || !isRecord(json.resource ?? {})) throw new OutputFault("is no Terraform in JSON");
    this.#json = json;
  }

  /** Resources of a type, by name. */
  of(type: string): ReadonlyMap<string, Attributes> {
    const all = this.#json.resource;
    const made = isRecord(all) ? all[type] : undefined;
    return new Map(
      isRecord(made)
        ? Object.entries(made).filter((entry): entry is [string, Attributes] => isRecord(entry[1]))
        : [],
    );
  }

  /** Types of its resources. */
  get types(): readonly string[] {
    return isRecord(this.#json.resource) ? Object.keys(this.#json.resource) : [];
  }

  /** Configurations of a provider. */
  providers(name: string): readonly Attributes[] {
    const all = this.#json.provider;
    const configured = isRecord(all) ? all[name] : undefined;
    return Array.isArray(configured) ? configured.filter(isRecord) : [];
  }
}

/** Name of the resource that an expression such as `${aws_iam_role.x.name}` refers to. */
export const referred = (value: unknown, type: string): string | undefined =>
  typeof value === "string"
    ? new RegExp(`^\\$\\{${type}\\.([\\w-]+)\\.\\w+\\}$`).exec(value)?.[1]
    : undefined;

/** Text of an attribute. */
export const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** Texts of an attribute that is a list of them. */
export const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === "string") : [];

/** A policy as it is written, with everything that it says; a text that is no JSON stays one. */
export function writtenPolicy(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    // Terraform's own escape.
    return JSON.parse(value.replaceAll("$${", "${"));
  } catch {
    return value;
  }
}

/** A policy as AWS takes it, in the one form that this program works with; `undefined` where it is none. */
export function policyOf(value: unknown): PolicyDocument | undefined {
  if (typeof value !== "string") return undefined;
  const json = writtenPolicy(value);
  if (json === value) return undefined;
  const statements = isRecord(json) ? [json.Statement].flat().filter(isRecord) : [];
  return { Version: "2012-10-17", Statement: statements.map(statementOf) };
}

function statementOf(statement: Attributes): PolicyStatement {
  const { Sid, Effect, Principal, Action, NotAction, Resource, NotResource, NotPrincipal, Condition } =
    statement;
  const list = (value: unknown): readonly string[] => [value].flat().map(String);
  return {
    Sid: typeof Sid === "string" ? Sid : "",
    Effect: Effect === "Deny" ? "Deny" : "Allow",
    ...(Principal === undefined
      ? {}
      : {
          Principal: isRecord(Principal)
            ? Object.fromEntries(
                Object.entries(Principal).map(([type, who]) => [type, [who].flat().join(",")]),
              )
            : "*",
        }),
    // Grammar that the engine does not know must not get lost: it refuses the statement.
    Action: NotAction === undefined ? list(Action) : [`!${list(NotAction).join(",")}`],
    ...(NotResource === undefined
      ? Resource === undefined
        ? {}
        : { Resource: list(Resource) }
      : { Resource: [`!${list(NotResource).join(",")}`] }),
    ...(isRecord(Condition) || NotPrincipal !== undefined
      ? { Condition: conditionOf(Condition, NotPrincipal) }
      : {}),
  };
}

function conditionOf(condition: unknown, notPrincipal: unknown): NonNullable<PolicyStatement["Condition"]> {
  const known = isRecord(condition) ? condition : {};
  return {
    ...Object.fromEntries(
      Object.entries(known).map(([operator, keys]) => [
        operator,
        Object.fromEntries(
          Object.entries(isRecord(keys) ? keys : {}).map(([key, values]) => [
            key,
            [values].flat().map(String),
          ]),
        ),
      ]),
    ),
    ...(notPrincipal === undefined ? {} : { NotPrincipal: { "": [JSON.stringify(notPrincipal)] } }),
  };
}
