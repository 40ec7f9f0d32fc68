import type { PolicyDocument } from "../model";
import { isRecord } from "../model/is-record";
import { partitionOf } from "../model/partitions";
import { policyOf, referred, type TerraformJson, textOf, textsOf, writtenPolicy } from "./terraform-json";

/** A role of a synthesized output, with everything that its stack attaches to it. */
export interface OutputRole {
  /** Name of its resource. */
  readonly resource: string;
  readonly name: string;
  readonly arn: string;
  /** Tag `workload`. */
  readonly workload: string | undefined;
  readonly trust: PolicyDocument;
  readonly policies: readonly PolicyDocument[];
  /** Trust policy and policies as they are written. */
  readonly written: { readonly trust: unknown; readonly policies: readonly unknown[] };
  /** Policies of AWS, or of others, that are attached, whose texts the output does not hold. */
  readonly attached: readonly string[];
  readonly boundary: string | undefined;
}

const NONE: PolicyDocument = { Version: "2012-10-17", Statement: [] };

/** Account and primary region of a stack, by its provider of AWS. */
export function stackPlaceOf(stack: TerraformJson): { readonly account: string; readonly region: string } {
  const [provider] = stack.providers("aws");
  return {
    account: textsOf(provider?.allowed_account_ids)[0] ?? "unknown",
    region: textOf(provider?.region) ?? "unknown",
  };
}

/** Roles of a stack. */
export function rolesOf(stack: TerraformJson): readonly OutputRole[] {
  const { account, region } = stackPlaceOf(stack);
  const inline = byRole(
    [...stack.of("aws_iam_role_policy").values()].map((entry) => [entry.role, entry.policy]),
  );
  const managed = stack.of("aws_iam_policy");
  const attached = byRole([
    ...[...stack.of("aws_iam_role_policy_attachments_exclusive").values()].flatMap((entry) =>
      textsOf(entry.policy_arns).map((policy) => [entry.role_name, policy] as const),
    ),
    ...[...stack.of("aws_iam_role_policy_attachment").values()].map(
      (entry) => [entry.role, textOf(entry.policy_arn) ?? ""] as const,
    ),
  ]);
  return [...stack.of("aws_iam_role")].map(([resource, role]) => {
    const name = textOf(role.name) ?? resource;
    const found = attached(resource, name).map(
      (policy) => [policy, managed.get(referred(policy, "aws_iam_policy") ?? "")] as const,
    );
    const texts = [
      ...inline(resource, name),
      ...found.flatMap(([, policy]) => (policy ? [policy.policy] : [])),
    ];
    return {
      resource,
      name,
      arn: `arn:${partitionOf(region)}:iam::${account}:role${textOf(role.path) ?? "/"}${name}`,
      workload: isRecord(role.tags) ? textOf(role.tags.workload) : undefined,
      trust: policyOf(role.assume_role_policy) ?? NONE,
      policies: texts.map((text) => policyOf(text) ?? NONE),
      written: { trust: writtenPolicy(role.assume_role_policy), policies: texts.map(writtenPolicy) },
      attached: [
        ...textsOf(role.managed_policy_arns),
        ...found.flatMap(([arn, policy]) => (policy ? [] : [arn])),
      ],
      boundary: textOf(role.permissions_boundary),
    };
  });
}

/** Entries that belong to a role, by a reference to its resource or by its name, in their order in the stack. */
function byRole<T>(
  entries: readonly (readonly [unknown, T])[],
): (resource: string, name: string) => readonly T[] {
  const found = new Map<string, (readonly [number, T])[]>();
  for (const [at, [role, entry]] of entries.entries()) {
    const resource = referred(role, "aws_iam_role");
    const key = resource === undefined ? `name ${String(role)}` : `resource ${resource}`;
    found.set(key, [...(found.get(key) ?? []), [at, entry]]);
  }
  return (resource, name) =>
    [...(found.get(`resource ${resource}`) ?? []), ...(found.get(`name ${name}`) ?? [])]
      .sort(([a], [b]) => a - b)
      .map(([, entry]) => entry);
}
