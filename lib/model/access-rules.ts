/**
 * Patterns of access rules: a key (`db/app-primary`), everything below a prefix (`db/*`), or everything (`*`).
 * No other wildcard exists, so a reader sees at a glance what a rule covers.
 */

const PATTERN = /^(\*|[a-z0-9]+(-[a-z0-9]+)*(\/[a-z0-9]+(-[a-z0-9]+)*)*(\/\*)?)$/;

/** `true` for text that is a pattern. */
export const isKeyPattern = (pattern: string): boolean => PATTERN.test(pattern);

/** `true` when a pattern covers a key. */
export function matchesKey(pattern: string, key: string): boolean {
  if (pattern === "*") return true;
  if (pattern.endsWith("/*")) return key.startsWith(pattern.slice(0, -1));
  return pattern === key;
}

/** A rule's verdict on a key: allowed, or the pattern (or its absence) that forbids it. */
export type AccessVerdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly because: "denied"; readonly pattern: string }
  | { readonly allowed: false; readonly because: "not-allowed"; readonly patterns: readonly string[] };

/** Deny beats allow; without `allow`, everything that is not denied is allowed. */
export function judgeAccess(
  rule: { readonly allow?: readonly string[] | undefined; readonly deny: readonly string[] } | undefined,
  key: string,
): AccessVerdict {
  if (!rule) return { allowed: true };
  const denied = rule.deny.find((pattern) => matchesKey(pattern, key));
  if (denied !== undefined) return { allowed: false, because: "denied", pattern: denied };
  if (rule.allow && !rule.allow.some((pattern) => matchesKey(pattern, key))) {
    return { allowed: false, because: "not-allowed", patterns: rule.allow };
  }
  return { allowed: true };
}
