import type { SecretStore } from "./ports";
import { RotationError } from "./rotation-error";
import { type AdminValue, adminValueSchema } from "./value-schemas";

/**
 * Reads the admin's login from its secret, each time anew: it rotates, too.
 *
 * @throws RotationError `settings-malformed`, `value-missing`, `value-malformed`
 */
export async function readAdminValue(
  store: SecretStore,
  secretName: string | undefined,
  guard: (value: unknown) => void,
): Promise<AdminValue> {
  if (secretName === undefined) {
    throw new RotationError("settings-malformed", "this kind needs an admin secret and none is named");
  }
  const text = await store.readCurrent(secretName);
  if (text === undefined) throw new RotationError("value-missing", `the admin secret ${secretName} is empty`);
  guard(text);
  const result = adminValueSchema.safeParse(parsed(text));
  if (!result.success) {
    throw new RotationError("value-malformed", `the admin secret ${secretName} needs username and password`);
  }
  guard(result.data);
  return result.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    return undefined;
  }
}
