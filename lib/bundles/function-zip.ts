import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { strToU8, Zip, type ZipInputFile } from "fflate";
import { type PackedFile, packed, packedFile } from "./packed-files";

/** The code of a Lambda function as Lambda takes it. */
export interface FunctionZip {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes in base64: Terraform's `source_code_hash`. */
  readonly sourceCodeHash: string;
}

/** Thrown when the functions' code has not been bundled. */
export class BundleMissingError extends Error {
  override readonly name = "BundleMissingError";
}

/** Files in a zip have times; one that is always the same keeps the bytes the same. The first that the format knows. */
const MTIME = new Date(1980, 0, 1);
/** Method 8 of the format. */
const DEFLATE = 8;
/** Readable by everybody: Lambda runs the code as a user of its own. */
const READABLE = { mtime: MTIME, os: 3, attrs: 0o644 << 16 };

/** Files that a bundle loads from beside it when it needs them. */
const loadedLater = (code: Buffer): readonly string[] =>
  [...code.toString("utf8").matchAll(/\bimport\("\.\/([\w./-]+\.js)"\)/g)]
    .flatMap(([, name]) => name ?? [])
    .sort();

/**
 * Puts a function's bundle and its settings into a zip: `index.js`, what that loads later, and `settings.json`. The same bundle and settings give
 * the same bytes on every machine.
 *
 * @param bundle name of the bundle, such as `postgresql-user`
 * @param settings what the function knows of its secrets; names, never a value
 * @param folder where the bundles lie. Default: `dist/functions` of this package
 * @throws BundleMissingError when there is no such bundle
 */
export function functionZip(bundle: string, settings: object, folder = bundleFolder()): FunctionZip {
  const file = join(folder, `${bundle}.js`);
  if (!existsSync(file)) {
    throw new BundleMissingError(
      `There is no bundle ${file}. In a checkout of this package, run: npm run bundle. An app that is itself bundled gives the folder of this package's dist/functions.`,
    );
  }
  const code = readFileSync(file);
  const bytes = zipOf({
    "index.js": packedFile(folder, `${bundle}.js`, code),
    ...Object.fromEntries(
      loadedLater(code).map((name) => [name, packedFile(folder, name, readFileSync(join(folder, name)))]),
    ),
    "settings.json": packed(strToU8(`${JSON.stringify(settings, null, 2)}\n`)),
  });
  return { bytes, sourceCodeHash: createHash("sha256").update(bytes).digest("base64") };
}

function zipOf(files: Readonly<Record<string, PackedFile>>): Uint8Array {
  const chunks: Uint8Array[] = [];
  const zip = new Zip((fault, chunk) => {
    if (fault) throw fault;
    chunks.push(chunk);
  });
  for (const [filename, { crc, size, deflated }] of Object.entries(files)) {
    const file: ZipInputFile = { ...READABLE, filename, crc, size, compression: DEFLATE };
    zip.add(file);
    file.ondata?.(null, deflated, true);
  }
  zip.end();
  return Buffer.concat(chunks);
}

/** `dist/functions` of this package, whether it runs from source or from `dist`. */
export function bundleFolder(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, "dist", "functions");
}
