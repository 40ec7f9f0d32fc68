import type { ParsedEnvironment } from "./environment-definition";
import type { ParsedWorkload } from "./workload-definition";

/**
 * Longest time for which consumers hold an old value after a new one is there, beside the reload margin: until agents
 * look again, or until the longest run of a job ends that has started just before.
 */
export function heldFor(
  { refreshEvery, reloadMargin }: Pick<ParsedEnvironment, "refreshEvery" | "reloadMargin">,
  consumers: readonly (Pick<ParsedWorkload, "longestRun"> | undefined)[],
): Pick<ParsedEnvironment, "refreshEvery" | "reloadMargin"> {
  const seconds = Math.max(
    refreshEvery.seconds,
    ...consumers.map((consumer) => consumer?.longestRun?.seconds ?? 0),
  );
  return { refreshEvery: { seconds }, reloadMargin };
}
