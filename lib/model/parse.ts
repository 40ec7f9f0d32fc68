import type * as z from "zod/mini";
import { check, show } from "./check";
import { credentialFaults } from "./credentials";
import { accessRuleSchema, type ParsedAccessRule } from "./definition";
import { environmentSchema, type ParsedEnvironment } from "./environment-definition";
import { type Fault, fault } from "./faults";
import { slug } from "./grammar";
import { isRecord } from "./is-record";
import { type ParsedSecret, secretSchema } from "./secret-definition";
import { type ParsedWorkload, workloadSchema } from "./workload-definition";

/**
 * The shape of a definition, checked part by part: a fault in one secret does not hide those of another, and the
 * rules can still look at every part that is valid.
 */
export interface ParsedRegistry {
  readonly id: string;
  readonly environments: ReadonlyMap<string, ParsedEnvironment>;
  readonly workloads: ReadonlyMap<string, ParsedWorkload>;
  readonly secrets: ReadonlyMap<string, ParsedSecret>;
  readonly accessRules: ReadonlyMap<string, ParsedAccessRule>;
  /** The secrets as they were given: merged parts remember their duplicates. */
  readonly fragments: unknown;
  /** Every name that the definition uses, valid or not: a broken part is no unknown name. */
  readonly declared: {
    readonly environments: readonly string[];
    readonly workloads: readonly string[];
    readonly secrets: readonly string[];
  };
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
          `one of ${TOP_LEVEL.join(", ")}`,
          "remove it, or correct its spelling",
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
    const valid = new Map<string, T>();
    if (entries === undefined && !required) return valid;
    if (!isRecord(entries)) {
      faults.push(
        fault(
          [name],
          show(entries),
          "an object whose properties are the entries",
          entries === undefined ? "add it" : "write it as { name: { … } }",
        ),
      );
      return valid;
    }
    for (const [key, value] of Object.entries(entries)) {
      const checked = check(schema, value, [name, key]);
      faults.push(...checked.faults);
      const isNamed = name === "environments" || name === "workloads" ? slug.safeParse(key).success : true;
      if (checked.value !== undefined && isNamed) valid.set(key, checked.value);
    }
    return valid;
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
