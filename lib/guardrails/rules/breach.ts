import { GUARDRAILS, type GuardrailFinding, type GuardrailId } from "../guardrail";
import type { ViewedElement } from "../view/terraform-view";

/** A finding about an element. */
export const breach = (
  rule: GuardrailId,
  { address, constructPath }: Pick<ViewedElement, "address" | "constructPath">,
  at: string,
  found: string,
  change: string,
): GuardrailFinding => ({
  rule,
  severity: GUARDRAILS[rule].severity,
  address,
  at,
  found,
  change,
  ...(constructPath === undefined ? {} : { constructPath }),
});
