import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TerraformStack } from "cdktf";
// The engine does not list it in its index, but its own assets write their files by it.
import { addCustomSynthesis } from "cdktf/lib/synthesize/synthesizer";
import type { Construct } from "constructs";
import type { PolicyDocument } from "../model";

/**
 * Writes, at synth, policies that the stack does not make into the folder `policies` beside it: those of people's roles, of the
 * deployer's role, and of the deployer's token in a Vault.
 *
 * @param files texts by the file's name
 */
export function writesPolicies(scope: Construct, files: Readonly<Record<string, string>>): void {
  addCustomSynthesis(scope, {
    onSynthesize: ({ outdir, manifest }) => {
      const folder = join(outdir, manifest.forStack(TerraformStack.of(scope)).workingDirectory, "policies");
      mkdirSync(folder, { recursive: true });
      for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
    },
  });
}

/** An IAM policy as its file has it. */
export const policyText = (policy: PolicyDocument): string => `${JSON.stringify(policy, null, 2)}\n`;
