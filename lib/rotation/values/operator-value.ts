import { isDeepStrictEqual } from "node:util";
import * as z from "zod/mini";
import { SETTINGS_FIELD } from "../../model/names";
import { keptSettings } from "../../model/setting-rules";
import type { InboxSecret, SuppliedSecret } from "../../model/supplied-values";
import { VALUE_BYTES } from "../../model/value-size";
import { RotationError } from "../protocol/rotation-error";
import { splitSettings } from "../protocol/settings-in-effect";
import { adoptedKey, adoptedKeySchema } from "./adopted-key";
import { genericValueSchema, type KindValue, VALUE_SCHEMAS } from "./value-schemas";

/**
 * Values that operators supply: what is asked for, what is checked without a network, and how the value that is to be
 * put comes of it. The function checks all of it again, and then asks the vendor.
 */

/** One thing that an operator is asked for. */
export interface SuppliedField {
  /** Name in the JSON that is supplied. */
  readonly name: string;
  readonly required: boolean;
  /** `true` where it is not to be shown while it is typed: everything but what vendors call public. */
  readonly hidden: boolean;
}

/** Fields that an operator is asked for, in this order. */
export function suppliedFields(secret: InboxSecret): readonly SuppliedField[] {
  const { shape } = suppliedSchema(secret);
  return Object.entries(shape).map(([name, field]) => ({
    name,
    required: !field.safeParse(undefined).success,
    hidden: !PUBLIC_FIELDS.has(name),
  }));
}

/** Names and ids that vendors print on their pages, and a key that stands in every browser. */
const PUBLIC_FIELDS: ReadonlySet<string> = new Set([
  "publishableKey",
  "clientId",
  "apiKeyId",
  "appKeyId",
  "username",
  "kid",
  "previous",
]);

/**
 * The kind's whole value, from what an operator supplied and the value of AWSCURRENT. Pure: nothing is called. What
 * Stripe's webhooks are signed with is carried over; the target changes it. The function completes what was supplied; people's
 * tools check by it what can be checked without the current value, which they may not read.
 *
 * @param supplied the fields of {@link suppliedFields}, as JSON
 * @param stored AWSCURRENT's value as JSON; `undefined`: the secret has none that is proved, or it is not known here
 * @throws RotationError `value-malformed` (names the fields), `wrong-environment`, `value-repeated`
 * @example
 * completeValue(secret, JSON.parse(stdin));
 */
export function completeValue(
  secret: InboxSecret,
  supplied: unknown,
  stored?: unknown,
): Readonly<Record<string, unknown>> {
  const current = splitSettings(stored).value;
  if (secret.kind === "jwt-signing-key") {
    return adoptedKey(secret.settings, checked(adoptedKeySchema(), supplied, "what was supplied"));
  }
  const given = checked(suppliedSchema(secret), supplied, "what was supplied");
  const value = secret.kind === "stripe" ? stripeValue(secret, given, current) : given;
  if (isDeepStrictEqual(value, current)) {
    throw new RotationError("value-repeated", "what was supplied is the current value");
  }
  checkSize(secret, value);
  return value;
}

/**
 * A value and the settings that it keeps have room in Secrets Manager.
 *
 * @throws RotationError `value-malformed`
 */
function checkSize(secret: SuppliedSecret, value: Readonly<Record<string, unknown>>): void {
  const bytes = Buffer.byteLength(
    JSON.stringify({ ...value, [SETTINGS_FIELD]: keptSettings(secret.kind, secret.settings) }),
  );
  if (bytes <= VALUE_BYTES) return;
  throw new RotationError(
    "value-malformed",
    `what was supplied: the value takes ${bytes} bytes with the settings that it keeps, and Secrets Manager takes ${VALUE_BYTES}; keep a large part elsewhere, and what opens it here`,
  );
}

function suppliedSchema(secret: InboxSecret): z.ZodMiniObject<Readonly<Record<string, z.ZodMiniType>>> {
  switch (secret.kind) {
    case "jwt-signing-key":
      return adoptedKeySchema();
    case "stripe": {
      const { secretKey, publishableKey, webhookSecrets } = VALUE_SCHEMAS.stripe.shape;
      const webhookSecret = z.optional(webhookSecrets.shape.current.def.innerType.shape.secret);
      return z.strictObject({ secretKey, publishableKey, webhookSecret });
    }
    case "generic":
      return genericValueSchema(secret.settings.fields);
    default:
      return VALUE_SCHEMAS[secret.kind];
  }
}

type StripeValue = KindValue<"stripe">;

const NO_WEBHOOK: StripeValue["webhookSecrets"] = { next: null, current: null, previous: null };

function stripeValue(
  { settings }: Extract<SuppliedSecret, { readonly kind: "stripe" }>,
  { webhookSecret, ...keys }: Readonly<Record<string, unknown>>,
  current: unknown,
): StripeValue {
  const before =
    current === undefined
      ? NO_WEBHOOK
      : checked(VALUE_SCHEMAS.stripe, current, "the current value").webhookSecrets;
  const value = checked(
    VALUE_SCHEMAS.stripe,
    { ...keys, webhookSecrets: withSupplied(before, webhookSecret, settings.webhookUrl) },
    "what was supplied",
  );
  checkStripeMode(value, settings.mode);
  if (value.secretKey.startsWith("sk_org_") && settings.accountId === undefined) {
    throw new RotationError(
      "value-malformed",
      "secretKey is an organisation's: set accountId, which each call with it names as Stripe-Context",
    );
  }
  return value;
}

/** The webhook secrets with one that a person has rolled in the dashboard, where Stripe signs by both for a day. */
function withSupplied(
  before: StripeValue["webhookSecrets"],
  secret: unknown,
  webhookUrl: string | undefined,
) {
  if (secret === undefined || secret === before.current?.secret) return before;
  if (webhookUrl !== undefined && before.current !== null) {
    throw new RotationError(
      "value-malformed",
      "webhookSecret: the rotation makes the endpoints of webhookUrl and knows their secrets",
    );
  }
  return { next: before.next, current: { id: null, secret }, previous: before.current };
}

/**
 * Stripe's keys show their mode: test keys move no money.
 * https://docs.stripe.com/keys
 *
 * @throws RotationError `wrong-environment`
 */
export function checkStripeMode(value: StripeValue, mode: "test" | "live"): void {
  for (const name of ["secretKey", "publishableKey"] as const) {
    if (/^(?:sk_org|sk|rk|pk)_(test|live)_/.exec(value[name])?.[1] !== mode) {
      throw new RotationError(
        "wrong-environment",
        `${name} is a ${mode === "live" ? "test" : "live"} key, and the secret is of mode ${mode}`,
      );
    }
  }
}

/** Paths only: zod's messages quote what they found. */
function checked<T>(schema: z.ZodMiniType<T>, input: unknown, what: string): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const paths = result.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? ["a field that is not known"]
      : [issue.path.join(".") || "the whole value"],
  );
  throw new RotationError("value-malformed", `${what}: ${[...new Set(paths)].join(", ")}`);
}
