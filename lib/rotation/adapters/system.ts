import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { Clock, Random } from "../protocol/ports";

/** The machine's time. */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep: async (milliseconds) => {
    await setTimeout(milliseconds);
  },
};

/** Node's cryptographic random generator. */
export const systemRandom: Random = { bytes: (count) => randomBytes(count) };
