import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(__dirname, "..");

/**
 * The package as repositories get it that name it by git. npm installs the tools of the build in a clone, and runs the script
 * `prepare` there and nothing else: https://docs.npmjs.com/cli/v11/using-npm/scripts#prepare-and-prepublish
 */
test("npm builds the package from a commit, and packs what it builds", () => {
  const folder = mkdtempSync(join(tmpdir(), "git-dependency-"));
  try {
    const clone = join(folder, "repository");
    execFileSync("git", ["clone", "--quiet", ROOT, clone]);
    const [packed] = JSON.parse(
      execFileSync("npm", ["pack", "--json", "--pack-destination", folder, `git+file://${clone}`], {
        cwd: folder,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
      }),
    ) as readonly { readonly files: readonly { readonly path: string }[] }[];
    expect(packed?.files.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        "dist/lib/index.js",
        "dist/lib/constructs/index.d.ts",
        "dist/lib/cli/secrets-registry.js",
        "dist/functions/dispatcher.js",
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 900_000);
