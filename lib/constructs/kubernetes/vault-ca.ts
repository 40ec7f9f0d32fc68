import type { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { SecretV1 } from "@cdktf/provider-kubernetes/lib/secret-v1";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import { CA_FILE } from "../../blueprint";
import { setAddress } from "../address";

/** Input of {@link VaultCa}. */
export interface VaultCaProps {
  readonly name: string;
  readonly namespace: string;
  /** The certificate in PEM. */
  readonly pem: string;
  /** Distinguishes it from other clusters' in the Terraform address. @default the namespace */
  readonly word?: string;
  /** @default the stack's own Kubernetes provider */
  readonly provider?: KubernetesProvider;
}

/**
 * The CA certificate of a Vault, in a namespace whose pods use it. It is public; a Kubernetes Secret only
 * because the injector mounts it from one (`tls-secret`).
 *
 * @example
 * new VaultCa(stack, "ca", { name: "vault-ca", namespace: "backend", pem });
 */
export class VaultCa extends Construct {
  /** Resource that pods which mount it must wait for. */
  readonly made: ITerraformDependable;

  constructor(scope: Construct, id: string, { name, namespace, pem, word, provider }: VaultCaProps) {
    super(scope, id);
    this.made = setAddress(
      this,
      new SecretV1(this, "secret", {
        ...(provider ? { provider } : {}),
        metadata: { name, namespace },
        type: "Opaque",
        data: { [CA_FILE]: pem },
      }),
      word ?? namespace,
    );
  }
}
