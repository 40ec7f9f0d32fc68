import {
  KIND_NAMES,
  type KindName,
  type KindSettings,
  settingsSchema,
  traitsOf,
} from "../../../lib/model/kinds";
import { httpCheck } from "../../../lib/rotation/adapters/http-check";
import { pgServer } from "../../../lib/rotation/adapters/pg-server";
import { genericTarget } from "../../../lib/rotation/targets/generic";
import { hmacKeyTarget } from "../../../lib/rotation/targets/hmac-key";
import { jwtSigningKeyTarget } from "../../../lib/rotation/targets/jwt-signing-key";
import { genericValueSchema, VALUE_SCHEMAS } from "../../../lib/rotation/values/value-schemas";
import { ATTEMPT, testRandom } from "../models/rehearsed-secret";

const defaults = <K extends KindName>(kind: K) => settingsSchema(kind).parse({}) as KindSettings<K>;
const hmac = hmacKeyTarget({ settings: defaults("hmac-key"), mode: "automatic", random: testRandom });
const jwt = jwtSigningKeyTarget({ settings: defaults("jwt-signing-key"), mode: "automatic" });
const password = "0123456789abcdef";

const examples: Readonly<Record<Exclude<KindName, "generic">, () => Promise<object>>> = {
  "postgresql-user": async () => ({ username: "app_a", password }),
  "redis-auth-token": async () => ({ password }),
  "jwt-signing-key": () => jwt.generate(undefined, ATTEMPT),
  "hmac-key": () => hmac.generate(undefined, ATTEMPT),
  stripe: async () => ({
    secretKey: ["sk", "test", "example"].join("_"),
    publishableKey: ["pk", "test", "example"].join("_"),
    webhookSecrets: { next: null, current: { id: "we_1", secret: "whsec_x" }, previous: null },
  }),
  paypal: async () => ({ clientId: "example", clientSecret: "example" }),
  sendgrid: async () => ({ apiKey: "example" }),
  "s3-access-key": async () => ({
    accessKeyId: "example",
    secretAccessKey: "example",
    sessionPolicy: { Version: "2012-10-17", Statement: [{ Effect: "Allow" }] },
  }),
  datadog: async () => ({ apiKey: "example", apiKeyId: "id", appKey: "example", appKeyId: "id" }),
};

describe.each(KIND_NAMES.filter((kind) => kind !== "generic"))("%s", (kind) => {
  test("has exactly the fields that pods' files are rendered from, in their shapes", async () => {
    const value = await examples[kind]();
    const fields = traitsOf(kind).fields.map(({ name, shape }) => [name, shape]);
    const shapes = Object.entries(VALUE_SCHEMAS[kind].parse(value)).map(([name, field]) => [
      name,
      typeof field === "object" ? "object" : "string",
    ]);
    expect(shapes).toEqual(fields);
  });

  test("survives the way through JSON, and refuses a field that it does not know", async () => {
    const value = await examples[kind]();
    expect(VALUE_SCHEMAS[kind].parse(JSON.parse(JSON.stringify(value)))).toEqual(value);
    expect(VALUE_SCHEMAS[kind].safeParse({ ...value, extra: "x" }).success).toBe(false);
    for (const name of Object.keys(value)) {
      expect(VALUE_SCHEMAS[kind].safeParse({ ...value, [name]: undefined }).success).toBe(false);
    }
  });
});

test("a generic value has the fields of its settings, each of them random", async () => {
  const settings = { ...defaults("generic"), fields: ["user", "token"] };
  const target = genericTarget({
    settings,
    rotation: "automatic",
    acceptedBy: "single-slot",
    random: testRandom,
    servers: { http: httpCheck(), sql: pgServer },
  });
  const [first, second] = [
    await target.generate(undefined, ATTEMPT),
    await target.generate(undefined, ATTEMPT),
  ];
  expect(genericValueSchema(settings.fields).parse(first)).toEqual(first);
  expect(Object.keys(first)).toEqual(settings.fields);
  expect(new Set([...Object.values(first), ...Object.values(second)]).size).toBe(4);
});

test("a private key cannot stand where a public one belongs", async () => {
  const value = await jwt.generate(undefined, ATTEMPT);
  expect(VALUE_SCHEMAS["jwt-signing-key"].safeParse({ ...value, previous: value.current }).success).toBe(
    false,
  );
  const jwks = { keys: [value.current] };
  expect(VALUE_SCHEMAS["jwt-signing-key"].safeParse({ ...value, jwks }).success).toBe(false);
});
