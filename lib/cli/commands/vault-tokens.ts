import type { Blueprint } from "../../blueprint";

/** Tokens with which the environment's Vaults are asked: Terraform's variables, else VAULT_TOKEN. */
export function vaultTokens({ vaults }: Pick<Blueprint, "vaults">): (vault: string) => string | undefined {
  const variables = new Map(vaults.map(({ name, tokenVariable }) => [name, tokenVariable]));
  return (vault) => process.env[`TF_VAR_${variables.get(vault)}`] || process.env.VAULT_TOKEN;
}
