import { labelHolder } from "../protocol/label-holder";
import type { SecretDescription } from "../protocol/ports";
import { looksLikeProof, type ProofLabel } from "../protocol/version-proof";

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
    return labelHolder(this.#description.labels, label);
  }

  /**
   * `true`: a value was proved once, and so could be used. The form of a proof is enough: one that is not real, or is by the
   * key of a region that was lost, makes a change wait, and never hurry.
   */
  get isServed(): boolean {
    return this.ids.some((id) => this.proofsOf(id).length > 0);
  }

  /**
   * AWSCURRENT; or, where it has no proof and another version has one, that: what was served before somebody has put a value
   * past every test. By the form of proofs.
   */
  get standing(): string | undefined {
    const current = this.holderOf("AWSCURRENT");
    if (current === undefined || this.proofsOf(current).length > 0) return current;
    return this.provedBeside(current)[0] ?? current;
  }

  /** Other versions that were proved and are not under way, AWSPREVIOUS first. */
  provedBeside(versionId: string): readonly string[] {
    const others = this.ids.filter(
      (id) => id !== versionId && !this.has(id, "AWSPENDING") && this.proofsOf(id).length > 0,
    );
    const isPrevious = (id: string): boolean => this.has(id, "AWSPREVIOUS");
    return [...others.filter(isPrevious), ...others.filter((id) => !isPrevious(id))];
  }

  get ids(): readonly string[] {
    return [...this.#description.labels.keys()];
  }

  /** Labels of a version that have the form of a proof. */
  proofsOf(versionId: string): readonly ProofLabel[] {
    return (this.labelsOf(versionId) ?? []).filter(looksLikeProof);
  }
}
