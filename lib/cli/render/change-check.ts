import { formatFault } from "../../model";
import type { ChangeCheck, CheckedChange } from "../verbs/change-check";

/** The verdict on change requests. */
export function renderChangeCheck(result: ChangeCheck, format: "text" | "json"): string {
  if (format === "json") return JSON.stringify(result, null, 2);
  if (result.files.length === 0) return "No change requests.";
  return result.files.map(verdict).join("\n\n");
}

function verdict({ file, digest, open, faults }: CheckedChange): string {
  if (faults.length === 0) return `${file}: valid${open ? "" : ", history"}\n  ${digest}`;
  return [
    `${file}: ${faults.length} fault${faults.length === 1 ? "" : "s"}`,
    ...faults.map(formatFault),
  ].join("\n\n");
}
