import { isRecord } from "../model/is-record";
import type { CallerSet } from "./allowance";
import { statementsIn } from "./grants-by-name";
import { parsePattern } from "./pattern";

/** Operators on `aws:PrincipalArn` that are resolved here, and whether each is the negation. */
const OPERATORS: Readonly<Record<string, boolean>> = {
  ArnEquals: false,
  ArnLike: false,
  ArnNotEquals: true,
  ArnNotLike: true,
};

/**
 * Statements of a resource's policy that concern a kind of callers: those by which they are not meant are left out, and
 * so are names in lists that are not theirs. Two policies that say the same to them need no search; a list of hundreds
 * of readers with one more says the same to all of the others.
 */
export function concerning(caller: CallerSet, account: string, policy: unknown): readonly unknown[] {
  return statementsIn(policy).flatMap((statement) => {
    const { Condition, ...rest } = statement;
    if (!isRecord(Condition)) return [statement];
    const kept: Record<string, unknown> = {};
    for (const [operator, keys] of Object.entries(Condition)) {
      const negates = OPERATORS[operator];
      if (negates === undefined || !isRecord(keys) || Object.keys(keys).join() !== "aws:PrincipalArn") {
        kept[operator] = keys;
        continue;
      }
      const patterns = [keys["aws:PrincipalArn"]].flat().map(String);
      const left = patterns.filter((pattern) => answer(caller, account, pattern) !== "no");
      const isSure = left.some((pattern) => answer(caller, account, pattern) === "yes");
      // A list with none of them never holds, and its negation always does.
      if (left.length === 0 || isSure) {
        if (left.length > 0 === negates) return [];
      } else kept[operator] = { "aws:PrincipalArn": left };
    }
    return [Object.keys(kept).length === 0 ? rest : { ...rest, Condition: kept }];
  });
}

/** Share of the callers that a pattern matches: all (`yes`), none (`no`), or some. */
function answer(caller: CallerSet, account: string, pattern: string): "yes" | "no" | "some" {
  if (pattern.includes("${")) return "some";
  switch (caller.kind) {
    case "role":
      return matches(pattern, caller.role.arn) ? "yes" : "no";
    case "account":
      return caller.except.includes(pattern) ? "no" : "some";
    case "foreign":
      return pattern.split(":")[4] === account ? "no" : "some";
    default:
      // They have no ARN of a principal.
      return "no";
  }
}

const matches = (pattern: string, arn: string): boolean =>
  /[*?]/.test(pattern) ? parsePattern(pattern, "arn").expression.test(arn) : pattern === arn;
