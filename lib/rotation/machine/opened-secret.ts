import type { StagingLabel } from "../ports";
import { RotationError } from "../rotation-error";
import type { Attempt, SecretIdentity } from "../target";
import { type Change, enforceWait } from "../waiting-law";
import { makeCurrent } from "./proofs";
import type { RotationContext } from "./rotation-context";
import { VersionValues } from "./version-values";
import type { Versions } from "./versions";

const KEPT: readonly string[] = ["AWSCURRENT", "AWSPENDING"];

/** A secret in the hands of one call: its versions as the call found them, and what steps and phases share. */
export class OpenedSecret<V> {
  readonly values: VersionValues<V>;

  constructor(
    readonly context: RotationContext<V>,
    readonly secretId: string,
    readonly versions: Versions,
  ) {
    this.values = new VersionValues(context, secretId);
  }

  /** A version that an earlier rotation has left behind must not come back by a late or a wrong call. */
  checkCandidate(versionId: string): void {
    const { secretName } = this.context;
    const labels = this.versions.labelsOf(versionId);
    if (labels === undefined) {
      throw new RotationError("version-unknown", `${secretName} has no version ${versionId}`);
    }
    if (!labels.includes("AWSPENDING") && !labels.includes("AWSCURRENT")) {
      throw new RotationError(
        "version-not-pending",
        `version ${versionId} of ${secretName} is ${labels.join(", ")}`,
      );
    }
  }

  /**
   * Writes a value that follows from AWSCURRENT's and commits it. The version's id follows from the run, so it
   * can be repeated.
   */
  async publish(versionId: string, value: V, current: V): Promise<void> {
    const { target } = this.context;
    await this.values.putPending(versionId, value);
    if (target.acceptedBy === "target") await target.install(value, current, this.attempt(versionId));
    await this.commit(versionId, value);
  }

  /**
   * Proves a value and moves AWSCURRENT to it. A finish that comes out of order cannot promote what does not work.
   */
  async commit(versionId: string, value: V): Promise<void> {
    await this.context.target.test(value);
    await makeCurrent(this, versionId);
    await this.settle(versionId);
  }

  /**
   * Takes AWSPENDING off a committed version. Secrets Manager may have done so together with AWSCURRENT (it "might be
   * attached … or it might not", RotateSecret's documentation); this makes it certain.
   */
  settle(versionId: string): Promise<void> {
    return this.takeLabel("AWSPENDING", versionId);
  }

  /** Takes a label off a version, unless that is done. */
  async takeLabel(label: StagingLabel, from: string): Promise<void> {
    try {
      await this.context.store.moveLabel(this.secretId, label, { from });
    } catch (failure) {
      if (!(failure instanceof RotationError && failure.code === "label-moved")) throw failure;
    }
  }

  get identity(): SecretIdentity {
    return { secretName: this.context.secretName, secretArn: this.versions.secretArn };
  }

  attempt(versionId: string): Attempt {
    return { ...this.identity, versionId, labelled: this.versions.ids };
  }

  wait(change: Change, currentId: string): Promise<Date | undefined> {
    const { waits, secretName, publications, clock } = this.context;
    return enforceWait(change, waits, secretName, currentId, publications, clock.now());
  }

  /**
   * The value that a version takes over from: AWSCURRENT's, or AWSPREVIOUS's once the version is AWSCURRENT itself.
   */
  async predecessor(versionId: string): Promise<V | undefined> {
    const label = this.versions.has(versionId, "AWSCURRENT") ? "AWSPREVIOUS" : "AWSCURRENT";
    return this.labelled(label);
  }

  /** The value of the version with a label; `undefined`: there is none, or it is empty. */
  async labelled(label: "AWSCURRENT" | "AWSPENDING" | "AWSPREVIOUS"): Promise<V | undefined> {
    const holder = this.versions.holderOf(label);
    return holder === undefined ? undefined : this.values.read(holder);
  }

  /** A version's value; `undefined`: it is empty, or not of the kind's form, so that no target can have taken it. */
  async readable(versionId: string): Promise<V | undefined> {
    try {
      return await this.values.read(versionId);
    } catch (failure) {
      if (!(failure instanceof RotationError && failure.code === "value-malformed")) throw failure;
      this.context.log.warn(failure.message, { secret: this.context.secretName, version: versionId });
      return undefined;
    }
  }

  /**
   * Values that must not die with a version's: AWSCURRENT's and, of another version, AWSPENDING's. What a version without
   * a label opened may be AWSPREVIOUS's by now (a login that takes turns), which pods may still hold.
   */
  async kept(retiredId: string): Promise<readonly V[]> {
    const labels = this.versions.labelsOf(retiredId) === undefined ? [...KEPT, "AWSPREVIOUS"] : KEPT;
    const holders = labels.map((label) => this.versions.holderOf(label));
    const ids = [...new Set(holders)].filter((id) => id !== undefined && id !== retiredId);
    const values = await Promise.all(ids.map((id) => this.values.read(id as string)));
    return values.filter((value) => value !== undefined);
  }
}
