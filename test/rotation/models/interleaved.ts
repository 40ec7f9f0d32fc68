import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { Crash } from "./crash-plan";

/** Puts a wait of unknown length before and after every call of a port. */
export function gated<T extends object>(port: T, gate: () => Promise<unknown>): T {
  return new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return async (...args: unknown[]) => {
        await gate();
        try {
          return await Reflect.apply(member, target, args);
        } finally {
          await gate();
        }
      };
    },
  });
}

/** Takes what a call may end with among others: a fault with a code, or a death. */
export const onlyKnown = (failure: unknown): void => {
  if (!(failure instanceof RotationError || failure instanceof Crash)) throw failure;
};
