import { existsSync, readFileSync } from "node:fs";
import { isRecord } from "../../model/is-record";

/** An object in a JSON file; `undefined` where there is none, and where the file does not parse: that is for its own tools to say. */
export function jsonAt(file: string): Readonly<Record<string, unknown>> | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const json: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isRecord(json) ? json : undefined;
  } catch {
    return undefined;
  }
}
