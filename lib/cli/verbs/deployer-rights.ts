import type { Blueprint } from "../../blueprint";
import type { PolicyDocument } from "../../model/policy-document";
import { isUnanswered, type PreflightCloud } from "../cloud/preflight-cloud";
import type { PreflightCheck } from "./preflight-check";

/** More denied actions are not named. */
const NAMED = 8;

const named = (names: readonly string[]): string =>
  `${names.slice(0, NAMED).join(", ")}${names.length > NAMED ? ` and ${names.length - NAMED} more` : ""}`;

/** Condition keys that a request of the deployer has where its own policies ask for them. */
const keysOf = (documents: readonly PolicyDocument[]): ReadonlySet<string> =>
  new Set(
    documents
      .flatMap(({ Statement }) => Statement.flatMap(({ Condition = {} }) => Object.values(Condition)))
      .flatMap((keys) => Object.keys(keys).map((key) => key.toLowerCase())),
  );

/**
 * Checks that the deployer's role has the rights that an apply, a change and a destroy need, as IAM itself simulates the
 * role's own policies and its boundary. What policies of resources and of the organisation deny is not among it. An
 * action that hangs on something which the generated policies do not ask for (`aws:SourceIp` in a policy that somebody
 * attached) is not decided, and said to be so; what they ask for is in the simulated request.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
 */
export async function deployerChecks(
  { deployer, principals }: Pick<Blueprint, "deployer" | "principals">,
  cloud: Pick<PreflightCloud, "denied">,
): Promise<readonly PreflightCheck[]> {
  const check = "rights of deployer";
  const ours = keysOf([...deployer.policies, deployer.boundary]);
  const denied = new Set<string>();
  const undecided = new Map<string, readonly string[]>();
  for (const statement of deployer.policies.flatMap(({ Statement }) => Statement)) {
    if (statement.Effect !== "Allow") continue;
    const answer = await cloud.denied(principals.deployer, statement);
    if (isUnanswered(answer)) {
      return [
        {
          check,
          state: "unknown",
          found: `not checked: ${answer.unanswered}`,
          change: `ask with iam:SimulatePrincipalPolicy on ${principals.deployer}`,
        },
      ];
    }
    if (answer === undefined) {
      const change = "make it, or name the one that there is";
      return [{ check, state: "missing", found: `no ${principals.deployer}`, change }];
    }
    for (const { action, missing } of answer) {
      const foreign = missing.filter((key) => !ours.has(key.toLowerCase()));
      if (foreign.length === 0) denied.add(action);
      else undecided.set(action, foreign);
    }
  }
  const open = [...undecided].filter(([action]) => !denied.has(action));
  const checks: PreflightCheck[] = [];
  if (denied.size > 0) {
    checks.push({
      check,
      state: "missing",
      found: `denied: ${named([...denied].sort())}`,
      change: "attach what a synth writes as policies/deployer*.json",
    });
  }
  if (open.length > 0) {
    const keys = [...new Set(open.flatMap(([, missing]) => missing))].sort();
    checks.push({
      check,
      state: "unknown",
      found: `not decided: ${named(open.map(([action]) => action).sort())}`,
      change: `its policies make them hang on ${keys.join(", ")}, which a simulation cannot know`,
    });
  }
  return checks.length > 0 ? checks : [{ check, state: "ok", found: principals.deployer, change: "" }];
}
