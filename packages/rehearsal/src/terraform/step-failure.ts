/** A step of the rehearsal did not end as it should. */
export class StepFailure extends Error {
  override readonly name = "StepFailure";

  constructor(
    /** `second plan`. */
    readonly step: string,
    readonly expected: string,
    readonly seen: string,
    /** File of Terraform's output; absent where Terraform was not asked. */
    readonly logFile?: string,
  ) {
    super(`${step}: expected ${expected}, saw ${seen}`);
  }
}

/** Terraform, or a provider of the stack, cannot be had here: nothing was rehearsed. The message is one line. */
export class NoProviders extends Error {
  override readonly name = "NoProviders";
}
