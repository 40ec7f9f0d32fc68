import type { Logbook, LogFields } from "../protocol/ports";
import { asRotationError, type RotationError } from "../protocol/rotation-error";

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
