/** A text with wildcards as a policy has it. */
export interface Pattern {
  readonly text: string;
  /**
   * `text`: `*` matches any characters. `arn`: each of the six parts between colons is matched apart, so that a wildcard of the first
   * five matches no colon. `exact`: there are no wildcards.
   *
   * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
   */
  readonly form: "text" | "arn" | "exact";
  readonly steps: readonly PatternStep[];
  readonly expression: RegExp;
}

/** One step of a pattern: a character, or a wildcard. */
export type PatternStep =
  | { readonly is: "character"; readonly character: string }
  | { readonly is: "one" | "many"; readonly colon: boolean };

/** Steps and expression of a pattern. */
export function parsePattern(text: string, form: Pattern["form"]): Pattern {
  const steps: PatternStep[] = [];
  let colons = 0;
  for (const character of text) {
    const colon = form === "text" || colons >= 5;
    if (form !== "exact" && character === "*") steps.push({ is: "many", colon });
    else if (form !== "exact" && character === "?") steps.push({ is: "one", colon });
    else {
      if (character === ":") colons += 1;
      steps.push({ is: "character", character });
    }
  }
  return { text, form, steps, expression: new RegExp(`^${steps.map(sourceOf).join("")}$`, "su") };
}

function sourceOf(step: PatternStep): string {
  if (step.is === "character") return step.character.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return `${step.colon ? "." : "[^:]"}${step.is === "many" ? "*" : ""}`;
}
