import { lambdaHandler } from "../entries/rotation-handler";
import { jwtSigningKeyTarget } from "../targets/jwt-signing-key";

/** Lambda's entry point for JWT signing keys. */
export const handler = lambdaHandler("jwt-signing-key", ({ settings, rotation }) =>
  jwtSigningKeyTarget({ settings, mode: rotation }),
);
