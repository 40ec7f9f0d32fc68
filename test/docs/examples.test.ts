import ts from "typescript";
import { days, defineRegistry, hours, RegistryError } from "../../lib/model";
import { registry } from "../../registry";
import { blocksOf, textOf } from "./markdown";

type Parts = Readonly<Record<string, unknown>>;
/** The repository's registry as its author wrote it, for pages' parts to be put into. */
const definition = registry.definition as { readonly environments: Parts; readonly secrets: Parts };

/** First block of TypeScript of a page, as the object that it writes; properties without braces are one. */
function written(page: string): Parts {
  const block = blocksOf(textOf(page)).find(({ info }) => info === "ts");
  if (block === undefined) throw new Error(`${page} has no block of TypeScript`);
  const named = /^export const (\w+) = ([\s\S]*)$/.exec(block.text.trim().replace(/;$/, ""));
  const source = named ? `({ ${named[1]}: ${named[2]} })` : `({ ${block.text} })`;
  const { outputText } = ts.transpileModule(`given(${source});`, {
    compilerOptions: { target: ts.ScriptTarget.ES2022 },
  });
  const given: Parts[] = [];
  new Function("given", "days", "hours", outputText)((parts: Parts) => given.push(parts), days, hours);
  return given[0] ?? {};
}

/** Places of a definition's faults. */
function faultPlaces(parts: { readonly environments?: Parts; readonly secrets?: Parts }): readonly string[] {
  try {
    defineRegistry({
      ...definition,
      environments: { ...definition.environments, ...parts.environments },
      secrets: { ...definition.secrets, ...parts.secrets },
    } as Parameters<typeof defineRegistry>[0]);
    return [];
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return error.faults.map(({ path }) => path);
  }
}

test.each(["README.md", "docs/guides/add-a-secret.md"])("%s: the entry is taken as it stands", (page) => {
  const secrets = written(page);
  expect(Object.keys(secrets)).toHaveLength(1);
  expect(faultPlaces({ secrets })).toEqual([]);
});

test("the guide's environment is right in itself, and the faults that remain are those that the guide names", () => {
  const environments = written("docs/guides/add-an-environment.md");
  expect(Object.keys(environments)).toEqual(["sandbox"]);
  const places = faultPlaces({ environments });
  expect(places).toContain('secrets["db/app-primary"].environments.sandbox.settings.host');
  expect(places).toContain("workloads.backend.environments.sandbox.checks.ready.url");
  expect(places.filter((place) => !/^(secrets|workloads)\b/.test(place))).toEqual([]);
});

test("an example that the registry refuses is found", () => {
  const secrets = written("docs/guides/add-a-secret.md");
  const [[key, entry] = ["", {}]] = Object.entries(secrets);
  expect(faultPlaces({ secrets: { [key]: { ...(entry as object), store: "disk" } } })).toEqual([
    `secrets["${key}"].store`,
  ]);
});
