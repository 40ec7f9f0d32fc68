import { hasManyValues } from "./request-set";
import { ANY, matching, oneOf, others, type Texts } from "./texts";
import { ANYTHING, type Values } from "./values";

/** Texts that an operator without a negation wants. */
const WANTED: Readonly<Record<string, (values: readonly string[]) => Texts>> = {
  StringEquals: oneOf,
  StringLike: (values) => matching(values),
  ArnEquals: (values) => matching(values, "arn"),
  ArnLike: (values) => matching(values, "arn"),
  Bool: (values) => oneOf(values.map((value) => value.toLowerCase())),
};

/** Operators that are the opposite of another. */
const NEGATED: Readonly<Record<string, string>> = {
  StringNotEquals: "StringEquals",
  StringNotLike: "StringLike",
  ArnNotEquals: "ArnEquals",
  ArnNotLike: "ArnLike",
};

/**
 * Values of a key with which one condition holds; `undefined`: not decided, because it is beyond this grammar.
 *
 * - An operator does not hold where its key is absent; a negated one does, and so does one with `IfExists`:
 *   https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * - `ForAllValues` holds where the key is absent, `ForAnyValue` does not:
 *   https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 *
 * @param key in lower case
 */
export function keyTest(operator: string, key: string, values: readonly string[]): Values | undefined {
  if (operator === "Null") return nullTest(values);
  const [, set = "", name = "", ifExists = ""] =
    /^(ForAllValues:|ForAnyValue:)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  const negates = NEGATED[name] !== undefined;
  const wanted = WANTED[NEGATED[name] ?? name];
  if (wanted === undefined || values.some((value) => value.includes("${"))) return undefined;
  // IAM leaves open how an operator without a set compares several values.
  if (set === "" && hasManyValues(key)) return undefined;
  const texts = negates ? others(wanted(values))[0] : wanted(values);
  const absent = ifExists !== "" || set === "ForAllValues:" || (negates && set === "");
  // Nothing is outside of everything.
  if (texts === undefined) return { ...ANYTHING, absent, present: false };
  if (set === "ForAnyValue:" && hasManyValues(key)) return { absent, present: true, all: ANY, some: [texts] };
  return { absent, present: true, all: texts, some: [] };
}

function nullTest(values: readonly string[]): Values | undefined {
  const wanted = new Set(values.map((value) => value.toLowerCase()));
  if ([...wanted].some((value) => value !== "true" && value !== "false")) return undefined;
  return { ...ANYTHING, absent: wanted.has("true"), present: wanted.has("false") };
}
