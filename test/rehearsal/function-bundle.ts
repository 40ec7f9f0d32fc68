import { join } from "node:path";
import { build } from "esbuild";
import { strToU8, zipSync } from "fflate";
import type { KindName } from "../../lib/model";
import type { FunctionSettings } from "../../lib/model/function-settings";
import { BUNDLE_OPTIONS } from "../../scripts/bundle-options";

const root = join(__dirname, "../..");

/** A rotation function's zip: the real handler of a kind, bundled, and its settings beside it. */
export async function functionZip<K extends KindName>(
  kind: K,
  settings: Omit<FunctionSettings<K>, "kind">,
): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [join(root, `lib/rotation/handlers/${kind}.ts`)],
    ...BUNDLE_OPTIONS,
    write: false,
    logLevel: "error",
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  return zipSync({
    "index.js": code,
    "settings.json": strToU8(JSON.stringify({ kind, ...settings })),
  });
}
