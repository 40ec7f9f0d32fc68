import {
  changeUsedBy,
  type Decision,
  type FinalStatus,
  hasEnded,
  type NewRun,
  OPEN_STATUSES,
  type Run,
} from "../../../lib/contracts/run";
import type { ApprovedChange, RunTable } from "../../../lib/rotation/procedure/run-table";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";

/** The runs table in memory, with the conditions that DynamoDB enforces. Each method is one moment. */
export class RunTableModel implements RunTable {
  readonly #runs = new Map<string, Run>();
  readonly #locks = new Map<string, string>();
  readonly #changes = new Map<string, ApprovedChange>();
  readonly #used = new Map<string, string>();

  get runs(): readonly Run[] {
    return [...this.#runs.values()];
  }

  get locks(): ReadonlyMap<string, string> {
    return this.#locks;
  }

  async begin(run: NewRun, at: Date): Promise<Run> {
    const same = await this.read(run.secret, run.run);
    if (same !== undefined) {
      if (hasEnded(same)) throw new RotationError("run-ended", run.run);
      return same;
    }
    if (this.#locks.has(run.secret)) throw new RotationError("run-under-way", run.run);
    const change = changeUsedBy(run);
    if (change !== undefined) {
      const use = `${change.digest} ${run.kind}`;
      if (!this.#changes.has(change.digest)) throw new RotationError("change-not-approved", run.run);
      if (this.#used.has(use)) throw new RotationError("change-used", run.run);
      this.#used.set(use, run.run);
    }
    const begun: Run = { ...run, startedAt: at, status: "rotating", direction: "forward" };
    this.#runs.set(idOf(run), begun);
    this.#locks.set(run.secret, run.run);
    return begun;
  }

  /** Somebody has forged a lock. */
  forgeLock(secret: string, run: string): void {
    this.#locks.set(secret, run);
  }

  /** Overwrites a run, as somebody could who may write to the table. */
  forge(run: Run): void {
    this.#runs.set(idOf(run), run);
  }

  async freeOrphan(secret: string): Promise<string | undefined> {
    const holder = this.#locks.get(secret);
    if (holder === undefined) return undefined;
    const run = this.#runs.get(idOf({ secret, run: holder }));
    if (run !== undefined && !hasEnded(run)) return undefined;
    this.#locks.delete(secret);
    return holder;
  }

  async read(secret: string, run: string): Promise<Run | undefined> {
    return this.#runs.get(idOf({ secret, run }));
  }

  async open(secret: string): Promise<Run | undefined> {
    return this.read(secret, this.#locks.get(secret) ?? "");
  }

  async latest(secret: string, count: number): Promise<readonly Run[]> {
    return this.runs
      .filter((run) => run.secret === secret)
      .sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime())
      .slice(0, count);
  }

  async advance(run: Run, status: "starting" | "proving" | "awaiting-approval"): Promise<void> {
    const earlier: readonly string[] = OPEN_STATUSES.slice(0, OPEN_STATUSES.indexOf(status));
    this.#change(run, (now) =>
      earlier.includes(now.status) && !(status === "starting" && now.endedAt !== undefined)
        ? { ...now, status }
        : now,
    );
  }

  async retreat(run: Run): Promise<void> {
    this.#change(run, (now) =>
      now.status === "starting" && now.endedAt === undefined ? { ...now, status: "rotating" } : now,
    );
  }

  async withdraw(run: Run): Promise<void> {
    const now = this.#require(run);
    if (now.status === "rotating" && now.endedAt === undefined) {
      this.#change(run, () => ({ ...now, status: "withdrawing" }));
    } else if (now.status !== "withdrawing" && now.status !== "withdrawn")
      throw new RotationError("run-ended", run.run);
  }

  async turnBack(run: Run): Promise<Run> {
    const now = this.#require(run);
    if (hasEnded(now)) throw new RotationError("run-ended", run.run);
    if (now.direction !== "back" && now.endedAt !== undefined) throw new RotationError("run-ended", run.run);
    if (now.status !== "proving" && now.status !== "awaiting-approval") {
      throw new RotationError("run-too-early", run.run);
    }
    return this.#change(run, () => ({ ...now, direction: "back" }));
  }

  async decide(run: Run, decision: Decision): Promise<Decision> {
    const now = this.#runs.get(idOf(run));
    if (now === undefined) throw new RotationError("run-missing", run.run);
    if (now.decision !== undefined) return now.decision;
    if (hasEnded(now) || now.endedAt !== undefined) throw new RotationError("run-ended", run.run);
    if (now.direction === "back") throw new RotationError("run-turned-back", run.run);
    if (now.status !== "awaiting-approval") throw new RotationError("run-too-early", run.run);
    this.#runs.set(idOf(run), { ...now, decision });
    return decision;
  }

  async close(run: Run, at: Date, succeeded: boolean): Promise<Date> {
    const now = this.#require(run);
    if (now.endedAt !== undefined) return now.endedAt;
    if (hasEnded(now) || (succeeded && now.direction === "back")) {
      throw new RotationError("run-turned-back", run.run);
    }
    this.#change(run, () => ({ ...now, endedAt: at }));
    return at;
  }

  async end(run: Run, status: FinalStatus): Promise<void> {
    if (hasEnded(this.#require(run))) return;
    this.#change(run, (now) => ({ ...now, status }));
    this.#locks.delete(run.secret);
    const change = changeUsedBy(run);
    if (status === "withdrawn" && change !== undefined) {
      this.#used.delete(`${change.digest} ${run.kind}`);
    }
  }

  async approve(change: ApprovedChange): Promise<void> {
    if (!this.#changes.has(change.digest)) this.#changes.set(change.digest, change);
  }

  async approved(digest: string): Promise<ApprovedChange | undefined> {
    return this.#changes.get(digest);
  }

  #require(run: Run): Run {
    const found = this.#runs.get(idOf(run));
    if (found === undefined) throw new RotationError("run-missing", run.run);
    return found;
  }

  #change(run: Run, next: (now: Run) => Run): Run {
    const changed = next(this.#require(run));
    this.#runs.set(idOf(run), changed);
    return changed;
  }
}

const idOf = ({ secret, run }: Pick<Run, "secret" | "run">): string => `${secret} ${run}`;
