import type { Publications, WatchedSecrets } from "../../rotation";

/** Sources of the facts on an environment's rotations. */
export interface DueSources {
  readonly secrets: WatchedSecrets;
  readonly publications: Pick<Publications, "confirmedAt">;
}
