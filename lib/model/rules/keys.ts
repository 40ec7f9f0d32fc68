import { looksLikeArnSuffix } from "../aws-grammar";
import { check } from "../check";
import { type Fault, fault } from "../faults";
import { duplicateKeys } from "../fragments";
import { secretKey } from "../grammar";
import { forSecrets, type RuleContext } from "./context";

/** Keys that AWS or Vault would refuse, or that would be mistaken for one another. */
export function keyFaults(context: RuleContext): readonly Fault[] {
  const { declared } = context.parsed;
  return [
    ...declared.secrets.flatMap((key) => [
      ...check(secretKey, key, ["secrets", key]).faults,
      ...suffixFaults(["secrets", key], key),
    ]),
    ...duplicateKeys(context.parsed.fragments).map((key) =>
      fault(
        ["secrets", key],
        "the same key in more than one of the merged parts",
        "each key once",
        "rename one of them, or remove the one that is out of date",
      ),
    ),
    ...formerKeyFaults(context),
  ];
}

function suffixFaults(path: readonly (string | number)[], key: string): readonly Fault[] {
  return looksLikeArnSuffix(key)
    ? [
        fault(
          path,
          `a key that ends in a hyphen and six characters (${key.slice(-7)})`,
          "any other ending: Secrets Manager takes such a name for a complete ARN",
          "add or remove a character at the end",
        ),
      ]
    : [];
}

/** A former key still is a name in the cloud, so it may stand for one secret only. */
function formerKeyFaults(context: RuleContext): readonly Fault[] {
  const holders = new Map<string, string>();
  for (const key of context.parsed.declared.secrets) holders.set(key, `secrets[${JSON.stringify(key)}]`);
  return forSecrets(context, (key, secret) =>
    secret.renamedFrom.flatMap((former, index) => {
      const path = ["secrets", key, "renamedFrom", ...(secret.renamedFrom.length > 1 ? [index] : [])];
      const holder = holders.get(former);
      if (holder !== undefined) {
        return [
          fault(
            path,
            `${JSON.stringify(former)}, which ${holder} uses`,
            "a key that no secret has or had",
            "remove it, or rename the other secret",
          ),
        ];
      }
      holders.set(former, `secrets[${JSON.stringify(key)}].renamedFrom`);
      return suffixFaults(path, former);
    }),
  );
}
