import type { SuppliedSecret } from "../../rotation";
import type { Terminal } from "../terminal/terminal";
import { UserFault } from "../terminal/user-fault";
import type { FoundSecret } from "./find-secret";
import { askFields, readJson, suppliedForm } from "./supplied-values";

/**
 * Value that a person supplies for a secret: JSON on standard input, or answers at the terminal.
 *
 * @throws UserFault that quotes nothing of it
 */
export async function suppliedValue(
  { secret, plan }: FoundSecret,
  kind: SuppliedSecret,
  { valueFrom }: { readonly valueFrom?: "stdin" | undefined },
  terminal: Terminal,
): Promise<unknown> {
  const form = suppliedForm(kind);
  if (valueFrom === "stdin") return readJson(terminal, form);
  if (terminal.interactive) return askFields(terminal, secret.key, kind);
  throw new UserFault(
    `${secret.key} needs a value from you, and there is no terminal to ask at. Pipe ${form} as JSON into: secrets-registry rotate ${secret.key} --env ${plan.environment} --value-from stdin.`,
  );
}

/** AWS's command for a version's value, for people who take it to its target. */
export const readCommand = (
  { secret, plan }: Pick<FoundSecret, "secret" | "plan">,
  version: string,
): string =>
  `aws secretsmanager get-secret-value --secret-id ${secret.name} --version-id ${version} --version-stage AWSPENDING --region ${plan.regions.primary}`;
