import { RotationError } from "../../../lib/rotation/protocol/rotation-error";

/** A port that cannot be reached while it is away. */
export function reachable<T extends object>(port: T, away: () => boolean): T {
  return new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        if (away()) throw new RotationError("target-unreachable", "the vendor is away");
        return Reflect.apply(member, target, args);
      };
    },
  });
}
