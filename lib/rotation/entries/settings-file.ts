import { readSettings, settingsFile } from "../../lambda/settings-file";
import { RotationError } from "../protocol/rotation-error";

/**
 * Content of `settings.json` beside the function's code.
 *
 * @throws RotationError `settings-malformed`
 */
export async function readSettingsFile(): Promise<unknown> {
  try {
    return await readSettings();
  } catch {
    throw new RotationError("settings-malformed", `${settingsFile()} is missing or no JSON`);
  }
}
