import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** File beside a function's code, as the blueprint wrote it. */
export const settingsFile = (): string => join(process.env.LAMBDA_TASK_ROOT ?? ".", "settings.json");

/** Content of the {@link settingsFile}. Throws for what is not there, or no JSON. */
export const readSettings = async (): Promise<unknown> => JSON.parse(await readFile(settingsFile(), "utf8"));
