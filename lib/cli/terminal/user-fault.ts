/** Something that the caller of the CLI can fix: printed without a stack, exit code 2. */
export class UserFault extends Error {
  override readonly name = "UserFault";
}

/** Something outside is not as it must be: printed without a stack, exit code 1. */
export class FailedCheck extends Error {
  override readonly name = "FailedCheck";
}
