import type { MirroredConnection } from "../../contracts/function-settings";
import type { Clock } from "../protocol/ports";
import { asRotationError, type RotationError } from "../protocol/rotation-error";
import type { MirrorLedger } from "./mirror-ports";
import type { VaultLink } from "./vault-link";

/** Result for a connection that was due. */
export interface ConnectionOutcome {
  /** `<Vault>/<mount>/<connection>`. */
  readonly connection: string;
  readonly result: "rotated" | RotationError;
}

/**
 * Has a Vault change the passwords of those connections' own logins that are due. Terraform makes a connection with a
 * password that people know; the first sweep replaces it by one that Vault alone knows. A crash before the time is
 * recorded rotates once more, which harms nobody.
 *
 * @returns connections that were due; failures among them
 */
export async function rotateRoots(
  vault: VaultLink,
  connections: readonly MirroredConnection[],
  ledger: MirrorLedger,
  clock: Clock,
): Promise<readonly ConnectionOutcome[]> {
  const outcomes: ConnectionOutcome[] = [];
  for (const { mount, name, rotateEverySeconds } of connections) {
    const connection = `${vault.name}/${mount}/${name}`;
    try {
      const last = await ledger.rootRotatedAt(vault.name, mount, name);
      const age = clock.now().getTime() - (last?.getTime() ?? Number.NEGATIVE_INFINITY);
      if (age < rotateEverySeconds * 1_000) continue;
      await vault.use((session) => session.rotateRoot(mount, name));
      await ledger.recordRootRotation(vault.name, mount, name, clock.now());
      outcomes.push({ connection, result: "rotated" });
    } catch (failure) {
      outcomes.push({ connection, result: asRotationError(failure) });
    }
  }
  return outcomes;
}
