/** Secrets under work at a time: each takes seconds of waiting, and AWS takes some ten calls a second of each kind. */
const AT_ONCE = 8;

/**
 * Does a piece of work for each item, several at a time, in their order. After a failure no item is begun; those under way come to
 * their end before it is thrown.
 */
export async function severalAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      await work(item).catch((failure: unknown) => failures.push(failure));
      if (failures.length > 0) return;
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}
