import { lambdaEntry } from "../../lambda/lambda-entry";
import { assembleRestarter } from "../entries/restarter-handler";

/** Lambda's entry point of the restarter. */
export const handler = lambdaEntry(assembleRestarter);
