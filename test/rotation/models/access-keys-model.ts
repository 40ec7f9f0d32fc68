import { randomBytes } from "node:crypto";
import type { Clock } from "../../../lib/rotation/ports";
import { RotationError } from "../../../lib/rotation/rotation-error";
import type { AccessKeyState, AccessKeys } from "../../../lib/rotation/targets/s3-access-key";

interface Key extends AccessKeyState {
  readonly secret: string;
  lastUsed: Date | undefined;
  /** Tries until AWS knows it everywhere. */
  unknownFor: number;
}

/** One IAM user's keys: two at most, a new one is not known at once, and the last use is remembered. */
export class AccessKeysModel implements AccessKeys {
  readonly user = "s3-app";
  most = 0;
  readonly #keys = new Map<string, Key>();

  constructor(
    private readonly clock: () => Clock,
    private readonly propagation = 2,
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
    if (user !== this.user) throw new RotationError("target-misconfigured", `there is no IAM user ${user}`);
    return [...this.#keys.values()].map(({ id, active, createdAt }) => ({ id, active, createdAt }));
  }

  async create(): Promise<{ readonly id: string; readonly secret: string }> {
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

  async remove(_user: string, id: string): Promise<void> {
    this.#keys.delete(id);
  }

  async lastUsedAt(id: string): Promise<Date | undefined> {
    return this.#keys.get(id)?.lastUsed;
  }

  async callerOf(id: string, secret: string): Promise<string | undefined> {
    const key = this.#keys.get(id);
    if (key && key.unknownFor > 0) key.unknownFor -= 1;
    return key?.secret === secret && key.unknownFor === 0
      ? `arn:aws:iam::111122223333:user/${this.user}`
      : undefined;
  }
}
