import type { LoadedRun, RecorderEvent } from "../../../lib/contracts/procedure-events";
import { hasEnded } from "../../../lib/contracts/run";
import type { KindName } from "../../../lib/model/kinds";
import { SecretsManagerRotations } from "../../../lib/rotation/adapters/secrets-manager-rotations";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import { RotationMachine } from "../../../lib/rotation/machine/rotation-machine";
import type { DispatcherOutcome } from "../../../lib/rotation/procedure/dispatched";
import { Dispatcher } from "../../../lib/rotation/procedure/dispatcher";
import {
  type DispatcherRequest,
  parseDispatcherEvent,
} from "../../../lib/rotation/procedure/dispatcher-event";
import type { Recorder } from "../../../lib/rotation/procedure/recorder";
import { parseEvent, STEPS } from "../../../lib/rotation/protocol/event";
import type { Logbook } from "../../../lib/rotation/protocol/ports";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { settingsInEffectOf } from "../../../lib/rotation/protocol/settings-in-effect";
import { Crash, CrashPlan } from "./crash-plan";
import { dispatcherSettings } from "./dispatcher-settings";
import { ExecutionsModel, type ModelExecution } from "./executions-model";
import { ProcedureModel } from "./procedure-model";
import { ProofsModel } from "./proofs-model";
import { recorderModel } from "./recorder-model";
import { PublicationsModel, TestClock, versionId } from "./rehearsed-secret";
import { RunTableModel } from "./run-table-model";
import { SecretsManagerModel } from "./secrets-manager-model";
import type { SequenceKind, SequenceVendor } from "./sequence-kind";
import { NOBODY } from "./sts-model";

const NAME = "test/app/secret";
const KEY = "app/secret";
const REGION = "eu-central-1";
const INBOX = "test/_inbox/app/secret";
const FUNCTION = "acme-test--rotate";
const REQUESTER = "arn:aws:sts::111122223333:assumed-role/operator/ana@example.com";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Step in which time passes, in milliseconds. */
const TICK = 30 * MINUTE;
/** Consumers read again at a time of their own, no later than this. */
const REFRESH_SECONDS = 6 * 3_600;
/** Secrets Manager calls a rotation that failed again: so often, at each tick. */
const ATTEMPTS = 3;
/**
 * Time beyond an overlap for which a credential may live that nobody may present: a sweep an hour, retries half an hour
 * apart, the mirror, a person's hand.
 */
const GRACE = 4 * HOUR;

/**
 * Pause after which a retirement that failed again and again is tried anew (`lib/rotation/procedure/leftovers.ts`),
 * which may fail in its turn.
 */
const PAUSE = 8 * HOUR;

/** Steps of which a sequence is made. */
export type SequenceOp =
  | { readonly do: "rotate" | "emergency" | "schedule" | "give up" | "rename" | "promote" }
  /** The next call of the function dies at one of its calls to the outside. */
  | { readonly do: "die"; readonly at: number; readonly when: "before" | "after" }
  /** The next command to the dispatcher dies. */
  | { readonly do: "dispatcher dies"; readonly at: number; readonly when: "before" | "after" }
  /** A health check fails, or an approver says no, at the next proof. */
  | { readonly do: "refuse" }
  /** The execution that follows a run dies. */
  | { readonly do: "kill" }
  /**
   * The mirror cannot reach a Vault. Agents can: one that could not refresh for longer than the reload margin is nobody's
   * promise (docs/explanation/rotation-cases.md).
   */
  | { readonly do: "vendor away" | "Vault away"; readonly hours: number }
  | { readonly do: "wait"; readonly hours: number };

/** Results of the sequences of a kind. */
export interface SequenceTally {
  sequences: number;
  rotations: number;
  runs: number;
  rolledBack: number;
  givenUp: number;
  failed: number;
  emergencies: number;
  /** Log-ins by consumers of AWSCURRENT. */
  logIns: number;
  refused: number;
  /** Log-ins refused because a leaked credential was ended under a consumer that had not refreshed yet. */
  cutOff: number;
  orphans: number;
}

/** A tally of nothing. */
export const emptyTally = (): SequenceTally => ({
  sequences: 0,
  rotations: 0,
  runs: 0,
  rolledBack: 0,
  givenUp: 0,
  failed: 0,
  emergencies: 0,
  logIns: 0,
  refused: 0,
  cutOff: 0,
  orphans: 0,
});

interface Consumer {
  version: string;
  refreshAt: number;
}

/**
 * A secret of one kind with all that acts on it: Secrets Manager, the mirror, the dispatcher and its sweeps, the procedure,
 * three consumers that refresh when they like, a vendor. Time passes in ticks; at each of them every consumer presents what
 * it read last.
 */
export class SequenceWorld<V> {
  readonly secrets = new SecretsManagerModel();
  readonly table = new RunTableModel();
  readonly clock: TestClock;
  /** Events in words, for the reader of a counterexample. */
  readonly journal: string[] = [];
  readonly proofs = new ProofsModel();
  /** The dispatcher's last answer to a command. */
  answer: DispatcherOutcome | undefined;
  readonly #recorder: Recorder;
  readonly #publications = new PublicationsModel();
  readonly #executions = new ExecutionsModel();
  readonly #procedures: ProcedureModel[] = [];
  readonly #vendor: SequenceVendor<V>;
  readonly #consumers: Consumer[] = [];
  /** Versions of which a credential has leaked: their holders may be cut off. */
  readonly #leaked = new Set<string>();
  /** Time for which a credential has lived that nobody may present, but for the time in which nobody can end it. */
  readonly #idle = new Map<string, number>();
  readonly #orphans = new Set<string>();
  /** Value that the Vaults serve. */
  #served: string | undefined;
  #servedAt = 0;
  #rotating: { readonly version: string; attempts: number } | undefined;
  #versions = 0;
  #vendorAway = 0;
  #vaultAway = 0;
  #refusals = 0;
  #kills = 0;
  readonly #emergenciesBefore: number;
  #swept = 0;
  /** End of the pause after which a failed or refused retirement is tried anew. */
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #functionPlan: CrashPlan | undefined;
  #dispatcherPlan: CrashPlan | undefined;

  /** @param draw gives a number below another one: what nobody decides */
  static async open<V>(
    kind: SequenceKind<V>,
    draw: (count: number) => number,
    tally: SequenceTally,
  ): Promise<SequenceWorld<V>> {
    const clock = new TestClock();
    return new SequenceWorld(kind, await kind.begin(clock), clock, draw, tally);
  }

  private constructor(
    private readonly kind: SequenceKind<V>,
    vendor: SequenceVendor<V>,
    clock: TestClock,
    private readonly draw: (count: number) => number,
    private readonly tally: SequenceTally,
  ) {
    this.#vendor = vendor;
    this.clock = clock;
    this.#emergenciesBefore = tally.emergencies;
    this.#recorder = recorderModel(NAME, { key: KEY, kind: kind.kind }, { runs: this.table, clock }).recorder;
    this.secrets.create(NAME);
    this.secrets.onRotate = (_, version) => {
      this.#rotating = { version, attempts: 0 };
    };
    this.secrets.onCurrent = (name, version) => {
      if (name !== NAME) return;
      this.#note(`AWSCURRENT is ${this.#nameOf(version)}`);
      this.#leaked.delete(version);
      this.#labelEvents.push(version);
      // What dies for less than a tick has died.
      const live = new Set(this.live);
      for (const id of this.#idle.keys()) if (!live.has(id)) this.#idle.delete(id);
    };
    this.#executions.onStart = (execution) => {
      const run = execution.input.run;
      this.#note(`execution ${execution.name.slice(-12)} of run ${this.#nameOf(run)}`);
      this.#procedures.push(new ProcedureModel(execution, this.#procedureWorld()));
    };
  }

  readonly #labelEvents: string[] = [];

  /** The first value, in every consumer's hands. */
  async begin(): Promise<void> {
    const { first } = this.#vendor;
    if (first !== undefined) {
      this.secrets.create(INBOX);
      const store = new SecretsManagerStore(this.secrets.client);
      await store.putCurrent(INBOX, versionId("supplied"), JSON.stringify(first.supplied));
    }
    await this.#rotateOnce();
    for (let tries = 0; this.#current() === undefined || this.#served === undefined; tries += 1) {
      if (tries > 20) throw new Error("the first rotation does not end");
      await this.tick();
    }
    if (first !== undefined && !first.isOf(this.value as V)) throw new Error("another value than supplied");
    for (let n = 0; n < 3; n += 1) this.#consumers.push({ version: this.#served, refreshAt: 0 });
    await this.pass(this.kind.overlapSeconds / 3_600 + 8);
  }

  async perform(op: SequenceOp): Promise<void> {
    this.#note(`-- ${JSON.stringify(op)}`);
    switch (op.do) {
      case "rotate":
        return void (await this.#rotateOnce());
      case "promote":
        return void (await this.#command({ action: "promote", ...this.#order(false) }));
      case "emergency":
        return this.#emergency();
      case "schedule":
        if (this.kind.mode === "automatic") await this.#schedule();
        return;
      case "give up":
        return void (await this.#command({ action: "rollback", key: KEY, requester: REQUESTER }));
      case "rename":
        return this.#vendor.rename?.();
      case "die":
        this.#functionPlan = new CrashPlan(op.at, op.when);
        return;
      case "dispatcher dies":
        this.#dispatcherPlan = new CrashPlan(op.at, op.when);
        return;
      case "refuse":
        this.#refusals += 1;
        return;
      case "kill":
        this.#kills += 1;
        // Three times whatever follows a run died: from then on there are pauses.
        if (this.#kills >= 3) this.#pausedUntil = this.#now() + PAUSE;
        for (const execution of this.#executions.running) execution.running = false;
        return;
      case "vendor away":
        this.#vendorAway = Math.max(this.#vendorAway, this.#now() + op.hours * HOUR);
        return;
      case "Vault away":
        this.#vaultAway = Math.max(this.#vaultAway, this.#now() + op.hours * HOUR);
        return;
      case "wait":
        return this.pass(op.hours);
    }
  }

  /** Lets time pass. */
  async pass(hours: number): Promise<void> {
    for (let ticks = Math.ceil((hours * HOUR) / TICK); ticks > 0; ticks -= 1) await this.tick();
  }

  /**
   * Everything works again, what is under way comes to its end, and the next rotation has to succeed, from the first command or
   * once what it names is over; in the end nothing lives that nobody may present.
   *
   * @returns why not; `undefined`: it did
   */
  async end(): Promise<string | undefined> {
    this.#functionPlan = undefined;
    this.#dispatcherPlan = undefined;
    this.#refusals = 0;
    this.#vendorAway = 0;
    this.#vaultAway = 0;
    this.#note("-- everything works again");
    const overlap = this.kind.overlapSeconds / 3_600;
    const patience = 4 * (overlap + this.kind.publishLeadSeconds / 3_600) + 60;
    const before = this.#current();
    for (let hours = 0; ; hours += 4) {
      if (hours > patience) return `no rotation succeeds in ${patience} hours`;
      const refusal = this.#current() === before ? await this.#rotateOnce() : undefined;
      await this.pass(4);
      const open = this.table.runs.find((run) => !hasEnded(run));
      if (this.#current() !== before && open === undefined) break;
      if (refusal !== undefined) this.#note(`refused: ${refusal}`);
    }
    await this.pass(overlap * 2 + GRACE / HOUR + 2);
    const left = this.table.runs.find((run) => !hasEnded(run));
    if (left !== undefined) return `run ${this.#nameOf(left.run)} is still ${left.status}`;
    this.tally.runs += this.table.runs.length;
    for (const { status } of this.table.runs) {
      if (status === "rolled-back") this.tally.rolledBack += 1;
      if (status === "withdrawn") this.tally.givenUp += 1;
      if (status === "failed") this.tally.failed += 1;
    }
    this.tally.rotations += this.#versions;
    this.tally.sequences += 1;
    return undefined;
  }

  async close(): Promise<void> {
    await this.#vendor.close?.();
  }

  /** The value in use. */
  get value(): V | undefined {
    const current = this.#current();
    return current === undefined ? undefined : this.#valueOf(current);
  }

  /** Credentials that are accepted now. */
  get live(): readonly string[] {
    return this.#vendor.live(this.value);
  }

  /** Those that holders of the value in use may present. */
  get opened(): readonly string[] {
    return this.value === undefined ? [] : this.#vendor.opens(this.value);
  }

  /** One tick: everybody does what is due. */
  async tick(): Promise<void> {
    await this.clock.sleep(TICK);
    this.#mirror();
    for (const version of this.#labelEvents.splice(0)) {
      // Events get lost.
      if (this.draw(4) > 0)
        await this.#dispatch({ action: "label-moved", secretName: NAME, versionId: version });
    }
    for (const version of this.#replaced.splice(0)) this.#endByHand(version);
    await this.#attemptRotation();
    for (const procedure of [...this.#procedures]) {
      if (procedure.execution.running) await procedure.step();
    }
    if (this.#now() - this.#swept >= HOUR) {
      this.#swept = this.#now();
      await this.#dispatch({ action: "sweep" });
    }
    await this.#consume();
    this.#lookForOrphans();
  }

  // What people and schedules do.

  #order(emergency: boolean) {
    return { key: KEY, requester: REQUESTER, emergency };
  }

  /** @returns code of the refusal */
  async #rotateOnce(emergency = false): Promise<string | undefined> {
    if (this.kind.mode !== "operator-assisted") {
      return this.#command({ action: "rotate", ...this.#order(emergency) });
    }
    // The command asks for a value when one can be rotated in, and goes on with one that waits.
    if (this.table.runs.some((run) => !hasEnded(run)) && !emergency) {
      return this.#command({ action: "rotate", ...this.#order(false) });
    }
    const waiting = this.secrets.versionWith(NAME, "AWSPENDING");
    const isOver = this.table.runs.some((run) => hasEnded(run) && run.newVersion === waiting);
    if (waiting !== undefined && waiting !== this.#current() && !isOver && !emergency) {
      return this.#command({ action: "rotate", versionId: waiting, ...this.#order(false) });
    }
    if (this.#vendor.supply === undefined) throw new Error("people supply nothing for this kind");
    const value = this.#vendor.supply(this.#heldByPods(emergency));
    if (value === undefined) return "no-room";
    const version = this.#newVersion();
    await new SecretsManagerStore(this.secrets.client).putPending(NAME, version, JSON.stringify(value));
    if (waiting !== undefined && waiting !== this.#current()) this.#replaced.push(waiting);
    return this.#command({ action: "rotate", versionId: version, ...this.#order(emergency) });
  }

  /** Values that a person leaves alone who makes room: what is in use and, unless it has leaked, what pods may still hold. */
  #heldByPods(emergency: boolean): readonly V[] {
    const labels = emergency ? ["AWSCURRENT"] : ["AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"];
    return labels.flatMap((label) => {
      const holder = this.secrets.versionWith(NAME, label);
      const value = holder === undefined ? undefined : this.#valueOf(holder);
      return value === undefined ? [] : [value];
    });
  }

  /** Values that people have put another one in the place of, before anybody was served them: they end them by hand. */
  readonly #replaced: string[] = [];

  async #emergency(): Promise<void> {
    this.tally.emergencies += 1;
    for (const version of Object.keys(this.secrets.labels(NAME))) this.#leaked.add(version);
    await this.#rotateOnce(true);
  }

  async #schedule(): Promise<void> {
    await new SecretsManagerRotations(this.secrets.client).start(NAME, this.#newVersion());
    await this.#attemptRotation();
  }

  async #command(request: DispatcherRequest): Promise<string | undefined> {
    const refusal = await this.#dispatch(request);
    await this.#attemptRotation();
    return refusal;
  }

  // What functions do.

  async #dispatch(request: DispatcherRequest): Promise<string | undefined> {
    const plan = request.action === "sweep" ? undefined : this.#dispatcherPlan;
    this.#dispatcherPlan = plan === undefined ? this.#dispatcherPlan : undefined;
    try {
      const answer = await this.#dispatcher(plan).run(request);
      if ("key" in request) this.answer = answer;
      return undefined;
    } catch (failure) {
      const code = codeOf(failure);
      if (request.action !== "sweep" || code !== "throttled") this.#note(`${request.action}: ${code}`);
      return code;
    }
  }

  #dispatcher(plan?: CrashPlan): Dispatcher {
    const wrap = <T extends object>(port: T): T => plan?.wrap(port) ?? port;
    return new Dispatcher({
      settings: dispatcherSettings(NAME, {
        key: KEY,
        kind: this.kind.kind,
        rotation: this.kind.mode,
        // People's values come whole, and wait under AWSPENDING like those that rules make.
        supplied: false,
        publishes: this.kind.publishes,
        function: FUNCTION,
        overlapSeconds: this.kind.overlapSeconds,
        publishLeadSeconds: this.kind.publishLeadSeconds,
      }),
      runs: wrap(this.table),
      store: wrap(new SecretsManagerStore(this.secrets.client)),
      publications: this.#publications,
      proofs: this.proofs,
      rotations: wrap(new SecretsManagerRotations(this.secrets.client)),
      functions: wrap({
        invoke: async (name: string, event: object) =>
          name === FUNCTION ? this.#function(event) : this.#record(event as RecorderEvent),
      }),
      identities: NOBODY,
      executions: wrap(this.#executions),
      clock: this.clock,
      log: this.#log(),
      newVersion: () => this.#newVersion(),
    });
  }

  /** Secrets Manager tries the steps of what it rotates. */
  async #attemptRotation(): Promise<void> {
    const rotating = this.#rotating;
    if (rotating === undefined) return;
    rotating.attempts += 1;
    if (rotating.attempts >= ATTEMPTS) this.#rotating = undefined;
    try {
      for (const Step of STEPS) {
        await this.#function({ Step, SecretId: NAME, ClientRequestToken: rotating.version });
      }
      if (this.#rotating === rotating) this.#rotating = undefined;
    } catch (failure) {
      this.#note(`rotation of ${this.#nameOf(rotating.version)}: ${codeOf(failure)}`);
    }
  }

  async #function(event: object): Promise<unknown> {
    const plan = this.#functionPlan ?? new CrashPlan(0, "before");
    this.#functionPlan = undefined;
    const inEffect = settingsInEffectOf<KindName, V>(
      this.kind.kind,
      NAME,
      {
        settings: this.#vendor.settings() as never,
        rotation: this.kind.mode,
        acceptedBy: this.kind.acceptedBy,
        overlap: { seconds: this.kind.overlapSeconds },
        publishLead: { seconds: this.kind.publishLeadSeconds },
      },
      (settings) => this.#vendor.targetOf(settings as never, plan, () => this.#now() < this.#vendorAway),
    );
    const { first } = this.#vendor;
    const machine = new RotationMachine<V>({
      ...(first && {
        inbox: { name: INBOX, takes: "first-value", publishes: true, complete: first.complete },
      }),
      secretName: NAME,
      region: REGION,
      mode: this.kind.mode,
      waits: inEffect.waits([]),
      target: inEffect.of(undefined).target,
      settings: inEffect,
      proofs: plan.wrap(this.proofs),
      store: plan.wrap(new SecretsManagerStore(this.secrets.client)),
      publications: plan.wrap(this.#publications),
      runs: plan.wrap(this.table),
      clock: this.clock,
      log: this.#log(),
      guard: () => undefined,
    });
    try {
      return await machine.run(parseEvent(event));
    } catch (failure) {
      this.#askPerson(failure, event);
      throw failure;
    } finally {
      await plan.closeSessions();
    }
  }

  #askPerson(failure: unknown, event: { readonly VersionId?: string }): void {
    if (!(failure instanceof RotationError && failure.code === "still-accepted")) return;
    this.#endByHand(event.VersionId ?? "");
  }

  #endByHand(version: string): void {
    const value = this.#valueOf(version);
    if (value === undefined || version === this.#current()) return;
    this.#note(`a person ends ${this.#nameOf(version)} at the vendor`);
    this.#vendor.endByHand?.(value);
  }

  /** People read warnings: what only they can end is ended by them. */
  #log(): Logbook {
    const warn: Logbook["warn"] = (_, fields) => {
      if (fields?.code === "still-accepted") this.#endByHand(String(fields.version));
    };
    return { info: () => undefined, warn, error: () => undefined };
  }

  async #record(event: RecorderEvent): Promise<void> {
    const { status } = await this.#recorder.run(event);
    this.#note(`run ${this.#nameOf(event.Run)} is ${status}`);
  }

  #procedureWorld() {
    return {
      now: () => this.#now(),
      load: async (execution: ModelExecution) => {
        const event = parseDispatcherEvent({
          Action: "load",
          Secret: execution.input.secret,
          Run: execution.input.run,
          Execution: execution.name,
        });
        return (await this.#dispatcher().run(event)) as LoadedRun & { readonly result: string };
      },
      isConfirmed: async (version: string) =>
        (await this.#publications.confirmedAt(NAME, version)) !== undefined,
      phase: async (Phase: string, VersionId: string, run: LoadedRun) => {
        const event = { Phase, SecretId: NAME, VersionId, RunId: run.run, Emergency: run.emergency };
        try {
          const { result } = (await this.#function(event)) as { readonly result: string };
          this.#note(`${Phase} ${this.#nameOf(VersionId)}: ${result}`);
          return result;
        } catch (failure) {
          this.#note(`${Phase} ${this.#nameOf(VersionId)}: ${codeOf(failure)}`);
          throw failure;
        }
      },
      vouches: () => {
        if (this.#refusals === 0) return true;
        this.#refusals -= 1;
        this.#pausedUntil = this.#now() + PAUSE;
        return false;
      },
      record: (event: RecorderEvent) => this.#record(event),
    };
  }

  // What happens by itself.

  /** Copies AWSCURRENT, when it is proved, to the Vaults, and confirms it. */
  #mirror(): void {
    const current = this.#current();
    if (current === undefined || this.#now() < this.#vaultAway) return;
    if (!this.proofs.proved(this.secrets, NAME).includes(current)) return;
    if (this.#served !== current) {
      this.#served = current;
      this.#servedAt = this.#now();
    } else if (this.#now() > this.#servedAt) {
      void this.#publications.confirmedAt(NAME, current).then((at) => {
        if (at === undefined) this.#publications.confirm(current, this.clock.now());
      });
    }
  }

  async #consume(): Promise<void> {
    const now = this.#now();
    for (const consumer of this.#consumers) {
      if (now < consumer.refreshAt || this.#served === undefined) continue;
      consumer.version = this.#served;
      const most = REFRESH_SECONDS * 1_000;
      consumer.refreshAt = now + Math.ceil((most * (1 + this.draw(8))) / 8 / TICK) * TICK;
    }
    if (now < this.#vendorAway) return;
    for (const consumer of this.#consumers) {
      const value = this.#valueOf(consumer.version);
      if (value === undefined) throw new Error("a consumer holds nothing");
      const others = this.#consumers.filter((other) => other !== consumer);
      const held = others.map(({ version }) => this.#valueOf(version) as V);
      this.tally.logIns += 1;
      if (await this.#vendor.presents(value, held)) continue;
      if (this.#isCutOff(consumer, [value, ...held])) {
        this.tally.cutOff += 1;
        continue;
      }
      this.tally.refused += 1;
      this.#note(`REFUSED: ${this.#nameOf(consumer.version)}`);
    }
  }

  /** An emergency ends what consumers hold that have not refreshed yet; where they check each other, every key is new. */
  #isCutOff({ version }: Consumer, held: readonly V[]): boolean {
    if (this.#leaked.has(version)) return true;
    if (!this.kind.publishes || this.tally.emergencies === this.#emergenciesBefore) return false;
    return held.some((a) => {
      const accepted = this.#vendor.live(a);
      return held.some((b) => !this.#vendor.live(b).some((key) => accepted.includes(key)));
    });
  }

  #lookForOrphans(): void {
    const now = this.#now();
    const labels = this.secrets.labels(NAME);
    const held = [
      this.#served,
      ...this.#consumers.map(({ version }) => version),
      ...["AWSCURRENT", "AWSPENDING"].map((label) => this.secrets.versionWith(NAME, label)),
    ];
    const presentable = new Set<string>();
    for (const version of new Set(held)) {
      const value = version === undefined || !labels[version] ? undefined : this.#valueOf(version);
      for (const id of value === undefined ? [] : this.#vendor.opens(value)) presentable.add(id);
    }
    const live = new Set(this.live);
    // What has died and lives again, as after the way back from an emergency, has another overlap.
    for (const id of this.#idle.keys()) if (!live.has(id) || presentable.has(id)) this.#idle.delete(id);
    // What is away ends nothing, and is asked again after a pause.
    if (now < Math.max(this.#vendorAway, this.#vaultAway, this.#pausedUntil)) return;
    for (const id of live) {
      if (presentable.has(id)) continue;
      const idle = (this.#idle.get(id) ?? 0) + TICK;
      this.#idle.set(id, idle);
      if (idle <= this.kind.overlapSeconds * 1_000 + GRACE || this.#orphans.has(id)) continue;
      this.#orphans.add(id);
      this.tally.orphans += 1;
      this.#note(`ORPHAN: ${id.slice(0, 24)}`);
    }
  }

  // Words.

  #now(): number {
    return this.clock.now().getTime();
  }

  #current(): string | undefined {
    return this.secrets.versionWith(NAME, "AWSCURRENT");
  }

  #valueOf(version: string): V | undefined {
    const text = this.secrets.valueOf(NAME, version);
    return text === undefined ? undefined : JSON.parse(text);
  }

  readonly #names = new Map<string, string>();

  #newVersion(): string {
    this.#versions += 1;
    const version = versionId(`version ${this.#versions}`);
    this.#names.set(version, `v${this.#versions}`);
    return version;
  }

  #nameOf(text: string): string {
    for (const [id, name] of this.#names) if (text.includes(id)) return text.replace(id, name);
    return text.slice(0, 8);
  }

  #note(text: string): void {
    const hours = (this.#now() - Date.parse("2026-01-01T00:00:00Z")) / HOUR;
    this.journal.push(`${hours.toFixed(1)}h ${text}`);
  }
}

function codeOf(failure: unknown): string {
  if (failure instanceof RotationError) return failure.code;
  if (failure instanceof Crash) return "died";
  throw failure;
}
