import type { Blueprint } from "../../blueprint";
import { UserFault } from "../terminal/user-fault";
import type { RotationCloud } from "./rotation-cloud";

/** @throws UserFault when the credentials belong to another account than the environment */
export async function requireAccount(
  cloud: Pick<RotationCloud, "callerAccount">,
  { environment, account }: Pick<Blueprint, "environment" | "account">,
): Promise<void> {
  const found = await cloud.callerAccount();
  if (found === account) return;
  throw new UserFault(
    `The credentials belong to account ${found}, and ${environment} is account ${account}. Take a role of ${environment}'s account.`,
  );
}
