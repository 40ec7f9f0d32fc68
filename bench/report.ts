import type { TableData } from "../lib/cli/render/table";

/** What one measurement found. */
export interface Report {
  readonly title: string;
  /** For people. */
  readonly table: TableData;
  /** How to read the table, one sentence each. */
  readonly notes: readonly string[];
  /** Aims that were missed, one sentence each. */
  readonly misses: readonly string[];
  /** Whether a miss fails the run: only where the figure is the same on every machine. */
  readonly binding: boolean;
  /** For programs. */
  readonly figures: readonly object[];
}
