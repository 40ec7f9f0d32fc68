import type { Logbook, LogFields } from "./ports";
import { asRotationError, type RotationError } from "./rotation-error";

/** Logs a failure as the rotation error that it is, and gives that. */
export function logFault(log: Logbook, failure: unknown, fields: LogFields): RotationError {
  const fault = asRotationError(failure);
  log.error(fault.message, {
    ...fields,
    code: fault.code,
    retryable: fault.retryable,
    origin: fault.origin,
  });
  return fault;
}
