import type { RetirementEvidence } from "../../contracts/procedure-events";
import type { KeptSettings } from "../../model/setting-rules";
import type { StagingLabel } from "../protocol/ports";
import { RotationError, type RotationFaultCode } from "../protocol/rotation-error";
import type { Attempt, Retirement, SecretIdentity } from "../protocol/target";
import { type Change, enforceWait, isTooEarly } from "../protocol/waiting-law";
import { makeCurrent } from "./proofs";
import type { RotationContext } from "./rotation-context";
import { type Held, VersionValues } from "./version-values";
import { Versions } from "./versions";

/** Faults that are no wonder at a place for which the function has neither rights nor an admin any more. */
const OUT_OF_REACH: ReadonlySet<RotationFaultCode> = new Set([
  "access-denied",
  "admin-refused",
  "host-mismatch",
  "settings-malformed",
  "target-misconfigured",
  "target-not-trusted",
  "target-unreachable",
]);

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

  /** The same secret, as it is now. */
  async reopened(): Promise<OpenedSecret<V>> {
    const description = await this.context.store.describe(this.secretId);
    return new OpenedSecret(this.context, this.secretId, new Versions(description));
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
   * Writes a value that follows from AWSCURRENT's, by the settings that made that, and commits it. The version's id
   * follows from the run, so it can be repeated.
   */
  async publish(versionId: string, value: V, current: Held<V>): Promise<void> {
    const { target } = current;
    const derived = { ...current, value };
    await this.values.putPending(versionId, derived);
    if (target.acceptedBy === "target") await target.install(value, current.value, this.attempt(versionId));
    await this.commit(versionId, derived);
  }

  /**
   * Proves a value and moves AWSCURRENT to it. A finish that comes out of order cannot promote what does not work.
   */
  async commit(versionId: string, { target, value }: Held<V>): Promise<void> {
    await target.test(value);
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

  /** Waits as long as the values in play need: a time that was shortened since holds for what they made. */
  async wait(
    change: Change,
    currentId: string,
    ...more: readonly (KeptSettings | undefined)[]
  ): Promise<Date | undefined> {
    const { settings, secretName, publications, clock } = this.context;
    const previousId = this.versions.holderOf("AWSPREVIOUS");
    const ids = previousId === undefined ? [currentId] : [currentId, previousId];
    const served = settings === undefined ? [] : await Promise.all(ids.map((id) => this.values.keptBy(id)));
    const waits = settings?.waits([...served, ...more]) ?? this.context.waits;
    return enforceWait(change, waits, secretName, currentId, publications, clock.now());
  }

  /** Time from which every consumer has a version; `undefined`: not yet. */
  async refreshedBy(versionId: string): Promise<Date | undefined> {
    try {
      return await this.wait("decommission", versionId);
    } catch (failure) {
      if (!isTooEarly(failure)) throw failure;
      return undefined;
    }
  }

  /**
   * The value that a version takes over from: AWSCURRENT's, or AWSPREVIOUS's once the version is AWSCURRENT itself.
   */
  async predecessor(versionId: string): Promise<Held<V> | undefined> {
    const label = this.versions.has(versionId, "AWSCURRENT") ? "AWSPREVIOUS" : "AWSCURRENT";
    return this.labelled(label);
  }

  /** The value of the version with a label; `undefined`: there is none, or it is empty. */
  async labelled(label: "AWSCURRENT" | "AWSPENDING" | "AWSPREVIOUS"): Promise<Held<V> | undefined> {
    const holder = this.versions.holderOf(label);
    return holder === undefined ? undefined : this.values.read(holder);
  }

  /** A version's value; `undefined`: it is empty, or not of the kind's form, so that no target can have taken it. */
  async readable(versionId: string): Promise<Held<V> | undefined> {
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
  async kept(retiredId: string): Promise<readonly Held<V>[]> {
    const labels = this.versions.labelsOf(retiredId) === undefined ? [...KEPT, "AWSPREVIOUS"] : KEPT;
    const holders = labels.map((label) => this.versions.holderOf(label));
    const ids = [...new Set(holders)].filter((id) => id !== undefined && id !== retiredId);
    const values = await Promise.all(ids.map((id) => this.values.read(id as string)));
    return values.filter((value) => value !== undefined);
  }

  /** Ends a credential where its own settings say that it lives. Nothing to do where no target checks it. */
  async retire(
    held: Held<V>,
    kept: readonly Held<V>[],
    how: Pick<Retirement<V>, "refreshedBy" | "emergency">,
  ): Promise<RetirementEvidence> {
    const { target, place, value } = held;
    const nothing: RetirementEvidence = { lookedBy: "not-observable" };
    if (target.acceptedBy !== "target") return nothing;
    const evidence = await this.reaching(held, () =>
      target.retire({
        secret: this.identity,
        retired: value,
        kept: kept.filter((other) => other.place === place).map((other) => other.value),
        elsewhere: kept.filter((other) => other.place !== place).map((other) => other.value),
        ...how,
      }),
    );
    return evidence ?? nothing;
  }

  /**
   * Does something where a value lives. The function has rights and an admin for the place that the registry names now; what
   * keeps it from a former one is said together with the way out.
   *
   * @throws RotationError `settings-former-unreachable`
   */
  async reaching<T>({ place, reach = "" }: Held<V>, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (failure) {
      const isFormer = place !== this.values.ofNow().place;
      if (!isFormer || !(failure instanceof RotationError) || !OUT_OF_REACH.has(failure.code)) throw failure;
      throw new RotationError(
        "settings-former-unreachable",
        `a value of ${this.context.secretName} lives at ${place}, which its settings no longer name ` +
          `(${failure.code}); it needs ${reach}`,
        failure.origin,
      );
    }
  }
}
