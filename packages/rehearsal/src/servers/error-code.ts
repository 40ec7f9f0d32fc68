/**
 * The code of a system's error (`ENOENT`). Not by `instanceof`: Node's own errors are of another realm than
 * code that a test runner has put into a context of its own.
 */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
