/** The part of zod's own description of a schema that is read here (`_zod.def`). */
interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly innerType?: unknown;
  readonly element?: unknown;
  readonly valueType?: unknown;
  readonly in?: unknown;
  readonly options?: readonly unknown[];
}

function definitionOf(schema: unknown): Definition | undefined {
  const { def } = (schema as { readonly _zod?: { readonly def?: Definition } } | undefined)?._zod ?? {};
  const inner = def?.innerType ?? (def?.type === "pipe" ? def.in : undefined);
  return inner === undefined ? def : definitionOf(inner);
}

/** Definition of a place in a value, by the value's schema. In a union: that of the first branch that has the place. */
function definitionAt(schema: unknown, path: readonly PropertyKey[]): Definition | undefined {
  const definition = definitionOf(schema);
  const [step, ...rest] = path;
  if (definition === undefined || step === undefined) return definition;
  if (definition.options) {
    return definition.options
      .map((option) => definitionAt(option, path))
      .find((found) => found !== undefined);
  }
  const next =
    definition.shape?.[String(step)] ??
    (definition.type === "array" ? definition.element : definition.valueType);
  return next === undefined ? undefined : definitionAt(next, rest);
}

/** Names of the settings that may stand at a place, in the order of the schema. */
export function settingsAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  const { shape = {}, options = [] } = definitionAt(schema, path) ?? {};
  return [...new Set([...Object.keys(shape), ...options.flatMap((option) => settingsAt(option, []))])];
}

/** `true` where the setting at a place is a duration. */
export const isDurationAt = (schema: unknown, path: readonly PropertyKey[]): boolean =>
  settingsAt(schema, path).join() === "seconds";

/** A branch of the union at a place. */
export const branchAt = (schema: unknown, path: readonly PropertyKey[], index: number): unknown =>
  definitionAt(schema, path)?.options?.[index];
