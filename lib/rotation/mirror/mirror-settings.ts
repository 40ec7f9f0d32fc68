import * as z from "zod";
import type { MirrorSettings } from "../../model/function-settings";
import { RotationError } from "../rotation-error";

const text = z.string().min(1);

const connection = z.strictObject({
  mount: text,
  name: text,
  rotateEverySeconds: z.number().int().positive(),
});

const vault = z.strictObject({
  name: text,
  address: z.url({ protocol: /^https$/ }),
  caPem: text.optional(),
  namespace: text.optional(),
  authMount: text,
  role: text,
  kvMount: text,
  connections: z.array(connection),
});

const mirrorSettings = z.strictObject({
  environment: text,
  region: text,
  publicationsTable: text,
  audience: text,
  vaults: z.array(vault),
  secrets: z.record(z.string(), z.strictObject({ path: text.optional() })),
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
