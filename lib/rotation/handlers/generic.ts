import { lambdaHandler } from "../rotation-handler";
import { genericTarget } from "../targets/generic";

/** Lambda's entry point for generic secrets. */
export const handler = lambdaHandler("generic", genericTarget);
