import fc from "fast-check";
import {
  type AnyKindSettings,
  KIND_NAMES,
  type KindName,
  type RotationMode,
  settingsSchema,
  traitsOf,
} from "../../../lib/model/kinds";
import { keptSettings } from "../../../lib/model/setting-rules";
import {
  completeValue,
  genericValueSchema,
  isSupplied,
  RotationError,
  type SuppliedSecret,
  suppliedFields,
  VALUE_SCHEMAS,
} from "../../../lib/rotation";

/** A secret of a kind, with settings as an author writes them. */
function secretOf(kind: KindName, settings: object): SuppliedSecret {
  const secret = { kind, settings: settingsSchema(kind).parse(settings), rotation: "operator-assisted" };
  const typed = secret as AnyKindSettings & { readonly rotation: RotationMode };
  if (!isSupplied(typed)) throw new Error(`${kind} is not supplied`);
  return typed;
}

const WEBHOOK_URL = "https://shop.example.com/stripe";
const key = (kind: "sk" | "rk" | "pk", mode: "test" | "live", tail = "abc123"): string =>
  [kind, mode, tail].join("_");
const stripeKeys = (mode: "test" | "live", tail?: string) => ({
  secretKey: key("sk", mode, tail),
  publishableKey: key("pk", mode, tail),
});
const stripe = (mode: "test" | "live" = "test", webhookUrl?: string) =>
  secretOf("stripe", { mode, account: "shop", ...(webhookUrl === undefined ? {} : { webhookUrl }) });
const webhook = (id: string | null, tail = "x") => ({ id, secret: `whsec_${tail}` });
const none = { next: null, current: null, previous: null };

const KINDS_BY_OPERATOR: Readonly<Record<string, { secret: SuppliedSecret; supplied: object }>> = {
  stripe: { secret: stripe(), supplied: stripeKeys("test") },
  paypal: {
    secret: secretOf("paypal", { mode: "sandbox", account: "shop" }),
    supplied: { clientId: "A1", clientSecret: "E1" },
  },
  sendgrid: { secret: secretOf("sendgrid", { account: "sandbox" }), supplied: { apiKey: "SG.x.y" } },
  datadog: {
    secret: secretOf("datadog", { org: "dev", serviceAccountId: "1" }),
    supplied: { apiKey: "a", apiKeyId: "1", appKey: "b", appKeyId: "2" },
  },
  generic: {
    secret: secretOf("generic", { fields: ["username", "password"] }),
    supplied: { username: "rotator", password: "x" },
  },
};

test("every kind that operators may rotate is here", () => {
  const byOperator = KIND_NAMES.filter((kind) => traitsOf(kind).rotation.includes("operator-assisted"));
  expect(Object.keys(KINDS_BY_OPERATOR).sort()).toEqual([...byOperator].sort());
});

test.each<[string, KindName, RotationMode, object, boolean]>([
  ["an operator's", "generic", "operator-assisted", { fields: ["password"] }, true],
  [
    "made by rule, taken to the target by an operator",
    "generic",
    "operator-assisted",
    { fields: ["password"], generate: { password: { how: "password" } } },
    false,
  ],
  ["rotated by the function", "sendgrid", "automatic", { account: "sandbox" }, false],
])("%s: supplied or not", (_name, kind, rotation, settings, expected) => {
  const secret = { kind, rotation, settings: settingsSchema(kind).parse(settings) };
  expect(isSupplied(secret as AnyKindSettings & { readonly rotation: RotationMode })).toBe(expected);
});

describe.each(Object.entries(KINDS_BY_OPERATOR))("%s", (kind, { secret, supplied }) => {
  test("asks for what it then takes, and makes the kind's value of it", () => {
    const fields = suppliedFields(secret);
    expect(fields.filter(({ required }) => required).map(({ name }) => name)).toEqual(Object.keys(supplied));
    const value = completeValue(secret, supplied);
    const schema =
      secret.kind === "generic" ? genericValueSchema(secret.settings.fields) : VALUE_SCHEMAS[secret.kind];
    expect(schema.parse(value)).toEqual(value);
    expect(value).toMatchObject(supplied);
  });

  test.each([
    ["nothing", undefined],
    ["a text", "x"],
    ["a list", []],
    ["an unknown field", { ...supplied, extra: "canary-9d1f" }],
    ["an empty field", { ...supplied, [Object.keys(supplied)[0] ?? ""]: "" }],
    ["a number", { ...supplied, [Object.keys(supplied)[0] ?? ""]: 1 }],
    ["a field less", Object.fromEntries(Object.entries(supplied).slice(1))],
  ])("%s is malformed, and the message quotes nothing", (_name, input) => {
    const failure = failureOf(() => completeValue(secret, input));
    expect(failure.code).toBe("value-malformed");
    expect(failure.message).not.toContain("canary");
  });

  test("what Secrets Manager has no room for is malformed, and the message says how much it has", () => {
    const large = Object.fromEntries(
      Object.entries(supplied).map(([name, text]) => [name, `${text}${"x".repeat(65_536)}`]),
    );
    const failure = failureOf(() => completeValue(secret, large));
    expect(failure.code).toBe("value-malformed");
  });

  test("what is current already is no new value", () => {
    const value = completeValue(secret, supplied);
    expect(failureOf(() => completeValue(secret, supplied, value)).code).toBe("value-repeated");
  });

  test(`${kind}: what is secret is not shown while it is typed`, () => {
    const shown = suppliedFields(secret).filter(({ hidden }) => !hidden);
    expect(
      shown.map(({ name }) => name).filter((name) => /secret|password|apiKey$|appKey$/i.test(name)),
    ).toEqual([]);
  });
});

function failureOf(work: () => unknown): RotationError {
  try {
    work();
  } catch (failure) {
    if (failure instanceof RotationError) return failure;
    throw failure;
  }
  throw new Error("it was taken");
}

test("a value is as large as Secrets Manager takes it, with the settings that it keeps", () => {
  const secret = {
    kind: "generic",
    rotation: "operator-assisted",
    settings: settingsSchema("generic").parse({ fields: ["certificate"] }),
  } as SuppliedSecret;
  const kept = JSON.stringify({
    certificate: "",
    _settings: keptSettings("generic", secret.settings as never),
  });
  const room = 65_536 - kept.length;
  expect(completeValue(secret, { certificate: "é".repeat(Math.floor(room / 2)) })).toBeDefined();
  const failure = failureOf(() => completeValue(secret, { certificate: "x".repeat(room + 1) }));
  expect(failure.message).toContain(
    "what was supplied: the value takes 65537 bytes with the settings that it keeps, and Secrets Manager takes 65536; keep a large part elsewhere, and what opens it here",
  );
});

describe("Stripe's keys", () => {
  const malformed = ["value-malformed", "secretKey"] as const;
  test.each<[string, "test" | "live", object, readonly [string, string]]>([
    ["a live key outside of production", "test", stripeKeys("live"), ["wrong-environment", "secretKey"]],
    ["a test key in production", "live", stripeKeys("test"), ["wrong-environment", "secretKey"]],
    [
      "a live restricted key outside of production",
      "test",
      { ...stripeKeys("test"), secretKey: key("rk", "live") },
      ["wrong-environment", "secretKey"],
    ],
    [
      "a publishable key of the other mode",
      "live",
      { ...stripeKeys("live"), publishableKey: key("pk", "test") },
      ["wrong-environment", "publishableKey"],
    ],
    [
      "the two mixed up",
      "test",
      { secretKey: key("pk", "test"), publishableKey: key("sk", "test") },
      malformed,
    ],
    ["a webhook secret", "test", { ...stripeKeys("test"), secretKey: "whsec_abc" }, malformed],
    ["a line break", "test", { ...stripeKeys("test"), secretKey: `${key("sk", "test")}\n` }, malformed],
    ["an organisation's key", "test", { ...stripeKeys("test"), secretKey: "sk_org_test_abc" }, malformed],
  ])("%s: refused", (_name, mode, supplied, [code, field]) => {
    const failure = failureOf(() => completeValue(stripe(mode), supplied));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(field);
    for (const value of Object.values(supplied)) expect(failure.message).not.toContain(value);
  });

  test("restricted keys are taken", () => {
    const supplied = { ...stripeKeys("live"), secretKey: key("rk", "live") };
    expect(completeValue(stripe("live"), supplied)).toEqual({ ...supplied, webhookSecrets: none });
  });

  test("webhook secrets are carried over, whatever they are", () => {
    const generation = fc.option(
      fc.record({ id: fc.constantFrom("we_1", "we_2", null), secret: fc.constantFrom("whsec_a", "whsec_b") }),
    );
    fc.assert(
      fc.property(
        fc.record({ next: generation, current: generation, previous: generation }),
        (webhookSecrets) => {
          const current = { ...stripeKeys("test", "old"), webhookSecrets };
          const value = completeValue(stripe("test", WEBHOOK_URL), stripeKeys("test", "new"), current);
          expect(value).toEqual({ ...stripeKeys("test", "new"), webhookSecrets });
        },
      ),
    );
  });

  test("a webhook secret that was rolled in the dashboard: the one before stays accepted", () => {
    const current = { ...stripeKeys("test"), webhookSecrets: { ...none, current: webhook(null, "old") } };
    const value = completeValue(stripe(), { ...stripeKeys("test"), webhookSecret: "whsec_new" }, current);
    expect(value).toMatchObject({
      webhookSecrets: { next: null, current: webhook(null, "new"), previous: webhook(null, "old") },
    });
  });

  test("with webhookUrl a webhook secret is taken of an endpoint that was there before, and of no other", () => {
    const managed = stripe("test", WEBHOOK_URL);
    const supplied = { ...stripeKeys("test", "new"), webhookSecret: "whsec_hand" };
    expect(completeValue(managed, supplied)).toMatchObject({
      webhookSecrets: { current: webhook(null, "hand") },
    });
    const current = { ...stripeKeys("test"), webhookSecrets: { ...none, current: webhook("we_1") } };
    const failure = failureOf(() => completeValue(managed, supplied, current));
    expect([failure.code, failure.message]).toEqual([
      "value-malformed",
      expect.stringContaining("webhookSecret"),
    ]);
  });

  test("a current value of another form is told by its fields", () => {
    const current = { ...stripeKeys("test"), webhookSecrets: { current: "whsec_canary" } };
    const failure = failureOf(() => completeValue(stripe(), stripeKeys("test", "new"), current));
    expect(failure.code).toBe("value-malformed");
    expect(failure.message).toContain("webhookSecrets");
    expect(failure.message).not.toContain("canary");
  });
});
