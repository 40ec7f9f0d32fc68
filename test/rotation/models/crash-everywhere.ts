import { Crash, CrashPlan } from "./crash-plan";

/** One piece of work under test, on a world of its own or on one that goes on. */
export interface CrashRound {
  /** The work: mortal with a plan; without one it has to converge. */
  readonly work: (plan?: CrashPlan) => Promise<unknown>;
  /** Law when the process has died, before anybody has called again. */
  readonly afterCrash: () => Promise<void>;
  /** Law in the end. */
  readonly afterAll: () => Promise<void>;
}

/**
 * Lets a piece of work die at each of its calls, before and after it, and run again. Gives the number of points.
 *
 * @param sides where rounds are slow, `after` alone: the outside cannot tell a death after one call from one
 * before the next
 */
export async function crashEverywhere(
  round: () => Promise<CrashRound>,
  sides: readonly ("before" | "after")[] = ["before", "after"],
): Promise<number> {
  let points = 0;
  for (let at = 1, reached = true; reached; at += 1) {
    for (const when of sides) {
      const { work, afterCrash, afterAll } = await round();
      reached = await work(new CrashPlan(at, when)).then(
        () => false,
        (failure: unknown) => {
          if (failure instanceof Crash) return true;
          throw failure;
        },
      );
      if (reached) {
        points += 1;
        await afterCrash();
        await work();
      }
      await afterAll();
    }
  }
  return points;
}
