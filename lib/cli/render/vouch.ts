import type { VouchedChange, Vouching } from "../verbs/vouch";

/** The answer of `change vouch`. */
export function renderVouch(result: Vouching, format: "text" | "json"): string {
  if (format === "json") return JSON.stringify(result, null, 2);
  if (result.files.length === 0) return "No change requests.";
  return result.files.map((file) => lineOf(file, result.environment)).join("\n");
}

function lineOf(change: VouchedChange, environment: string): string {
  if (change.outcome === "vouched") {
    return `${change.file}: vouched for in ${environment}, good from ${change.from} until ${change.until}\n  ${change.digest}`;
  }
  return `${change.file}: ${change.outcome}, ${change.why}`;
}
