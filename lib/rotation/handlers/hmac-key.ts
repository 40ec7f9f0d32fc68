import { lambdaHandler } from "../entries/rotation-handler";
import { hmacKeyTarget } from "../targets/hmac-key";

/** Lambda's entry point for HMAC keys. */
export const handler = lambdaHandler("hmac-key", ({ settings, rotation, random }) =>
  hmacKeyTarget({ settings, mode: rotation, random }),
);
