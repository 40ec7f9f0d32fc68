import { createHash, randomBytes } from "node:crypto";
import type { NewRun, Run } from "../../../lib/contracts/run";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import {
  type RotationContext,
  RotationMachine,
  type RotationOutcome,
} from "../../../lib/rotation/machine/rotation-machine";
import { type Phase, type RotationRequest, STEPS, type Step } from "../../../lib/rotation/protocol/event";
import type { Clock, Logbook, Publications, Random, Runs } from "../../../lib/rotation/protocol/ports";
import type { Attempt, Target } from "../../../lib/rotation/protocol/target";
import { CrashPlan } from "./crash-plan";
import { ProofsModel } from "./proofs-model";
import { type Readings, SecretsManagerModel } from "./secrets-manager-model";

/** A clock that a test sets. */
export class TestClock implements Clock {
  #now = Date.parse("2026-01-01T00:00:00Z");

  now(): Date {
    return new Date(this.#now);
  }

  async sleep(milliseconds: number): Promise<void> {
    this.#now += milliseconds;
  }

  advance(seconds: number): void {
    this.#now += seconds * 1_000;
  }
}

/** Publications in memory. */
export class PublicationsModel implements Publications {
  readonly #confirmed = new Map<string, Date>();

  async confirmedAt(_secretName: string, versionId: string): Promise<Date | undefined> {
    return this.#confirmed.get(versionId);
  }

  async withdraw(_secretName: string, versionId: string): Promise<void> {
    this.#confirmed.delete(versionId);
  }

  confirm(versionId: string, at: Date): void {
    this.#confirmed.set(versionId, at);
  }
}

/** Randomness of the process; properties do not hang on it. */
export const testRandom: Random = { bytes: (count) => randomBytes(count) };

/** A log that nobody reads. */
export const silentLog: Logbook = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The version id of the nth rotation. */
export const versionId = (name: string): string =>
  createHash("sha256").update(name).digest("hex").slice(0, 36);

const NAME = "test/db/app";

/**
 * Runs as the dispatcher would have begun them: for a test of a target or of the machine, which has no dispatcher. Whoever
 * tests runs themselves gives others.
 */
export class ImpliedRuns implements Runs {
  readonly #runs = new Map<string, Run>();

  constructor(private readonly clock: Pick<Clock, "now">) {}

  async begin(run: NewRun, at: Date): Promise<Run> {
    return { ...run, startedAt: at, status: "rotating", direction: "forward" };
  }

  /** Any version may have a run, as far as its steps go. */
  async read(secret: string, run: string): Promise<Run | undefined> {
    return this.#runs.get(run) ?? this.#made({ secret, run, kind: "rotation", newVersion: run }, "rotating");
  }

  /** A run for a leaked credential. */
  beginForLeak(version: string): void {
    const run = { secret: NAME, run: version, kind: "rotation", newVersion: version } as const;
    this.#runs.set(version, this.#made({ ...run, emergency: true }, "rotating"));
  }

  /** The run by which a phase is asked for. */
  imply(
    phase: Phase,
    version: string,
    { runId, emergency, oldVersion }: { runId: string; emergency: boolean; oldVersion?: string | undefined },
  ): void {
    const status = phase === "promote" ? "starting" : "proving";
    const versions =
      phase === "decommission"
        ? { newVersion: `after ${version}`, oldVersion: version }
        : { newVersion: version, oldVersion };
    this.#runs.set(
      runId,
      this.#made({ secret: NAME, run: runId, kind: "rotation", ...versions, emergency }, status),
    );
  }

  #made(run: Omit<NewRun, "startedBy">, status: Run["status"]): Run {
    return { ...run, startedBy: "a test", startedAt: this.clock.now(), status, direction: "forward" };
  }
}

/** For targets that leave nothing at a vendor. */
export const ATTEMPT: Attempt = {
  secretName: NAME,
  secretArn: `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${NAME}-AbCdEf`,
  versionId: versionId("attempt"),
  labelled: [],
};

/** Wraps the outside of a target in a crash plan. */
export type TargetUnder<V> = (plan: CrashPlan) => Target<V>;

/** Differences between secrets under test. */
export interface RehearsedProps<V> {
  readonly target: TargetUnder<V>;
  readonly mode?: RotationContext<V>["mode"];
  readonly overlap?: number;
  readonly publishLead?: number;
  readonly readings?: Readings;
  readonly runs?: Runs;
  readonly approval?: boolean;
  readonly inbox?: RotationContext<V>["inbox"];
  readonly fingerprints?: RotationContext<V>["fingerprints"];
}

/** One secret with its rotation, everything around it in memory, and each process mortal. */
export class RehearsedSecret<V> {
  readonly name = NAME;
  readonly clock = new TestClock();
  readonly publications = new PublicationsModel();
  readonly proofs = new ProofsModel();
  readonly secrets: SecretsManagerModel;
  readonly #props: RehearsedProps<V>;
  /** Runs of {@link phase}. */
  readonly implied = new ImpliedRuns(this.clock);

  constructor(props: RehearsedProps<V>) {
    this.#props = props;
    this.secrets = new SecretsManagerModel(props.readings);
    this.secrets.create(NAME);
  }

  get current(): V | undefined {
    return this.secrets.current<V>(NAME);
  }

  get currentVersion(): string | undefined {
    return this.secrets.versionWith(NAME, "AWSCURRENT");
  }

  /** Labels of each version, proofs by their name. */
  get labels(): Readonly<Record<string, readonly string[]>> {
    return this.proofs.plain(this.secrets, NAME);
  }

  /** Versions that have passed their test. */
  get proved(): readonly string[] {
    return this.proofs.proved(this.secrets, NAME);
  }

  /** The mirror: every Vault serves AWSCURRENT from now on. */
  confirm(): void {
    const current = this.currentVersion;
    if (current !== undefined) this.publications.confirm(current, this.clock.now());
  }

  /** One invocation of the function, in a process of its own. */
  async invoke(request: RotationRequest, plan = new CrashPlan(0, "before")): Promise<RotationOutcome> {
    const { target, mode = "automatic", overlap = 3_600, publishLead = 0 } = this.#props;
    const machine = new RotationMachine<V>({
      secretName: NAME,
      region: "eu-central-1",
      mode,
      waits: { overlap: { seconds: overlap }, publishLead: { seconds: publishLead } },
      target: target(plan),
      store: plan.wrap(new SecretsManagerStore(this.secrets.client)),
      publications: plan.wrap(this.publications),
      proofs: plan.wrap(this.proofs),
      inbox: this.#props.inbox,
      runs: plan.wrap(this.#props.runs ?? this.implied),
      approval: this.#props.approval,
      fingerprints: this.#props.fingerprints,
      clock: this.clock,
      log: silentLog,
      guard: () => undefined,
    });
    try {
      return await machine.run(request);
    } finally {
      await plan.closeSessions();
    }
  }

  step(step: Step, version: string, plan?: CrashPlan): Promise<RotationOutcome> {
    return this.invoke({ step, secretId: NAME, versionId: version }, plan);
  }

  phase(
    phase: Phase,
    version: string,
    { runId = "run", emergency = false, plan = new CrashPlan(0, "before") } = {},
  ): Promise<RotationOutcome> {
    this.implied.imply(phase, version, { runId, emergency });
    return this.invoke({ phase, secretId: NAME, versionId: version, runId, emergency }, plan);
  }

  /** Rotates as Secrets Manager does on `RotateSecret`: stages a version and calls the four steps. */
  async rotate(version: string, plan?: CrashPlan): Promise<void> {
    if (this.secrets.labels(NAME)[version] === undefined) this.secrets.stage(NAME, version);
    for (const step of STEPS) await this.step(step, version, plan);
  }
}
