import type { Target } from "../protocol/target";

/** A target's part for keys that our own workloads check; `undefined`: the value holds none. */
export const publishedBy = <V>(target: Target<V>) =>
  target.acceptedBy === "own-workloads"
    ? target
    : target.acceptedBy === "target"
      ? target.published
      : undefined;
