import { defineRegistry, type Fault, formatFault, hours, RegistryError } from "../../../lib/model";
import { type Draft, draft } from "../sample";
import { faultsOf } from "./fault-case";

test("the definition that the cases change is valid", () => {
  expect(faultsOf(draft())).toEqual([]);
});

test("all faults come at once, sorted by place, each with its four lines", () => {
  const definition = draft();
  definition.environments.dev.account = "1234";
  definition.secrets["db/app"].rotateEvery = hours(12);
  definition.secrets["payments/stripe"].consumers.push("backend");
  const faults = faultsOf(definition);
  expect(faults.map(({ path }) => path)).toEqual([
    "environments.dev.account",
    'secrets["db/app"].rotateEvery',
    'secrets["payments/stripe"].consumers[1]',
  ]);
  expect(() => defineRegistry(definition)).toThrow(
    ["The registry has 3 faults:", ...faults.map(formatFault)].join("\n\n"),
  );
  expect(formatFault(faults[1] as Fault)).toBe(
    [
      'secrets["db/app"].rotateEvery',
      "  found:   12 hours",
      "  allowed: 1 to 1000 whole days, as Secrets Manager takes them",
      "  change:  choose days(1) to days(1000)",
    ].join("\n"),
  );
});

test.each([null, undefined, 1, "registry", [], () => {}, { environments: [], workloads: 3, secrets: "x" }])(
  "what is no definition at all (%p) is a RegistryError",
  (definition) => {
    expect(() => defineRegistry(definition as Draft)).toThrow(RegistryError);
  },
);

test("a credential is named by its place and never repeated", () => {
  const definition = draft();
  const credential = ["sk", "live", "51HabcdefghijklmnopQRST"].join("_");
  definition.secrets["payments/stripe"].environments.prod.settings.account = credential;
  definition.secrets["payments/stripe"].environments.prod.settings.mode = credential;
  let message = "";
  try {
    defineRegistry(definition);
  } catch (error) {
    message = String(error);
  }
  expect(message).toContain('secrets["payments/stripe"].environments.prod.settings.account');
  expect(message).not.toContain(credential);
});
