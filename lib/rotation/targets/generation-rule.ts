import { alphabetOf, type GenerationRule, type PasswordRule } from "../../model/generic-settings";
import type { Random } from "../protocol/ports";
import { randomText } from "../values/random-text";

/** Makes a field's value by its rule. */
export function generateByRule(random: Random, rule: GenerationRule): string {
  return rule.how === "bytes"
    ? random.bytes(rule.bytes).toString(rule.encoding)
    : passwordByRule(random, rule);
}

/**
 * Whole passwords are drawn until one has a character of each class, so all passwords that fit the rule are equally
 * likely; putting missing characters in afterwards would favour some. The rule's length makes a miss rare.
 */
function passwordByRule(random: Random, rule: PasswordRule): string {
  const classes = alphabetOf(rule);
  const alphabet = classes.join("");
  for (;;) {
    const password = randomText(random, rule.length, alphabet);
    if (classes.every((members) => [...password].some((character) => members.includes(character)))) {
      return password;
    }
  }
}
