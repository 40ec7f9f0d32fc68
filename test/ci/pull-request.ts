import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineRegistry, type Registry } from "../../lib/model";
import { draft } from "../model/sample";
import { synthesize } from "../stacks/synthesized";

/**
 * The checkout by a name without spaces. Words of commands that a pipeline is given are parted by spaces, and a checkout may lie below a
 * folder that has some.
 */
export const TREE = join(mkdtempSync(join(tmpdir(), "tree-")), "checkout");
symlinkSync(join(__dirname, "../.."), TREE);

/** The command line, as a repository of somebody else would call it. */
export const CLI = `node --import ${join(TREE, "node_modules/tsx/dist/loader.mjs")} ${join(TREE, "packages/rehearsal/src/secrets-registry.ts")}`;

/** Runs git in a folder. */
export const git = (folder: string, ...args: string[]): string =>
  execFileSync("git", ["-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();

/** Production's part of somebody else's app. */
function rendered(folder: string, change?: (terraform: Terraform) => void): void {
  const registry = defineRegistry(draft()) as unknown as Registry;
  synthesize({ registry, environment: "prod" }, (terraform) => {
    change?.(terraform);
    mkdirSync(join(folder, "rendered/stacks/prod"), { recursive: true });
    writeFileSync(join(folder, "rendered/manifest.json"), "{}");
    writeFileSync(join(folder, "rendered/stacks/prod/cdk.tf.json"), JSON.stringify(terraform));
  });
}

// biome-ignore lint/suspicious/noExplicitAny: Terraform's JSON has no type here
type Terraform = any;

/** A change that lets more tokens take a role. */
const wider = ({ resource }: Terraform): void => {
  const role = resource.aws_iam_role.secrets_payments;
  role.assume_role_policy = role.assume_role_policy.replace("payments:payments", "*:payments");
};

/** The checkout of a pull request's merge, as CI makes it: its first parent is the base. */
export function pullRequest(folder: string, { baseHasPackage = true, change = wider } = {}): string {
  mkdirSync(folder);
  git(folder, "init", "-q", "-b", "main");
  const commit = (message: string): void => {
    git(folder, "add", "-A");
    git(folder, "commit", "-q", "--allow-empty", "-m", message);
  };
  writeFileSync(join(folder, ".gitignore"), "cdktf.out\nnode_modules\n");
  if (baseHasPackage) {
    writeFileSync(join(folder, "package.json"), "{}");
    rendered(folder);
  }
  commit("base");
  git(folder, "checkout", "-q", "-b", "change");
  writeFileSync(join(folder, "package.json"), "{}");
  rendered(folder, change);
  commit("change");
  git(folder, "checkout", "-q", "main");
  git(folder, "merge", "-q", "--no-ff", "-m", "merge", "change");
  git(folder, "checkout", "-q", "--detach");
  return folder;
}

/** Entry of a plan's `resource_changes`: a key that is replaced, with a value that must not get out. */
export const replacedKey = (value: string) => ({
  address: "aws_kms_key.secrets",
  mode: "managed",
  type: "aws_kms_key",
  change: { actions: ["delete", "create"], before: { description: value }, after: { description: value } },
});
