import { lambdaEntry } from "../../lambda/lambda-entry";
import { assembleMirror } from "../entries/mirror-handler";

/** Lambda's entry point of the mirror. */
export const handler = lambdaEntry(assembleMirror);
