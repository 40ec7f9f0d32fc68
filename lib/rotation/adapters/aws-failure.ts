import { originOf } from "../../lambda/failure-origin";
import { RotationError } from "../protocol/rotation-error";

/** The name that AWS gave a failure. */
export const awsNameOf = (failure: unknown): string => originOf(failure);

/** `true` when a write of DynamoDB was refused by its own condition. */
export const isConditional = (failure: unknown): boolean =>
  awsNameOf(failure) === "ConditionalCheckFailedException";

const THROTTLED = /^(Throttling|ThrottlingException|TooManyRequestsException|RequestLimitExceeded|SlowDown)$/;
const DENIED = /^(AccessDenied|AccessDeniedException|UnrecognizedClientException|ExpiredTokenException)$/;

/** A failed call of AWS as a rotation error, without AWS's message. */
export function awsFailure(failure: unknown, call: string): RotationError {
  if (failure instanceof RotationError) return failure;
  const name = awsNameOf(failure);
  if (THROTTLED.test(name)) return new RotationError("throttled", call, name);
  if (DENIED.test(name)) return new RotationError("access-denied", call, name);
  return new RotationError("unexpected", call, name);
}
