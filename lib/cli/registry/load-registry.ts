import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Registry } from "../../model";
import { UserFault } from "../terminal/user-fault";

const ENDINGS = [".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"];

/** A path as people give it: the file, the file without its ending, or the folder with an index. */
export function findModule(path: string): string | undefined {
  const candidates = [
    path,
    ...ENDINGS.map((ending) => path + ending),
    ...ENDINGS.map((ending) => join(path, `index${ending}`)),
  ];
  return candidates.find((candidate) => existsSync(candidate) && statSync(candidate).isFile());
}

async function importModule(file: string): Promise<Record<string, unknown>> {
  // Running from source, a TypeScript loader is active already; from the built package there is none.
  if (/\.[cm]?ts$/.test(file) && !require.extensions[".ts"]) {
    const { createJiti } = await import("jiti");
    return createJiti(__filename).import<Record<string, unknown>>(file);
  }
  return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
}

/** One line with the place: whoever compiles or runs the module says it in a form of its own. */
function loadFault(file: string, failure: unknown): string {
  const { message = String(failure), stack = "" } = failure instanceof Error ? failure : {};
  const [first = ""] = message.split("\n");
  const missing = /^Cannot find (?:module|package) '([^']+)'/.exec(message);
  if (missing?.[1]) return `${file}${lineOf(file, basename(missing[1]))}: ${first}`;
  // esbuild: `Transform failed with 1 error:` and `<file>:<line>:<column>: ERROR: <message>` below it.
  const compiled = /^(\S.*?:\d+:\d+): ERROR: (.*)$/m.exec(message);
  if (compiled) return `${compiled[1]}: ${compiled[2]}`;
  // Node: `<file>:<line>` is the first line of the stack of a syntax error.
  const parsed = /^(?:file:\/\/)?(\/.*:\d+)$/.exec(stack.split("\n")[0] ?? "");
  if (parsed) return `${parsed[1]}: ${first}`;
  // Babel: `<message> (<line>:<column>)`, with the file before it or not.
  const inBrackets = /^(?:.*\.[cm]?[tj]s: )?(.*?)\s*\((\d+:\d+)\)$/.exec(first);
  if (inBrackets) return `${file}:${inBrackets[2]}: ${inBrackets[1]}`;
  const checked = failure instanceof SyntaxError ? syntaxPlace(file) : undefined;
  if (checked) return `${checked}: ${first}`;
  const ran = stack
    .split("\n")
    .map((line) => /(?:file:\/\/)?(\/[^():]+\.[cm]?[tj]s):(\d+:\d+)\)?$/.exec(line))
    .find((place) => place?.[1] !== undefined && !place[1].includes("/node_modules/"));
  return `${ran ? `${ran[1]}:${ran[2]}` : file}: ${first}`;
}

/** `<file>:<line>` of a syntax error: Node keeps the place of one in an ES module to itself, and says it when it checks the file. */
function syntaxPlace(file: string): string | undefined {
  if (!/\.[cm]?js$/.test(file)) return undefined;
  const { stderr } = spawnSync(process.execPath, ["--check", file], { encoding: "utf8" });
  return /^(?:file:\/\/)?(\/.*:\d+)$/m.exec(stderr ?? "")?.[1];
}

/** `:<line>` of the first line that has a text; nothing where it is another file's. */
function lineOf(file: string, text: string): string {
  const index = readFileSync(file, "utf8")
    .split("\n")
    .findIndex((line) => line.includes(text));
  return index < 0 ? "" : `:${index + 1}`;
}

/** Recognised by its shape: the registry may come from another copy of this package. */
function isRegistry(value: unknown): value is Registry {
  return typeof value === "object" && value !== null && "secretsIn" in value && "environmentNames" in value;
}

/**
 * Loads the registry that a module exports as `registry` (or as its default).
 *
 * @param path the module, absolute or from the current folder
 * @param day today, by which grants are held. @default as the module has it
 * @throws UserFault when there is no such module or it exports no registry
 */
export async function loadRegistry(path: string, day?: string): Promise<Registry> {
  const wanted = resolve(path);
  const file = findModule(wanted);
  if (!file) {
    throw new UserFault(
      `No registry at ${wanted}. Give the module with --registry, such as --registry ./registry.`,
    );
  }
  if (!ENDINGS.some((ending) => file.endsWith(ending))) {
    throw new UserFault(`${file} is no module of TypeScript or JavaScript (${ENDINGS.join(", ")}).`);
  }
  const module = await importModule(file).catch((failure: unknown) => {
    // Faults of the registry's own say where they are.
    if (failure instanceof Error && failure.name === "RegistryError") throw failure;
    throw new UserFault(loadFault(file, failure));
  });
  const inner = module.default;
  const found = [module.registry, inner, (inner as Record<string, unknown> | undefined)?.registry].find(
    isRegistry,
  );
  if (!found) {
    throw new UserFault(
      `${file} exports no registry. Export what defineRegistry returns: export const registry = defineRegistry({ … }).`,
    );
  }
  // Another copy of this package, of an earlier version, knows no days; and a module may have chosen its own.
  return day === undefined || found.day !== undefined || typeof found.on !== "function"
    ? found
    : found.on(day);
}
