import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { RotationError } from "../protocol/rotation-error";

/**
 * Content of `settings.json` beside the function's code.
 *
 * @throws RotationError `settings-malformed`
 */
export async function readSettingsFile(): Promise<unknown> {
  const file = join(process.env.LAMBDA_TASK_ROOT ?? ".", "settings.json");
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    throw new RotationError("settings-malformed", `${file} is missing or no JSON`);
  }
}
