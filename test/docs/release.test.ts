import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, textOf } from "./markdown";

interface Manifest {
  readonly version: string;
  readonly private?: boolean;
  readonly license: string;
  readonly publishConfig?: { readonly registry?: string };
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const manifest = (path: string): Manifest => JSON.parse(readFileSync(join(ROOT, path), "utf8"));
const library = manifest("package.json");
const rehearsal = manifest("packages/rehearsal/package.json");

/** Headings of a changelog's versions, the newest first: `Unreleased`, `0.1.0`. */
const versionsOf = (changelog: string): readonly string[] =>
  [...changelog.matchAll(/^## \[?([^\]\s]+)\]?/gm)].flatMap(([, version]) => version ?? []);

test("library and rehearsal have one version, and the rehearsal asks for that library", () => {
  expect(rehearsal.version).toBe(library.version);
  expect(rehearsal.peerDependencies?.["cdktf-secrets-registry"]).toBe(library.version);
});

test("the changelog begins with what is not released; before the first release it has nothing else", () => {
  const [first, ...released] = versionsOf(textOf("CHANGELOG.md"));
  expect(first).toBe("Unreleased");
  // The version of package.json is the last release, or the first one to come.
  expect([library.version, undefined]).toContain(released[0]);
});

test("neither can go to a public registry by mistake, and the licence is the owner's to choose", () => {
  for (const { private: isPrivate, license, publishConfig } of [library, rehearsal]) {
    expect(license).toBe("UNLICENSED");
    // A branch that publishes names the organisation's own registry.
    const registry = publishConfig?.registry ?? "https://registry.npmjs.org/";
    expect({ registry, refused: isPrivate === true || !registry.includes("registry.npmjs.org") }).toEqual({
      registry,
      refused: true,
    });
  }
});

test.each([
  ["## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n", ["Unreleased", "0.2.0"]],
  ["## Unreleased\n### Added\n", ["Unreleased"]],
])("versions of %j", (changelog, versions) => {
  expect(versionsOf(changelog)).toEqual(versions);
});
