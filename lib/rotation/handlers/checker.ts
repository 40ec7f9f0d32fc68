import { lambdaEntry } from "../../lambda/lambda-entry";
import { assembleChecker } from "../entries/checker-handler";

/** Lambda's entry point of the checker. */
export const handler = lambdaEntry(assembleChecker);
