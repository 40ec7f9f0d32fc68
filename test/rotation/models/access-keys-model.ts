import { randomBytes } from "node:crypto";
import type { Clock } from "../../../lib/rotation/protocol/ports";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import type { AccessKeyState, AccessKeys } from "../../../lib/rotation/targets/s3-access-key";

interface Key extends AccessKeyState {
  readonly secret: string;
  lastUsed: Date | undefined;
  /** Tries until AWS knows it everywhere. */
  unknownFor: number;
}

/**
 * One IAM user's keys: two at most, a new one is not known at once, and the last use is remembered. Keys have no tags, users
 * have up to 50. It refuses what IAM's pages say that IAM refuses:
 *
 * - https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html
 * - https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html
 * - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export class AccessKeysModel implements AccessKeys {
  most = 0;
  readonly userTags = new Map<string, string>();
  readonly #keys = new Map<string, Key>();

  constructor(
    private readonly clock: () => Clock,
    private readonly propagation = 2,
    readonly user = "s3-app",
  ) {}

  get ids(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /** A request of a consumer; whether AWS takes it. */
  lets(id: string, secret: string): boolean {
    const key = this.#keys.get(id);
    if (key?.secret !== secret || !key.active || key.unknownFor > 0) return false;
    key.lastUsed = this.clock().now();
    return true;
  }

  async list(user: string): Promise<readonly AccessKeyState[]> {
    this.#requireUser(user);
    return [...this.#keys.values()].map(({ id, active, createdAt }) => ({ id, active, createdAt }));
  }

  async create(user: string): Promise<{ readonly id: string; readonly secret: string }> {
    this.#requireUser(user);
    if (this.#keys.size >= 2) throw new RotationError("target-busy", "LimitExceeded");
    const id = `AKIA${randomBytes(8).toString("hex").toUpperCase()}`;
    const secret = randomBytes(30).toString("base64");
    this.#keys.set(id, {
      id,
      secret,
      active: true,
      createdAt: this.clock().now(),
      lastUsed: undefined,
      unknownFor: this.propagation,
    });
    this.most = Math.max(this.most, this.#keys.size);
    return { id, secret };
  }

  /** A key that is gone is no failure of the adapter's; another user's is `NoSuchEntity` too, and stays. */
  async remove(user: string, id: string): Promise<void> {
    if (user === this.user) this.#keys.delete(id);
  }

  async lastUsedAt(id: string): Promise<Date | undefined> {
    return this.#keys.get(id)?.lastUsed;
  }

  async tags(user: string): Promise<ReadonlyMap<string, string>> {
    this.#requireUser(user);
    return new Map(this.userTags);
  }

  async putTag(user: string, key: string, value: string): Promise<void> {
    this.#requireUser(user);
    // "Tag keys: 128 characters, values: 256; letters, numbers, spaces and _ . : / = + @ -"
    if (!/^[\p{L}\p{N} _.:/=+@-]{1,128}$/u.test(key) || !/^[\p{L}\p{N} _.:/=+@-]{0,256}$/u.test(value)) {
      throw new RotationError("unexpected", "iam:TagUser", "InvalidInput");
    }
    if (!this.userTags.has(key) && this.userTags.size >= 50) {
      throw new RotationError("unexpected", "iam:TagUser", "LimitExceeded");
    }
    this.userTags.set(key, value);
  }

  async removeTag(user: string, key: string): Promise<void> {
    if (user === this.user) this.userTags.delete(key);
  }

  /** `NoSuchEntity`, in the adapter's words. */
  #requireUser(user: string): void {
    if (user !== this.user) throw new RotationError("target-misconfigured", `there is no IAM user ${user}`);
  }

  async callerOf(id: string, secret: string): Promise<string | undefined> {
    const key = this.#keys.get(id);
    if (key && key.unknownFor > 0) key.unknownFor -= 1;
    if (key?.secret !== secret || key.unknownFor > 0) return undefined;
    // Any request counts as a use, also the one that asks who is asking.
    key.lastUsed = this.clock().now();
    return `arn:aws:iam::111122223333:user/${this.user}`;
  }
}
