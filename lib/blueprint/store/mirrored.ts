import type { Store } from "../../model/kinds";
import type { Environment } from "../../model/registry";

/** `true` when the mirror copies a secret into Vault: Secrets Manager owns it, and somebody reads it there. */
export const isMirrored = (
  { vaults }: Pick<Environment, "vaults">,
  secret: { readonly store: Store; readonly consumers: readonly unknown[] },
): boolean => vaults.length > 0 && secret.store === "aws" && secret.consumers.length > 0;
