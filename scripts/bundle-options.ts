import { dirname, join } from "node:path";
import type { BuildOptions } from "esbuild";

/** Module that functions load when they need it, as they name it; its bundle lies beside theirs under that name. */
export const LOADED_LATER = "later/kms-macs.js";

/** Source of {@link LOADED_LATER}, below `lib/rotation`. */
export const LOADED_LATER_SOURCE = "adapters/later/kms-macs.ts";

/** esbuild's options for the code of a Lambda function. */
export const BUNDLE_OPTIONS = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  minify: true,
  // ES modules where a package has them, which Node's default is not: what is not used is left out, a third of the AWS SDK.
  mainFields: ["module", "main"],
  alias: {
    // yaml gives its ES modules to browsers only. The same sources; a start without them runs 72 modules one by one (5 ms).
    yaml: join(dirname(require.resolve("yaml/package.json")), "browser/index.js"),
    "@aws-sdk/credential-provider-node": join(__dirname, "lambda-credentials.ts"),
  },
  // A file of its own in the zip: whoever does not ask for it does not wait until V8 has read it either.
  external: [`./${LOADED_LATER}`],
} as const satisfies BuildOptions;
