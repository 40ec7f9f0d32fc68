import fc from "fast-check";
import { accessOf, blueprint } from "../../lib/blueprint";
import { defineRegistry, type Registry, RegistryError } from "../../lib/model";
import { anyDefinition } from "../blueprint/random-registry";
import { propertyRuns } from "../property-runs";
import { synthesize } from "../stacks/synthesized";
import { faultsOf } from "./faults/fault-case";
import { type Draft, draft } from "./sample";

const registryOf = (definition: Draft): Registry => defineRegistry(definition) as unknown as Registry;

/** The sample with a grant until a day, beside one without. */
function withGrant(grant: string | object, change: (definition: Draft) => void = () => {}): Registry {
  const definition = draft();
  definition.secrets["crypto/webhook"].consumers = ["backend", grant];
  change(definition);
  return registryOf(definition);
}

const lasting = withGrant({ workload: "payments" });
const without = registryOf(draft());
const until = withGrant({ workload: "payments", until: "2027-03-31" });

test("a grant is held on its last day, and gone the day after, from every layer", () => {
  for (const environment of ["dev", "prod"]) {
    expect(blueprint(until.on("2027-03-31"), environment)).toEqual(blueprint(lasting, environment));
    expect(blueprint(until.on("2027-04-01"), environment)).toEqual(blueprint(without, environment));
    expect(
      accessOf(until.on("2027-03-31"), environment).map(({ workload, secret, until: last }) => [
        workload,
        secret,
        last,
      ]),
    ).toContainEqual(["payments", "crypto/webhook", "2027-03-31"]);
  }
});

test("the same day gives the same bytes of Terraform, and the next one those without the grant", () => {
  const text = (registry: Registry): string =>
    synthesize({ registry, environment: "prod" }, (_, __, json) => json);
  expect(text(until.on("2027-03-31"))).toBe(text(lasting));
  expect(text(withGrant({ workload: "payments", until: "2027-03-31" }).on("2027-04-01"))).toBe(text(without));
});

test("a grant of one environment ends there alone", () => {
  const registry = withGrant("payments", ({ secrets }) => {
    secrets["crypto/webhook"].environments = {
      prod: { consumers: ["backend", { workload: "payments", until: "2027-03-31" }] },
    };
  }).on("2027-04-01");
  const readers = (environment: string) => registry.secretIn(environment, "crypto/webhook")?.consumers;
  expect(readers("prod")?.map(({ workload }) => workload)).toEqual(["backend"]);
  expect(readers("dev")?.map(({ workload }) => workload)).toEqual(["backend", "payments"]);
});

test("nothing is made of a registry that knows no day, where a grant has a last one", () => {
  expect(() => blueprint(until, "prod")).toThrow(
    expect.objectContaining({
      faults: [
        {
          path: 'secrets["crypto/webhook"].consumers[1].until',
          found: '"2027-03-31", in a registry of no day',
          allowed: "a last day where the registry knows today, so that the same day gives the same output",
          change:
            "hand on registry.on(today) in place of the registry, such as registry.on(new Date().toISOString().slice(0, 10))",
        },
      ],
    }),
  );
  expect(() => blueprint(until.on("2026-12-01"), "prod")).not.toThrow();
});

test.each(["soon", "2027-02-29", "2027-3-31", "31.03.2027", "2027-03-31T00:00:00Z", 20270331, ""])(
  "%j is no last day",
  (day) => {
    const definition = draft();
    definition.secrets["crypto/webhook"].consumers = [{ workload: "backend", until: day }];
    definition.secrets["db/app"].environments.prod.consumers = [{ workload: "backend", until: day }];
    expect(faultsOf(definition).map(({ path }) => path)).toEqual([
      'secrets["crypto/webhook"].consumers[0].until',
      'secrets["db/app"].environments.prod.consumers[0].until',
    ]);
    expect(() => until.on(String(day))).toThrow(RegistryError);
  },
);

test("a second grant of the same workload is a fault, whatever its last day", () => {
  const definition = draft();
  definition.secrets["crypto/webhook"].consumers = ["backend", { workload: "backend", until: "2027-03-31" }];
  expect(faultsOf(definition)).toMatchObject([{ path: 'secrets["crypto/webhook"].consumers[1]' }]);
});

test("a registry of a day is the registry without the lines that are over", () => {
  const last = fc.constantFrom(undefined, "2026-12-31", "2027-01-01", "2027-01-02");
  fc.assert(
    fc.property(anyDefinition, fc.infiniteStream(last), (definition, days) => {
      fc.pre(faultsOf(definition).length === 0);
      const dated = structuredClone(definition);
      const rest = structuredClone(definition);
      for (const [key, { consumers }] of Object.entries<Draft>(definition.secrets)) {
        const ends: readonly (readonly [string, string | undefined])[] = consumers.map((workload: string) => [
          workload,
          days.next().value,
        ]);
        dated.secrets[key].consumers = ends.map(([workload, day]) =>
          day === undefined ? workload : { workload, until: day },
        );
        rest.secrets[key].consumers = ends
          .filter(([, day]) => day === undefined || day >= "2027-01-01")
          .map(([workload]) => workload);
      }
      // A grant less breaks no rule.
      expect(faultsOf(rest)).toEqual([]);
      const [of, plain] = [registryOf(dated).on("2027-01-01"), registryOf(rest)];
      for (const environment of plain.environmentNames) {
        expect(blueprint(of, environment)).toEqual(blueprint(plain, environment));
      }
    }),
    propertyRuns("a registry of a day", { ci: 40, nightly: 1_000 }),
  );
});
