import { execFile } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import type { Registry } from "../../model";
import { OutputFault, TerraformJson } from "../../preview";
import { UserFault } from "../terminal/user-fault";
import { findRegistry } from "./find-registry";
import { libraryOf, usePresentLibrary } from "./library-of-tree";
import { findModule } from "./load-registry";
import { loadOwnRegistry } from "./own-registry";

const run = promisify(execFile);

/** One side of a preview as it was found. */
export type PreviewSide =
  | {
      readonly source: "registry";
      readonly registry: Registry;
      /** The library that this side came with, see {@link libraryOf}; `undefined`: not known. */
      readonly library: string | undefined;
    }
  | { readonly source: "output"; readonly stacks: ReadonlyMap<string, TerraformJson> };

/** Places in which sides are looked for. */
export interface SideFinder {
  /** Present folder. */
  readonly folder: string;
  /** Registry that `--registry` names, absolute or from the present folder. */
  readonly registry: string;
}

/**
 * Reads one side of a preview: a folder or file with a registry, a folder that was synthesized, or a commit of the present
 * repository by any name that git knows. A commit is unpacked beside the present packages, a copy of this library in it included, and
 * gone afterwards.
 *
 * @throws UserFault for a place that is neither
 */
export async function readSide<T>(
  what: string,
  finder: SideFinder,
  use: (side: PreviewSide) => T | Promise<T>,
): Promise<T> {
  const place = resolve(finder.folder, what);
  if (existsSync(place)) return use(await readPlace(place, what));
  return withCommit(what, finder.folder, async (root, top) => {
    // Git names its top without symbolic links.
    const below = relative(finder.folder, resolve(finder.folder, finder.registry));
    const inside = relative(top, resolve(realpathSync(finder.folder), below));
    if (inside.startsWith("..")) {
      throw new UserFault(
        `The registry ${finder.registry} lies outside of the repository ${top}, so ${what} says nothing of it. Run it in the registry's own repository.`,
      );
    }
    const registry = join(root, inside);
    const library = libraryOf(dirname(registry));
    usePresentLibrary(root);
    return use({ source: "registry", registry: await loadOwnRegistry(registry, what), library });
  });
}

async function readPlace(place: string, what: string): Promise<PreviewSide> {
  const registryAt = async (module: string): Promise<PreviewSide> => ({
    source: "registry",
    registry: await loadOwnRegistry(module, what),
    library: libraryOf(dirname(module)),
  });
  if (statSync(place).isFile()) return registryAt(place);
  const output = outputAt(place);
  const registry = findRegistry(place);
  const isInside = !relative(place, resolve(registry)).startsWith("..");
  if (isInside && findModule(resolve(registry)) !== undefined && output !== place) {
    return registryAt(resolve(registry));
  }
  if (output !== undefined) return { source: "output", stacks: stacksIn(output) };
  throw new UserFault(
    `${place} holds neither a registry (a module registry, or one that its package.json names) nor a synthesized output (manifest.json and stacks/<environment>/cdk.tf.json).`,
  );
}

const outputAt = (place: string): string | undefined =>
  [place, join(place, "cdktf.out")].find(
    (folder) => existsSync(join(folder, "manifest.json")) && existsSync(join(folder, "stacks")),
  );

/**
 * Stacks of a folder that was synthesized, or that holds one as `cdktf.out`, by their names.
 *
 * @throws UserFault where there is none, or what there is cannot be read
 */
export function readOutput(folder: string): ReadonlyMap<string, TerraformJson> {
  const output = outputAt(folder);
  if (output !== undefined) return stacksIn(output);
  throw new UserFault(
    `${folder} holds no synthesized output (manifest.json and stacks/<environment>/cdk.tf.json). Synthesize first, and name cdktf.out.`,
  );
}

function stacksIn(folder: string): ReadonlyMap<string, TerraformJson> {
  const stacks = join(folder, "stacks");
  return new Map(
    readdirSync(stacks)
      .sort()
      .map((name) => [name, join(stacks, name, "cdk.tf.json")] as const)
      .filter(([, file]) => existsSync(file))
      .map(([name, file]) => [name, stackAt(file)]),
  );
}

function stackAt(file: string): TerraformJson {
  try {
    return new TerraformJson(readFileSync(file, "utf8"));
  } catch (failure) {
    if (failure instanceof OutputFault) throw new UserFault(`${file} ${failure.message}.`);
    throw failure;
  }
}

/** Unpacks a commit into a folder of its own. Git asks no server for it. */
async function withCommit<T>(
  name: string,
  folder: string,
  use: (root: string, top: string) => Promise<T>,
): Promise<T> {
  const git = (...args: readonly string[]) =>
    run("git", ["-C", folder, ...args], { maxBuffer: 1 << 20, encoding: "utf8" });
  const top = await git("rev-parse", "--show-toplevel").then(
    ({ stdout }) => stdout.trim(),
    () => {
      throw new UserFault(`${name} is no file or folder here, and ${folder} is in no git repository.`);
    },
  );
  const commit = await git("rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`).then(
    ({ stdout }) => stdout.trim(),
    () => {
      throw new UserFault(
        `${name} is neither a file or folder nor a commit that is here. In CI, fetch it first: git fetch origin ${name}`,
      );
    },
  );
  const root = mkdtempSync(join(tmpdir(), "registry-base-"));
  try {
    const archive = join(root, ".archive.tar");
    await unpacked(name, async () => {
      await git("-C", top, "archive", "--format=tar", `--output=${archive}`, commit);
      await run("tar", ["-xf", archive, "-C", root]);
    });
    rmSync(archive);
    linkPackages(folder, top, root);
    return await use(root, top);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** A clone that is shallow or partial may have a commit and not its files. */
async function unpacked(name: string, unpack: () => Promise<void>): Promise<void> {
  try {
    await unpack();
  } catch (failure) {
    const { stderr = "", message = "" } = failure as { readonly stderr?: string; readonly message?: string };
    throw new UserFault(
      `The files of ${name} cannot be had from this repository (${(stderr || message).trim().split("\n")[0]}). Fetch it whole (in CI: fetch-depth: 0).`,
    );
  }
}

/** Packages are those of the present checkout, in each folder from the present one up to the repository's. */
function linkPackages(folder: string, top: string, root: string): void {
  for (let place = resolve(folder); ; place = dirname(place)) {
    const packages = join(place, "node_modules");
    const link = join(root, relative(top, place), "node_modules");
    if (existsSync(packages) && existsSync(dirname(link)) && !existsSync(link)) symlinkSync(packages, link);
    if (place === top || dirname(place) === place) return;
  }
}
