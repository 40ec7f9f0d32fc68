/** `true` for a namespace that stands for all that begin and end as it does: `preview-*`. */
export const isNamespacePattern = (namespace: string): boolean => namespace.includes("*");

/** A namespace that a pattern stands for; another one as it is. */
export const namespaceLike = (namespace: string, word = "example"): string => namespace.replaceAll("*", word);

/** `true` where some namespace matches both. */
export function namespacesMeet(one: string, other: string): boolean {
  if (!isNamespacePattern(one) && !isNamespacePattern(other)) return one === other;
  const [a = "", ...restOfA] = one;
  const [b = "", ...restOfB] = other;
  if (a === "*") {
    return namespacesMeet(restOfA.join(""), other) || (b !== "" && namespacesMeet(one, restOfB.join("")));
  }
  if (b === "*") return namespacesMeet(other, one);
  return a === b && (a === "" || namespacesMeet(restOfA.join(""), restOfB.join("")));
}
