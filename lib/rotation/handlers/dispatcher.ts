import { assembleDispatcher } from "../entries/dispatcher-handler";
import { lambdaEntry } from "../entries/lambda-entry";

/** Lambda's entry point of the dispatcher. */
export const handler = lambdaEntry(assembleDispatcher);
