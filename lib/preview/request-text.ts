import type { Finding } from "../proof";
import { word, words } from "./word";

/** A request as people read it. */
export function requestText({ caller, action, resource, context, about, because, is }: Finding): string {
  const conditions = Object.entries(context).map(([key, value]) => `${key}=${[value].flat().join("|")}`);
  return [
    `${word(caller)} may ${word(action)} on ${word(resource)}`,
    resource === about ? "" : ` (${word(about)})`,
    conditions.length === 0 ? "" : ` with ${words(conditions, 6)}`,
    is === "undecided" ? `, depending on ${words(because, 3)}` : "",
    ".",
  ].join("");
}
