import type { RolePlan } from "../../lib/blueprint";
import type { PolicyDocument } from "../../lib/model";
import { type CallLog, type RightProof, usedRights } from "../../lib/rehearsal/shim";

/** A role whose rights are held against what it did. */
export interface RightsHolder {
  /** What it is called where something is wrong with it. */
  readonly word: string;
  /** ARN. */
  readonly role: string;
  readonly policies: readonly PolicyDocument[];
}

/** The rights of roles, held against what they did. */
export interface RightsUsed {
  /** A table for people. */
  readonly lines: readonly string[];
  /** By proof. */
  readonly counts: Readonly<Record<RightProof, number>>;
  /** `<word> <statement> <action>` of what nothing used. */
  readonly unused: readonly string[];
  /** `<word> <action> <resource>` of what was denied, or would have been. */
  readonly missing: readonly string[];
}

/** A role of the blueprint. */
export const holderOf = (word: string, { arn, policies }: RolePlan): RightsHolder => ({
  word,
  role: arn,
  policies: [...policies.inline, ...policies.managed].map(({ document }) => document),
});

/** Least privilege by use: every statement of each role, with the calls that needed it. */
export function rightsUsed(holders: readonly RightsHolder[], calls: CallLog): RightsUsed {
  const lines: string[] = [];
  const counts = { enforced: 0, implied: 0, service: 0, none: 0 };
  const unused: string[] = [];
  const missing: string[] = [];
  for (const { word, role, policies } of holders) {
    const used = usedRights(policies, calls.by(role));
    lines.push(role.slice(role.lastIndexOf("/") + 1));
    for (const { sid, action, uses, proof } of used.rights) {
      lines.push(`  ${sid.padEnd(32)}${action.padEnd(44)}${String(uses).padStart(6)}  ${proof}`);
      counts[proof] += 1;
    }
    unused.push(...used.unused.map(({ sid, action }) => `${word} ${sid} ${action}`));
    missing.push(...used.missing.map(({ action, resource }) => `${word} ${action} ${resource}`));
  }
  return { lines, counts, unused, missing };
}
