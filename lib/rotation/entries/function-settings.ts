import * as z from "zod/mini";
import type { FunctionSettings, RotatedSecret } from "../../contracts/function-settings";
import { type KindName, type KindSettings, settingsSchema } from "../../model/kinds";
import { secretNameOf } from "../protocol/event";
import { RotationError } from "../protocol/rotation-error";

const wait = z.object({ seconds: z.int().check(z.gte(0)) });

const rotatedSecret = z.strictObject({
  settings: z.unknown(),
  rotation: z.enum(["automatic", "operator-assisted", "manual-dual-publish"]),
  acceptedBy: z.enum(["target", "own-workloads", "single-slot"]),
  overlap: wait,
  publishLead: wait,
  approval: z.optional(z.boolean()),
  admin: z.optional(z.string()),
  inbox: z.optional(z.string()),
});

const functionSettings = z.strictObject({
  kind: z.string(),
  environment: z.string().check(z.minLength(1)),
  region: z.string().check(z.minLength(1)),
  publicationsTable: z.string().check(z.minLength(1)),
  runsTable: z.optional(z.string().check(z.minLength(1))),
  auditKeyAlias: z.string().check(z.minLength(1)),
  secrets: z.record(z.string(), rotatedSecret),
});

/**
 * Checks a settings file. Each secret's settings must be of the function's kind.
 *
 * @throws RotationError `settings-malformed`
 */
export function parseFunctionSettings<K extends KindName>(kind: K, input: unknown): FunctionSettings<K> {
  const result = functionSettings.safeParse(input);
  if (!result.success) throw malformed(result.error);
  const { secrets, ...rest } = result.data;
  if (rest.kind !== kind) {
    throw new RotationError("settings-malformed", `settings of kind ${rest.kind} for a function of ${kind}`);
  }
  const schema = settingsSchema(kind);
  const checked = Object.entries(secrets).map(([name, secret]): [string, RotatedSecret<K>] => {
    const settings = schema.safeParse(secret.settings);
    if (!settings.success) throw malformed(settings.error, `secrets.${name}.settings.`);
    // `settingsSchema` gives the schema of this very kind; its return type does not say so.
    return [name, { ...secret, settings: settings.data as KindSettings<K> }];
  });
  return { ...rest, kind, secrets: Object.fromEntries(checked) };
}

/**
 * A function's entry for the secret that an event names.
 *
 * @throws RotationError `secret-not-ours`
 */
export function rotatedSecretOf<K extends KindName>(
  settings: FunctionSettings<K>,
  secretId: string,
): { readonly name: string; readonly secret: RotatedSecret<K> } {
  const name = secretNameOf(secretId);
  const secret = settings.secrets[name];
  if (secret === undefined) {
    throw new RotationError("secret-not-ours", `this function rotates ${settings.kind}, not ${name}`);
  }
  return { name, secret };
}

function malformed(error: z.core.$ZodError, prefix = ""): RotationError {
  const paths = error.issues.map((issue) => prefix + issue.path.join("."));
  return new RotationError("settings-malformed", [...new Set(paths)].join(", "));
}
