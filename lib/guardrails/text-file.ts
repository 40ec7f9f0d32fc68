import { GUARDRAILS, type GuardrailFinding } from "./guardrail";
import { secretFormIn } from "./literals";

/** A credential in a file, without its text. */
export const credentialIn = (
  path: string,
  line: number | undefined,
  what: string,
  by: string,
): GuardrailFinding => ({
  rule: "SR060",
  severity: GUARDRAILS.SR060.severity,
  address: path,
  at: line === undefined ? "" : `line ${line}`,
  found: `${what} (${by})`,
  change:
    "Ask `secrets-registry whose` what it opens, rotate it, and take it out of the file and its history",
});

/** SR060 by forms of credentials that are known by their text alone, line by line. */
export const credentialLines = (path: string, text: string): readonly GuardrailFinding[] =>
  text.split("\n").flatMap((line, index) => {
    const form = secretFormIn(line);
    return form === undefined ? [] : [credentialIn(path, index + 1, form, "own rule")];
  });
