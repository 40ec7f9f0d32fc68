import type { Clock } from "../protocol/ports";

/** A change of keys is not known everywhere at once; seconds to wait between tries, half a minute in all. */
const PROPAGATION = [1, 2, 4, 8, 15] as const;

/** Asks until the answer is as expected or the patience is at its end, and gives the last answer. */
export async function eventually<T>(
  ask: () => Promise<T>,
  expected: (answer: T) => boolean,
  clock: Clock,
): Promise<T> {
  let answer = await ask();
  for (const seconds of PROPAGATION) {
    if (expected(answer)) break;
    await clock.sleep(seconds * 1_000);
    answer = await ask();
  }
  return answer;
}
