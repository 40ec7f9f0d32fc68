import { lambdaEntry } from "../lambda-entry";
import { assembleRecorder } from "../procedure/recorder-handler";

/** Lambda's entry point of the recorder. */
export const handler = lambdaEntry(assembleRecorder);
