import * as z from "zod/mini";
import type { MirrorSettings } from "../../contracts/function-settings";
import { RotationError } from "../protocol/rotation-error";

const text = z.string().check(z.minLength(1));

const connection = z.strictObject({
  mount: text,
  name: text,
  rotateEverySeconds: z.int().check(z.positive()),
});

const vault = z.strictObject({
  name: text,
  address: z.url({ protocol: /^https$/ }),
  caPem: z.optional(text),
  namespace: z.optional(text),
  authMount: text,
  role: text,
  audience: text,
  kvMount: text,
  connections: z.array(connection),
});

const mirrorSettings = z.strictObject({
  environment: text,
  region: text,
  publicationsTable: text,
  auditKeyAlias: text,
  vaults: z.array(vault),
  secrets: z.record(z.string(), z.strictObject({ path: z.optional(text) })),
});

/**
 * Checks the mirror's settings file.
 *
 * @throws RotationError `settings-malformed`
 */
export function parseMirrorSettings(input: unknown): MirrorSettings {
  const result = mirrorSettings.safeParse(input);
  if (result.success) return result.data;
  const paths = result.error.issues.map((issue) => issue.path.join("."));
  throw new RotationError("settings-malformed", [...new Set(paths)].join(", "));
}
