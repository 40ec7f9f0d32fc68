import { ROTATION_FAULTS, type RotationError } from "../../rotation";
import type { FunctionAnswer } from "../cloud/rotation-cloud";

/** A rotation that stopped: the function's own words, or the driver's. Its text is made of codes, names and times. */
export class FailedRotation extends Error {
  override readonly name = "FailedRotation";

  constructor(
    /** A code of `ROTATION_FAULTS`, or one of the driver's: `function-failed`, `rotation-abandoned`, `not-confirmed`, `adopted-another`. */
    readonly code: string,
    message: string,
    /** `true` when the same call may succeed later by itself. */
    readonly retryable: boolean,
  ) {
    super(message);
  }
}

/** Codes that say "later". */
const TOO_EARLY: readonly string[] = ["overlap-running", "not-published-yet"];

/** `true` when a rotation was refused because its time has not come. */
export const failedTooEarly = ({ code }: Pick<FailedRotation, "code">): boolean => TOO_EARLY.includes(code);

/** A rotation's own error as a failure of the rotation. */
export const failedBy = ({ code, message, retryable }: RotationError): FailedRotation =>
  new FailedRotation(code, message, retryable);

/** Failure of a function. What is not one of its own errors is named and not quoted. */
export function failureOf(
  functionName: string,
  { errorType, errorMessage }: Extract<FunctionAnswer, { answered: false }>,
): FailedRotation {
  const code = /^([a-z][a-z-]*): /.exec(errorMessage)?.[1] ?? "";
  const advice = Object.entries(ROTATION_FAULTS).find(([known]) => known === code)?.[1];
  if (advice) return new FailedRotation(code, errorMessage, advice.retryable);
  const kind = /^[\w.:-]{1,64}$/.test(errorType) ? errorType : "unknown";
  return new FailedRotation(
    "function-failed",
    `function-failed: ${functionName} ended without an answer of its own (${kind}). To do: look at its log group /aws/lambda/${functionName}.`,
    true,
  );
}
