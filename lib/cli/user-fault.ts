/** Something that the caller of the CLI can mend: printed without a stack, exit code 2. */
export class UserFault extends Error {
  override readonly name = "UserFault";
}
