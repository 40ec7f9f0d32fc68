import fc from "fast-check";
import { principalAccess } from "../../lib/blueprint";
import { defineRegistry, type Registry, RegistryError } from "../../lib/model";
import { compare, type EnvironmentPreview, stateOfRegistry } from "../../lib/preview";
import { anyDefinition } from "../blueprint/random-registry";
import { draft } from "../model/sample";
import { propertyRuns } from "../property-runs";
import { CHANGES } from "./changes";

const NOW = new Date("2026-12-01T00:00:00Z");

const registryOf = (definition: object): Registry =>
  defineRegistry(definition as never) as unknown as Registry;

/** Definitions that hold, from random ones most of which do not. */
const valid = (definition: object): Registry | undefined => {
  try {
    return registryOf(definition);
  } catch (failure) {
    if (failure instanceof RegistryError) return undefined;
    throw failure;
  }
};

/** Two registries that differ by some changes, in any order. */
const changed = fc.tuple(fc.subarray([...CHANGES]), fc.subarray([...CHANGES])).map(([first, second]) => {
  const made = [first, second].map((changes) => {
    const definition = draft();
    for (const { before, change } of changes) {
      try {
        before?.(definition);
        change(definition);
      } catch {
        // A change of what another change took away.
      }
    }
    return valid(definition);
  });
  return [made[0] ?? registryOf(draft()), made[1] ?? registryOf(draft())] as const;
});

const previewOf = (base: Registry, head: Registry) =>
  compare(stateOfRegistry(base, NOW), stateOfRegistry(head, NOW));

const cells = (list: EnvironmentPreview["access"]["gained"]): readonly string[] =>
  list.map(({ arn, store, secret, can }) => `${arn} ${store} ${secret} ${can}`).sort();

/** The access matrix by the blueprint's own rows. */
const matrix = (registry: Registry, environment: string, renamed: ReadonlyMap<string, string>): Set<string> =>
  new Set(
    registry.environmentNames.includes(environment)
      ? principalAccess(registry, environment).flatMap(({ arn, store, secret, can }) =>
          can.map((verb) => `${arn} ${store} ${renamed.get(secret) ?? secret} ${verb}`),
        )
      : [],
  );

test("a registry beside itself has an empty preview, whatever order it is written in", () => {
  fc.assert(
    fc.property(anyDefinition, (definition) => {
      const [one, same] = [valid(definition), valid(JSON.parse(JSON.stringify(definition)))];
      fc.pre(one !== undefined && same !== undefined);
      if (one === undefined || same === undefined) return;
      const { verdict, environments } = previewOf(one, same);
      expect(verdict).toEqual({
        access: "unchanged",
        destroys: false,
        lapses: false,
        text: "Nothing changes.",
      });
      for (const environment of environments) {
        expect(environment.state).toBe("unchanged");
        expect(environment.cost.before).toEqual(environment.cost.after);
      }
    }),
    propertyRuns("a registry beside itself", { ci: 30, nightly: 1_000 }),
  );
});

test("every change of access is the difference of the two matrices, and nothing else is", () => {
  fc.assert(
    fc.property(changed, ([base, head]) => {
      for (const { name, access, renamed } of previewOf(base, head).environments) {
        const keys = new Map(renamed.map(({ from, to }) => [from, to]));
        const [before, after] = [matrix(base, name, keys), matrix(head, name, new Map())];
        expect(cells(access.gained)).toEqual([...after].filter((cell) => !before.has(cell)).sort());
        expect(cells(access.lost)).toEqual([...before].filter((cell) => !after.has(cell)).sort());
      }
    }),
    propertyRuns("access changes are the difference of the matrices", { ci: 60, nightly: 1_000 }),
  );
});

test("base and head exchanged exchange gains and losses, what is added and destroyed, and the cost", () => {
  fc.assert(
    fc.property(changed, ([base, head]) => {
      const [there, back] = [previewOf(base, head), previewOf(head, base)];
      for (const one of there.environments) {
        const other = back.environments.find(({ name }) => name === one.name);
        // A renamed secret has another key on the way back.
        const keys = new Map(one.renamed.map(({ from, to }) => [to, from]));
        const former = (list: EnvironmentPreview["access"]["gained"]) =>
          cells(list.map((cell) => ({ ...cell, secret: keys.get(cell.secret) ?? cell.secret })));
        expect(former(one.access.gained)).toEqual(cells(other?.access.lost ?? []));
        expect(former(one.access.lost)).toEqual(cells(other?.access.gained ?? []));
        expect(one.access.takersGained).toEqual(other?.access.takersLost);
        expect(one.access.peopleGained).toEqual(other?.access.peopleLost);
        expect(one.added.map(({ secret }) => secret)).toEqual(other?.destroyed.map(({ secret }) => secret));
        expect(one.cost.before).toEqual(other?.cost.after);
      }
    }),
    propertyRuns("base and head exchanged", { ci: 60, nightly: 1_000 }),
  );
});
