import { writeSync } from "node:fs";

/** CPU milliseconds of each part of a process, by name, and its most memory. */
export interface ProcessCost {
  readonly phases: Readonly<Record<string, number>>;
  readonly cpuMs: number;
  readonly peakMb: number;
}

const phases: Record<string, number> = {};
let before = 0;

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** Ends a part of the process: whatever ran since the one before is its cost. The first includes Node's start. */
export function phase(name: string): void {
  const now = cpuMs();
  phases[name] = now - before;
  before = now;
}

/** Reports to the parent, on descriptor 3. */
export function finish(): void {
  const cost: ProcessCost = { phases, cpuMs: cpuMs(), peakMb: process.resourceUsage().maxRSS / 1_024 };
  writeSync(3, JSON.stringify(cost));
}
