import type * as z from "zod/mini";
import {
  accessRuleSchema,
  environmentSchema,
  type ParsedAccessRule,
  type ParsedEnvironment,
  type ParsedSecret,
  type ParsedWorkload,
  secretSchema,
  workloadSchema,
} from "./definition";
import { type Duration, formatDuration } from "./duration";
import { type Fault, fault, type PathStep } from "./faults";
import { slug } from "./grammar";

/**
 * The shape of a definition, checked part by part: a fault in one secret does not hide those of another, and the
 * rules can still look at every part that is sound.
 */
export interface ParsedRegistry {
  readonly id: string;
  readonly environments: ReadonlyMap<string, ParsedEnvironment>;
  readonly workloads: ReadonlyMap<string, ParsedWorkload>;
  readonly secrets: ReadonlyMap<string, ParsedSecret>;
  readonly accessRules: ReadonlyMap<string, ParsedAccessRule>;
  /** The secrets as they were given: merged parts remember their duplicates. */
  readonly fragments: unknown;
  /** Every name that the definition uses, sound or not: a broken part is no unknown name. */
  readonly declared: {
    readonly environments: readonly string[];
    readonly workloads: readonly string[];
    readonly secrets: readonly string[];
  };
}

/** Beginnings by which credentials give themselves away. None has a place in a registry. */
const CREDENTIAL =
  /(\b[sr]k_(live|test)_[A-Za-z0-9]{8}|\bwhsec_[A-Za-z0-9]{8}|\bSG\.[\w-]{16}|\bA(KIA|SIA)[A-Z0-9]{16}\b|PRIVATE KEY-----|\bhv[sb]\.[\w-]{20}|\bgh[pousr]_[A-Za-z0-9]{20}|:\/\/[^/\s:@]+:[^/\s:@]+@)/;

/** `true` for text that holds what looks like a credential. */
export const looksLikeCredential = (text: string): boolean => CREDENTIAL.test(text);

const HIDDEN = "a text that looks like a credential (not shown)";

/** How a fault shows what it found: JSON, cut at 80 characters, never a credential. */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (isDuration(value)) return formatDuration(value);
  const json = JSON.stringify(value) ?? String(value);
  if (CREDENTIAL.test(json)) return HIDDEN;
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
): Fault[] {
  const path = at(asSteps(issue.path));
  const value = valueAt(input, issue.path);
  const found = show(value);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) =>
        fault(
          at([...asSteps(issue.path), key]),
          "a setting that does not exist",
          "the settings that the documentation lists",
          "remove it, or mend its spelling",
        ),
      );
    case "invalid_value":
      return issue.values.length === 1
        ? [fault(path, found, `${listOf(issue.values)}, and nothing else`, "remove it")]
        : [fault(path, found, `one of ${listOf(issue.values)}`, "choose one of them")];
    case "invalid_type":
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
        return closest.flatMap((inner) => faultsOfIssue(inner, (rest) => [...path, ...rest], value));
      }
      const choices =
        "discriminator" in issue
          ? `a known value of ${String(issue.discriminator)}`
          : "one of the documented forms";
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

/** Where a value stands, or where an author should write each part of it. */
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
    faults: result.error.issues.flatMap((issue) => faultsOfIssue(issue, at, value)),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Finds credentials anywhere in data: registries and change requests are in git, and git is no place for them. */
export function credentialFaults(value: unknown, path: readonly PathStep[]): Fault[] {
  if (typeof value === "string") {
    return CREDENTIAL.test(value)
      ? [
          fault(
            path,
            HIDDEN,
            "no secret value: the registry describes secrets, it does not hold them",
            "remove it, and rotate that credential: it has been in a file",
          ),
        ]
      : [];
  }
  if (Array.isArray(value)) return value.flatMap((entry, index) => credentialFaults(entry, [...path, index]));
  if (isRecord(value))
    return Object.entries(value).flatMap(([name, entry]) => credentialFaults(entry, [...path, name]));
  return [];
}

const TOP_LEVEL = ["id", "environments", "workloads", "secrets", "accessRules"];

/** Checks the shape of a definition, part by part. */
export function parseRegistry(definition: unknown): {
  readonly parsed: ParsedRegistry;
  readonly faults: readonly Fault[];
} {
  const input: Record<string, unknown> = isRecord(definition) ? definition : {};
  const faults: Fault[] = [...credentialFaults(input, [])];
  if (!isRecord(definition)) {
    faults.push(
      fault(
        ["registry"],
        show(definition),
        "an object with environments, workloads and secrets",
        "pass the definition to defineRegistry",
      ),
    );
  }
  for (const name of Object.keys(input)) {
    if (!TOP_LEVEL.includes(name)) {
      faults.push(
        fault(
          [name],
          "a part that does not exist",
          `one of ${listOf(TOP_LEVEL)}`,
          "remove it, or mend its spelling",
        ),
      );
    }
  }

  const id = input.id ?? "secrets";
  const idCheck = check(slug, id, ["id"]);
  faults.push(...idCheck.faults);
  if (idCheck.value !== undefined && idCheck.value.length > 24) {
    faults.push(
      fault(["id"], show(id), "at most 24 characters", "shorten it: it is part of every role name"),
    );
  }

  function part<T>(name: string, schema: z.ZodMiniType<T>, required: boolean): Map<string, T> {
    const entries = input[name];
    const sound = new Map<string, T>();
    if (entries === undefined && !required) return sound;
    if (!isRecord(entries)) {
      faults.push(
        fault(
          [name],
          show(entries),
          "an object whose properties are the entries",
          entries === undefined ? "add it" : "write it as { name: { … } }",
        ),
      );
      return sound;
    }
    for (const [key, value] of Object.entries(entries)) {
      const checked = check(schema, value, [name, key]);
      faults.push(...checked.faults);
      const isNamed = name === "environments" || name === "workloads" ? slug.safeParse(key).success : true;
      if (checked.value !== undefined && isNamed) sound.set(key, checked.value);
    }
    return sound;
  }

  const parsed: ParsedRegistry = {
    id: idCheck.value ?? "secrets",
    environments: part("environments", environmentSchema, true),
    workloads: part("workloads", workloadSchema, true),
    secrets: part("secrets", secretSchema, true),
    accessRules: part("accessRules", accessRuleSchema, false),
    fragments: input.secrets,
    declared: {
      environments: Object.keys(isRecord(input.environments) ? input.environments : {}),
      workloads: Object.keys(isRecord(input.workloads) ? input.workloads : {}),
      secrets: Object.keys(isRecord(input.secrets) ? input.secrets : {}),
    },
  };
  for (const name of parsed.declared.environments) faults.push(...nameFaults("environments", name));
  for (const name of parsed.declared.workloads) faults.push(...nameFaults("workloads", name));
  return { parsed, faults };
}

function nameFaults(part: string, name: string): readonly Fault[] {
  return check(slug, name, [part, name]).faults;
}
