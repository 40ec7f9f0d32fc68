import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";

const root = join(__dirname, "..");

/**
 * Measures with scripts of `bench`, compiled into a folder of its own: inside the checkout, so that they find the packages.
 *
 * @param entryPoints such as `bench/synth/ours.ts`
 * @param measure gets the folder, in which each script lies under its own name with the ending `.js`
 */
export function withCompiled<T>(entryPoints: readonly string[], measure: (folder: string) => T): T {
  const cache = join(root, ".cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "bench-"));
  try {
    buildSync({
      absWorkingDir: root,
      entryPoints: [...entryPoints],
      outdir: folder,
      bundle: true,
      packages: "external",
      platform: "node",
      target: "node20",
      format: "cjs",
      logLevel: "error",
    });
    return measure(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
