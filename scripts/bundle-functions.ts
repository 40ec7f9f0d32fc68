import { readdirSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { writePackedFiles } from "../lib/bundles";
import { BUNDLE_OPTIONS, LOADED_LATER, LOADED_LATER_SOURCE } from "./bundle-options";

/**
 * Bundles the entry points of Lambda functions into `dist/functions/<name>.js`, each with all that it needs but what it
 * loads later, which lies in a folder beside them. The same sources and lock file give the same bytes. Each is packed at once as
 * its zip will hold it.
 */
const root = join(__dirname, "..");
const rotation = join(root, "lib/rotation");
const handlers = join(rotation, "handlers");

const outdir = join(root, "dist/functions");
const entryPoints = {
  ...Object.fromEntries(
    [handlers, join(root, "lib/audit/handlers")].flatMap((folder) =>
      readdirSync(folder).map((file) => [file.replace(/\.ts$/, ""), join(folder, file)]),
    ),
  ),
  [LOADED_LATER.replace(/\.js$/, "")]: join(rotation, LOADED_LATER_SOURCE),
};

buildSync({
  absWorkingDir: root,
  entryPoints,
  outdir,
  ...BUNDLE_OPTIONS,
  // Licences of what is inside, in a file beside the bundle.
  legalComments: "external",
  logLevel: "warning",
});

writePackedFiles(
  outdir,
  Object.keys(entryPoints).map((name) => `${name}.js`),
);
