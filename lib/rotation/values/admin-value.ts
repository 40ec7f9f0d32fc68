import type * as z from "zod/mini";
import type { SecretStore } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";

/**
 * Reads the admin credential from its secret, each time anew: it rotates, too.
 *
 * @throws RotationError `settings-malformed`, `value-missing`, `value-malformed`
 */
export async function readAdminValue<V>(
  store: SecretStore,
  secretName: string | undefined,
  guard: (value: unknown) => void,
  schema: z.ZodMiniType<V>,
): Promise<V> {
  if (secretName === undefined) {
    throw new RotationError("settings-malformed", "this kind needs an admin secret and none is named");
  }
  const text = await store.readCurrent(secretName);
  if (text === undefined) throw new RotationError("value-missing", `the admin secret ${secretName} is empty`);
  guard(text);
  const result = schema.safeParse(parsed(text));
  if (!result.success) {
    // Paths only: zod's messages quote what they found.
    const paths = result.error.issues.map((issue) => issue.path.join(".") || "the whole value");
    throw new RotationError(
      "value-malformed",
      `the admin secret ${secretName} lacks ${[...new Set(paths)].join(" and ")}`,
    );
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
