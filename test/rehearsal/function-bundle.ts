import { join } from "node:path";
import { build } from "esbuild";
import { strToU8, zipSync } from "fflate";
import type { FunctionSettings } from "../../lib/contracts/function-settings";
import type { KindName } from "../../lib/model";
import { BUNDLE_OPTIONS, LOADED_LATER, LOADED_LATER_SOURCE } from "../../scripts/bundle-options";

const root = join(__dirname, "../..");

/** A rotation function's zip: the real handler of a kind, bundled, and its settings beside it. */
export async function functionZip<K extends KindName>(
  kind: K,
  settings: Omit<FunctionSettings<K>, "kind">,
): Promise<Uint8Array> {
  const [code, later] = await Promise.all([`handlers/${kind}.ts`, LOADED_LATER_SOURCE].map(bundled));
  return zipSync({
    "index.js": code ?? new Uint8Array(),
    [LOADED_LATER]: later ?? new Uint8Array(),
    "settings.json": strToU8(JSON.stringify({ kind, ...settings })),
  });
}

async function bundled(source: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [join(root, "lib/rotation", source)],
    ...BUNDLE_OPTIONS,
    write: false,
    logLevel: "error",
  });
  return outputFiles[0]?.contents ?? new Uint8Array();
}
