import type { RolePlan } from "../../lib/blueprint";
import type { PolicyDocument } from "../../lib/model";
import {
  type CallLog,
  type RightProof,
  type RightUse,
  type UsedRights,
  usedRights,
} from "../../packages/rehearsal/src/shim";

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

/** A role of the blueprint, held against its calls. */
export const rightsOf = ({ arn, policies }: RolePlan, calls: CallLog): UsedRights =>
  rightsOfPerson(
    arn,
    [...policies.inline, ...policies.managed].map(({ document }) => document),
    calls,
  );

/** A role with policies that are not the blueprint's to attach. */
export const rightsOfPerson = (
  arn: string,
  policies: readonly PolicyDocument[],
  calls: CallLog,
): UsedRights => usedRights(policies, calls.by(arn));

/**
 * Least privilege by use: every statement of each role, with the calls that needed it.
 *
 * @param roles by the word that stands for a role; where several environments have it, a right that one of them used is used
 */
export function rightsUsed(roles: Readonly<Record<string, readonly UsedRights[]>>): RightsUsed {
  const lines: string[] = [];
  const counts = { enforced: 0, implied: 0, service: 0, none: 0 };
  const unused: string[] = [];
  const missing = new Set<string>();
  for (const [word, everywhere] of Object.entries(roles)) {
    lines.push(word);
    for (const { sid, action, uses, proof } of together(everywhere)) {
      lines.push(`  ${sid.padEnd(32)}${action.padEnd(44)}${String(uses).padStart(6)}  ${proof}`);
      counts[proof] += 1;
      if (proof === "none") unused.push(`${word} ${sid} ${action}`);
    }
    for (const lacking of everywhere.flatMap((used) => used.missing))
      missing.add(`${word} ${lacking.action} ${lacking.resource}`);
  }
  return { lines, counts, unused, missing: [...missing] };
}

/** Weakest first. */
const PROOFS: readonly RightProof[] = ["none", "service", "implied", "enforced"];

/** The same right in several environments as one. */
function together(everywhere: readonly UsedRights[]): readonly RightUse[] {
  const rights = new Map<string, RightUse>();
  for (const right of everywhere.flatMap((used) => used.rights)) {
    const key = `${right.sid} ${right.action}`;
    const { uses, proof } = rights.get(key) ?? { uses: 0, proof: "none" };
    const stronger = PROOFS.indexOf(right.proof) > PROOFS.indexOf(proof) ? right.proof : proof;
    rights.set(key, { ...right, uses: uses + right.uses, proof: stronger });
  }
  return [...rights.values()];
}
