import type { TableData } from "../lib/cli/terminal/table";

/** Result of one measurement. */
export interface Report {
  readonly title: string;
  /** For people. */
  readonly table: TableData;
  /** Sentences that say how to read the table. */
  readonly notes: readonly string[];
  /** Aims that were missed, one sentence each. */
  readonly misses: readonly string[];
  /** `true`: a miss fails the run; only where the figure is the same on every machine. */
  readonly binding: boolean;
  /** For programs. */
  readonly figures: readonly object[];
}
