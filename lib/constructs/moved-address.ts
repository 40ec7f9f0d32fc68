import { TerraformElement } from "cdktf";
import type { Construct } from "constructs";

/** Input of {@link MovedAddress}. */
export interface MovedAddressProps {
  /** Former addresses of one resource, oldest first. */
  readonly from: readonly string[];
  /** Present address. */
  readonly to: string;
}

/**
 * `moved` blocks for a resource that was renamed, perhaps more than once. Terraform takes one source per target, so
 * several renamings are a chain: a → b, b → c. (cdktf's own `moveFromId` writes one step.)
 */
export class MovedAddress extends TerraformElement {
  private readonly steps: readonly { readonly from: string; readonly to: string }[];

  constructor(scope: Construct, id: string, { from, to }: MovedAddressProps) {
    super(scope, id);
    this.steps = from.map((address, index) => ({ from: address, to: from[index + 1] ?? to }));
  }

  override toTerraform(): object {
    return { moved: this.steps };
  }
}
