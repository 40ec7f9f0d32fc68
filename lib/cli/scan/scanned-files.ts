import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** Files of a scan, and those that were left out. */
export interface ScannedFiles {
  /** Paths from the folder of the call, with `/`. */
  readonly files: readonly string[];
  /** Binary files, and those of more than {@link LARGEST} bytes. */
  readonly skipped: readonly string[];
}

/** Size above which a file is none that people write, in bytes. */
const LARGEST = 8 * 1024 * 1024;

/** Folders that other programs fill. */
const OTHERS: ReadonlySet<string> = new Set([".git", "node_modules", ".terraform", ".cache"]);

/**
 * Files below paths: those that git tracks or would take, and synthesized stacks; all of a path that git ignores
 * or does not know.
 */
export function filesBelow(cwd: string, paths: readonly string[]): ScannedFiles {
  const names = [...new Set(paths.flatMap((path) => below(cwd, path)))].sort();
  const isRead = new Map(names.map((name) => [name, isText(join(cwd, name))]));
  return {
    files: names.filter((name) => isRead.get(name)),
    skipped: names.filter((name) => !isRead.get(name)),
  };
}

function below(cwd: string, path: string): readonly string[] {
  const whole = join(cwd, path);
  const named = (name: string): string => relative(cwd, name).split(sep).join("/");
  if (!statSync(whole).isDirectory()) return [named(whole)];
  const isIgnored = git(whole, "check-ignore", "--quiet", ".").status === 0;
  const listed = isIgnored
    ? undefined
    : git(whole, "ls-files", "-z", "--cached", "--others", "--exclude-standard");
  if (listed?.status !== 0) return walked(whole).map(named);
  const tracked = listed.stdout
    .split("\0")
    .filter((name) => name !== "" && existsSync(join(whole, name)) && statSync(join(whole, name)).isFile());
  const stacks = join(whole, "cdktf.out", "stacks");
  const synthesized = existsSync(stacks)
    ? readdirSync(stacks)
        .map((stack) => join(stacks, stack, "cdk.tf.json"))
        .filter((file) => existsSync(file))
    : [];
  return [...tracked.map((name) => named(join(whole, name))), ...synthesized.map(named)];
}

const git = (cwd: string, ...args: readonly string[]) =>
  spawnSync("git", args, { cwd, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 });

const walked = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return OTHERS.has(entry.name) ? [] : walked(path);
    return entry.isFile() ? [path] : [];
  });

const isText = (path: string): boolean =>
  statSync(path).size <= LARGEST && !readFileSync(path).subarray(0, 8_000).includes(0);
