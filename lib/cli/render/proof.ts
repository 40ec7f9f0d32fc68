import { requestText, word } from "../../preview";
import type { EnvironmentProof } from "../../proof";

/** Form of a proof. */
export type ProofFormat = "text" | "json" | "md";

/** A proof in the form that was asked for. */
export function renderProof(proof: EnvironmentProof, format: ProofFormat): string {
  if (format === "json") return JSON.stringify(proof, undefined, 2);
  const lines = linesOf(proof);
  return format === "md"
    ? lines.join("\n")
    : lines.map((line) => line.replaceAll("`", "").replace(/^\*\*(.*)\*\*$/, "$1")).join("\n");
}

function linesOf({ environment, beyond, missing, about }: EnvironmentProof): readonly string[] {
  const possible = beyond.filter(({ is }) => is === "possible");
  const undecided = beyond.filter(({ is }) => is === "undecided");
  const what = `${about.secrets} secrets and inboxes, ${about.keys} keys, ${about.roles} roles and ${about.logins} logins of Vaults`;
  if (beyond.length + missing.length === 0) {
    return [
      `**Proved: ${word(environment)} allows what the registry says, and no other request.**`,
      "",
      `- About ${what}.`,
      "- Whoever is not named by the registry is denied, whatever policies of their own say.",
      "- No token opens two roles, and no role takes or rewrites another, or a function's code.",
    ];
  }
  return [
    `**Not proved: ${word(environment)} has ${possible.length} requests beyond the registry, ${undecided.length} that are not decided, and lacks ${missing.length}.**`,
    ...section("Possible beyond the registry", possible.map(requestText)),
    ...section("Not decided, so not safe", undecided.map(requestText)),
    ...section(
      "In the registry and not allowed",
      missing.map(({ caller, action, secret }) => `${word(caller)} ${word(action)} on ${word(secret)}.`),
    ),
  ];
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ["", `${title}:`, ...lines.map((line) => `- ${line}`)];
