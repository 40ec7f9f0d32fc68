/** Items under work at a time: each is seconds of waiting, AWS and Vaults have their limits, a function has its time. */
const AT_ONCE = 8;

/**
 * Does a piece of work for each item, several at a time, in their order. What is under way when one fails comes to its end before the
 * first failure is thrown.
 *
 * @returns their results, in the order of the items
 * @param afterFailure whether other items are still begun
 */
export async function severalAtOnce<T, R>(
  items: Iterable<T>,
  work: (item: T) => Promise<R>,
  afterFailure: "go on" | "stop",
): Promise<readonly R[]> {
  const queue = items[Symbol.iterator]();
  const results: R[] = [];
  const failures: unknown[] = [];
  let begun = 0;
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      const at = begun++;
      try {
        results[at] = await work(next.value);
      } catch (failure) {
        failures.push(failure);
      }
      if (failures.length > 0 && afterFailure === "stop") return;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
