import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { TerraformStack } from "cdktf";
// The engine does not list it in its index, but its own assets write their files by it.
import { addCustomSynthesis } from "cdktf/lib/synthesize/synthesizer";
import { Construct } from "constructs";

/** Input of {@link VaultCaFile}. */
export interface VaultCaFileProps {
  /** Name of the Vault. */
  readonly vault: string;
  /** CA certificate of the Vault in PEM (public). */
  readonly pem: string;
}

/** The CA certificate of a Vault as a file beside the stack: Terraform's Vault provider takes a file only. */
export class VaultCaFile extends Construct {
  /** Path for the provider, wherever Terraform runs. */
  readonly path: string;

  constructor(scope: Construct, id: string, { vault, pem }: VaultCaFileProps) {
    super(scope, id);
    const name = `vault-ca-${vault}.pem`;
    this.path = `\${path.module}/${name}`;
    addCustomSynthesis(this, {
      onSynthesize: ({ outdir, manifest }) => {
        const folder = manifest.forStack(TerraformStack.of(this)).workingDirectory;
        writeFileSync(join(outdir, folder, name), `${pem}\n`);
      },
    });
  }
}
