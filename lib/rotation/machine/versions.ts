import type { SecretDescription } from "../ports";

/** A secret's versions as one call saw them. */
export class Versions {
  readonly #description: SecretDescription;

  constructor(description: SecretDescription) {
    this.#description = description;
  }

  get secretArn(): string {
    return this.#description.arn;
  }

  get rotationEnabled(): boolean {
    return this.#description.rotationEnabled;
  }

  labelsOf(versionId: string): readonly string[] | undefined {
    return this.#description.labels.get(versionId);
  }

  has(versionId: string, label: string): boolean {
    return this.labelsOf(versionId)?.includes(label) ?? false;
  }

  holderOf(label: string): string | undefined {
    return [...this.#description.labels].find(([, labels]) => labels.includes(label))?.[0];
  }

  /** `true`: a value was proved once, and so could be used. */
  get isServed(): boolean {
    return this.holderOf("VERIFIED") !== undefined;
  }

  get ids(): readonly string[] {
    return [...this.#description.labels.keys()];
  }

  /**
   * AWSCURRENT by a rotation that went to its end. A secret's first value gets AWSCURRENT whatever was asked
   * for, before anything was installed or tested: until it is verified, its steps are done again.
   */
  isProven(versionId: string): boolean {
    return (
      this.has(versionId, "AWSCURRENT") &&
      this.has(versionId, "VERIFIED") &&
      !this.has(versionId, "AWSPENDING")
    );
  }
}
