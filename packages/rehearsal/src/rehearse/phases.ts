import type { Progress, Report } from "../../../../lib/cli";
import type { PhaseTime } from "./report";

/** Shows phases one after the other, and takes their times. */
export class Phases {
  readonly #progress: Progress;
  readonly #times: PhaseTime[] = [];

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  get times(): readonly PhaseTime[] {
    return this.#times;
  }

  async run<T>(title: string, work: (report: Report) => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await this.#progress.step(title, work);
    } finally {
      this.#times.push({ phase: title, seconds: Math.round((performance.now() - start) / 100) / 10 });
    }
  }
}
