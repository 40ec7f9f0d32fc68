import { type AccessRow, accessOf } from "../../blueprint";
import type { Registry } from "../../model";

/** Who reads what in an environment. */
export const access = (registry: Registry, environment: string): readonly AccessRow[] =>
  accessOf(registry, environment);
