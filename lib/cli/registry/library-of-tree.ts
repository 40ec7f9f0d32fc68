import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { isRecord } from "../../model/is-record";
import { jsonAt } from "./json-at";

/** Name of this package. */
const OURS = "cdktf-secrets-registry";

/** `lib`, or `dist/lib` of the built package. */
const PRESENT = join(__dirname, "../..");

/** Folders of the library by which an environment's resources follow from a registry. */
const DECIDING = ["model", "contracts", "blueprint", "constructs"];

/**
 * Text that is the same for two trees whose registries become the same resources: a digest of the code where the tree holds the
 * library itself, otherwise the version that its packages ask for. `undefined`: neither.
 *
 * @param place folder of the registry; the nearest `package.json` at or above it counts
 */
export function libraryOf(place: string): string | undefined {
  for (let folder = place; ; folder = dirname(folder)) {
    const manifest = jsonAt(join(folder, "package.json"));
    if (manifest?.name === OURS) return digestOfCode(join(folder, "lib"));
    const asked = askedVersion(manifest);
    if (asked !== undefined) return `${asked} ${lockedVersion(folder)}`;
    if (dirname(folder) === folder) return undefined;
  }
}

/** Puts the library that runs in the place of each copy that lies in a tree: its packages are the present ones too. */
export function usePresentLibrary(root: string): void {
  for (const folder of packagesIn(root)) {
    if (jsonAt(join(folder, "package.json"))?.name !== OURS) continue;
    const own = join(folder, "lib");
    if (!existsSync(own)) continue;
    rmSync(own, { recursive: true });
    symlinkSync(PRESENT, own);
  }
}

function packagesIn(folder: string): readonly string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return [
    ...(entries.some((entry) => entry.isFile() && entry.name === "package.json") ? [folder] : []),
    ...entries
      .filter((entry) => entry.isDirectory() && entry.name !== "node_modules" && entry.name !== ".git")
      .flatMap((entry) => packagesIn(join(folder, entry.name))),
  ];
}

function askedVersion(manifest: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const asked = [manifest?.dependencies, manifest?.devDependencies].map((list) =>
    isRecord(list) ? list[OURS] : undefined,
  );
  return asked.find((version) => typeof version === "string") as string | undefined;
}

/**
 * Entry of this library in npm's lock file; other package managers' are not read, so that what `package.json` asks for
 * decides.
 */
function lockedVersion(folder: string): string {
  const packages = jsonAt(join(folder, "package-lock.json"))?.packages;
  return JSON.stringify(isRecord(packages) ? packages[`node_modules/${OURS}`] : undefined) ?? "";
}

function digestOfCode(lib: string): string {
  const hash = createHash("sha256");
  for (const file of DECIDING.flatMap((name) => filesIn(join(lib, name)))) {
    hash
      .update(`${file.slice(lib.length)}\0`)
      .update(readFileSync(file))
      .update("\0");
  }
  return hash.digest("hex");
}

function filesIn(folder: string): readonly string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) =>
      entry.isDirectory() ? filesIn(join(folder, entry.name)) : [join(folder, entry.name)],
    );
}
