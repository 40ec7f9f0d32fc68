import type { EnvironmentState, SecretState } from "./registry-state";

/** Secrets of both sides, found again by their place, then by their key. */
export interface PairedSecrets {
  readonly added: readonly SecretState[];
  readonly destroyed: readonly SecretState[];
  /** The same secret in both; its key may differ. */
  readonly kept: readonly (readonly [SecretState, SecretState])[];
  /** The same key, and another secret. */
  readonly replaced: readonly (readonly [SecretState, SecretState])[];
}

/** Pairs the secrets of an environment; a side that does not have the environment has none. */
export function pairSecrets(
  base: Pick<EnvironmentState, "secrets"> | undefined,
  head: Pick<EnvironmentState, "secrets"> | undefined,
): PairedSecrets {
  const before = new Map((base?.secrets ?? []).map((secret) => [secret.place, secret]));
  const kept: [SecretState, SecretState][] = [];
  const rest: SecretState[] = [];
  for (const secret of head?.secrets ?? []) {
    const known = before.get(secret.place);
    if (known === undefined) rest.push(secret);
    else {
      kept.push([known, secret]);
      before.delete(secret.place);
    }
  }
  const left = new Map([...before.values()].map((secret) => [secret.key, secret]));
  const replaced: [SecretState, SecretState][] = [];
  const added: SecretState[] = [];
  for (const secret of rest) {
    const known = left.get(secret.key);
    if (known === undefined) added.push(secret);
    else {
      replaced.push([known, secret]);
      left.delete(secret.key);
    }
  }
  return { added, destroyed: [...left.values()], kept, replaced };
}
