import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

/** The part of an earlier synth's manifest that names the folders it wrote. */
interface EarlierManifest {
  readonly stacks?: Readonly<Record<string, { readonly workingDirectory?: string }>>;
}

/**
 * Removes the folders of stacks that an earlier synth wrote and that are no more, as the cdktf CLI does: a plan
 * of a stale folder would deploy what the registry no longer says. Only folders that the earlier manifest names
 * are touched.
 *
 * @param outdir the app's output folder
 * @param stacks names of the stacks that are
 */
export function removeStaleStacks(outdir: string, stacks: readonly string[]): void {
  const file = join(outdir, "manifest.json");
  if (!existsSync(file)) return;
  const manifest = JSON.parse(readFileSync(file, "utf8")) as EarlierManifest;
  for (const [name, { workingDirectory }] of Object.entries(manifest.stacks ?? {})) {
    if (stacks.includes(name) || workingDirectory !== join("stacks", name)) continue;
    // A name that leads elsewhere is none of ours.
    if (dirname(workingDirectory) !== "stacks") continue;
    rmSync(join(outdir, workingDirectory), { recursive: true, force: true });
  }
}
