import { assembleChecker } from "../entries/checker-handler";
import { lambdaEntry } from "../entries/lambda-entry";

/** Lambda's entry point of the checker. */
export const handler = lambdaEntry(assembleChecker);
