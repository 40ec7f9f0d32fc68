import type { ParsedEnvironment } from "../environment-definition";
import type { ParsedRegistry } from "../parse";
import type { EnvironmentSecret } from "../resolve";
import type { ParsedSecret } from "../secret-definition";

/** Input of every rule: the valid parts of a definition, and the secrets as each environment has them. */
export interface RuleContext {
  readonly parsed: ParsedRegistry;
  /** Per environment, sorted by key. */
  readonly resolved: ReadonlyMap<string, readonly EnvironmentSecret[]>;
}

/** Calls a rule for each environment with its secrets. */
export function forEnvironments<T>(
  { parsed, resolved }: RuleContext,
  rule: (name: string, environment: ParsedEnvironment, secrets: readonly EnvironmentSecret[]) => readonly T[],
): readonly T[] {
  return [...parsed.environments].flatMap(([name, environment]) =>
    rule(name, environment, resolved.get(name) ?? []),
  );
}

/** Calls a rule for each secret definition. */
export function forSecrets<T>(
  { parsed }: RuleContext,
  rule: (key: string, secret: ParsedSecret) => readonly T[],
): readonly T[] {
  return [...parsed.secrets].flatMap(([key, secret]) => rule(key, secret));
}

/** Entries that stand more than once, each with the indexes at which it is repeated. */
export function repeated<T>(
  entries: readonly T[],
  identity: (entry: T) => string,
): readonly { entry: T; index: number }[] {
  const seen = new Set<string>();
  return entries.flatMap((entry, index) => {
    const id = identity(entry);
    if (seen.has(id)) return [{ entry, index }];
    seen.add(id);
    return [];
  });
}
