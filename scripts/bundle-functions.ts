import { readdirSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { BUNDLE_OPTIONS } from "./bundle-options";

/**
 * Bundles the entry points of Lambda functions into `dist/functions/<name>.js`, each with all that it needs. The same
 * sources and lock file give the same bytes.
 */
const root = join(__dirname, "..");
const handlers = join(root, "lib/rotation/handlers");

buildSync({
  absWorkingDir: root,
  entryPoints: readdirSync(handlers).map((file) => join(handlers, file)),
  outdir: join(root, "dist/functions"),
  ...BUNDLE_OPTIONS,
  // Licences of what is inside, in a file beside the bundle.
  legalComments: "external",
  logLevel: "warning",
});
