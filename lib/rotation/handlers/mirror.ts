import { lambdaEntry } from "../lambda-entry";
import { assembleMirror } from "../mirror/mirror-handler";

/** Lambda's entry point of the mirror. */
export const handler = lambdaEntry(assembleMirror);
