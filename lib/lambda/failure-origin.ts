/** Name or code of any failure, for logs and errors; never its message. */
export function originOf(failure: unknown): string {
  if (typeof failure !== "object" || failure === null) return typeof failure;
  const { code, name } = failure as { readonly code?: unknown; readonly name?: unknown };
  const origin = typeof code === "string" ? code : typeof name === "string" ? name : "unknown";
  // A code is a word. Whatever is not may have been put together from anything.
  return /^[\w.:-]{1,64}$/.test(origin) ? origin : "unknown";
}
