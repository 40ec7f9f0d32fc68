/** Reasons for which a transaction was given up, one code for each of its items. */
export function cancellationsOf(failure: unknown): readonly string[] {
  const reasons: unknown = (failure as { readonly CancellationReasons?: unknown }).CancellationReasons;
  if (!Array.isArray(reasons)) return [];
  return reasons.flatMap((reason: { readonly Code?: unknown }) =>
    typeof reason?.Code === "string" ? [reason.Code] : [],
  );
}
