import { judgeAccess } from "../access-rules";
import { type Fault, fault } from "../faults";
import { forSecrets, type RuleContext, repeated } from "./context";

const nameOf = (consumer: string | { readonly workload: string }): string =>
  typeof consumer === "string" ? consumer : consumer.workload;

/** Consumers that a rule forbids, that are named twice, or that would read a retired secret. */
export function consumerFaults(context: RuleContext): readonly Fault[] {
  const { accessRules } = context.parsed;
  return forSecrets(context, (key, secret) => [
    ...secret.consumers.flatMap((consumer, index) => {
      const workload = nameOf(consumer);
      const rule = accessRules.get(workload);
      const verdict = judgeAccess(rule, key);
      if (verdict.allowed) return [];
      const where = `accessRules[${JSON.stringify(workload)}]`;
      const reason = rule?.reason ? ` (${rule.reason})` : "";
      return [
        fault(
          ["secrets", key, "consumers", index],
          JSON.stringify(workload),
          verdict.because === "denied"
            ? `a workload that may read ${key}; ${where}.deny forbids ${verdict.pattern} to this one${reason}`
            : `a workload that may read ${key}; ${where}.allow lists only ${verdict.patterns.join(", ")}${reason}`,
          "let a workload of its own consume it, or change the access rule",
        ),
      ];
    }),
    ...repeated(secret.consumers, nameOf).map(({ entry, index }) =>
      fault(
        ["secrets", key, "consumers", index],
        `${JSON.stringify(nameOf(entry))} a second time`,
        "each consumer once",
        "remove it, or put all its files into one entry",
      ),
    ),
    ...(secret.retired !== undefined && secret.consumers.length > 0
      ? [
          fault(
            ["secrets", key, "retired"],
            `retired on ${secret.retired} with consumers ${secret.consumers.map(nameOf).join(", ")}`,
            "a retired secret without consumers",
            "remove the consumers first, or remove `retired`",
          ),
        ]
      : []),
  ]);
}
