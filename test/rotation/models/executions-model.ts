import type { ProcedureInput } from "../../../lib/contracts/procedure-events";
import type { Executions } from "../../../lib/rotation/procedure/procedure-ports";

/** An execution as the model has it. */
export interface ModelExecution {
  readonly name: string;
  readonly input: ProcedureInput;
  running: boolean;
}

/** A Standard state machine's executions: each name once. */
export class ExecutionsModel implements Executions {
  readonly all = new Map<string, ModelExecution>();
  /** Called for each that begins. */
  onStart: (execution: ModelExecution) => void = () => undefined;

  get running(): readonly ModelExecution[] {
    return [...this.all.values()].filter(({ running }) => running);
  }

  async start(name: string, input: ProcedureInput): Promise<void> {
    if (this.all.has(name)) return;
    const execution = { name, input, running: true };
    this.all.set(name, execution);
    this.onStart(execution);
  }

  async state(name: string): Promise<"running" | "ended" | undefined> {
    const found = this.all.get(name);
    return found === undefined ? undefined : found.running ? "running" : "ended";
  }

  async stop(name: string): Promise<void> {
    const found = this.all.get(name);
    if (found !== undefined) found.running = false;
  }
}
