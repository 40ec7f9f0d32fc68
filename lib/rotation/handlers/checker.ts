import { lambdaEntry } from "../lambda-entry";
import { assembleChecker } from "../procedure/checker-handler";

/** Lambda's entry point of the checker. */
export const handler = lambdaEntry(assembleChecker);
