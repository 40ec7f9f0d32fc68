import { isRecord } from "../model/is-record";

/** One change of Terraform's plan: its place and its actions, and nothing of what it holds. */
export interface PlannedChange {
  /** Address without the keys of instances, which may hold anything. */
  readonly address: string;
  readonly type: string;
  readonly action: "create" | "update" | "replace" | "delete" | "other";
  /** A function that gets other code and nothing else. */
  readonly codeOnly: boolean;
}

/** A plan that is none. Its message holds nothing of the file. */
export class TerraformPlanFault extends Error {
  override readonly name = "TerraformPlanFault";
}

/**
 * Reads what `terraform show -json` wrote of a plan. Only addresses, types and actions leave this function, so a value that a plan
 * holds (variables, attributes, outputs, keys of instances) is in no result and in no error.
 *
 * https://developer.hashicorp.com/terraform/internals/json-format#plan-representation
 *
 * @throws TerraformPlanFault for text that is no such plan
 */
export function readTerraformPlan(text: string): readonly PlannedChange[] {
  const plan = parsed(text);
  if (!isRecord(plan)) throw new TerraformPlanFault("is JSON, and no object of `terraform show -json`");
  if (typeof plan.format_version !== "string") {
    throw new TerraformPlanFault(
      "has no format_version: it is not what `terraform show -json <plan>` writes",
    );
  }
  if (!/^1\.\d+$/.test(plan.format_version)) {
    throw new TerraformPlanFault("has a format_version that is not 1.x: this program knows no other");
  }
  if (plan.errored === true) throw new TerraformPlanFault("is of a run that failed: plan anew");
  const changes = plan.resource_changes;
  if (changes === undefined && isRecord(plan.planned_values)) return [];
  if (!Array.isArray(changes)) {
    throw new TerraformPlanFault("has no resource_changes: it is a state or a configuration, and no plan");
  }
  return changes.map(changeOf).filter((change): change is PlannedChange => change !== undefined);
}

/** Messages of JSON.parse quote the text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TerraformPlanFault(
      "is not JSON: truncated, or a plan in its binary form (use `terraform show -json <plan>`)",
    );
  }
}

function changeOf(entry: unknown): PlannedChange | undefined {
  if (!isRecord(entry) || typeof entry.address !== "string" || typeof entry.type !== "string") {
    throw new TerraformPlanFault("has a resource change without address or type");
  }
  const change = entry.change;
  if (!isRecord(change) || !Array.isArray(change.actions)) {
    throw new TerraformPlanFault("has a resource change without actions");
  }
  if (entry.mode === "data") return undefined;
  const action = actionOf(change.actions.map(String));
  if (action === undefined) return undefined;
  return {
    address: withoutKeys(entry.address, entry.type),
    type: entry.type,
    action,
    codeOnly: action === "update" && entry.type === "aws_lambda_function" && changesCodeAlone(change),
  };
}

/** An address without the keys of instances; the type alone where it is none. */
function withoutKeys(address: string, type: string): string {
  const plain = address.replace(/\[(?:"(?:[^"\\]|\\.)*"|\d+)\]/g, "[…]");
  if (/^[\w-]+(\[…\])?(\.[\w-]+(\[…\])?)*$/.test(plain)) return plain;
  return /^[a-z0-9_]+$/.test(type) ? type : "a resource";
}

function actionOf(actions: readonly string[]): PlannedChange["action"] | undefined {
  const joined = actions.join(" ");
  if (joined === "no-op" || joined === "read") return undefined;
  if (joined === "create" || joined === "update" || joined === "delete") return joined;
  if (joined === "delete create" || joined === "create delete") return "replace";
  return "other";
}

/** Attributes of a function that follow from its code. */
const OF_CODE = [
  "source_code_hash",
  "filename",
  "last_modified",
  "qualified_arn",
  "version",
  "code_sha256",
  "source_code_size",
];

function changesCodeAlone({ before, after }: Readonly<Record<string, unknown>>): boolean {
  if (!isRecord(before) || !isRecord(after)) return false;
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].every(
    // What is not known before it is applied is absent in `after`.
    (name) =>
      OF_CODE.includes(name) ||
      after[name] === undefined ||
      JSON.stringify(before[name]) === JSON.stringify(after[name]),
  );
}
