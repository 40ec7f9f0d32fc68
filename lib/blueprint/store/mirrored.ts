import type { Store } from "../../model/kinds";

/** `true` when the mirror copies a secret into Vault: Secrets Manager owns it, and somebody reads it there. */
export const isMirrored = (
  { vaults }: { readonly vaults: readonly unknown[] },
  secret: { readonly store: Store; readonly consumers: readonly unknown[] },
): boolean => vaults.length > 0 && secret.store === "aws" && secret.consumers.length > 0;
