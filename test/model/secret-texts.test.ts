import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { secretTexts } from "../../lib/contracts/secret-texts";
import { readVersionFingerprints } from "../../lib/contracts/version-fingerprints";
import { propertyRuns } from "../property-runs";

/** Values whose texts all count, under whatever names. */
const { value: longTexts } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string({ minLength: 10 }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 3, unit: fc.constantFrom("a", "_", ".", "/", "ä") }), tie("value"), {
      maxKeys: 6,
    }),
  ),
}));

const text = () => randomBytes(12).toString("hex");

describe("the secret texts of a value", () => {
  const [one, two] = [text(), text()];
  test.each<readonly [string, unknown, Readonly<Record<string, string>>]>([
    ["a field", { password: one }, { password: one }],
    ["a name beside it is none", { username: "app-user-one", password: one }, { password: one }],
    ["a short one is none", { password: one, port: "5432", mode: "1234567" }, { password: one }],
    ["fields of generations", { current: { id: one, key: two }, next: null }, { "current.key": two }],
    [
      "the private half of a key, not the public one",
      {
        current: { kty: "EC", crv: "P-256", x: one, y: one, d: two },
        jwks: { keys: [{ kty: "EC", x: one }] },
      },
      { "current.d": two },
    ],
    ["fields that are named as members of a key, in something else", { x: one, n: two }, { x: one, n: two }],
    ["settings are none", { password: one, _settings: { host: two } }, { password: one }],
    ["a value that is a text", one, { value: one }],
    ["a list", { hosts: [one, two] }, { "hosts.0": one, "hosts.1": two }],
    ["ends of lines", { pem: `${one}\r\n${two}\r\n` }, { pem: `${one}\n${two}` }],
    ["a name that no place can have", { "a b/c": one }, { a_b_c: one }],
    ["a field without a name", { "": one }, { _: one }],
    ["names that differ in what no place can have", { "a b": one, "a/b": two }, { a_b: one, "a_b-2": two }],
    [
      "names that differ in their ends alone",
      { [`${"n".repeat(128)}1`]: one, [`${"n".repeat(128)}2`]: two },
      { ["n".repeat(128)]: one, [`${"n".repeat(126)}-2`]: two },
    ],
  ])("%s", (_, value, texts) => {
    expect(Object.fromEntries(secretTexts(value))).toEqual(texts);
  });

  test("are at most 64, whatever the value", () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`field${index}`, text()]));
    expect(secretTexts(many).size).toBe(64);
  });

  test("property: every place can be written to a file of fingerprints, and read again", () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), longTexts), (value) => {
        const fingerprint = `hmac-sha256:key:${"0".repeat(64)}`;
        const kept = {
          version: 1,
          environment: "prod",
          secret: "db/app",
          name: "prod/db/app",
          kind: "generic",
          versionId: "v",
          run: "r",
          at: "2026-12-01T00:00:00.000Z",
          texts: Object.fromEntries([...secretTexts(value).keys()].map((place) => [place, fingerprint])),
        };
        expect(readVersionFingerprints(JSON.stringify(kept))).toEqual(kept);
      }),
      propertyRuns("places of texts", { ci: 300, nightly: 20_000 }),
    );
  });
});

test.each(["", "null", "[]", "{}", '{"version":1}', "not JSON"])("no fingerprints: %j", (text) => {
  expect(readVersionFingerprints(text)).toBeUndefined();
});
