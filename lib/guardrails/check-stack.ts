import type { GuardrailFinding } from "./guardrail";
import { accessBreaches, type GuardrailAccessRule } from "./rules/access-rule";
import { literalBreaches } from "./rules/literal-rule";
import { policyBreaches } from "./rules/policy-rules";
import { logBreaches, secretBreaches } from "./rules/secret-rules";
import { stateBreaches } from "./rules/state-rule";
import { trustBreaches } from "./rules/trust-rule";
import { policiesIn } from "./view/policy-view";
import { TerraformView } from "./view/terraform-view";

/** Settings of a check. */
export interface GuardrailSettings {
  /** Secrets that workloads must not read. @default none, and SR040 finds nothing */
  readonly accessRules?: readonly GuardrailAccessRule[];
  /** Own AWS accounts. @default those that the stack's AWS provider allows; without any, no account is foreign */
  readonly accounts?: readonly string[];
}

/**
 * Findings of every rule in one stack.
 *
 * @param json its Terraform in JSON syntax, parsed: `cdk.tf.json`, or what a stack's `toTerraform()` gives
 */
export function checkStack(
  json: Readonly<Record<string, unknown>>,
  { accessRules = [], accounts }: GuardrailSettings = {},
): readonly GuardrailFinding[] {
  const view = new TerraformView(json);
  const policies = policiesIn(view);
  return [
    ...literalBreaches(view),
    ...stateBreaches(view),
    ...secretBreaches(view),
    ...policyBreaches(view, policies, accounts ?? view.accounts),
    ...trustBreaches(view, policies),
    ...accessBreaches({ view, policies }, accessRules),
    ...logBreaches(view),
  ];
}
