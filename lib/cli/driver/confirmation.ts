import type { Blueprint, FunctionPlan } from "../../blueprint";

/** Confirmation of versions: the function that makes it, and the readers that it is about. */

/** Function that confirms versions: the mirror; where nothing is read in Vault, the dispatcher. */
export const confirmerOf = ({ functions }: Blueprint): FunctionPlan | undefined =>
  functions.find(({ bundle }) => bundle === "mirror") ??
  functions.find(({ bundle }) => bundle === "dispatcher");

/** Everybody who must have a version before it is confirmed, in words. */
export const readersOf = ({ vaults }: Blueprint): string =>
  vaults.length > 0 ? "every Vault" : "every region";
