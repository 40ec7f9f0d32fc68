import type { BuildOptions } from "esbuild";

/** How the code of a Lambda function is bundled. */
export const BUNDLE_OPTIONS = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  minify: true,
  // ES modules where a package has them, which Node's default is not: what is not used is left out, a third of the AWS SDK.
  mainFields: ["module", "main"],
  // pg loads its native half only where it is installed.
  external: ["pg-native"],
} as const satisfies BuildOptions;
