import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeStaleStacks } from "../../stacks";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stale-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Makes an output folder whose manifest names these stacks, each with the folder that its name leads to. */
function earlierSynth(...names: string[]): string {
  const outdir = join(folder, "cdktf.out");
  const stacks = Object.fromEntries(
    names.map((name) => [name, { name, workingDirectory: join("stacks", name) }]),
  );
  mkdirSync(outdir);
  for (const { workingDirectory } of Object.values(stacks)) {
    mkdirSync(join(outdir, workingDirectory), { recursive: true });
  }
  writeFileSync(join(outdir, "manifest.json"), JSON.stringify({ stacks }));
  return outdir;
}

test("removes the folders of stacks that are no more, and no other", () => {
  const outdir = earlierSynth("dev", "gone");
  mkdirSync(join(outdir, "stacks/unknown"));
  removeStaleStacks(outdir, ["dev"]);
  expect(["dev", "gone", "unknown"].map((name) => existsSync(join(outdir, "stacks", name)))).toEqual([
    true,
    false,
    true,
  ]);
});

test.each(["../../precious", "..", "deep/stack"])("leaves what a stack named %s would lead to", (name) => {
  const outdir = earlierSynth(name);
  removeStaleStacks(outdir, []);
  expect(existsSync(join(outdir, "stacks", name))).toBe(true);
});

test("does nothing where nothing was synthesized before", () => {
  expect(() => removeStaleStacks(join(folder, "none"), [])).not.toThrow();
});
