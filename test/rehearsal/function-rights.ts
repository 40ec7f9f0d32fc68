import { rotates } from "../../lib/blueprint";
import { usedRights } from "../../lib/rehearsal/shim";
import type { RehearsedRotations } from "./rehearsed-rotations";

/** The rights of the functions that rotate and mirror in an environment, held against what they did. */
export interface FunctionRights {
  /** A table for people. */
  readonly lines: readonly string[];
  /** By proof. */
  readonly counts: Readonly<Record<"enforced" | "implied" | "service" | "none", number>>;
  /** `<bundle> <statement> <action>` of what nothing used. */
  readonly unused: readonly string[];
  /** `<bundle> <action> <resource>` of what was denied, or would have been. */
  readonly missing: readonly string[];
}

/** Least privilege by use: every statement of each such function's role, with the calls that needed it. */
export function functionRights({ world }: RehearsedRotations): FunctionRights {
  const lines: string[] = [];
  const counts = { enforced: 0, implied: 0, service: 0, none: 0 };
  const unused: string[] = [];
  const missing: string[] = [];
  for (const plan of world.plan.functions) {
    const { bundle, role } = plan;
    if (!rotates(plan) && bundle !== "mirror") continue;
    const policies = [...role.policies.inline, ...role.policies.managed].map(({ document }) => document);
    const used = usedRights(policies, world.shim.calls.by(role.arn));
    lines.push(role.name);
    for (const { sid, action, uses, proof } of used.rights) {
      lines.push(`  ${sid.padEnd(32)}${action.padEnd(44)}${String(uses).padStart(6)}  ${proof}`);
      counts[proof] += 1;
    }
    unused.push(...used.unused.map(({ sid, action }) => `${bundle} ${sid} ${action}`));
    missing.push(...used.missing.map(({ action, resource }) => `${bundle} ${action} ${resource}`));
  }
  return { lines, counts, unused, missing };
}
