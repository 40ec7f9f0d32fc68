import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { bundleFolder, functionZip } from "../lib/bundles";
import type { Report } from "./report";

/** Aim for a function's zip, in bytes: Lambda has to fetch and unpack it before a cold start. */
export const LARGEST_ZIP_BYTES = 350 * 1_024;

const kilobytes = (bytes: number): string => (bytes / 1_024).toFixed(0);

/**
 * The zip of every bundle as it is deployed, but for its settings, which differ by registry.
 *
 * @param folder where the bundles lie. Default: `dist/functions`
 */
export function bundleSizes(folder = bundleFolder()): Report {
  const figures = readdirSync(folder)
    .filter((file) => file.endsWith(".js"))
    .map((file) => {
      const name = file.replace(/\.js$/, "");
      return {
        function: name,
        zipBytes: functionZip(name, {}, folder).bytes.length,
        bundleBytes: statSync(join(folder, file)).size,
      };
    });
  return {
    title: "Size of the functions",
    table: {
      head: ["FUNCTION", "ZIP KB", "BUNDLE KB"],
      rows: figures.map((size) => [size.function, kilobytes(size.zipBytes), kilobytes(size.bundleBytes)]),
    },
    notes: [`Aim: under ${kilobytes(LARGEST_ZIP_BYTES)} KB zipped each.`],
    misses: figures
      .filter(({ zipBytes }) => zipBytes >= LARGEST_ZIP_BYTES)
      .map((size) => `${size.function}: ${kilobytes(size.zipBytes)} KB zipped`),
    binding: true,
    figures,
  };
}
