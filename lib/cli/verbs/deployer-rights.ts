import type { Blueprint } from "../../blueprint";
import { isUnanswered, type PreflightCloud } from "../cloud/preflight-cloud";
import type { PreflightCheck } from "./preflight-check";

/** More denied actions are not named. */
const NAMED = 8;

/**
 * Whether the deployer's role has what an apply, a change and a destroy need, as IAM itself simulates the role's own
 * policies and its boundary. What policies of resources and of the organisation deny is not among it.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
 */
export async function deployerChecks(
  { deployer, principals }: Pick<Blueprint, "deployer" | "principals">,
  cloud: Pick<PreflightCloud, "denied">,
): Promise<readonly PreflightCheck[]> {
  const check = "rights of deployer";
  const denied = new Set<string>();
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
    for (const action of answer) denied.add(action);
  }
  const names = [...denied].sort();
  if (names.length === 0) {
    return [{ check, state: "ok", found: principals.deployer, change: "" }];
  }
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return [
    {
      check,
      state: "missing",
      found: `denied: ${names.slice(0, NAMED).join(", ")}${more}`,
      change: "attach what a synth writes as policies/deployer*.json",
    },
  ];
}
