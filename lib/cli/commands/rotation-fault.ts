import { UserFault } from "../terminal/user-fault";

const OURS: readonly string[] = ["RotationError", "RetryableRotationError"];

/** Rotation's own faults say what to do, so they are printed without a stack. */
export async function withoutStack<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (failure) {
    if (failure instanceof Error && OURS.includes(failure.name)) throw new UserFault(failure.message);
    throw failure;
  }
}
