import { judgeAccess } from "../access-rules";
import { allConsumers, consumersIn, type ListedConsumer, ownConsumers } from "../consumers";
import { type Fault, fault } from "../faults";
import type { ParsedSecret } from "../secret-definition";
import { forSecrets, type RuleContext, repeated } from "./context";

/** Consumers that a rule forbids, that are named twice, or that would read a secret that is retired or is not there. */
export function consumerFaults(context: RuleContext): readonly Fault[] {
  const { accessRules, declared } = context.parsed;
  return forSecrets(context, (key, secret) => [
    ...allConsumers(secret).flatMap(({ workload, path }) => {
      const rule = accessRules.get(workload);
      const verdict = judgeAccess(rule, key);
      if (verdict.allowed) return [];
      const where = `accessRules[${JSON.stringify(workload)}]`;
      const reason = rule?.reason ? ` (${rule.reason})` : "";
      return [
        fault(
          ["secrets", key, ...path],
          JSON.stringify(workload),
          verdict.because === "denied"
            ? `a workload that may read ${key}; ${where}.deny forbids ${verdict.pattern} to this one${reason}`
            : `a workload that may read ${key}; ${where}.allow lists only ${verdict.patterns.join(", ")}${reason}`,
          "let a workload of its own consume it, or change the access rule",
        ),
      ];
    }),
    ...declared.environments.flatMap((name) =>
      repeated(consumersIn(secret, name), ({ workload }) => workload).map(({ entry }) =>
        fault(
          ["secrets", key, ...entry.path],
          `${JSON.stringify(entry.workload)} a second time`,
          "each consumer once",
          "remove it, or put all its files into one entry",
        ),
      ),
    ),
    ...limitFaults(key, secret, declared.environments),
    ...retiredFaults(key, secret),
  ]);
}

/** A consumer of an environment that does not have the secret, or that lists its own consumers. */
function limitFaults(key: string, secret: ParsedSecret, environments: readonly string[]): readonly Fault[] {
  const limits = ownConsumers(secret).flatMap(({ workload, path, environments: limited = [] }) => [
    ...limited.flatMap((name, index) => {
      const at = ["secrets", key, ...path, "environments", index];
      const own = secret.environments[name];
      if (!environments.includes(name) || own === undefined) return [];
      if (own.presence === "absent") {
        return [
          fault(
            at,
            `${JSON.stringify(name)}, where ${key} is absent`,
            "an environment that has the secret",
            `remove it, or remove secrets[${JSON.stringify(key)}].environments.${name}.presence`,
          ),
        ];
      }
      return own.consumers === undefined
        ? []
        : [
            fault(
              at,
              `${JSON.stringify(name)}, whose consumers are listed in secrets[${JSON.stringify(key)}].environments.${name}.consumers`,
              "one list of consumers for each environment",
              `remove it, and name ${workload} there if it reads the secret in ${name}`,
            ),
          ];
    }),
    ...repeated(limited, (name) => name).map(({ entry, index }) =>
      fault(
        ["secrets", key, ...path, "environments", index],
        `${JSON.stringify(entry)} a second time`,
        "each environment once",
        "remove it",
      ),
    ),
  ]);
  const absent = Object.entries(secret.environments).flatMap(([name, { presence, consumers = [] }]) =>
    presence === "absent" && consumers.length > 0
      ? [
          fault(
            ["secrets", key, "environments", name, "consumers"],
            `${consumers.length} consumers, where ${key} is absent`,
            "consumers where the environment has the secret",
            "remove it",
          ),
        ]
      : [],
  );
  return [...limits, ...absent];
}

function retiredFaults(key: string, secret: ParsedSecret): readonly Fault[] {
  const consumers: readonly ListedConsumer[] = allConsumers(secret);
  if (secret.retired === undefined || consumers.length === 0) return [];
  return [
    fault(
      ["secrets", key, "retired"],
      `retired on ${secret.retired} with consumers ${[...new Set(consumers.map(({ workload }) => workload))].join(", ")}`,
      "a retired secret without consumers",
      "remove the consumers first, or remove `retired`",
    ),
  ];
}
