import type { MirroredVault } from "../../contracts/function-settings";
import { asRotationError, type RotationError, type RotationFaultCode } from "../protocol/rotation-error";
import type { VaultOpener, VaultSession } from "./mirror-ports";

/** Faults of the Vault as a whole: the next question would only wait for the same. */
const AWAY: ReadonlySet<RotationFaultCode> = new Set(["target-unreachable", "vault-sealed"]);

/**
 * One Vault during one invocation: one login, made when first needed. A Vault that was found away is not asked again,
 * so that it costs one timeout and not one for each secret.
 */
export class VaultLink {
  readonly #vault: MirroredVault;
  readonly #server: VaultOpener;
  #session: Promise<VaultSession> | undefined;
  #away: RotationError | undefined;

  constructor(vault: MirroredVault, server: VaultOpener) {
    this.#vault = vault;
    this.#server = server;
  }

  get name(): string {
    return this.#vault.name;
  }

  /** @throws RotationError */
  async use<T>(work: (session: VaultSession) => Promise<T>): Promise<T> {
    if (this.#away !== undefined) throw this.#away;
    this.#session ??= this.#server.open(this.#vault);
    try {
      return await work(await this.#session);
    } catch (failure) {
      const fault = asRotationError(failure);
      if (AWAY.has(fault.code)) this.#away = fault;
      throw fault;
    }
  }

  /** Never fails. */
  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined);
    await session?.close();
  }
}
