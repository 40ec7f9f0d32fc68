import { createHash } from "node:crypto";
import type { RotationMode } from "../model/kinds";
import type { ValueFingerprints } from "../model/procedure-events";
import {
  type FingerprintRequest,
  isFingerprint,
  isStep,
  type PhaseRequest,
  type RotationRequest,
  type StepRequest,
} from "./event";
import type { Clock, Logbook, Publications, Runs, SecretDescription, SecretStore } from "./ports";
import { BY_SCHEDULE } from "./procedure/run";
import { RotationError } from "./rotation-error";
import type { Attempt, Target } from "./target";
import { requireUsable } from "./usable-secret";
import { enforceWait, type Waits } from "./waiting-law";

/** What the machine works with, for one secret. */
export interface RotationContext<V> {
  /** Name of the secret, such as `prod/db/app-primary`. */
  readonly secretName: string;
  /** Region in which this function runs. */
  readonly region: string;
  readonly mode: RotationMode;
  readonly waits: Waits;
  readonly target: Target<V>;
  readonly store: SecretStore;
  readonly publications: Publications;
  /** Where rotations that Secrets Manager starts begin their runs. Default: nowhere, no procedure follows. */
  readonly runs?: Runs | undefined;
  /** The fingerprint of a value of this secret. Default: none is made, no procedure asks for it. */
  readonly fingerprint?: ((value: unknown) => Promise<string>) | undefined;
  readonly clock: Clock;
  readonly log: Logbook;
  /** Told every value before anything else is done with it, so that the log can blot it out. */
  readonly guard: (value: unknown) => void;
}

/** What a call came to. */
export interface RotationOutcome {
  /** `already-done`: an earlier call did it. `nothing-to-do`: there was nothing to do it with. */
  readonly result: "done" | "already-done" | "nothing-to-do";
  /**
   * The version that the call was about; after `promote` and `decommission` of a published key, the one they made.
   */
  readonly versionId: string;
  /** What `fingerprint` was asked for. */
  readonly fingerprints?: ValueFingerprints;
}

/**
 * The rotation protocol, once for all kinds: Secrets Manager's four steps and the phases after them.
 *
 * AWSCURRENT is the only commit point. Whatever makes a version usable happens before the label moves, and the
 * label moves as a compare-and-swap; so a crash at any point leaves AWSCURRENT valid, and the same call again
 * goes on from there.
 *
 * Protocol: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 *
 * @example
 * await new RotationMachine(context).run(parseEvent(event));
 */
export class RotationMachine<V> {
  readonly #context: RotationContext<V>;

  constructor(context: RotationContext<V>) {
    this.#context = context;
  }

  /** @throws RotationError for every failure that is known; adapters' failures pass through */
  async run(request: RotationRequest): Promise<RotationOutcome> {
    const version = await this.#open(request);
    if (isFingerprint(request)) return this.#fingerprint(request, version);
    return isStep(request) ? this.#step(request, version) : this.#phase(request, version);
  }

  async #open(request: RotationRequest): Promise<Versions> {
    const { store, region, secretName } = this.#context;
    const description = await store.describe(request.secretId);
    requireUsable(secretName, description, region);
    return new Versions(request.secretId, description);
  }

  // The four steps.

  #step(request: StepRequest, versions: Versions): Promise<RotationOutcome> {
    this.#checkStaged(request, versions);
    switch (request.step) {
      case "createSecret":
        return this.#create(request.versionId, versions);
      case "setSecret":
        return this.#set(request.versionId, versions);
      case "testSecret":
        return this.#test(request.versionId, versions);
      case "finishSecret":
        return this.#finish(request.versionId, versions);
    }
  }

  /**
   * Secrets Manager calls with a version that it has staged itself. Where an operator's tool runs the steps
   * there is no schedule, hence no rotation to be enabled, and the version begins with createSecret.
   */
  #checkStaged(request: StepRequest, versions: Versions): void {
    const { mode, secretName } = this.#context;
    const scheduled = mode === "automatic";
    if (scheduled && !versions.rotationEnabled) {
      throw new RotationError("rotation-disabled", `rotation of ${secretName} is not enabled`);
    }
    if (scheduled || request.step !== "createSecret") this.#checkCandidate(request.versionId, versions);
  }

  /** A version that an earlier rotation has left behind must not come back by a late or a wrong call. */
  #checkCandidate(versionId: string, versions: Versions): void {
    const { secretName } = this.#context;
    const labels = versions.labelsOf(versionId);
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

  async #create(versionId: string, versions: Versions): Promise<RotationOutcome> {
    const { target, store, log, secretName } = this.#context;
    // An empty AWSPENDING version exists before the first call: only a value shows that this step was done.
    if ((await this.#read(versions, versionId)) !== undefined) return alreadyDone(versionId);
    const currentId = versions.holderOf("AWSCURRENT");
    const current = currentId === undefined ? undefined : await this.#read(versions, currentId);
    // Where no version was ever verified, no value was ever served: there is nobody to wait for.
    const served = versions.holderOf("VERIFIED") !== undefined;
    if (currentId !== undefined && current !== undefined && served) {
      await this.#wait("rotate", currentId);
      await this.#beginRun(versionId, currentId);
    }
    const staged = await this.#staged(versions, versionId);
    const value = await target.generate(current, this.#attempt(versions, versionId), staged);
    try {
      await store.putPending(versions.secretId, versionId, this.#encode(value));
    } catch (failure) {
      if (!(failure instanceof RotationError && failure.code === "value-exists")) throw failure;
      // Two calls at once: the other one's value stands, and every later step reads it from the store.
      log.info("another call wrote this version's value first", { secret: secretName, version: versionId });
      this.#context.guard(value);
      await target.discard?.(value);
      return alreadyDone(versionId);
    }
    return done(versionId);
  }

  /** What an operator has put for this version to be made of: versions cannot be changed, so it is another one. */
  async #staged(versions: Versions, versionId: string): Promise<V | undefined> {
    const pendingId = versions.holderOf("AWSPENDING");
    if (this.#context.mode !== "operator-assisted" || pendingId === undefined || pendingId === versionId) {
      return undefined;
    }
    return this.#read(versions, pendingId);
  }

  /**
   * A rotation by Secrets Manager's own schedule begins its run here, before anything is made; one that the dispatcher
   * started has one already. Other modes are started by the dispatcher alone.
   */
  async #beginRun(versionId: string, currentId: string): Promise<void> {
    const { mode, runs, secretName, clock } = this.#context;
    if (mode !== "automatic") return;
    await runs?.begin(
      {
        secret: secretName,
        run: versionId,
        kind: "rotation",
        newVersion: versionId,
        oldVersion: currentId,
        startedBy: BY_SCHEDULE,
      },
      clock.now(),
    );
  }

  async #set(versionId: string, versions: Versions): Promise<RotationOutcome> {
    const { target } = this.#context;
    if (versions.isProven(versionId)) return alreadyDone(versionId);
    const pending = await this.#require(versions, versionId);
    const predecessor = await this.#predecessor(versions, versionId);
    target.checkSuccession(pending, predecessor);
    if (target.acceptedBy !== "own-workloads") {
      await target.install(pending, predecessor, this.#attempt(versions, versionId));
    }
    return done(versionId);
  }

  async #test(versionId: string, versions: Versions): Promise<RotationOutcome> {
    if (versions.isProven(versionId)) return alreadyDone(versionId);
    const pending = await this.#read(versions, versionId);
    // RotateSecret with RotateImmediately=false calls testSecret alone, with a version that nobody has filled.
    if (pending === undefined) return { result: "nothing-to-do", versionId };
    await this.#context.target.test(pending);
    return done(versionId);
  }

  async #finish(versionId: string, versions: Versions): Promise<RotationOutcome> {
    const { target } = this.#context;
    if (versions.isProven(versionId)) return alreadyDone(versionId);
    const pending = await this.#require(versions, versionId);
    target.checkSuccession(pending, await this.#predecessor(versions, versionId));
    await this.#commit(versions, versionId, pending);
    return done(versionId);
  }

  // The phases.

  #phase(request: PhaseRequest, versions: Versions): Promise<RotationOutcome> {
    switch (request.phase) {
      case "verify":
        return this.#verify(request, versions);
      case "promote":
        return this.#promote(request, versions);
      case "rollback":
        return this.#rollback(request, versions);
      case "decommission":
        return this.#decommission(request, versions);
    }
  }

  async #verify({ versionId }: PhaseRequest, versions: Versions): Promise<RotationOutcome> {
    await this.#context.target.test(await this.#require(versions, versionId));
    // A value that was put by hand is served from now on.
    if (versions.has(versionId, "AWSCURRENT")) await this.#markVerified(versions, versionId);
    return done(versionId);
  }

  /**
   * Puts a published `next` to use; for every other kind, and for a version that is not finished, finishes a
   * rotation whose value an operator has supplied.
   */
  async #promote(request: PhaseRequest, versions: Versions): Promise<RotationOutcome> {
    const { target, secretName } = this.#context;
    const { versionId } = request;
    const published = publishedBy(target);
    const unfinished = target.acceptedBy === "target" && versions.has(versionId, "AWSPENDING");
    if (published === undefined || unfinished) {
      this.#checkCandidate(versionId, versions);
      return this.#finish(versionId, versions);
    }
    const derivedId = derivedVersionId(request);
    if (versions.has(derivedId, "AWSCURRENT")) {
      // The call before this one may have ended between its two label moves.
      await this.#settle(versions, derivedId);
      return alreadyDone(derivedId);
    }
    if (!versions.has(versionId, "AWSCURRENT")) {
      throw new RotationError("stale-version", `version ${versionId} of ${secretName} is not AWSCURRENT`);
    }
    const current = await this.#require(versions, versionId);
    const promoted = published.promoted(current);
    if (!request.emergency) await this.#wait("promote", versionId);
    return this.#publish(versions, derivedId, promoted, current);
  }

  async #rollback({ versionId }: PhaseRequest, versions: Versions): Promise<RotationOutcome> {
    const { target, store, publications, secretName } = this.#context;
    const labels = versions.labelsOf(versionId);
    if (labels === undefined) {
      throw new RotationError("version-unknown", `${secretName} has no version ${versionId}`);
    }
    if (labels.includes("AWSPREVIOUS")) return alreadyDone(versionId);
    if (!labels.includes("AWSCURRENT")) {
      if (!labels.includes("AWSPENDING")) return { result: "nothing-to-do", versionId };
      // A rotation that was given up: nobody was served this version, and nobody is to go on with it.
      await store.moveLabel(versions.secretId, "AWSPENDING", { from: versionId });
      return done(versionId);
    }
    const previousId = versions.holderOf("AWSPREVIOUS");
    const previous = previousId === undefined ? undefined : await this.#read(versions, previousId);
    if (previousId === undefined || previous === undefined) {
      throw new RotationError("nothing-to-return-to", `${secretName} has no AWSPREVIOUS value`);
    }
    await target.test(previous);
    if (target.acceptedBy === "target" && target.published !== undefined) {
      const current = await this.#require(versions, versionId);
      await target.install(previous, current, this.#attempt(versions, previousId));
    }
    await this.#markVerified(versions, previousId);
    await publications.withdraw(secretName, previousId);
    await store.moveLabel(versions.secretId, "AWSCURRENT", { from: versionId, to: previousId });
    return done(versionId);
  }

  async #decommission(request: PhaseRequest, versions: Versions): Promise<RotationOutcome> {
    const { target, secretName } = this.#context;
    const { versionId, emergency } = request;
    if (versions.has(versionId, "AWSCURRENT") || versions.has(versionId, "AWSPENDING")) {
      throw new RotationError(
        "version-is-current",
        `version ${versionId} of ${secretName} is ${versions.labelsOf(versionId)?.join(", ")}`,
      );
    }
    if (target.acceptedBy === "single-slot") return { result: "nothing-to-do", versionId };
    const derivedId = derivedVersionId(request);
    if (versions.has(derivedId, "AWSCURRENT")) {
      await this.#settle(versions, derivedId);
      return alreadyDone(derivedId);
    }
    const currentId = versions.holderOf("AWSCURRENT");
    if (currentId === undefined) {
      throw new RotationError("value-missing", `${secretName} has no current value, so nothing is retired`);
    }
    const retired = await this.#require(versions, versionId);
    const current = await this.#require(versions, currentId);
    const remaining = publishedBy(target)?.withoutRetired(current, retired);
    if (target.acceptedBy === "own-workloads" && remaining === undefined) {
      await this.#settle(versions, currentId);
      return alreadyDone(currentId);
    }
    const refreshedBy = emergency ? undefined : await this.#wait("decommission", currentId);
    if (target.acceptedBy === "target") {
      const pendingId = versions.holderOf("AWSPENDING");
      const pending = pendingId === undefined ? undefined : await this.#read(versions, pendingId);
      const kept = pending === undefined ? [current] : [current, pending];
      const secret = { secretName, secretArn: versions.secretArn };
      await target.retire({ secret, retired, kept, refreshedBy, emergency });
    }
    return remaining === undefined ? done(versionId) : this.#publish(versions, derivedId, remaining, current);
  }

  /** For the record of a run: reads, and changes nothing. */
  async #fingerprint(
    { versionId, oldVersionId }: FingerprintRequest,
    versions: Versions,
  ): Promise<RotationOutcome> {
    const { fingerprint } = this.#context;
    if (fingerprint === undefined) return { result: "nothing-to-do", versionId };
    const text = await this.#readText(versions, versionId);
    if (text === undefined) throw this.#empty(versionId);
    const before = oldVersionId === undefined ? undefined : await this.#readText(versions, oldVersionId);
    // What is there counts, be it of the kind's form or not.
    const made = (value: string): Promise<string> => fingerprint(this.#parse(value) ?? value);
    return {
      ...done(versionId),
      fingerprints: { new: await made(text), ...(before === undefined ? {} : { old: await made(before) }) },
    };
  }

  // What steps and phases share.

  /**
   * Writes a value that follows from AWSCURRENT's and commits it. The version's id follows from the run, so it
   * can be repeated.
   */
  async #publish(versions: Versions, versionId: string, value: V, current: V): Promise<RotationOutcome> {
    const { target, store } = this.#context;
    await store.putPending(versions.secretId, versionId, this.#encode(value));
    if (target.acceptedBy === "target") {
      await target.install(value, current, this.#attempt(versions, versionId));
    }
    await this.#commit(versions, versionId, value);
    return done(versionId);
  }

  /**
   * Proves a value and moves AWSCURRENT to it. A finish that comes out of order cannot promote what does not work.
   */
  async #commit(versions: Versions, versionId: string, value: V): Promise<void> {
    const { target, store } = this.#context;
    await target.test(value);
    await this.#markVerified(versions, versionId);
    const currentId = versions.holderOf("AWSCURRENT");
    if (currentId !== versionId) {
      await store.moveLabel(versions.secretId, "AWSCURRENT", {
        ...(currentId === undefined ? {} : { from: currentId }),
        to: versionId,
      });
    }
    await this.#settle(versions, versionId);
  }

  /**
   * Labels the version that has passed its test. Before AWSCURRENT moves, so that whoever hears of the new
   * AWSCURRENT can tell it from a value that somebody put by hand, and from a secret's first value, which gets
   * AWSCURRENT whatever was asked for.
   */
  async #markVerified(versions: Versions, versionId: string): Promise<void> {
    const holder = versions.holderOf("VERIFIED");
    if (holder === versionId) return;
    await this.#context.store.moveLabel(versions.secretId, "VERIFIED", {
      ...(holder === undefined ? {} : { from: holder }),
      to: versionId,
    });
  }

  /**
   * Takes AWSPENDING off a committed version. Secrets Manager may have done so together with AWSCURRENT (it "might be
   * attached … or it might not", RotateSecret's documentation); this makes it certain.
   */
  async #settle(versions: Versions, versionId: string): Promise<void> {
    try {
      await this.#context.store.moveLabel(versions.secretId, "AWSPENDING", { from: versionId });
    } catch (failure) {
      if (!(failure instanceof RotationError && failure.code === "label-moved")) throw failure;
    }
  }

  #attempt(versions: Versions, versionId: string): Attempt {
    return {
      secretName: this.#context.secretName,
      secretArn: versions.secretArn,
      versionId,
      labelled: versions.ids,
    };
  }

  #wait(change: "rotate" | "promote" | "decommission", currentId: string): Promise<Date | undefined> {
    const { waits, secretName, publications, clock } = this.#context;
    return enforceWait(change, waits, secretName, currentId, publications, clock.now());
  }

  /**
   * The value that a version takes over from: AWSCURRENT's, or AWSPREVIOUS's once the version is AWSCURRENT itself.
   */
  async #predecessor(versions: Versions, versionId: string): Promise<V | undefined> {
    const label = versions.has(versionId, "AWSCURRENT") ? "AWSPREVIOUS" : "AWSCURRENT";
    const holder = versions.holderOf(label);
    return holder === undefined ? undefined : this.#read(versions, holder);
  }

  async #require(versions: Versions, versionId: string): Promise<V> {
    const value = await this.#read(versions, versionId);
    if (value === undefined) throw this.#empty(versionId);
    return value;
  }

  #empty(versionId: string): RotationError {
    return new RotationError("value-missing", `version ${versionId} of ${this.#context.secretName} is empty`);
  }

  async #read(versions: Versions, versionId: string): Promise<V | undefined> {
    const text = await this.#readText(versions, versionId);
    return text === undefined ? undefined : this.#check(this.#parse(text), versionId);
  }

  async #readText(versions: Versions, versionId: string): Promise<string | undefined> {
    const text = await this.#context.store.read(versions.secretId, versionId);
    if (text !== undefined) this.#context.guard(text);
    return text;
  }

  /** `undefined`: it is no JSON. */
  #parse(text: string): unknown {
    const json = parseJson(text);
    this.#context.guard(json);
    return json;
  }

  #encode(value: V): string {
    this.#context.guard(value);
    return JSON.stringify(this.#check(value, "to be written"));
  }

  #check(value: unknown, versionId: string): V {
    const { target, secretName } = this.#context;
    const result = target.schema.safeParse(value);
    if (result.success) return result.data;
    // Paths only: zod's messages quote what they found.
    const paths = result.error.issues.map((issue) => issue.path.join(".") || "the whole value");
    throw new RotationError(
      "value-malformed",
      `version ${versionId} of ${secretName}: ${[...new Set(paths)].join(", ")}`,
    );
  }
}

/** A secret's versions as one call saw them. */
class Versions {
  readonly #description: SecretDescription;

  constructor(
    readonly secretId: string,
    description: SecretDescription,
  ) {
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

/** What a target says of keys that our own workloads check; `undefined`: the value holds none. */
const publishedBy = <V>(target: Target<V>) =>
  target.acceptedBy === "own-workloads"
    ? target
    : target.acceptedBy === "target"
      ? target.published
      : undefined;

const done = (versionId: string): RotationOutcome => ({ result: "done", versionId });
const alreadyDone = (versionId: string): RotationOutcome => ({ result: "already-done", versionId });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text; the schema says "the whole value" instead.
    return undefined;
  }
}

/**
 * The version id of what a run derives from AWSCURRENT: the same for the same run. Secrets Manager takes 32 to
 * 64 characters.
 */
export const derivedVersionId = ({
  runId,
  phase,
  versionId,
}: Pick<PhaseRequest, "runId" | "phase" | "versionId">): string =>
  createHash("sha256")
    .update(JSON.stringify([runId, phase, versionId]))
    .digest("hex");
