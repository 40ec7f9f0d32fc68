import type * as z from "zod/mini";
import { HIDDEN, looksLikeCredential } from "./credentials";
import { type Duration, formatDuration } from "./duration";
import { type Fault, fault, type PathStep } from "./faults";
import { isRecord } from "./is-record";
import { nearest } from "./nearest";
import { branchAt, isDurationAt, settingsAt } from "./schema-at";

/** Text by which a fault shows what it found: JSON, cut at 80 characters, never a credential. */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (isDuration(value)) return formatDuration(value);
  const json = JSON.stringify(value) ?? String(value);
  if (looksLikeCredential(json)) return HIDDEN;
  return json.length > 80 ? `${json.slice(0, 79)}…` : json;
}

/** Lengths of time are written `days(30)`, so they are shown as such. */
function isDuration(value: unknown): value is Duration {
  return isRecord(value) && typeof value.seconds === "number" && Object.keys(value).length === 1;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (current, step) =>
      typeof current === "object" && current !== null
        ? (current as Record<PropertyKey, unknown>)[step]
        : undefined,
    value,
  );
}

const asSteps = (path: readonly PropertyKey[]): PathStep[] =>
  path.map((step) => (typeof step === "number" ? step : String(step)));

const listOf = (values: readonly unknown[]): string => values.map((value) => String(value)).join(", ");

/** Says a zod issue the way that all faults are said. */
function faultsOfIssue(
  issue: z.core.$ZodIssue,
  at: (path: readonly PathStep[]) => readonly PathStep[],
  input: unknown,
  schema?: unknown,
): Fault[] {
  const path = at(asSteps(issue.path));
  const value = valueAt(input, issue.path);
  const found = show(value);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => {
        const known = settingsAt(schema, issue.path);
        const near = nearest(key, known);
        return fault(
          at([...asSteps(issue.path), key]),
          "a setting that does not exist",
          known.length === 0 ? "no settings here" : known.join(", "),
          near === undefined ? "remove it" : `write ${JSON.stringify(near)}`,
        );
      });
    case "invalid_value":
      return issue.values.length === 1
        ? [fault(path, found, `${listOf(issue.values)}, and nothing else`, "remove it")]
        : [fault(path, found, `one of ${listOf(issue.values)}`, "choose one of them")];
    case "invalid_type":
      if (typeof value === "number" && isDurationAt(schema, issue.path)) {
        return [
          fault(
            path,
            found,
            "a length of time, such as days(30)",
            `write days(${value}), or hours(…) or minutes(…)`,
          ),
        ];
      }
      return value === undefined
        ? [fault(path, "nothing", `a value (${issue.expected})`, "add it")]
        : [fault(path, found, `a value of type ${issue.expected}`, "change its type")];
    case "too_small":
      return [
        fault(
          path,
          found,
          issue.origin === "array" ? "a list that is not empty" : `at least ${issue.minimum}`,
          issue.origin === "array" ? "add an entry" : "raise it",
        ),
      ];
    case "too_big":
      return [fault(path, found, `at most ${issue.maximum}`, "lower it")];
    case "invalid_format":
      return [
        fault(
          path,
          found,
          `text that matches ${"pattern" in issue ? String(issue.pattern) : issue.format}`,
          "change it to that form",
        ),
      ];
    case "invalid_union": {
      // Say the branch that came closest, so that a slip in one field of an object is named as that field.
      const branches = [...issue.errors].sort((a, b) => depth(b) - depth(a));
      const closest = branches[0];
      if (closest && depth(closest) > 0) {
        const option = branchAt(
          schema,
          issue.path,
          (issue.errors as readonly (readonly z.core.$ZodIssue[])[]).indexOf(closest),
        );
        return closest.flatMap((inner) => faultsOfIssue(inner, (rest) => [...path, ...rest], value, option));
      }
      const choices =
        "discriminator" in issue
          ? `a known value of ${String(issue.discriminator)}`
          : "one of the documented forms";
      // Of forms that are all simple, the one of the value's own type says what is wrong with it.
      const own = branches.find((branch) => branch.every(({ code }) => code !== "invalid_type"));
      if (own && own.length > 0) {
        return own.flatMap((inner) => faultsOfIssue(inner, (rest) => [...path, ...rest], value));
      }
      return [fault(path, found, choices, "write it in one of those forms")];
    }
    case "invalid_key":
      return [fault(path, found, "Invalid key in record", "change it")];
    default: {
      const advice = (issue as { params?: { allowed?: string; change?: string } }).params;
      return [fault(path, found, advice?.allowed ?? issue.message, advice?.change ?? "change it")];
    }
  }
}

const depth = (issues: readonly z.core.$ZodIssue[]): number =>
  Math.max(0, ...issues.map((issue) => issue.path.length));

/** Place of a value, or of each part of it as an author should write it. */
export type Place = readonly PathStep[] | ((path: readonly PathStep[]) => readonly PathStep[]);

/** Checks a value against a schema; gives the value or its faults. */
export function check<T>(
  schema: z.ZodMiniType<T>,
  value: unknown,
  place: Place,
):
  | { readonly value: T; readonly faults: readonly [] }
  | { readonly value: undefined; readonly faults: readonly Fault[] } {
  const result = schema.safeParse(value);
  if (result.success) return { value: result.data, faults: [] };
  const at = typeof place === "function" ? place : (path: readonly PathStep[]) => [...place, ...path];
  return {
    value: undefined,
    faults: result.error.issues.flatMap((issue) => faultsOfIssue(issue, at, value, schema)),
  };
}
