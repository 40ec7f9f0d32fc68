import { type Fault, fault } from "../faults";
import { adminNeed, changedWithoutAdmin } from "../kinds";
import { forEnvironments, type RuleContext } from "./context";

/** An admin credential must be named where rotation needs it, and only where it may; be there; and must not need itself. */
export function adminFaults(context: RuleContext): readonly Fault[] {
  const { secrets } = context.parsed;
  const unnamed = forEnvironments(context, (_name, _environment, present) =>
    present.flatMap((secret) => {
      const need = adminNeed(secret, secret.store, secret.rotation);
      if (need === undefined || secret.admin !== undefined) return [];
      return [
        fault(
          ["secrets", secret.key, "admin"],
          "no admin secret",
          `the key of a secret with ${need}`,
          `add such a secret (kind generic, rotation operator-assisted, no consumers) and name it here`,
        ),
      ];
    }),
  );
  const idle = forEnvironments(context, (_name, _environment, present) =>
    present.flatMap((secret) => {
      const changedBy = changedWithoutAdmin(secret, secret.store, secret.rotation);
      // An unknown name is a fault of its own.
      if (changedBy === undefined || secret.admin === undefined || !secrets.has(secret.admin)) return [];
      return [
        fault(
          ["secrets", secret.key, "admin"],
          `${JSON.stringify(secret.admin)}, which rotation would never use`,
          `no admin secret with ${secret.kind}, store ${secret.store}, rotation ${secret.rotation}: what changes it is ${changedBy}`,
          "remove it; an admin secret that no other secret names can go as well",
        ),
      ];
    }),
  );
  const missing = forEnvironments(context, (environment, _, present) =>
    present.flatMap((secret) => {
      const { admin } = secret;
      // An unknown name is a fault of its own.
      if (admin === undefined || !secrets.has(admin)) return [];
      if (present.some((candidate) => candidate.key === admin)) return [];
      return [
        fault(
          ["secrets", secret.key, "admin"],
          `${JSON.stringify(admin)}, which ${environment} does not have`,
          "a secret that every environment has in which this one is rotated",
          `make ${admin} present in ${environment}`,
        ),
      ];
    }),
  );
  const circles = [...secrets.keys()].flatMap((key) => {
    const chain = [key];
    for (let next = secrets.get(key)?.admin; next !== undefined; next = secrets.get(next)?.admin) {
      if (next === key) {
        return [
          fault(
            ["secrets", key, "admin"],
            [...chain, key].join(" → "),
            "a chain of admin credentials that ends",
            "let one of them be rotated without the others",
          ),
        ];
      }
      if (chain.includes(next)) break;
      chain.push(next);
    }
    return [];
  });
  return [...unnamed, ...idle, ...missing, ...circles];
}
