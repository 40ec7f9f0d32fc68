import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "cdktf";
import type { Registry } from "../../lib/model";
import { SecretsStack, type SecretsStackProps } from "../../stacks";

/** A resource of synthesized Terraform, in its own words. */
// biome-ignore lint/suspicious/noExplicitAny: Terraform's JSON has no type here
export type TerraformJson = any;

/**
 * Synthesizes one stack as a real app does, with all checks, and gives its Terraform and its pod files' folder
 * to `look`.
 */
export function synthesize<T>(
  props: Omit<SecretsStackProps<string, string>, "registry"> & { readonly registry: Registry },
  look: (terraform: TerraformJson, folder: string, text: string) => T,
): T {
  const outdir = mkdtempSync(join(tmpdir(), "synth-"));
  try {
    const app = new App({ outdir });
    new SecretsStack(app, "stack", props);
    app.synth();
    const folder = join(outdir, "stacks", "stack");
    const text = readFileSync(join(folder, "cdk.tf.json"), "utf8");
    return look(JSON.parse(text), folder, text);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
