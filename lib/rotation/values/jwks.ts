import { type Generations, keysOf } from "./generations";
import { type KindValue, type PrivateJwk, type PublicJwk, publicHalf } from "./value-schemas";

/** The value of `jwt-signing-key`. */
export type JwtValue = KindValue<"jwt-signing-key">;

/** Keys of a signing secret: of the one before nothing but the public half is left. */
export type JwtKeys = Generations<PrivateJwk, PublicJwk>;

/** The value with the JWKS that belongs to its keys. */
export const withJwks = ({ next, current, previous }: JwtKeys): JwtValue => ({
  next,
  current,
  previous,
  jwks: { keys: keysOf({ next, current, previous }).map(publicHalf) },
});
