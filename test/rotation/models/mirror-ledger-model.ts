import type { LedgerPage, MirrorLedger } from "../../../lib/rotation/mirror/mirror-ports";
import type { Publications } from "../../../lib/rotation/protocol/ports";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";

const FRESH: LedgerPage = { epoch: 0, unsettled: new Set(), confirmed: undefined };

/** The publications table in memory: both sides of it, with the conditions that DynamoDB enforces. */
export class MirrorLedgerModel implements Publications, MirrorLedger {
  readonly #pages = new Map<string, LedgerPage>();
  readonly #confirmed = new Map<string, Map<string, Date>>();
  readonly #rotated = new Map<string, Date>();

  /** Confirmations of a secret, by version. */
  confirmations(secretName: string): ReadonlyMap<string, Date> {
    return this.#confirmed.get(secretName) ?? new Map();
  }

  async confirmedAt(secretName: string, versionId: string): Promise<Date | undefined> {
    return this.#confirmed.get(secretName)?.get(versionId);
  }

  async withdraw(secretName: string, versionId: string): Promise<void> {
    this.#confirmed.get(secretName)?.delete(versionId);
  }

  async open(secretName: string): Promise<LedgerPage> {
    return this.#pages.get(secretName) ?? FRESH;
  }

  async announce(secretName: string, page: LedgerPage, vaults: readonly string[]): Promise<LedgerPage> {
    const now = this.#unchanged(secretName, page);
    if (page.confirmed !== undefined) this.#confirmed.get(secretName)?.delete(page.confirmed);
    const next = { ...now, epoch: now.epoch + 1, unsettled: new Set([...now.unsettled, ...vaults]) };
    this.#pages.set(secretName, next);
    return next;
  }

  async settle(secretName: string, page: LedgerPage, vaults: readonly string[]): Promise<void> {
    const now = this.#unchanged(secretName, page);
    const unsettled = new Set([...now.unsettled].filter((vault) => !vaults.includes(vault)));
    this.#pages.set(secretName, { ...now, unsettled });
  }

  async confirm(secretName: string, page: LedgerPage, versionId: string, at: Date): Promise<void> {
    const now = this.#unchanged(secretName, page);
    this.#pages.set(secretName, { ...now, epoch: now.epoch + 1, confirmed: versionId });
    const confirmed = this.#confirmed.get(secretName) ?? new Map<string, Date>();
    if (page.confirmed !== undefined) confirmed.delete(page.confirmed);
    this.#confirmed.set(secretName, confirmed.set(versionId, at));
  }

  async rootRotatedAt(vault: string, mount: string, connection: string): Promise<Date | undefined> {
    return this.#rotated.get(`${vault}/${mount}/${connection}`);
  }

  async recordRootRotation(vault: string, mount: string, connection: string, at: Date): Promise<void> {
    this.#rotated.set(`${vault}/${mount}/${connection}`, at);
  }

  #unchanged(secretName: string, { epoch }: LedgerPage): LedgerPage {
    const now = this.#pages.get(secretName) ?? FRESH;
    if (now.epoch !== epoch) throw new RotationError("mirror-overtaken", secretName);
    return now;
  }
}
